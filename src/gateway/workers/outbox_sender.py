"""The outbox, sent: heads of chats in turn, one at a time, while the line is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import NotSent, OutcomeUnknown, Outgoing, Refused, SendOutcome, Sent, Unsayable
from gateway.domain.messages import Message, State
from gateway.ports.provider import Line, LineDown, LineGone
from gateway.ports.queue import Ears, outbox_bell
from gateway.services.outbox import Finished
from gateway.workers.login import FIRST_PAUSE_SECONDS, Login, Pause
from gateway.workers.owner_tools import OwnerTools
from gateway.workers.tenure import Tenure

_LOOK_AGAIN_SECONDS: Final = 5.0
_LOOK_SOON_SECONDS: Final = 0.5
_WATCHFUL_SECONDS: Final = 90.0
_WAIT_FOR_STORE_SECONDS: Final = 1.0

_RESULTS: Final = {
    Sent: "sent",
    Refused: "refused",
    Unsayable: "refused",
    NotSent: "not sent",
    OutcomeUnknown: "unknown",
}

log = structlog.get_logger(__name__)


class OutboxSender:
    """Sends what one session has to send.

    What is unconfirmed is repeated, or ended after its last repeat, only after a later login, once all that waited at
    WhatsApp was told and `settle_for` has passed: until then a receipt may settle it. If the line stays up meanwhile,
    `redial` asks for a new login. What did not leave keeps its place, and is tried again after growing pauses, or at
    once after a new login.
    """

    def __init__(self, lease: Lease, tools: OwnerTools, ears: Ears, tenure: Tenure) -> None:
        self._lease = lease
        self._tenure = tenure
        self._tools = tools
        self._outbox = tools.outbox
        self._ears = ears
        self._connected = asyncio.Event()
        self._login = Login()
        self._looks_soon = False
        self._watchful_until = 0.0
        self._ends = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.redial = asyncio.Event()

    def connected(self) -> None:
        """The line came up."""
        self._connected.set()

    def degraded(self) -> None:
        """The line does not answer; if it does again, that is no new login."""
        self._connected.clear()

    def disconnected(self) -> None:
        """The line went down: what is unconfirmed may be repeated after the next login."""
        self._connected.clear()
        self._login = Login()
        self.redial.clear()

    def caught_up(self) -> None:
        """All that waited at WhatsApp has been told."""
        self._login.repeats_from = asyncio.get_running_loop().time() + self._tools.settle_for.total_seconds()
        self._tools.queue.ring(outbox_bell(self._lease.session_uid))

    async def end(self) -> None:
        """Begin nothing more, and wait until what is under way is at its end."""
        self._ends = True
        await self._idle.wait()

    async def run(self, line: Line) -> None:
        """Send until cancelled, or until the line is gone (LineGone) or the lease is lost (LeaseLost)."""
        while True:
            await self._connected.wait()
            await self._tenure.sendable()
            try:
                sent = await self._send_heads(line)
            except StoreUnavailable:
                log.warning("The outbox waits for the database.", session_uid=self._lease.session_uid)
                await asyncio.sleep(_WAIT_FOR_STORE_SECONDS)
                continue
            if not sent:
                await self._ears.heard(self._rest())

    async def _send_heads(self, line: Line) -> bool:
        """Send what may be sent now; tell whether there was any."""
        self._idle.clear()
        try:
            return await self._send_in_turn(line, await self._outbox.turns(self._lease))
        finally:
            self._idle.set()

    async def _send_in_turn(self, line: Line, waiting: Sequence[Message]) -> bool:
        """Send messages, each begun with the end of the one before; tell whether there was one."""
        sent, begun, stuck = False, None, set[str]()
        self._looks_soon = self._login.has_news_of(waiting)
        for head, following in zip_longest(waiting, waiting[1:]):
            if begun is None:
                if self._is_over:
                    return False
                if not self._is_up:
                    return True
                sends = head.chat_id not in stuck and (head.state == State.STATE_SENDING or self._may_send(head))
                begun = await self._begin(head) if sends else None
                sent = sent or sends
            if begun is None:
                stuck.add(head.chat_id)
                continue
            joins = following is not None and following.is_fresh and following.chat_id not in stuck
            finished = await self._send(line, head, begun, following if joins else None)
            if not finished.lets_go_on:
                stuck.add(head.chat_id)
            begun = finished.begun
        return sent

    @property
    def _is_over(self) -> bool:
        return self.redial.is_set() or self._ends

    @property
    def _is_up(self) -> bool:
        return self._connected.is_set() and self._tenure.may_send

    async def _begin(self, head: Message) -> Outgoing | None:
        """Begin a message, or end it if it was repeated often enough, or put it back if it was never handed over."""
        if head.state == State.STATE_SENDING:
            await self._finish(head.message_id, NotSent("it was begun, and never handed over"), 0.0)
            return None
        if head.is_repeated_out:
            await self._outbox.conclude(self._lease, head.message_id)
            return None
        return await self._outbox.begin(self._lease, head.message_id)

    def _may_send(self, head: Message) -> bool:
        now = asyncio.get_running_loop().time()
        pause = self._login.pauses.get(head.message_id)
        if pause is not None and now < pause.until:
            return False
        if head.state == State.STATE_QUEUED:
            return True
        if head.state != State.STATE_UNCONFIRMED or head.waits_for_word:
            return False
        since = self._login.unknown_since.get(head.message_id)
        if since is not None:
            if now - since >= self._tools.redial_after.total_seconds():
                self.redial.set()
            return False
        return self._login.repeats_from is not None and now >= self._login.repeats_from

    async def _send(self, line: Line, head: Message, outgoing: Outgoing, then: Message | None) -> Finished:
        """Hand a message over that was begun, note what came of it, and begin the next."""
        login, seconds = self._login, self._login.next_pause(head.message_id)
        try:
            outcome, finished = await self._hand_over(line, head.message_id, outgoing, seconds, then)
        except LineGone as error:
            await self._finish(head.message_id, NotSent(str(error)), 0.0)
            raise
        now = asyncio.get_running_loop().time()
        if isinstance(outcome, OutcomeUnknown):
            login.unknown_since[head.message_id] = now
            self._looks_soon = True
        elif isinstance(outcome, NotSent):
            login.pauses[head.message_id] = Pause(seconds, now + seconds)
            self._looks_soon = True
            log.info("A message did not leave.", session_uid=self._lease.session_uid, why=outcome.message)
        elif isinstance(outcome, Unsayable):
            log.error("A message was accepted that cannot be said.", message_id=head.message_id, why=outcome.message)
        return finished

    async def _hand_over(
        self, line: Line, message_id: str, outgoing: Outgoing, seconds: float, then: Message | None
    ) -> tuple[SendOutcome, Finished]:
        """Hand a message over, and note what came of it. If there is no line for any, all wait for a moment."""
        outcome: SendOutcome
        try:
            if not self._tenure.may_send:
                raise LineDown("the lease was not renewed in time")
            outcome = await line.send(outgoing, timeout=self._tools.send_timeout.total_seconds())
        except LineDown as error:
            outcome = NotSent(str(error))
            finished = await self._finish(message_id, outcome, seconds)
            await asyncio.sleep(FIRST_PAUSE_SECONDS)
        else:
            goes_on = self._is_up and not self._is_over
            finished = await self._finish(message_id, outcome, seconds, then if goes_on else None)
        self._tools.meter.message_sent(_RESULTS[type(outcome)])
        if finished.message is not None and finished.message.next_attempt_time is not None:
            self._watchful_until = asyncio.get_running_loop().time() + _WATCHFUL_SECONDS
        return outcome, finished

    async def _finish(
        self, message_id: str, outcome: SendOutcome, pause_seconds: float, then: Message | None = None
    ) -> Finished:
        """Note what came of an attempt, however long the database takes: nobody else knows."""
        pause = timedelta(seconds=pause_seconds)
        while True:
            try:
                return await self._outbox.finish(self._lease, message_id, outcome, pause, then)
            except StoreUnavailable:
                log.warning("An outcome waits for the database.", session_uid=self._lease.session_uid)
                await asyncio.sleep(_WAIT_FOR_STORE_SECONDS)

    def _rest(self) -> float:
        """How long to wait for the bell before looking anyway."""
        now = asyncio.get_running_loop().time()
        if self._looks_soon or now < self._watchful_until:
            return _LOOK_SOON_SECONDS
        until_repeats = (self._login.repeats_from or now) - now
        return min(until_repeats, _LOOK_AGAIN_SECONDS) if until_repeats > 0 else _LOOK_AGAIN_SECONDS
