"""Engines are started as lines need them, and one that ends takes only its own lines with it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.observability import PrometheusMeter
from gateway.ports.provider import Line, LineDown, Opening
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import WebProvider, web_provider
from tests.conformance.provider.operator import Operator, new_lease
from tests.stage.lab import Lab, lab_process
from tests.stage.processes import engines_of
from tests.stage.programs import built
from tests.stage.waiting import eventually

PER_ENGINE = 2


class Pool:
    """A provider whose engines have two seats each, and lines that nobody is linked with."""

    def __init__(self, provider: WebProvider, program: Path, meter: PrometheusMeter) -> None:
        self.provider = provider
        self.program = program
        self._meter = meter

    async def open(self) -> Line:
        lease = new_lease()
        opening = Opening(lease.session_uid, lease, timedelta(minutes=1), None, "", "")
        return await self.provider.open(opening)

    @property
    def engines(self) -> list[int]:
        return engines_of(os.getpid())

    def shown(self, name: str, engine: int) -> float | None:
        return self._meter.registry.get_sample_value(name, {"engine": str(engine)})


@pytest.fixture(scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab_process(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab


@pytest.fixture
async def pool(lab: Lab, tmp_path: Path) -> AsyncIterator[Pool]:
    told = lab.environment
    endpoint = LabEndpoint(
        told["WAGATE_LAB__ADDRESS"], told["WAGATE_LAB__ROOT_KEY_HEX"], Path(told["WAGATE_LAB__CA_FILE"])
    )
    program = tmp_path / "wagate-engine"
    program.symlink_to(built("wagate-engine"))
    options = EngineOptions(program, tmp_path / "sessions", endpoint, sessions_per_engine=PER_ENGINE)
    meter = PrometheusMeter()
    async with web_provider(options, meter) as provider:
        yield Pool(provider, program, meter)


async def test_an_engine_is_started_when_those_that_run_are_full(pool: Pool) -> None:
    assert len(pool.engines) == 1, "one is there before any line is"
    lines = [await pool.open() for _ in range(PER_ENGINE)]
    assert len(pool.engines) == 1
    lines += await asyncio.gather(*(pool.open() for _ in range(PER_ENGINE + 1)))
    assert len(pool.engines) == 3
    assert [pool.shown("wagate_engine_sessions", engine) for engine in (1, 2, 3)] == [2, 2, 1]
    assert [pool.shown("wagate_engine_up", engine) for engine in (1, 2, 3)] == [1, 1, 1]


async def test_a_line_that_is_closed_makes_room_for_another(pool: Pool) -> None:
    first, *_ = [await pool.open() for _ in range(PER_ENGINE)]
    await first.close()
    await first.close()
    await pool.open()
    assert len(pool.engines) == 1


async def test_an_engine_that_ends_takes_only_its_own_lines_with_it_and_is_started_again_alone(pool: Pool) -> None:
    lines = [await pool.open() for _ in range(2 * PER_ENGINE)]
    first, second = pool.engines
    os.kill(first, signal.SIGKILL)
    for line in lines[:PER_ENGINE]:
        await Operator(line, new_lease()).gone()
        await line.close()
    await eventually(lambda: pool.shown("wagate_engine_up", 1) == 1 and len(pool.engines) == 2)
    assert second in pool.engines
    for line in lines[PER_ENGINE:]:
        await line.renew(timedelta(minutes=1))
    assert [pool.shown("wagate_engine_restarts_total", engine) for engine in (1, 2)] == [1, 0]
    assert [pool.shown("wagate_engine_sessions", engine) for engine in (1, 2)] == [0, 2]
    await pool.open()
    assert len(pool.engines) == 2, "there is room in the one that was started again"


async def test_a_line_is_opened_in_an_engine_that_answers_rather_than_in_one_that_is_gone(
    pool: Pool,
) -> None:
    lines = [await pool.open() for _ in range(PER_ENGINE + 1)]
    for line in lines[:PER_ENGINE]:
        await line.close()
    os.kill(pool.engines[0], signal.SIGKILL)
    await eventually(lambda: pool.shown("wagate_engine_up", 1) == 0)
    await pool.open()
    assert [pool.shown("wagate_engine_sessions", engine) for engine in (1, 2)] == [0, 2]


async def test_an_engine_that_does_not_start_is_tried_again_with_the_next_line(pool: Pool) -> None:
    for _ in range(PER_ENGINE):
        await pool.open()
    pool.program.unlink()
    pool.program.symlink_to("/bin/false")
    with pytest.raises(LineDown, match="exit status 1"):
        await pool.open()
    assert not pool.provider.health().serving
    pool.program.unlink()
    pool.program.symlink_to(built("wagate-engine"))
    await pool.open()
    assert len(pool.engines) == 2
    assert pool.provider.health().serving
