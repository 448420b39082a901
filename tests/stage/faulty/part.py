"""Any part whose calls are awaited, such as leases or a provider, that fails when it is told to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tests.stage.faulty.plan import Fault, Plan


class FaultyPart:
    """Stands before a real part and has all that it has. Calls go wrong by their names: then they raise `failure`."""

    def __init__(self, part: Any, plan: Plan, failure: Callable[[], Exception]) -> None:
        self._part = part
        self._plan = plan
        self._failure = failure

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._part, name)
        if not inspect.iscoroutinefunction(called):
            return called

        async def call(*arguments: Any, **options: Any) -> Any:
            fault = self._plan.next(name)
            if fault is Fault.NOT_DONE:
                raise self._failure()
            answer = await called(*arguments, **options)
            if fault is Fault.ANSWER_LOST:
                raise self._failure()
            return answer

        return call
