"""The outbox, sent: heads of chats in turn, one at a time, while the line is connected."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import NotSent, OutcomeUnknown, Refused, SendOutcome, Sent
from gateway.domain.messages import REPEATS_AT_MOST, Message, State
from gateway.ports.provider import Line, LineDown, LineGone
from gateway.ports.queue import Ears, outbox_bell
from gateway.workers.owner_tools import OwnerTools

_LOOK_AGAIN_SECONDS: Final = 5.0
_LOOK_SOON_SECONDS: Final = 0.5
_WATCHFUL_SECONDS: Final = 90.0
_WAIT_FOR_STORE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0

_RESULTS: Final = {Sent: "sent", Refused: "refused", NotSent: "not sent", OutcomeUnknown: "unknown"}

log = structlog.get_logger(__name__)


class OutboxSender:
    """Sends what one session has to send.

    What is unconfirmed is repeated only after a later login, once all that waited at WhatsApp was told and
    `settle_for` has passed: until then a receipt may settle it. If the line stays up meanwhile, `redial` asks for a
    new login.
    """

    def __init__(self, lease: Lease, tools: OwnerTools, ears: Ears) -> None:
        self._lease = lease
        self._tools = tools
        self._outbox = tools.outbox
        self._ears = ears
        self._connected = asyncio.Event()
        self._repeats_from: float | None = None
        self._unknown_in_this_login: dict[str, float] = {}
        self._pause = 0.0
        self._watchful_until = 0.0
        self.redial = asyncio.Event()

    def connected(self) -> None:
        """The line came up."""
        self._connected.set()

    def disconnected(self) -> None:
        """The line went down: what is unconfirmed may be repeated after the next login."""
        self._connected.clear()
        self._repeats_from = None
        self._unknown_in_this_login.clear()
        self.redial.clear()

    def caught_up(self) -> None:
        """All that waited at WhatsApp has been told."""
        self._repeats_from = asyncio.get_running_loop().time() + self._tools.settle_for.total_seconds()
        self._watchful_until = self._repeats_from + _LOOK_AGAIN_SECONDS
        self._tools.queue.ring(outbox_bell(self._lease.session_uid))

    async def run(self, line: Line) -> None:
        """Send until cancelled, or until the line is gone (LineGone) or the lease is lost (LeaseLost)."""
        while True:
            await self._connected.wait()
            try:
                sent = await self._send_heads(line)
            except StoreUnavailable:
                log.warning("The outbox waits for the database.", session_uid=self._lease.session_uid)
                await asyncio.sleep(_WAIT_FOR_STORE_SECONDS)
                continue
            if not sent:
                await self._ears.heard(self._rest())

    async def _send_heads(self, line: Line) -> bool:
        """Send the heads that may be sent now; tell whether there was one."""
        sent = False
        heads = await self._outbox.heads(self._lease)
        for settled in self._unknown_in_this_login.keys() - {head.message_id for head in heads}:
            del self._unknown_in_this_login[settled]
        for head in heads:
            if not self._connected.is_set():
                return True
            if self._may_send(head):
                sent = await self._send(line, head) or sent
        return sent

    def _may_send(self, head: Message) -> bool:
        if head.state == State.STATE_QUEUED:
            return True
        if head.state != State.STATE_UNCONFIRMED or head.repeat_count >= REPEATS_AT_MOST:
            return False
        now = asyncio.get_running_loop().time()
        since = self._unknown_in_this_login.get(head.message_id)
        if since is not None:
            if now - since >= self._tools.redial_after.total_seconds():
                self.redial.set()
            return False
        return self._repeats_from is not None and now >= self._repeats_from

    async def _send(self, line: Line, head: Message) -> bool:
        outgoing = await self._outbox.begin(self._lease, head.message_id)
        if outgoing is None:
            return False
        outcome: SendOutcome
        try:
            outcome = await line.send(outgoing, timeout=self._tools.send_timeout.total_seconds())
        except LineDown as error:
            outcome = NotSent(str(error))
        except LineGone as error:
            await self._finish(head.message_id, NotSent(str(error)))
            raise
        loop = asyncio.get_running_loop()
        message = await self._finish(head.message_id, outcome)
        self._tools.meter.message_sent(_RESULTS[type(outcome)])
        if isinstance(outcome, OutcomeUnknown):
            self._unknown_in_this_login[head.message_id] = loop.time()
        if message is not None and message.next_attempt_time is not None:
            self._watchful_until = loop.time() + _WATCHFUL_SECONDS
        if isinstance(outcome, NotSent):
            await self._rest_after_failure(outcome)
        else:
            self._pause = 0.0
        return True

    async def _finish(self, message_id: str, outcome: SendOutcome) -> Message | None:
        """Note what came of an attempt, however long the database takes: nobody else knows."""
        while True:
            try:
                return await self._outbox.finish(self._lease, message_id, outcome)
            except StoreUnavailable:
                log.warning("An outcome waits for the database.", session_uid=self._lease.session_uid)
                await asyncio.sleep(_WAIT_FOR_STORE_SECONDS)

    async def _rest_after_failure(self, outcome: NotSent) -> None:
        self._pause = min(max(self._pause * 2, 0.5), _LONGEST_PAUSE_SECONDS)
        log.info("A message did not leave.", session_uid=self._lease.session_uid, why=outcome.message)
        await asyncio.sleep(self._pause)

    def _rest(self) -> float:
        """How long to wait for the bell before looking anyway."""
        watchful = asyncio.get_running_loop().time() < self._watchful_until
        return _LOOK_SOON_SECONDS if watchful or self._unknown_in_this_login else _LOOK_AGAIN_SECONDS
