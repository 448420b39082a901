"""How a session's owner pairs it: what watchers see, and what the log is told, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway.domain.clocks import to_timestamp
from gateway.domain.errors import NoSuchChallenge, PairingNotUnderWay
from gateway.domain.ids import ATTEMPT, make_id
from gateway.domain.leases import Lease
from gateway.domain.lines import CodeShown, DeviceLinked, PairingFailed, PasskeyWanted
from gateway.domain.sessions import Session
from gateway.ports.provider import ChallengeUnknown, Line, LineDown, LineGone
from gateway.services.lines import Lines
from gateway.services.pairing_log import PairingLog
from gateway.workers.pairing_attempt import PairingAttempt
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2
from wagate.v1 import pairing_service_pb2 as pb

Step = event_pb2.SessionPairing.Step
PairingFact = CodeShown | PasskeyWanted | DeviceLinked | PairingFailed


class OwnerPairing:
    """The pairing side of one session's owner; `line` gives the line that is open now, or raises OwnerUnavailable."""

    def __init__(self, lease: Lease, lines: Lines, log: PairingLog, line: Callable[[], Awaitable[Line]]) -> None:
        self._lease = lease
        self._lines = lines
        self._log = log
        self._line = line
        self._attempt: PairingAttempt | None = None
        self._beginning = asyncio.Lock()

    async def begin(self, phone_number: str, watcher_id: str) -> PairingAttempt:
        """Begin an attempt of this sort, or join the one under way.

        Raises:
            TooManyWatchers: the attempt has 8.
        """
        async with self._beginning:
            attempt = self._attempt
            if attempt is None or attempt.is_ended or attempt.phone_number != phone_number:
                attempt = await self._begin_anew(phone_number)
            attempt.watch(watcher_id)
            return attempt

    async def _begin_anew(self, phone_number: str) -> PairingAttempt:
        line = await self._line()
        await self.fail(reasons.ERROR_REASON_PAIRING_SUPERSEDED, "An attempt of the other sort was begun instead.")
        await self._lines.pairing(self._lease)
        attempt = self._attempt = PairingAttempt(make_id(ATTEMPT), phone_number)
        try:
            await line.start_pairing(attempt.attempt_id, phone_number)
        except (LineDown, LineGone):
            await self.fail(reasons.ERROR_REASON_PAIRING_FAILED, "The line was lost.")
            raise
        return attempt

    @property
    def is_under_way(self) -> bool:
        """Whether there is an attempt that has not ended."""
        return self._attempt is not None and not self._attempt.is_ended

    def under_way(self, attempt_id: str = "") -> PairingAttempt:
        """The attempt under way, or the one of this id if it was the last.

        Raises:
            PairingNotUnderWay: there is none.
        """
        attempt = self._attempt
        if attempt is None or (attempt.is_ended and attempt.attempt_id != attempt_id):
            raise PairingNotUnderWay
        return attempt

    def shown_qr(self) -> pb.PairSessionResponse:
        """The step of the attempt by QR that is current.

        Raises:
            PairingNotUnderWay: there is no such attempt, or no step yet.
        """
        attempt = self.under_way()
        if attempt.phone_number or attempt.current is None:
            raise PairingNotUnderWay
        return attempt.current

    async def answer(self, answer: pb.AnswerPairingChallengeRequest) -> None:
        """Hand on an answer.

        Raises:
            NoSuchChallenge: the attempt has moved on.
        """
        attempt = self._attempt
        current = attempt.current if attempt else None
        if attempt is None or attempt.attempt_id != answer.attempt_id or current is None:
            raise NoSuchChallenge
        if current.WhichOneof("frame") != "passkey":
            raise NoSuchChallenge
        try:
            await (await self._line()).answer_challenge(answer)
        except ChallengeUnknown:
            raise NoSuchChallenge from None

    async def cancel(self) -> None:
        """End the attempt under way.

        Raises:
            PairingNotUnderWay: there is none.
        """
        self.under_way()
        await (await self._line()).cancel_pairing()
        await self.fail(reasons.ERROR_REASON_PAIRING_CANCELED, "The attempt was cancelled.")

    async def fail(self, reason: reasons.ErrorReason.ValueType, sentence: str) -> None:
        """End the attempt under way, if there is one, for a reason of ours."""
        if self._attempt is not None and not self._attempt.is_ended:
            failure = reasons.Failure(reason=reason, message=sentence)
            await self.step(PairingFailed(self._attempt.attempt_id, failure))

    async def step(self, fact: PairingFact) -> None:
        """Take in a step that the line tells. One of an earlier attempt is of no interest."""
        attempt = self._attempt
        if isinstance(fact, DeviceLinked):
            await self._linked(attempt, fact)
        elif attempt is None or attempt.is_ended or attempt.attempt_id != fact.attempt_id:
            return
        elif isinstance(fact, CodeShown):
            await self._log.tell(self._lease, attempt.attempt_id, Step.STEP_CODE_SHOWN, expire=fact.expire_time)
            await attempt.show(_code_frame(fact.text, fact.expire_time, fact.codes_left))
        elif isinstance(fact, PasskeyWanted):
            await self._log.tell(self._lease, attempt.attempt_id, Step.STEP_PASSKEY)
            challenge = pb.PasskeyChallenge(
                public_key_options_json=fact.public_key_options_json, confirmation_code=fact.confirmation_code
            )
            await attempt.show(pb.PairSessionResponse(passkey=challenge))
        else:
            await self._log.tell(self._lease, attempt.attempt_id, Step.STEP_FAILED, failure=fact.failure)
            await self._back(await self._lines.look(self._lease))
            await attempt.show(pb.PairSessionResponse(failed=fact.failure))

    async def _back(self, session: Session) -> None:
        """A session that was linked once is logged out again when an attempt at linking it anew fails."""
        if session.account_id and session.device is None:
            await self._lines.logged_out(self._lease)

    async def _linked(self, attempt: PairingAttempt | None, fact: DeviceLinked) -> None:
        await self._lines.linked(self._lease, fact.device, fact.push_name)
        if attempt is not None and not attempt.is_ended:
            account = await self._log.tell(self._lease, attempt.attempt_id, Step.STEP_LINKED)
            await attempt.show(pb.PairSessionResponse(linked=account))

    async def connected(self, session: Session) -> None:
        """The line came up: an attempt that linked it has succeeded."""
        attempt = self._attempt
        if attempt is None or attempt.is_ended or session.device is None:
            return
        account = await self._log.tell(self._lease, attempt.attempt_id, Step.STEP_CONNECTED)
        await attempt.show(pb.PairSessionResponse(connected=account))


def _code_frame(text: str, expire_time: datetime, codes_left: int) -> pb.PairSessionResponse:
    code = pb.PairingCode(text=text, expire_time=to_timestamp(expire_time), codes_left=codes_left)
    return pb.PairSessionResponse(code=code)
