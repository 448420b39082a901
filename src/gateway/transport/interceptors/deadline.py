"""Deadline: a unary call that set none is ended all the same."""

from __future__ import annotations

import asyncio

from gateway.domain.errors import OutcomeOpen
from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc


class Deadline:
    """Ends what outlasts the default deadline that Context gave. The deadlines of callers are kept by gRPC.

    That deadline is as far away for every call, so those who came first are due first, and one timer does for all: a
    timer for each call would cost as much as storing a message.
    """

    def __init__(self) -> None:
        self._due: dict[asyncio.Task[object], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        if rpc.streams:
            return proceed

        async def step(exchange: Exchange) -> None:
            if exchange.has_deadline:
                await proceed(exchange)
                return
            task = self._begin(exchange.deadline)
            try:
                await proceed(exchange)
            except asyncio.CancelledError:
                if task in self._due or task.uncancel():
                    raise
                raise OutcomeOpen("The call set no deadline and took too long: its outcome is open.") from None
            finally:
                self._due.pop(task, None)

        return step

    def _begin(self, deadline: float) -> asyncio.Task[object]:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is served in a task")
        self._due[task] = deadline
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._end_overdue)
        return task

    def _end_overdue(self) -> None:
        """End whose time has come, and look again when that of the next has."""
        loop, self._timer = asyncio.get_running_loop(), None
        while self._due:
            task, deadline = next(iter(self._due.items()))
            if deadline > loop.time():
                self._timer = loop.call_at(deadline, self._end_overdue)
                return
            del self._due[task]
            task.cancel()
