"""How a session's owner answers those who need its line."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from gateway.domain.errors import (
    GatewayError,
    LeaseLost,
    OutcomeOpen,
    OwnerUnavailable,
    PairingNotUnderWay,
    ShuttingDown,
    failure_of,
)
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import Party
from gateway.domain.sessions import State
from gateway.ports.provider import Line, LineDown, LineGone
from gateway.services.asking import check_connected
from gateway.services.line_questions import LineQuestions
from gateway.services.lines import Lines
from gateway.services.pairing_log import PairingLog
from gateway.services.stopping import unless_stopped
from gateway.workers.owner_pairing import OwnerPairing
from wagate.v1 import pairing_service_pb2 as pb
from wagate.worker.v1 import owner_pb2

_ASK_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2


class OwnerAnswers:
    """Answers OwnerRequests. `line` gives the line that is open now, or raises OwnerUnavailable."""

    def __init__(
        self,
        lease: Lease,
        lines: Lines,
        questions: LineQuestions,
        pairing: OwnerPairing,
        log: PairingLog,
        line: Callable[[], Awaitable[Line]],
    ) -> None:
        self._lease = lease
        self._lines = lines
        self._questions = questions
        self._pairing = pairing
        self._log = log
        self._line = line
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """The session is given to another worker: whoever asks, and whoever waits, is told to come back."""
        self._leaving.set()

    async def answer(self, raw: bytes) -> bytes:
        """Answer one question; what goes wrong is an answer too."""
        request = owner_pb2.OwnerRequest.FromString(raw)
        try:
            reply = await unless_stopped(self._leaving, self._answer(request))
        except TimeoutError:
            reply = owner_pb2.OwnerReply(failed=failure_of(OutcomeOpen()))
        except (LineDown, LineGone):
            unavailable = OwnerUnavailable("The line to WhatsApp is being made again.")
            reply = owner_pb2.OwnerReply(failed=failure_of(unavailable))
        except ShuttingDown:
            leaving = OwnerUnavailable("The session is being given to another worker.")
            reply = owner_pb2.OwnerReply(failed=failure_of(leaving))
        except LeaseLost:
            moved = OwnerUnavailable("The session has another owner by now, or is gone.")
            reply = owner_pb2.OwnerReply(failed=failure_of(moved))
        except GatewayError as error:
            reply = owner_pb2.OwnerReply(failed=failure_of(error))
        return reply.SerializeToString()

    async def _answer(self, request: owner_pb2.OwnerRequest) -> owner_pb2.OwnerReply:
        match request.WhichOneof("what"):
            case "check_contacts":
                return await self._check(request.check_contacts)
            case "mark_messages_read":
                return await self._mark_read(request.mark_messages_read)
            case "begin_pairing":
                return await self._begin(request.begin_pairing)
            case "next_pairing_frame":
                return await self._next(request.next_pairing_frame)
            case "shown_pairing_code":
                return owner_pb2.OwnerReply(shown_pairing_code=self._pairing.shown_qr())
            case "answer_pairing_challenge":
                await self._pairing.answer(request.answer_pairing_challenge.answer)
            case "cancel_pairing":
                await self._pairing.cancel()
            case unknown:
                raise OwnerUnavailable(f"The owner does not know the question {unknown!r}.")
        return owner_pb2.OwnerReply(done=owner_pb2.Done())

    async def _check(self, question: owner_pb2.CheckContacts) -> owner_pb2.OwnerReply:
        await self._connected()
        line = await self._line()
        checked = await line.check(list(question.phone_numbers), timeout=_ASK_SECONDS)
        contacts = await self._questions.learn_checked(self._lease, checked)
        return owner_pb2.OwnerReply(checked_contacts=owner_pb2.CheckedContacts(contacts=contacts))

    async def _mark_read(self, question: owner_pb2.MarkMessagesRead) -> owner_pb2.OwnerReply:
        await self._connected()
        line = await self._line()
        spoken: defaultdict[tuple[Party, Names], list[str]] = defaultdict(list)
        for message, chat, sender in await self._questions.received(self._lease, question.message_ids):
            spoken[Party.of(chat), sender.names()].append(message.provider_message_id)
        for (place, speaker), provider_ids in spoken.items():
            await line.mark_read(place, speaker, provider_ids, datetime.now(UTC), timeout=_ASK_SECONDS)
        return owner_pb2.OwnerReply(done=owner_pb2.Done())

    async def _connected(self) -> None:
        check_connected(await self._lines.look(self._lease))

    async def _begin(self, question: owner_pb2.BeginPairing) -> owner_pb2.OwnerReply:
        if (linked := await self._linked_already()) is not None:
            return linked
        attempt = await self._pairing.begin(question.phone_number, question.watcher_id)
        frames, last = await attempt.after(0, _ASK_SECONDS)
        return _frames(attempt.attempt_id, frames, last)

    async def _linked_already(self) -> owner_pb2.OwnerReply | None:
        """A session that is linked is shown as connected, as soon as it is; None if it is linked to nothing."""
        deadline = asyncio.get_running_loop().time() + _ASK_SECONDS
        while (session := await self._lines.look(self._lease)).device is not None:
            if session.state == State.STATE_CONNECTED:
                account = await self._log.account(session)
                return _frames("", [pb.PairSessionResponse(connected=account)], 1)
            if asyncio.get_running_loop().time() > deadline:
                return _frames("", [], 0)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return None

    async def _next(self, question: owner_pb2.NextPairingFrame) -> owner_pb2.OwnerReply:
        if not question.attempt_id:
            if (linked := await self._linked_already()) is not None:
                return linked
            raise PairingNotUnderWay
        attempt = self._pairing.under_way(question.attempt_id)
        attempt.watch(question.watcher_id)
        patience = question.patience.ToTimedelta().total_seconds()
        frames, last = await attempt.after(question.after_frame, patience)
        return _frames(attempt.attempt_id, frames, last)


def _frames(attempt_id: str, frames: list[pb.PairSessionResponse], last: int) -> owner_pb2.OwnerReply:
    return owner_pb2.OwnerReply(
        pairing_frames=owner_pb2.PairingFrames(attempt_id=attempt_id, frames=frames, last_frame=last)
    )
