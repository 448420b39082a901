"""The owner of one session: makes of it what is wanted, for as long as it holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from gateway.domain.errors import LeaseLost, OwnerUnavailable, StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.sessions import DesiredState, Session, State
from gateway.ports.provider import Line, LineDown, LineGone, LineRefused, Opening
from gateway.ports.queue import outbox_bell, owner_name, wish_bell
from gateway.services.lines import LINE_LOST
from gateway.workers.line_reader import LineReader
from gateway.workers.outbox_sender import OutboxSender
from gateway.workers.owner_answers import OwnerAnswers
from gateway.workers.owner_pairing import OwnerPairing
from gateway.workers.owner_tools import OwnerTools
from wagate.v1 import error_reason_pb2 as reasons

_LINE_WITHIN_SECONDS: Final = 15.0
_LOGOUT_WITHIN_SECONDS: Final = 15.0
_LOOK_AT_WISH_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 30.0
_BLOCKED_SECONDS: Final = 3600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a session, as far as its owner's line depends on it."""

    running: bool
    logout: bool
    restarts: int
    expected_phone_number: str

    @classmethod
    def of(cls, session: Session) -> Wish:
        """What is wanted of this session."""
        running = session.desired_state == DesiredState.DESIRED_STATE_RUNNING
        return cls(running, session.logout_wanted, session.restarts, session.expected_phone_number)

    def holds_for(self, session: Session) -> bool:
        """Whether this is still what is wanted; which number is expected matters only until one is linked."""
        now = Wish.of(session)
        return self == (
            now if session.device is None else replace(now, expected_phone_number=self.expected_phone_number)
        )


