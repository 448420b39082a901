"""The report: findings as a table for people, or as JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Final

import orjson

from gateway.doctor.findings import Finding, Level

_MARKS: Final = {Level.OK: "ok", Level.WARNING: "WARNING", Level.PROBLEM: "PROBLEM"}


def as_table(findings: Sequence[Finding]) -> str:
    """A line for each finding, below it what to do, and at the end how many of each there are."""
    subjects = max((len(finding.subject) for finding in findings), default=0)
    return "\n".join([*_lines(findings, subjects), "", _count(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    """An object: `healthy`, and `findings` with `check`, `level`, `said` and `advice` each."""
    told = {"healthy": is_healthy(findings), "findings": [asdict(finding) for finding in findings]}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing is a problem; a warning is none."""
    return all(finding.level is not Level.PROBLEM for finding in findings)


def _lines(findings: Sequence[Finding], width: int) -> Iterator[str]:
    for finding in findings:
        start = f"{finding.subject:<{width}}  {_MARKS[finding.level]:<7}  "
        yield start + finding.said
        if finding.advice:
            yield " " * len(start) + "→ " + finding.advice


def _count(findings: Sequence[Finding]) -> str:
    counted = Counter(finding.level for finding in findings)
    problems, warnings = counted[Level.PROBLEM], counted[Level.WARNING]
    return f"{_some(problems, 'problem')}, {_some(warnings, 'warning')}, {counted[Level.OK]} ok"


def _some(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
