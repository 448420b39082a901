"""The owner of one session: makes of it what is wanted, for as long as it holds the lease."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from gateway.domain.errors import LeaseLost, OwnerUnavailable, StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.sessions import Session, State
from gateway.ports.provider import Line, LineDown, LineGone, LineRefused, Opening
from gateway.ports.queue import outbox_bell, owner_name
from gateway.workers.line_reader import LineReader
from gateway.workers.outbox_sender import OutboxSender
from gateway.workers.owner_answers import OwnerAnswers
from gateway.workers.owner_pairing import OwnerPairing
from gateway.workers.owner_tools import OwnerTools
from gateway.workers.patience import Patience
from gateway.workers.side_by_side import first_of
from gateway.workers.tenure import Tenure
from gateway.workers.wish import Wish
from wagate.v1 import error_reason_pb2 as reasons

_LINE_WITHIN_SECONDS: Final = 15.0
_LOGOUT_WITHIN_SECONDS: Final = 15.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 30.0
_BLOCKED_SECONDS: Final = 3600.0
_WAIT_FOR_STORE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class SessionOwner:
    """Owns one session. `run` ends when nothing more is wanted, or when the lease is lost."""

    def __init__(self, lease: Lease, tools: OwnerTools) -> None:
        self.lease = lease
        self._tools = tools
        self._tenure = Tenure(tools.lease_ttl)
        self._patience = Patience(lease, tools)
        self._line: Line | None = None
        self._sender: OutboxSender | None = None
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
                await self._patience.rest()
                self._away_since = await self._take_over()
                await self._serve_wishes()
        except LeaseLost:
            log.info("The session has another owner, or is gone.", session_uid=uid)
        except asyncio.CancelledError:
            await self._hand_over()
            raise
        except StoreUnavailable:
            log.warning("The owner ends, as the database does not answer.", session_uid=uid)
        except Exception:
            with suppress(LeaseLost, StoreUnavailable):
                await self._tools.faults.failed(self.lease)
            raise

    @property
    def is_pairing(self) -> bool:
        """Whether somebody is just pairing the session: another owner would have to begin anew."""
        return self._pairing.is_under_way

    async def leave(self) -> None:
        """Get ready to be cancelled, as another worker is to own the session: send whoever asks away, begin no message,
        and wait until those under way are at their end.
        """
        self._answers.leave()
        if self._sender is not None:
            await self._sender.end()

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
        self._tenure.extend(remaining)
        line = self._line
        if line is not None:
            try:
                await line.renew(self._tenure.of_line)
            except (LineDown, LineGone):
                log.info("A line that is going away was not renewed.", session_uid=self.lease.session_uid)

    async def _serve_wishes(self) -> None:
        while True:
            try:
                if await self._serve_wish():
                    return
            except StoreUnavailable:
                log.warning("The owner waits for the database.", session_uid=self.lease.session_uid)
                await asyncio.sleep(_WAIT_FOR_STORE_SECONDS)

    async def _serve_wish(self) -> bool:
        """Do what is wanted now, until that changes; tell whether nothing is wanted any more."""
        await self._tenure.sendable()
        await self._tools.outbox.recover(self.lease)
        session = await self._tools.lines.look(self.lease)
        wish = Wish.of(session)
        if wish.logout:
            await self._logout(session)
        elif wish.running:
            await self._keep_line(session, wish)
        else:
            await self._stop()
            return wish.holds_for(await self._tools.lines.look(self.lease))
        return False

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
            await self._patience.pause(Wish.of(session), _FIRST_PAUSE_SECONDS)
            return
        finally:
            await line.close()
        await self._tools.lines.logged_out(self.lease)

    async def _forget_keys(self, session: Session) -> None:
        """Forget keys that no line can be opened with: WhatsApp cannot be told."""
        if self._tools.providers.of(session.provider).erase(session.uid):
            await self._tools.lines.logged_out(self.lease)
        else:
            await self._patience.pause(Wish.of(session), _FIRST_PAUSE_SECONDS)

    async def _settled(self, line: Line) -> None:
        """Read a line until it is up or will not come up, or for as long as a logout waits for that."""
        with self._tools.queue.listen() as ears:
            sender = OutboxSender(self.lease, self._tools, ears, self._tenure)
            reader = LineReader(self.lease, self._tools, self._pairing, sender, None)
            settled = asyncio.wait_for(reader.settled.wait(), _LOGOUT_WITHIN_SECONDS)
            await first_of(reader.run(line), settled)

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
            sender = OutboxSender(self.lease, self._tools, ears, self._tenure)
            reader = LineReader(self.lease, self._tools, self._pairing, sender, self._away_since)
            self._line, self._sender = line, sender
            self._line_open.set()
            stack.callback(self._forget_line)
            proven = asyncio.Event()
            await first_of(
                reader.run(line),
                sender.run(line),
                self._patience.wish_changed(wish),
                sender.redial.wait(),
                self._tenure.line_over(),
                self._patience.until_proven(reader.settled, proven),
            )
            was_ours = self._tenure.may_send  # it may be renewed while the line is taken down
        was_of_use = proven.is_set() or sender.redial.is_set()
        was_fault = not was_of_use and was_ours and self._serves(session)
        self._away_since = reader.away_since or datetime.now(UTC)
        if not self._tenure.may_send:
            await self._patience.say_lapsed()
            await self._tenure.sendable()
        session = await self._tools.lines.look(self.lease)
        if Wish.of(session).running:
            await self._pairing.fail(reasons.ERROR_REASON_PAIRING_FAILED, "The line was lost.")
        if wish.holds_for(session):
            await self._patience.before_next_line(wish, _FIRST_PAUSE_SECONDS, was_fault=was_fault)
        else:
            await self._tools.lines.stopping(self.lease)

    async def _stay_blocked(self, wish: Wish, refused: LineRefused) -> None:
        """Say why there is no line, and wait for a person; look again every hour. Keys that nobody is linked with are
        worth nothing, and are forgotten instead.
        """
        session = await self._tools.lines.look(self.lease)
        if session.device is None and self._tools.providers.of(session.provider).erase(session.uid):
            await self._patience.pause(wish, _FIRST_PAUSE_SECONDS)
            return
        log.error("A session has no line until a person helps.", session_uid=self.lease.session_uid, why=str(refused))
        await self._tools.lines.changed(self.lease, LineChanged(LineState.BLOCKED, refused.failure))
        await self._patience.pause(wish, _BLOCKED_SECONDS)

    def _forget_line(self) -> None:
        self._line = self._sender = None
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
            await self._tools.pace.turn()
            try:
                return await provider.open(await self._opening(session))
            except LineDown as error:
                log.warning("No line yet.", session_uid=session.uid, why=str(error), next_try_seconds=pause)
            await self._patience.before_next_line(wish, pause, was_fault=self._serves(session))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            session = await self._tools.lines.look(self.lease)
            if not wish.holds_for(session):
                return None

    def _serves(self, session: Session) -> bool:
        """Whether the provider works as a whole, so that a line which does not is a fault of its own."""
        return self._tools.providers.of(session.provider).health().serving

    async def _opening(self, session: Session) -> Opening:
        """A session that was linked once may be linked to the same account only."""
        account = await self._tools.pairing_log.account(session)
        expected = session.expected_phone_number or account.phone_number
        return Opening(
            session_uid=session.uid,
            lease=self.lease,
            remaining=self._tenure.of_line,
            device=session.device,
            expected_phone_number=expected,
            push_name=session.display_name,
        )

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
