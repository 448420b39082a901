"""Persons of a lab: contacts that chat as they are told."""

from __future__ import annotations

from typing import Final

from gateway.commands.lab_accounts import NAMINGS, Naming
from gateway.commands.lab_control import DEFAULT, At, lab_at
from wagate.lab.v1 import lab_service_pb2 as pb


async def person(name: str, *, phone_number: str = "", naming: Naming = "lid-and-phone", at: At = DEFAULT) -> None:
    """Let a person chat: of a new account, or on one that there is."""
    request = pb.CreatePersonRequest(name=name, phone_number=phone_number, naming=NAMINGS[naming])
    async with lab_at(at) as stub:
        answer = await stub.CreatePerson(request)
    print(f"{answer.person_id}  {answer.account.phone_number}  {answer.account.lid}  device {answer.device}")


async def say(
    person_id: str,
    to: str,
    text: str,
    *,
    times: int = 1,
    answering: str = "",
    of: str = "",
    message_id: str = "",
    at: At = DEFAULT,
) -> None:
    """Say a text as a person, to another or to a group. `--answering` names WhatsApp's id of a message, `--of` who said
    it; `--message-id` is the id that this one gets, maybe one that another has. `--times` says it so often, to another,
    in one go, each with its number.
    """
    request = pb.SayRequest(
        person_id=person_id,
        to=to,
        text=text,
        reply_to_provider_message_id=answering,
        reply_to_author=of,
        provider_message_id=message_id,
    )
    async with lab_at(at) as stub:
        if times > 1:
            many = pb.SayManyRequest(person_id=person_id, to=to, text=text, count=times)
            print("\n".join((await stub.SayMany(many)).provider_message_ids))
        else:
            print((await stub.Say(request)).provider_message_id)


async def read(person_id: str, sender: str, *provider_message_ids: str, group: str = "", at: At = DEFAULT) -> None:
    """Read messages as a person, so that their sender is told; `--group` names the group in which they stand."""
    request = pb.MarkReadRequest(
        person_id=person_id, sender=sender, provider_message_ids=provider_message_ids, group_jid=group
    )
    async with lab_at(at) as stub:
        await stub.MarkRead(request)


async def online(person_id: str, *, at: At = DEFAULT) -> None:
    """Connect a person."""
    async with lab_at(at) as stub:
        await stub.SetOnline(pb.SetOnlineRequest(person_id=person_id, online=True))


async def offline(person_id: str, *, at: At = DEFAULT) -> None:
    """Disconnect a person; what arrives meanwhile waits."""
    async with lab_at(at) as stub:
        await stub.SetOnline(pb.SetOnlineRequest(person_id=person_id, online=False))


async def forget(person_id: str, peer: str, *, at: At = DEFAULT) -> None:
    """Let a person forget the keys of someone, whose next message must then be asked for again."""
    async with lab_at(at) as stub:
        await stub.ForgetKeys(pb.ForgetKeysRequest(person_id=person_id, peer=peer))


async def inbox(person_id: str, *, after: int = 0, follow: bool = False, at: At = DEFAULT) -> None:
    """Print what a person received."""
    request = pb.WatchInboxRequest(person_id=person_id, after_position=after, until_now=not follow)
    async with lab_at(at) as stub:
        async for item in stub.WatchInbox(request):
            sender = item.from_phone_number or item.from_lid
            place = f"  in {item.chat_jid}" if item.chat_jid.endswith("@g.us") else ""
            print(f"{item.position}  {item.provider_message_id}  from {sender}{place}  {item.text!r}")


COMMANDS: Final = (person, say, read, online, offline, forget, inbox)
