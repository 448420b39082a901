"""Who is in a scenario, and what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from grpc import StatusCode
from grpc.aio import AioRpcError
from pydantic import Field, StringConstraints

from gateway.scenarios.errors import StepFailed
from gateway.scenarios.stage import Stage
from gateway.scenarios.verbs import SOMEBODY, Chat, NewName, Somebody, Speaker, Verb
from wagate.lab.v1 import group_pb2
from wagate.lab.v1 import lab_service_pb2 as pb

PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+[0-9]{5,20}$")]
_A_LONG_BREATH: Final = timedelta(minutes=10).total_seconds()


class Account(Verb):
    """The account with that number, made if there is none; without a number a new one."""

    name: NewName
    phone_number: PhoneNumber | None = None

    async def play(self, stage: Stage) -> str:
        """Find it or make it."""
        wanted = stage.given.get(self.name) or self.phone_number or ""
        account = await stage.account(wanted) if wanted else None
        if account is None:
            request = pb.CreateAccountRequest(phone_number=wanted, push_name=self.name.capitalize())
            account = (await stage.lab.CreateAccount(request)).account
        stage.add_account(self.name, account.phone_number)
        return account.phone_number


class Person(Verb):
    """A person who chats: of a new account, or one who plays the owner of that of somebody else."""

    name: NewName
    of: Annotated[str | None, SOMEBODY] = None

    async def play(self, stage: Stage) -> str:
        """Let the person come online."""
        phone_number = stage.number(self.of) if self.of else ""
        request = pb.CreatePersonRequest(phone_number=phone_number, name=self.name.capitalize())
        created = await stage.lab.CreatePerson(request)
        stage.add_person(self.name, created)
        return f"{created.account.phone_number} as {created.person_id}"


class Group(Verb):
    """A group, made on the phone of somebody, with others in it."""

    name: NewName
    of: Somebody
    members: Annotated[tuple[str, ...], SOMEBODY] = ()

    async def play(self, stage: Stage) -> str:
        """Make it."""
        request = group_pb2.CreateGroupRequest(
            creator=stage.number(self.of),
            subject=self.name.capitalize(),
            members=[stage.number(member) for member in self.members],
        )
        made = (await stage.lab.CreateGroup(request)).group
        stage.add_group(self.name, made.jid)
        return made.jid


class Say(Verb):
    """A person sends a text, or that many to somebody, which then end with their numbers. If it is to be refused, it
    has to be.
    """

    by: Speaker
    to: Chat
    text: str
    times: int = Field(1, ge=1, le=100_000)
    message_id: str = ""
    refused: bool = False

    async def play(self, stage: Stage) -> str:
        """Say it."""
        try:
            said = await self._say(stage)
        except AioRpcError as error:
            if self.refused and error.code() is StatusCode.FAILED_PRECONDITION:
                return error.details() or ""
            raise
        if self.refused:
            raise StepFailed("it was not refused")
        return said

    async def _say(self, stage: Stage) -> str:
        person_id, to = stage.person(self.by), stage.chat(self.to)
        if self.times > 1:
            many = pb.SayManyRequest(person_id=person_id, to=to, text=self.text, count=self.times)
            ids = (await stage.lab.SayMany(many, timeout=_A_LONG_BREATH)).provider_message_ids
            return f"{ids[0]} to {ids[-1]}"
        one = pb.SayRequest(person_id=person_id, to=to, text=self.text, provider_message_id=self.message_id)
        return (await stage.lab.Say(one)).provider_message_id


class Online(Verb):
    """A person connects."""

    who: Speaker

    async def play(self, stage: Stage) -> str:
        """Connect."""
        await stage.lab.SetOnline(pb.SetOnlineRequest(person_id=stage.person(self.who), online=True))
        return ""


class Offline(Verb):
    """A person disconnects; what arrives meanwhile waits."""

    who: Speaker

    async def play(self, stage: Stage) -> str:
        """Disconnect."""
        await stage.lab.SetOnline(pb.SetOnlineRequest(person_id=stage.person(self.who), online=False))
        return ""


class Forget(Verb):
    """A person forgets the keys of somebody, whose next message has to be asked for again."""

    by: Speaker
    of: Somebody

    async def play(self, stage: Stage) -> str:
        """Forget."""
        await stage.lab.ForgetKeys(pb.ForgetKeysRequest(person_id=stage.person(self.by), peer=stage.number(self.of)))
        return ""
