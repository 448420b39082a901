"""The engines of a worker: as many processes as its lines need, each kept running by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import structlog

from gateway.ports.meter import EngineMeter
from gateway.ports.provider import LineDown, ProviderHealth
from gateway.providers.web.engine import Engine, RunningEngine, check_program
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.options import EngineOptions

_log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 10.0
_EMPTY_FOR: Final = 60.0
"""Seconds after which an engine without lines is ended, unless it is the only one."""


@dataclass(slots=True, eq=False)
class _Bench:
    """One engine, and how many lines it has; the loop's time since when it has had none."""

    number: int
    engine: Engine
    keeping: asyncio.Task[None]
    lines: int = 0
    empty_since: float = field(default_factory=lambda: asyncio.get_running_loop().time())


class Seat:
    """A line's place in an engine, until it is left."""

    def __init__(self, engine: RunningEngine, left: Callable[[], None]) -> None:
        self.engine = engine
        self._left: Callable[[], None] | None = left

    def leave(self) -> None:
        """Make room for another line. To leave again changes nothing."""
        if self._left is not None:
            self._left()
            self._left = None


class EnginePool:
    """Starts engines as lines need them, `sessions_per_engine` on each at most. One that ends is started again alone:
    its lines are gone, and those of the others do not notice. Make it with `engine_pool`.
    """

    def __init__(self, options: EngineOptions, meter: EngineMeter) -> None:
        self._options = options
        self._meter = meter
        self._benches: list[_Bench] = []
        self._numbers = count(1)
        self._not_started = ""

    async def seat(self) -> Seat:
        """A seat in the engine with the most room, of those that answer.

        Raises:
            LineDown: none does that has room.
        """
        bench = self._roomiest() or self._add()
        self._seated(bench, 1)
        try:
            await bench.engine.started()
            self._not_started = ""
            return Seat(bench.engine.running(), lambda: self._seated(bench, -1))
        except EngineFailed as error:
            self._seated(bench, -1)
            raise LineDown(str(error)) from error
        except BaseException:
            self._seated(bench, -1)
            raise

    def any(self) -> RunningEngine:
        """An engine that answers, for what needs no seat.

        Raises:
            LineDown: none does.
        """
        for bench in self._benches:
            if bench.engine.is_up:
                return bench.engine.running()
        raise LineDown("no engine answers")

    def pace(self, reconnects: float) -> None:
        """Lost lines are made again so many times in a second at most: each engine has its part, by how many it has. It
        hears of it with the next renewal.
        """
        lines = sum(bench.lines for bench in self._benches)
        for bench in self._benches:
            if bench.lines and bench.engine.is_up:
                bench.engine.running().renewals.reconnects_per_second = reconnects * bench.lines / lines

    def health(self) -> ProviderHealth:
        """Whether all engines answer that are needed."""
        down = (bench.engine.trouble for bench in self._benches if not bench.engine.is_up)
        trouble = self._not_started or next(filter(None, down), "")
        lab = self._options.lab is not None
        return ProviderHealth(serving=not trouble, message=trouble, lab=lab)

    async def tidy(self) -> None:
        """End engines that have been empty for a minute, but for one; until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            long_ago = asyncio.get_running_loop().time() - _EMPTY_FOR
            for bench in [bench for bench in self._benches if not bench.lines and bench.empty_since < long_ago]:
                if len(self._benches) > 1:
                    _log.info("An engine without lines is ended", engine=bench.number)
                    self._benches.remove(bench)
                    await _end([bench])

    async def end(self) -> None:
        """End all engines."""
        benches, self._benches = self._benches, []
        await _end(benches)

    def _roomiest(self) -> _Bench | None:
        with_room = [bench for bench in self._benches if bench.lines < self._options.sessions_per_engine]
        return min(with_room, key=lambda bench: (not bench.engine.is_up, bench.lines), default=None)

    def _add(self) -> _Bench:
        number = next(self._numbers)
        engine = Engine(self._options, number, self._meter)
        keeping = asyncio.create_task(engine.keep(), name=f"engine {number}")
        bench = _Bench(number, engine, keeping)
        self._benches.append(bench)
        keeping.add_done_callback(lambda _: self._forget(bench))
        return bench

    def _forget(self, bench: _Bench) -> None:
        """An engine is kept no more: it was ended, or did not start; then the next line has another one tried."""
        self._meter.engine_ended(bench.number)
        if bench in self._benches:
            self._benches.remove(bench)
            self._not_started = bench.engine.trouble

    def _seated(self, bench: _Bench, more: int) -> None:
        bench.lines += more
        if not bench.lines:
            bench.empty_since = asyncio.get_running_loop().time()
        if not bench.keeping.done():
            self._meter.engine_lines(bench.number, bench.lines)


async def _end(benches: list[_Bench]) -> None:
    for bench in benches:
        bench.keeping.cancel()
    if benches:
        await asyncio.wait([bench.keeping for bench in benches])


@asynccontextmanager
async def engine_pool(options: EngineOptions, meter: EngineMeter) -> AsyncIterator[EnginePool]:
    """A pool with a first engine, which is started now; all end with the context.

    Raises:
        EngineMissing: there is no such program.
        EngineFailed: the first engine does not start.
    """
    check_program(options.program)
    pool = EnginePool(options, meter)
    tidying = asyncio.create_task(pool.tidy(), name="engine pool")
    try:
        (await _first_seat(pool)).leave()
        yield pool
    finally:
        tidying.cancel()
        await asyncio.wait([tidying])
        await pool.end()


async def _first_seat(pool: EnginePool) -> Seat:
    try:
        return await pool.seat()
    except LineDown as error:
        raise EngineFailed(str(error)) from error
