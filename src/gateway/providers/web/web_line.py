"""One session's line through the engine."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from grpc import StatusCode

from gateway.domain.clocks import to_duration, to_timestamp
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import (
    CheckedContact,
    LineChanged,
    LineState,
    NotSent,
    OutcomeUnknown,
    Outgoing,
    Party,
    SendOutcome,
    Unsayable,
)
from gateway.domain.sessions import LinkedDevice
from gateway.ports.provider import Incoming, LineDown, LineGone
from gateway.providers.web.calls import AT_ONCE, WITH_WHATSAPP, answered, answered_in_time, ask
from gateway.providers.web.engine_pool import Seat
from gateway.providers.web.facts import ItemUnknown, fact_of
from gateway.providers.web.failures import CallFailed, meaning_of
from gateway.providers.web.incoming import Told
from gateway.providers.web.sending import outcome_of, send_request
from gateway.providers.web.switchboard import Inbox
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.v1 import pairing_service_pb2 as pairing

_log = structlog.get_logger(__name__)

_NEVER_LEFT: Final[Mapping[StatusCode, type[Unsayable | NotSent]]] = {
    StatusCode.INVALID_ARGUMENT: Unsayable,
    StatusCode.RESOURCE_EXHAUSTED: NotSent,
}
"""With these codes the engine, for ever, or the channel, for now, refuses a request before doing anything."""


class WebLine:
    """A line, open in an engine under one lease. `device` is what the engine found in the session's store."""

    def __init__(self, seat: Seat, inbox: Inbox, lease: Lease, device: LinkedDevice | None) -> None:
        self.device = device
        self._seat = seat
        self._stub = seat.engine.stub
        self._switchboard = seat.engine.switchboard
        self._renewals = seat.engine.renewals
        self._inbox = inbox
        self._session_id = lease.session_uid
        self._fence = lease.fence

    async def incoming(self) -> AsyncGenerator[Incoming]:
        """What happens, in order. What this gateway does not know is refused and logged, and not told; nor is what
        follows something refused in the same run.
        """
        while True:
            item = await self._inbox.next()
            if item.run and item.run == self._inbox.refused_run:
                self._switchboard.settle(item, refused=True)
                continue
            try:
                fact = fact_of(item)
            except ItemUnknown as error:
                _log.error("The engine tells what is not known here", session_uid=self._session_id, why=str(error))
                self._switchboard.settle(item, refused=True)
                continue
            yield Told(fact, item, self._switchboard)
            if isinstance(fact, LineChanged) and fact.state is LineState.CLOSED:
                self._switchboard.unplug(self._session_id, self._fence, "the engine closed it")

    async def renew(self, remaining: timedelta) -> None:
        self._check()
        if not await self._renewals.renew(lease_proto(self._session_id, self._fence, remaining)):
            why = "the engine knows of another owner, or does not have the session open"
            self._switchboard.unplug(self._session_id, self._fence, why)
            raise LineGone(why)

    async def send(self, message: Outgoing, *, timeout: float) -> SendOutcome:
        """Hand over one message. LineGone and LineDown mean that it did not leave: the engine gives reasons before it
        does anything. A lost answer is OutcomeUnknown.
        """
        self._check()
        request = send_request(self._session_id, self._fence, message)
        try:
            return outcome_of(await ask(self._stub.SendMessage, request, timeout=timeout), message.to)
        except CallFailed as failed:
            if failed.reason:
                raise meaning_of(failed) from failed
            never_left = _NEVER_LEFT.get(failed.code)
            return never_left(str(failed)) if never_left else OutcomeUnknown(str(failed))

    async def mark_read(
        self,
        chat: Party,
        sender: Names,
        provider_message_ids: Sequence[str],
        moment: datetime,
        *,
        timeout: float,
    ) -> None:
        self._check()
        request = pb.MarkMessagesReadRequest(
            session_id=self._session_id,
            fence=self._fence,
            chat_jid=chat.jid(),
            sender_jid=sender.jid(),
            provider_message_ids=provider_message_ids,
            read_time=to_timestamp(moment),
        )
        await answered_in_time(self._stub.MarkMessagesRead, request, timeout=timeout)

    async def check(self, phone_numbers: Sequence[str], *, timeout: float) -> list[CheckedContact]:
        self._check()
        request = pb.CheckContactsRequest(session_id=self._session_id, fence=self._fence, phone_numbers=phone_numbers)
        response = await answered_in_time(self._stub.CheckContacts, request, timeout=timeout)
        return [
            CheckedContact(found.requested, found.on_whatsapp, Names(found.lid, found.phone_number))
            for found in response.contacts
        ]

    async def start_pairing(self, attempt_id: str, phone_number: str) -> None:
        self._check()
        request = pb.StartPairingRequest(
            session_id=self._session_id, fence=self._fence, attempt_id=attempt_id, phone_number=phone_number
        )
        await answered(self._stub.StartPairing, request, timeout=AT_ONCE)

    async def answer_challenge(self, answer: pairing.AnswerPairingChallengeRequest) -> None:
        self._check()
        request = pb.AnswerPairingChallengeRequest(
            session_id=self._session_id, fence=self._fence, attempt_id=answer.attempt_id
        )
        if answer.HasField("codes_agree"):
            request.codes_agree = answer.codes_agree
        else:
            request.webauthn_response_json = answer.webauthn_response_json
        await answered(self._stub.AnswerPairingChallenge, request, timeout=WITH_WHATSAPP)

    async def cancel_pairing(self) -> None:
        self._check()
        request = pb.CancelPairingRequest(session_id=self._session_id, fence=self._fence)
        await answered(self._stub.CancelPairing, request, timeout=AT_ONCE)

    async def logout(self) -> None:
        self._check()
        request = pb.LogoutSessionRequest(session_id=self._session_id, fence=self._fence)
        await answered(self._stub.LogoutSession, request, timeout=WITH_WHATSAPP)
        self.device = None

    async def close(self) -> None:
        request = pb.CloseSessionRequest(session_id=self._session_id, fence=self._fence)
        try:
            await answered(self._stub.CloseSession, request, timeout=AT_ONCE)
        except (LineGone, LineDown) as error:
            _log.warning("A line was not closed in order", session_uid=self._session_id, why=str(error))
        finally:
            self._switchboard.unplug(self._session_id, self._fence, "it was closed")
            self._seat.leave()

    def _check(self) -> None:
        if self._inbox.ended:
            raise LineGone(self._inbox.ended)


def lease_proto(session_id: str, fence: int, remaining: timedelta) -> pb.Lease:
    """A lease, as the engine is told of it."""
    return pb.Lease(session_id=session_id, fence=fence, remaining=to_duration(remaining))
