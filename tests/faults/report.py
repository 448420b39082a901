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
from tests.faults.judge.lines import drains, percentile, takeovers
from tests.faults.judge.owning import residual
from tests.faults.record import Record

_SHOWN: Final = 5
"""How many violations of a promise are printed."""


def table(record: Record, findings: Sequence[Finding]) -> str:
    """What was injected, and a row for each promise, as Markdown."""
    terms = record.terms
    counts = Counter(fault.kind for fault in record.faults)
    lines = [
        f"Once more: make faults {'FLEET=1 ' if terms.fleet else ''}N={terms.kills} SEED={terms.seed} "
        f"SESSIONS={terms.sessions} MESSAGES={terms.messages} RATE={terms.rate:g}",
        f"{len(record.calls)} messages accepted and {len(record.said)} said in "
        f"{len(record.sessions)} sessions; {', '.join(f'{kind} {count}' for kind, count in sorted(counts.items()))}; "
        f"{len(proven(record))} kills between send and ack; {len(residual(record))} written after a lease was over",
        *([_handing_over(record)] if terms.fleet else []),
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


def _handing_over(record: Record) -> str:
    taken, drained = takeovers(record), drains(record)
    return (
        f"{len(taken)} takeovers after a kill, with a lease of {record.lease_seconds:g} s: half within "
        f"{percentile(taken, 0.5):.1f} s, 99 of 100 within {percentile(taken, 0.99):.1f} s; drains: "
        f"{', '.join(f'{seconds:.1f} s' for seconds in drained) or 'none'}"
    )


def write(record: Record, findings: Sequence[Finding], file: Path) -> None:
    """Write the same for machines, with all violations."""
    file.parent.mkdir(exist_ok=True)
    told = {
        "terms": asdict(record.terms),
        "accepted": len(record.calls),
        "said": len(record.said),
        "faults": Counter(fault.kind for fault in record.faults),
        "kills_between_send_and_ack": len(proven(record)),
        "written_after_a_lease_was_over": len(residual(record)),
        "takeover_seconds": takeovers(record),
        "drain_seconds": drains(record),
        "promises": [asdict(finding) for finding in findings],
    }
    file.write_text(json.dumps(told, indent=1) + "\n")
