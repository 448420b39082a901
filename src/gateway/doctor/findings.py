"""Findings: what is the case, how bad that is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `check` names it for machines, `subject.what`; `said` is a sentence without a secret, and
    `advice` what to do, empty where all is well.
    """

    check: str
    level: Level
    said: str
    advice: str = ""

    @property
    def subject(self) -> str:
        """What was looked at."""
        return self.check.partition(".")[0]


def fine(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, said)


def warning(check: str, said: str, advice: str) -> Finding:
    """It works, and may not be what is wanted."""
    return Finding(check, Level.WARNING, said, advice)


def problem(check: str, said: str, advice: str) -> Finding:
    """It does not work, or promises are not kept."""
    return Finding(check, Level.PROBLEM, said, advice)
