"""The wire to Redis: everything that a process has to tell, in few trips."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis.asyncio import BlockingConnectionPool, Connection
from redis.exceptions import RedisError, ResponseError

from gateway.adapters.redis.connections import Command, connected, send

FAULTS: Final = (RedisError, OSError, TimeoutError)
"""How Redis fails to answer."""
BEAT_SECONDS: Final = 1.0
"""Redis is told this often that this process is there; it is seen to be away a connection's patience later."""
_AWAY_SECONDS: Final = 0.3
_AT_ONCE: Final = 500

log = structlog.get_logger(__name__)


class NotDone(Exception):
    """Redis surely did not do it."""


class Unanswered(Exception):
    """Redis was told, and no answer came: it was done, or will be, or never."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A command, and who hears what came of it: Redis's reply, NotDone or Unanswered."""

    command: Command
    hear: Callable[[object], None] | None = None

    def answer(self, reply: object) -> None:
        if self.hear is not None:
            self.hear(reply)


class Wire:
    """Tells Redis what waits, all of it at once, and then what gathered meanwhile. Only one task uses the connection:
    so nobody's cancellation leaves an answer in it for somebody else. While Redis is away all is refused at once but
    the beat, which finds out when it is back.

    `beat` is the command that says that this process is there, and `beaten` hears each reply to it. `rest` gives what
    nobody waits for. `changed` is told whether Redis is there, at first and when that changes.
    """

    def __init__(
        self,
        pool: BlockingConnectionPool,
        beat: Command,
        *,
        beaten: Callable[[object], None],
        rest: Callable[[], list[Command]],
        changed: Callable[[bool], None],
    ) -> None:
        self._pool = pool
        self._beat = beat
        self._beaten = beaten
        self._rest = rest
        self._changed = changed
        self._waiting: list[_Said] = []
        self._some = asyncio.Event()
        self._closing = False
        self._beat_due = 0.0
        self._was_up: bool | None = None
        self.trouble = "Redis has not answered yet."

    @property
    def is_up(self) -> bool:
        """Whether Redis answered when it was last told something."""
        return not self.trouble

    def wake(self) -> None:
        """There is something in the rest."""
        self._some.set()

    def put(self, command: Command) -> None:
        """Tell a command with the next trip, if Redis is there."""
        if self.is_up:
            self._waiting.append(_Said(command))
            self._some.set()

    async def tell(self, command: Command) -> Any:
        """Tell a command, and wait for Redis's reply.

        Raises:
            NotDone: Redis was not told, or refused.
            Unanswered: Redis was told, and did not answer.
        """
        if not self.is_up:
            raise NotDone(self.trouble)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Said(command, lambda told: _resolve(reply, told)))
        self._some.set()
        return await reply

    def close(self) -> None:
        """Let `run` end, after what waits now."""
        self._closing = True
        self._some.set()

    async def run(self) -> None:
        """Make trips until closed."""
        while not self._closing:
            await self._trip()
            await self._until_some()
        while self.is_up and self._waiting:
            await self._trip()

    async def _until_some(self) -> None:
        if not self.is_up:
            await asyncio.sleep(_AWAY_SECONDS)
        elif not self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._beat_due):
                    await self._some.wait()
        self._some.clear()

    async def _trip(self) -> None:
        batch = self._gather()
        if not batch:
            return
        try:
            connection = await connected(self._pool)
        except FAULTS as error:
            self._fail(batch, NotDone(_words(error)))
            return
        try:
            await send(connection, [said.command for said in batch])
            while batch:
                reply = await _reply(connection)
                batch.pop(0).answer(reply)
        except FAULTS as error:
            self._fail(batch, Unanswered(_words(error)))
        finally:
            if not self.is_up:
                await connection.disconnect(nowait=True)
            await self._pool.release(connection)

    def _gather(self) -> list[_Said]:
        """What this trip takes along: the beat if it is due, what waits, and the rest."""
        now = asyncio.get_running_loop().time()
        batch: list[_Said] = []
        if now >= self._beat_due or not self.is_up:
            self._beat_due = now + BEAT_SECONDS
            batch.append(_Said(self._beat, self._hear_beat))
        rest = self._rest()
        if self.is_up:
            batch += self._waiting[:_AT_ONCE]
            del self._waiting[:_AT_ONCE]
            batch += map(_Said, rest)
        return batch

    def _hear_beat(self, reply: object) -> None:
        if isinstance(reply, Exception):
            self._fares(str(reply))
        else:
            self._fares("")
            self._beaten(reply)

    def _fail(self, batch: list[_Said], outcome: Exception) -> None:
        """Tell those of the batch that have no answer yet what is known of theirs; what waited was surely not done."""
        self._fares(str(outcome))
        waited, self._waiting = self._waiting, []
        for said in batch:
            said.answer(outcome)
        for said in waited:
            said.answer(NotDone(str(outcome)))

    def _fares(self, trouble: str) -> None:
        self.trouble = trouble
        if self._was_up == self.is_up:
            return
        self._was_up = self.is_up
        if self.is_up:
            log.info("Redis answers: bells ring in all processes.")
        else:
            log.warning("Redis is away: all look by themselves, which takes longer.", why=trouble)
        self._changed(self.is_up)


async def _reply(connection: Connection) -> object:
    """The next reply. A refusal is one; that Redis is still reading its own file is not."""
    try:
        return await connection.read_response()
    except ResponseError as refused:
        return NotDone(_words(refused))


def _resolve(reply: asyncio.Future[Any], told: object) -> None:
    if reply.done():
        return
    if isinstance(told, Exception):
        reply.set_exception(told)
    else:
        reply.set_result(told)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
