"""The report of a run: promise → faults → checks → violations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.faults.judge.finding import Finding
from tests.faults.judge.judging import proven
from tests.faults.record import Record

_SHOWN: Final = 5
"""How many violations of a promise are printed."""


def table(record: Record, findings: Sequence[Finding]) -> str:
    """What was injected, and a row for each promise, as Markdown."""
    terms = record.terms
    counts = Counter(fault.kind for fault in record.faults)
    lines = [
        f"Once more: make faults N={terms.kills} SEED={terms.seed} SESSIONS={terms.sessions} "
        f"MESSAGES={terms.messages} RATE={terms.rate:g}",
        f"{len(record.calls)} messages accepted and {len(record.said)} said in "
        f"{len(record.sessions)} sessions; {', '.join(f'{kind} {count}' for kind, count in sorted(counts.items()))}; "
        f"{len(proven(record))} kills between send and ack",
        "",
        "| promise | faults | checks | violations |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {finding.promise} | {len(record.faults)} | {finding.checks} | {len(finding.violations)} |"
        for finding in findings
    ]
    for finding in findings:
        lines += [f"- {finding.promise}: {violation}" for violation in finding.violations[:_SHOWN]]
    return "\n".join(lines)


def write(record: Record, findings: Sequence[Finding], file: Path) -> None:
    """Write the same for machines, with all violations."""
    file.parent.mkdir(exist_ok=True)
    told = {
        "terms": asdict(record.terms),
        "accepted": len(record.calls),
        "said": len(record.said),
        "faults": Counter(fault.kind for fault in record.faults),
        "kills_between_send_and_ack": len(proven(record)),
        "promises": [asdict(finding) for finding in findings],
    }
    file.write_text(json.dumps(told, indent=1) + "\n")
