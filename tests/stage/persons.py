"""Persons: contacts inside the lab, who do what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import TYPE_CHECKING

from tests.stage.watching import Watch, watching
from wagate.lab.v1 import lab_service_pb2 as pb

if TYPE_CHECKING:
    from wagate.lab.v1.lab_service_pb2_grpc import LabServiceAsyncStub

Received = pb.WatchInboxResponse


class Naming(Enum):
    """By which names others see a person who writes."""

    LID_WITH_PHONE = pb.CreateAccountRequest.NAMING_UNSPECIFIED
    LID_ONLY = pb.CreateAccountRequest.NAMING_LID_ONLY
    PHONE_WITH_LID = pb.CreateAccountRequest.NAMING_PHONE_WITH_LID
    PHONE_ONLY = pb.CreateAccountRequest.NAMING_PHONE_ONLY


def _group_of(received: Received) -> str:
    """The group in which a message stands; empty if it stands in none."""
    return received.chat_jid if received.chat_jid.endswith("@g.us") else ""


class Person:
    """A person of the lab."""

    def __init__(self, stub: LabServiceAsyncStub, created: pb.CreatePersonResponse) -> None:
        self._stub = stub
        self.person_id = created.person_id
        self.account = created.account
        self.phone_number = created.account.phone_number
        self.lid = created.account.lid

    async def say(self, to: str, text: str, *, provider_message_id: str = "") -> str:
        """Send a text; WhatsApp's id of it."""
        request = pb.SayRequest(person_id=self.person_id, to=to, text=text, provider_message_id=provider_message_id)
        return (await self._stub.Say(request)).provider_message_id

    async def reply(self, received: Received, text: str) -> str:
        """Answer a message that came from someone else, in its chat; WhatsApp's id of the answer."""
        author = received.from_phone_number or received.from_lid
        request = pb.SayRequest(
            person_id=self.person_id,
            to=_group_of(received) or author,
            text=text,
            reply_to_provider_message_id=received.provider_message_id,
            reply_to_author=author,
        )
        return (await self._stub.Say(request)).provider_message_id

    async def say_raw(self, to: str, raw_message: bytes) -> str:
        """Send any `waE2E.Message`; WhatsApp's id of it."""
        request = pb.SayRequest(person_id=self.person_id, to=to, raw_message=raw_message)
        return (await self._stub.Say(request)).provider_message_id

    async def read(self, received: Received) -> None:
        """Read a message, and let its sender know."""
        request = pb.MarkReadRequest(
            person_id=self.person_id,
            sender=received.from_phone_number or received.from_lid,
            provider_message_ids=[received.provider_message_id],
            group_jid=_group_of(received),
        )
        await self._stub.MarkRead(request)

    async def go(self, *, online: bool) -> None:
        """Connect or disconnect."""
        await self._stub.SetOnline(pb.SetOnlineRequest(person_id=self.person_id, online=online))

    async def forget(self, peer: str) -> None:
        """Forget the encryption session with someone, so that the next message from there cannot be read."""
        await self._stub.ForgetKeys(pb.ForgetKeysRequest(person_id=self.person_id, peer=peer))

    @asynccontextmanager
    async def inbox(self) -> AsyncIterator[Watch[Received]]:
        """All that the person has received and receives."""
        stream = self._stub.WatchInbox(pb.WatchInboxRequest(person_id=self.person_id))
        async with watching(stream, lambda received: received) as inbox:
            yield inbox
