"""Faults, planned: which call of a part goes wrong next, and how. All else is done as ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """How a call goes wrong."""

    NOT_DONE = "it is not done, and its caller is told so"
    ANSWER_LOST = "it is done, and its caller is told that it is not, or hears nothing"


@dataclass
class Plan:
    """The faults to come, in order of planning, and the calls that met one: `calls` are all calls that were made."""

    calls: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    _to_come: list[tuple[str, Fault, int]] = field(default_factory=list)

    def strike(self, call: str, fault: Fault, *, number: int = 1, times: int = 1) -> None:
        """Let the call of this name (or any, if that is empty) go wrong that is made as the `number`th from now on, and
        so many `times` one after the other.
        """
        self._to_come += [(call, fault, number)] + [(call, fault, 1)] * (times - 1)

    def next(self, call: str) -> Fault | None:
        """What goes wrong with a call that is being made, if anything does."""
        self.calls.append(call)
        for place, (planned, fault, number) in enumerate(self._to_come):
            if planned not in ("", call):
                continue
            if number > 1:
                self._to_come[place] = (planned, fault, number - 1)
                return None
            del self._to_come[place]
            self.struck.append(call)
            return fault
        return None

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._to_come.clear()

    @property
    def is_over(self) -> bool:
        """Whether all that was planned has happened."""
        return not self._to_come
