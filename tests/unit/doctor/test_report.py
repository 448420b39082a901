"""What was found is told to people and to machines."""

from __future__ import annotations

import json

from gateway.doctor.examining import examine
from gateway.doctor.findings import Finding, Level, fine, problem, warning
from gateway.doctor.report import as_json, as_table, is_healthy
from gateway.settings import Settings
from tests.unit.doctor.conftest import With

FINE = fine("disk.room", "There is room.")
DOUBTFUL = warning("clock.sleep", "It sleeps.", "Wake it.")
BAD = problem("database.reachable", "It is gone.", "Bring it back.")


def test_the_table_says_what_to_do_and_counts() -> None:
    assert as_table([FINE, DOUBTFUL, BAD]).splitlines() == [
        "disk      ok       There is room.",
        "clock     WARNING  It sleeps.",
        "                   → Wake it.",
        "database  PROBLEM  It is gone.",
        "                   → Bring it back.",
        "",
        "1 problem, 1 warning, 1 ok",
    ]


def test_machines_get_the_same_as_json() -> None:
    told = json.loads(as_json([FINE, BAD]))
    assert told["healthy"] is False
    assert told["findings"][1] == {
        "check": "database.reachable",
        "level": "problem",
        "said": "It is gone.",
        "advice": "Bring it back.",
    }


def test_a_warning_is_no_problem() -> None:
    assert is_healthy([FINE, DOUBTFUL])
    assert not is_healthy([FINE, BAD])


async def test_a_check_that_fails_is_a_finding_without_its_words(settings_with: With) -> None:
    async def engine(_settings: Settings) -> list[Finding]:
        raise RuntimeError("topsecret")

    async def disk(_settings: Settings) -> list[Finding]:
        return [FINE]

    failed, other = await examine(settings_with(), (engine, disk))
    assert (failed.check, failed.level, other) == ("engine.unforeseen", Level.PROBLEM, FINE)
    assert "topsecret" not in repr(failed)