class SessionOwner:
    """Owns one session. `run` ends when nothing more is wanted, or when the lease is lost."""

    def __init__(self, lease: Lease, tools: OwnerTools) -> None:
        self.lease = lease
        self._tools = tools
        self._held_until = asyncio.get_running_loop().time() + tools.lease_ttl.total_seconds()
        self._line: Line | None = None
        self._away_since: datetime | None = None
        self._line_open = asyncio.Event()
        self._pairing = OwnerPairing(lease, tools.lines, tools.pairing_log, self._open_line)
        self._answers = OwnerAnswers(
            lease, tools.lines, tools.questions, self._pairing, tools.pairing_log, self._open_line
        )

    async def run(self) -> None:
        """Make of the session what is wanted, until nothing is or the lease is lost."""
        uid = self.lease.session_uid
        try:
            async with self._tools.queue.serve(owner_name(uid), self._answers.answer):
                self._away_since = await self._take_over()
                await self._serve_wishes()
        except LeaseLost:
            log.info("The session has another owner, or is gone.", session_uid=uid)
        except asyncio.CancelledError:
            await self._hand_over()
            raise

    async def _take_over(self) -> datetime | None:
        """Say that there is no line yet, nor an attempt at linking anew, whatever an earlier owner said last; tell
        since when there has been none.
        """
        session = await self._tools.lines.look(self.lease)
        if session.state in _SAID_OF_A_LINE:
            await self._tools.lines.starting(self.lease)
            return None
        if session.state == State.STATE_PAIRING and session.account_id:
            await self._tools.lines.logged_out(self.lease)
        return session.since_time if session.device is not None else None

    async def _hand_over(self) -> None:
        """Say that there is no line any more: whoever owns the session next makes one."""
        try:
            session = await self._tools.lines.look(self.lease)
            if session.state in _SAID_OF_A_LINE:
                await self._tools.lines.starting(self.lease)
        except (LeaseLost, StoreUnavailable):
            log.info("The next owner will say that there is no line.", session_uid=self.lease.session_uid)

    async def renew(self, remaining: timedelta) -> None:
        """Take note of how long the lease still lasts, and pass it on to the line."""
        self._held_until = asyncio.get_running_loop().time() + remaining.total_seconds()
        line = self._line
        if line is not None:
            try:
                await line.renew(remaining)
            except (LineDown, LineGone):
                log.info("A line that is going away was not renewed.", session_uid=self.lease.session_uid)

    async def _serve_wishes(self) -> None:
        while True:
            await self._tools.outbox.recover(self.lease)
            session = await self._tools.lines.look(self.lease)
            wish = Wish.of(session)
            if wish.logout:
                await self._logout(session)
            elif wish.running:
                await self._keep_line(session, wish)
            else:
                await self._stop()
                if wish.holds_for(await self._tools.lines.look(self.lease)):
                    return

    async def _stop(self) -> None:
        await self._pairing.fail(reasons.ERROR_REASON_PAIRING_CANCELED, "The session was stopped.")
        await self._tools.lines.stopped(self.lease)

    async def _logout(self, session: Session) -> None:
        """Unlink at WhatsApp if the line comes up in time, and forget the keys in any case."""
        try:
            line = await self._open(session)
        except LineRefused:
            await self._forget_keys(session)
            return
        if line is None:
            return
        try:
            await self._settled(line)
            await line.logout()
        except (LineDown, LineGone):
            await self._pause(Wish.of(session), _FIRST_PAUSE_SECONDS)
            return
        finally:
            await line.close()
        await self._tools.lines.logged_out(self.lease)

    async def _forget_keys(self, session: Session) -> None:
        """Forget keys that no line can be opened with: WhatsApp cannot be told."""
        if self._tools.providers.of(session.provider).erase(session.uid):
            await self._tools.lines.logged_out(self.lease)
        else:
            await self._pause(Wish.of(session), _FIRST_PAUSE_SECONDS)

    async def _settled(self, line: Line) -> None:
        """Read a line until it is up or will not come up, or for as long as a logout waits for that."""
        with self._tools.queue.listen() as ears:
            sender = OutboxSender(self.lease, self._tools, ears)
            reader = LineReader(self.lease, self._tools, self._pairing, sender, None)
            settled = asyncio.wait_for(reader.settled.wait(), _LOGOUT_WITHIN_SECONDS)
            await _first_of(reader.run(line), settled)

    async def _keep_line(self, session: Session, wish: Wish) -> None:
        """Keep a line open until something else is wanted, or the line is gone."""
        try:
            line = await self._open(session)
        except LineRefused as error:
            await self._stay_blocked(wish, error)
            return
        if line is None:
            return
        async with AsyncExitStack() as stack:
            stack.push_async_callback(line.close)
            ears = stack.enter_context(self._tools.queue.listen(outbox_bell(self.lease.session_uid)))
            sender = OutboxSender(self.lease, self._tools, ears)
            reader = LineReader(self.lease, self._tools, self._pairing, sender, self._away_since)
            self._line = line
            self._line_open.set()
            stack.callback(self._forget_line)
            await _first_of(reader.run(line), sender.run(line), self._wish_changed(wish), sender.redial.wait())
        self._away_since = reader.away_since or datetime.now(UTC)
        session = await self._tools.lines.look(self.lease)
        if Wish.of(session).running:
            await self._pairing.fail(reasons.ERROR_REASON_PAIRING_FAILED, "The line was lost.")
        if wish.holds_for(session):
            await self._tools.lines.changed(self.lease, _lost(_FIRST_PAUSE_SECONDS))
            await self._pause(wish, _FIRST_PAUSE_SECONDS)
        else:
            await self._tools.lines.stopping(self.lease)

    async def _stay_blocked(self, wish: Wish, refused: LineRefused) -> None:
        """Say why there is no line, and wait for a person; look again every hour. Keys that nobody is linked with are
        worth nothing, and are forgotten instead.
        """
        session = await self._tools.lines.look(self.lease)
        if session.device is None and self._tools.providers.of(session.provider).erase(session.uid):
            await self._pause(wish, _FIRST_PAUSE_SECONDS)
            return
        log.error("A session has no line until a person helps.", session_uid=self.lease.session_uid, why=str(refused))
        await self._tools.lines.changed(self.lease, LineChanged(LineState.BLOCKED, refused.failure))
        await self._pause(wish, _BLOCKED_SECONDS)

    def _forget_line(self) -> None:
        self._line = None
        self._line_open.clear()

    async def _open(self, session: Session) -> Line | None:
        """Open a line, trying again with growing pauses; None if something else is wanted meanwhile.

        Raises:
            LineRefused: trying again is of no use.
        """
        wish = Wish.of(session)
        provider = self._tools.providers.of(session.provider)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await provider.open(await self._opening(session))
            except LineDown as error:
                log.warning("No line yet.", session_uid=session.uid, why=str(error), next_try_seconds=pause)
                await self._tools.lines.changed(self.lease, _lost(pause))
            await self._pause(wish, pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            session = await self._tools.lines.look(self.lease)
            if not wish.holds_for(session):
                return None

    async def _opening(self, session: Session) -> Opening:
        """A session that was linked once may be linked to the same account only."""
        account = await self._tools.pairing_log.account(session)
        expected = session.expected_phone_number or account.phone_number
        return Opening(
            session_uid=session.uid,
            lease=self.lease,
            remaining=timedelta(seconds=max(self._held_until - asyncio.get_running_loop().time(), 0)),
            device=session.device,
            expected_phone_number=expected,
            push_name=session.display_name,
        )

    async def _pause(self, wish: Wish, seconds: float) -> None:
        """Rest, unless something else is wanted."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wish_changed(wish), seconds)

    async def _wish_changed(self, wish: Wish) -> None:
        with self._tools.queue.listen(wish_bell(self.lease.session_uid)) as ears:
            while True:
                try:
                    if not wish.holds_for(await self._tools.lines.look(self.lease)):
                        return
                except StoreUnavailable:
                    log.warning("The owner waits for the database.", session_uid=self.lease.session_uid)
                await ears.heard(_LOOK_AT_WISH_SECONDS)

    async def _open_line(self) -> Line:
        try:
            await asyncio.wait_for(self._line_open.wait(), _LINE_WITHIN_SECONDS)
        except TimeoutError:
            raise OwnerUnavailable from None
        if self._line is None:
            raise OwnerUnavailable
        return self._line


_SAID_OF_A_LINE: Final = frozenset(
    {State.STATE_CONNECTED, State.STATE_DEGRADED, State.STATE_RECONNECTING, State.STATE_STOPPING}
)


def _lost(pause_seconds: float) -> LineChanged:
    """There is no line; the next is made after a pause."""
    return LineChanged(LineState.RECONNECTING, LINE_LOST, datetime.now(UTC) + timedelta(seconds=pause_seconds))


async def _first_of(*works: Awaitable[object]) -> None:
    """Run works side by side until one ends; then end the others. A line that is gone is an end like another."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, LineGone | TimeoutError):
            raise error
