"""What `make bench` runs: prints a table, and writes build/benchmarks.json."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import accepting, arriving, demo, storing, travelling
from tests.benchmarks.figures import Figure, table, write
from tests.benchmarks.house import a_house
from tests.benchmarks.load import need_h2load
from tests.stage.programs import ROOT

PARTS = {part.__name__.rpartition(".")[2]: part for part in (accepting, travelling, arriving, storing)}


async def _measure(names: list[str], *, with_demo: bool) -> list[Figure]:
    await need_h2load()
    figures: list[Figure] = []
    for name in names:
        _say(name)
        with tempfile.TemporaryDirectory(prefix="wagate-bench-") as folder:
            async with a_house(Path(folder)) as house:
                figures += await PARTS[name].measure(house)
    if with_demo:
        _say("demo")
        figures.append(await demo.measure())
    return figures


def _say(name: str) -> None:
    sys.stderr.write(f"Measuring: {name}\n")


def main() -> None:
    """Measure what is asked for; without arguments, all but the demo."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "all"], default="all", help="what to measure")
    parser.add_argument("--demo", action="store_true", help="also time `make demo` on a clean clone, which is slow")
    asked = parser.parse_args()
    figures = asyncio.run(_measure(list(PARTS) if "all" in asked.parts else asked.parts, with_demo=asked.demo))
    write(figures, ROOT / "build" / "benchmarks.json")
    sys.stdout.write(table(figures) + "\n")


if __name__ == "__main__":
    main()
