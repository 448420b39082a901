"""Siblings: so many processes that do the same, each started again by itself when it ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from gateway.processes.sibling import Ready, SiblingEnded, SiblingHung, Task, sibling

_log = structlog.get_logger(__name__)

HANGS_AFTER: Final = 10.0
"""Seconds without a word after which a process hangs."""
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_PROVEN_AFTER: Final = 60.0
"""Seconds after which a process's end is taken for an accident, and the next one is started without delay."""


class Siblings:
    """Keeps `count` processes at one task while `run` runs. `serving` has those that serve now, by their numbers. Each
    has `patience` seconds to end when it is asked to, and is killed once it has not said for `hangs_after` that it is
    alive.
    """

    def __init__(
        self, task: Task, arguments: Sequence[Any], count: int, *, patience: float, hangs_after: float = HANGS_AFTER
    ) -> None:
        self._task = task
        self._arguments = tuple(arguments)
        self._patience = patience
        self._hangs_after = hangs_after
        self._first: dict[int, asyncio.Future[Ready]] = {
            number: asyncio.get_running_loop().create_future() for number in range(1, count + 1)
        }
        self.serving: dict[int, Ready] = {}
        self.process_ids: dict[int, int] = {}
        self.registry = CollectorRegistry()
        self._restarts = Counter(
            "wagate_process_restarts", "Starts of a process anew.", ["process"], registry=self.registry
        )
        self._hangs = Counter(
            "wagate_process_hangs", "Kills of a process that hung.", ["process"], registry=self.registry
        )

    async def ready(self) -> None:
        """Wait until all serve for the first time.

        Raises:
            SiblingEnded: one cannot.
        """
        await asyncio.gather(*self._first.values())

    async def run(self) -> None:
        """Keep them running until cancelled; then end them, all at once. Ends by itself if one does not even start."""
        async with asyncio.TaskGroup() as group:
            for number in self._first:
                group.create_task(self._keep(number), name=f"process {number}")

    async def _keep(self, number: int) -> None:
        pause = _SHORTEST_PAUSE
        loop = asyncio.get_running_loop()
        self._restarts.labels(number)
        hangs = self._hangs.labels(number)
        while True:
            began = loop.time()
            try:
                await self._run_one(number)
            except SiblingEnded as ended:
                if isinstance(ended, SiblingHung):
                    hangs.inc()
                if not self._first[number].done():
                    self._first[number].set_exception(ended)
                    return
                if loop.time() - began > _PROVEN_AFTER:
                    pause = _SHORTEST_PAUSE
                _log.error("A process is gone and is started again", process=number, why=str(ended), pause=pause)
            self._restarts.labels(number).inc()
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run_one(self, number: int) -> None:
        async with sibling(self._task, self._arguments, self._patience) as one:
            try:
                self.process_ids[number] = one.process_id
                ready = self.serving[number] = await one.ready()
                if not self._first[number].done():
                    self._first[number].set_result(ready)
                await one.run(self._hangs_after)
            finally:
                self.serving.pop(number, None)
                self.process_ids.pop(number, None)
