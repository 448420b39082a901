"""The lab as the other side."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from typing import Final

from google.protobuf.duration_pb2 import Duration

from tests.conformance.provider.whatsapp import Contact, Heard
from tests.stage.lab import Kind, Lab
from tests.stage.persons import Person, Received
from tests.stage.processes import engine_of
from tests.stage.watching import Watch, watching
from wagate.lab.v1 import lab_service_pb2 as pb

Fault = pb.SetFaultRequest.Fault

_CLIENT_OUTDATED: Final = 405


class LabWhatsApp:
    """See `WhatsApp`. `streams` holds what is read until the end of the tests."""

    nobody = "+4915100999999"

    def __init__(self, lab: Lab, streams: AsyncExitStack) -> None:
        self._lab = lab
        self._streams = streams
        self._people: dict[str, tuple[Person, Watch[Received]]] = {}

    async def account(self) -> Contact:
        made = await self._lab.account()
        return Contact(made.phone_number, made.lid)

    async def person(self, name: str) -> Contact:
        person = await self._lab.person(name)
        inbox = await self._streams.enter_async_context(person.inbox())
        self._people[person.phone_number] = person, inbox
        return Contact(person.phone_number, person.lid)

    async def scan(self, account: Contact, code: str) -> None:
        await self._lab.stub.ScanQr(pb.ScanQrRequest(phone_number=account.phone_number, qr_text=code))

    async def enter(self, account: Contact, code: str) -> None:
        request = pb.EnterPairingCodeRequest(phone_number=account.phone_number, code=code)
        await self._lab.stub.EnterPairingCode(request)

    async def say(self, person: Contact, to: Contact, text: str) -> str:
        speaker, _ = self._people[person.phone_number]
        return await speaker.say(to.phone_number, text)

    async def heard(self, person: Contact) -> Heard:
        _, inbox = self._people[person.phone_number]
        message = await inbox.next()
        return Heard(
            message.provider_message_id,
            message.from_phone_number,
            message.text,
            message.quoted_provider_message_id,
            len(message.mention_jids),
        )

    async def read(self, person: Contact, to: Contact, provider_message_id: str) -> None:
        reader, _ = self._people[person.phone_number]
        ids = [provider_message_id]
        request = pb.MarkReadRequest(person_id=reader.person_id, sender=to.phone_number, provider_message_ids=ids)
        await self._lab.stub.MarkRead(request)

    async def confirmed(self, person: Contact, provider_message_id: str, *, within: float) -> bool:
        return await self._forwarded(person, "", provider_message_id, within)

    async def told_read(self, person: Contact, provider_message_id: str, *, within: float) -> bool:
        return await self._forwarded(person, "read", provider_message_id, within)

    async def refuse(self, account: Contact, person: Contact, code: int) -> None:  # noqa: ARG002
        await self._fault(account, Fault(refuse_code=code))

    async def freeze(self, account: Contact, person: Contact) -> None:  # noqa: ARG002
        await self._fault(account, Fault(frozen=True))

    async def drop(self, account: Contact) -> None:
        await self._lab.stub.DropConnections(pb.DropConnectionsRequest(phone_number=account.phone_number))

    async def replace(self, account: Contact) -> None:
        word = pb.DropConnectionsRequest.LAST_WORD_REPLACED
        request = pb.DropConnectionsRequest(phone_number=account.phone_number, last_word=word)
        await self._lab.stub.DropConnections(request)

    async def outdate(self, account: Contact) -> None:
        await self._fault(account, Fault(login_failure_code=_CLIENT_OUTDATED))
        await self.drop(account)

    async def ban(self, account: Contact, *, seconds: int) -> None:
        request = pb.BanAccountRequest(phone_number=account.phone_number, duration=Duration(seconds=seconds))
        await self._lab.stub.BanAccount(request)

    async def lock_reachout(self, account: Contact, *, seconds: int) -> None:
        request = pb.LockReachoutRequest(phone_number=account.phone_number, duration=Duration(seconds=seconds))
        await self._lab.stub.LockReachout(request)

    async def unlink(self, account: Contact) -> None:
        await self._lab.stub.UnlinkDevice(pb.UnlinkDeviceRequest(phone_number=account.phone_number))

    async def has_device(self, account: Contact) -> bool:
        accounts = (await self._lab.stub.ListAccounts(pb.ListAccountsRequest())).accounts
        return any(one.devices for one in accounts if one.phone_number == account.phone_number)

    async def crash(self) -> None:
        os.kill(engine_of(os.getpid()), signal.SIGKILL)

    async def _fault(self, account: Contact, fault: Fault) -> None:
        await self._lab.stub.SetFault(pb.SetFaultRequest(phone_number=account.phone_number, fault=fault))

    async def _forwarded(self, person: Contact, kind: str, provider_message_id: str, within: float) -> bool:
        """Whether a receipt of this kind is on its way to somebody."""
        wanted = (Kind.KIND_FORWARDED, kind, person.phone_number, provider_message_id)
        stream = self._lab.stub.WatchOracle(pb.WatchOracleRequest())
        async with watching(stream, lambda told: told.entry) as entries:
            try:
                await entries.until(
                    lambda entry: (entry.kind, entry.type, entry.account, entry.provider_message_id) == wanted,
                    within=within,
                )
            except AssertionError:
                return False
            return True
