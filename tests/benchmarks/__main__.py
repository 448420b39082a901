"""What `make bench` runs: prints a table, and writes build/benchmarks.json."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks import (
    accepting,
    arriving,
    crossing,
    demo,
    draining,
    fanning,
    moving,
    restoring,
    ringing,
    sharing,
    storing,
    travelling,
)
from tests.benchmarks.course import Course, Maker, a_course, a_kept_course, keep
from tests.benchmarks.figures import Figure, table, write
from tests.benchmarks.house import House, a_house
from tests.benchmarks.load import need_h2load
from tests.stage.programs import ROOT

OURS: Final = "tests.benchmarks.ours:Wagate"
OF_OURS: Final[dict[str, Callable[[House], Awaitable[list[Figure]]]]] = {
    "accepting": accepting.measure,
    "storing": storing.measure,
}
OF_ANY: Final[dict[str, Callable[[Course], Awaitable[list[Figure]]]]] = {
    "travelling": travelling.measure,
    "draining": draining.measure,
    "arriving": arriving.measure,
}
OF_FLEETS: Final[dict[str, Callable[[Path], Awaitable[list[Figure]]]]] = {
    "ringing": ringing.measure,
    "sharing": sharing.measure,
    "crossing": crossing.measure,
    "fanning": fanning.measure,
}
MOVING: Final = "moving"
RESTORING: Final = "restoring"
PARTS: Final = [*OF_OURS, *OF_FLEETS, *OF_ANY, RESTORING, MOVING]


async def _measure(asked: argparse.Namespace) -> AsyncIterator[list[Figure]]:
    """The figures of each part that is asked for. What only our own gateway can be asked is left out for others."""
    make = _maker(asked.contestant)
    for name in asked.parts or PARTS:
        if name in (*OF_OURS, *OF_FLEETS, MOVING) and asked.contestant != OURS:
            continue
        sys.stderr.write(f"Measuring: {name}\n")
        with tempfile.TemporaryDirectory(prefix="wagate-bench-") as folder:
            yield await _part(name, Path(folder), make, asked)
    if asked.demo:
        sys.stderr.write("Measuring: demo\n")
        yield [await demo.measure()]


async def _part(name: str, folder: Path, make: Maker, asked: argparse.Namespace) -> list[Figure]:
    if name == RESTORING:
        return await _restoring(folder, make, asked)
    if name == MOVING:
        return await _moving(folder, make, asked)
    if name not in OF_ANY:
        await need_h2load()
    if name in OF_FLEETS:
        return await OF_FLEETS[name](folder)
    if name in OF_OURS:
        async with a_house(folder) as house:
            return await OF_OURS[name](house)
    async with a_course(folder, make, travelling.SEATS) as course:
        return await OF_ANY[name](course)


async def _restoring(folder: Path, make: Maker, asked: argparse.Namespace) -> list[Figure]:
    async with a_course(folder / "empty", make, 0) as course:
        empty = await restoring.memory(course)
    figures: list[Figure] = []
    for count in asked.sessions:
        async with a_kept_course(_kept(asked.contestant, count), folder / str(count), make, count) as course:
            figures += await restoring.measure(course, empty)
    return figures


async def _moving(folder: Path, make: Maker, asked: argparse.Namespace) -> list[Figure]:
    count = max(asked.sessions)
    kept = _kept(asked.contestant, count)
    await keep(kept, folder / "first", make, count)
    return await moving.measure(folder, kept, count)


def _kept(contestant: str, count: int) -> Path:
    """Where a world with so many linked sessions is kept."""
    return ROOT / "build" / "worlds" / f"{contestant.rpartition(':')[2]}-{count}"


def _maker(contestant: str) -> Maker:
    """The class that is named as `package.module:Class`."""
    module, _, name = contestant.partition(":")
    maker: Maker = getattr(importlib.import_module(module), name)
    return maker


async def _figures(asked: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    async for measured in _measure(asked):
        figures += measured
        sys.stderr.write(table(measured) + "\n")
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for; without arguments, all but the demo."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)}; all if none")
    parser.add_argument(
        "--contestant", default=OURS, help="whom to measure, `package.module:Class`; see docs/benchmarks.md"
    )
    parser.add_argument("--sessions", nargs="+", type=int, default=[200, 1000], help="how many are restored, and moved")
    parser.add_argument("--demo", action="store_true", help="also time `make demo` on a clean clone, which is slow")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"nobody knows how to measure {', '.join(sorted(unknown))}")
    figures = asyncio.run(_figures(asked))
    write(figures, ROOT / "build" / "benchmarks.json")
    sys.stdout.write(table(figures) + "\n")


if __name__ == "__main__":
    main()
