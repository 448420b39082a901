"""How scenarios fail: before they begin, or at a step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a scenario: in which step, from 1, or 0 for the whole; which field; what of it."""

    step: int
    field: str
    said: str

    def __str__(self) -> str:
        place = f"step {self.step}: " if self.step else ""
        return place + f"{self.field} {self.said}".strip()


class ScenarioInvalid(Exception):
    """A file that is no scenario; nothing of it was played."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class StepFailed(Exception):
    """What a step waited for did not happen, or the lab refused it; the steps before have been played."""
