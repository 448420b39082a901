"""What `make faults` runs: kills anything at any instant, judges, prints a table, and writes build/faults.json."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults.judge.judging import judged
from tests.faults.plan import Terms
from tests.faults.record import keep
from tests.faults.report import table, write
from tests.faults.run import run
from tests.stage.programs import ROOT


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=Terms.kills, help="how many kills; other faults come beside them")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the plan's seed")
    parser.add_argument("--fleet", action="store_true", help="break a fleet, and not one process")
    parser.add_argument("--durable", action="store_true", help="let the fleet's PostgreSQL sync its commits")
    parser.add_argument("--lease", type=float, default=Terms.lease, help="how many seconds a lease lasts")
    parser.add_argument("--away", type=float, default=Terms.away, help="how many seconds Redis is away, once")
    parser.add_argument("--sessions", type=int, default=Terms.sessions, help="how many sessions")
    parser.add_argument("--messages", type=int, default=Terms.messages, help="how many messages, both ways together")
    parser.add_argument("--rate", type=float, default=Terms.rate, help="how many messages a second")
    parser.add_argument("--keep", type=Path, help="a file for the record, to be judged again")
    return parser.parse_args()


def main() -> None:
    """Run, judge, report. Ends with 1 if a promise was broken."""
    asked = _asked()
    count = (asked.kills, asked.sessions, asked.messages, asked.rate)
    terms = Terms(asked.seed, *count, asked.fleet, asked.durable, asked.lease, asked.away)
    sys.stderr.write(f"{terms}\n")
    folder = Path(tempfile.mkdtemp(prefix="wagate-faults-"))
    sys.stderr.write(f"Databases and logs are in {folder}, and stay there if anything fails\n")
    record = asyncio.run(run(terms, folder, patience=600))
    if asked.keep:
        keep(record, asked.keep)
    findings = judged(record)
    write(record, findings, ROOT / "build" / "faults.json")
    sys.stdout.write(table(record, findings) + "\n")
    if any(finding.violations for finding in findings):
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
