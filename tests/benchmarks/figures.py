"""Figures: what was measured, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One number. `baseline` is what it is compared with, measured in the same run, and `ratio` is value ÷ baseline;
    `runs` are the single measurements, of which `value` is the median or the percentile.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    runs: list[float] = field(default_factory=list)


def compared(name: str, unit: str, values: Sequence[float], baselines: Sequence[float]) -> Figure:
    """The median of some values, and of their ratios to the baselines measured beside each of them."""
    ratios = [value / baseline for value, baseline in zip(values, baselines, strict=True)]
    return Figure(name, median(values), unit, median(baselines), median(ratios), list(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below this share of all."""
    return sorted(values)[max(math.ceil(len(values) * share) - 1, 0)]


def percentiles(name: str, milliseconds: Sequence[float]) -> list[Figure]:
    """The middle and the end of what was measured one by one."""
    return [
        Figure(f"{name}, p{round(share * 100)}", percentile(milliseconds, share), "ms", runs=list(milliseconds))
        for share in (0.5, 0.99)
    ]


def table(figures: Sequence[Figure]) -> str:
    """All figures as a table of Markdown."""
    rows = [("measured", "value", "unit", "baseline", "ratio", "runs")]
    rows += [
        (
            figure.name,
            _short(figure.value),
            figure.unit,
            _short(figure.baseline),
            _short(figure.ratio),
            str(len(figure.runs)),
        )
        for figure in figures
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.0f}" if number >= 100 else f"{number:.2f}"


def write(figures: Sequence[Figure], file: Path) -> None:
    """Write all figures as a list of JSON objects."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
