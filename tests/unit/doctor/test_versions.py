"""Versions that run side by side are named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.adapters.sql.processes import SqlProcesses
from gateway.adapters.sql.schema import wanted
from gateway.doctor.findings import Level
from gateway.doctor.versions import others, versions
from gateway.domain.processes import Process
from gateway.version import VERSION
from tests.stage.postgres import PostgresServer
from tests.unit.doctor.conftest import With

THIS = Process("p_1", "api", VERSION, wanted(), "box")


async def test_this_version_is_told(settings_with: With) -> None:
    (finding,) = await versions(settings_with())
    assert finding.said.startswith(f"wagate {VERSION} with contract wagate.v1 and schema {wanted()}; Python 3.")


async def test_all_that_run_on_the_database_are_told(settings_with: With, durable: PostgresServer) -> None:
    async with durable.database() as url:
        await SqlProcesses(url).note(THIS, timedelta(minutes=1))
        _, finding = await versions(settings_with(store={"url": url}))
    assert (finding.level, finding.said) == (Level.OK, f"wagate api {VERSION} (schema {wanted()}) on box runs.")


@pytest.mark.parametrize("other", [{"version": "0.0.9"}, {"schema": "0001"}])
def test_another_version_beside_this_one_is_warned_of(other: dict[str, str]) -> None:
    found = others([THIS, replace(THIS, process_id="p_2"), replace(THIS, host="zoo", **other)])
    levels = {finding.level: finding.said for finding in found}
    assert levels[Level.OK].endswith("on box runs 2 times.")
    assert levels[Level.WARNING].endswith("on zoo runs.")


def test_nobody_at_work_is_no_trouble() -> None:
    assert [finding.said for finding in others([])] == ["Nobody runs on the database now."]
