"""Whether calls share a commit or not makes no difference to anybody."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.messages import Message, Receipt
from gateway.domain.sessions import new_session
from gateway.ports.leases import Leases
from gateway.ports.unit_of_work import MessageFilter, Store, UnitOfWork
from tests.conformance.store.calls import (
    PEOPLE,
    SESSIONS,
    Accept,
    Call,
    Create,
    Delete,
    Join,
    Progress,
    Receive,
    people,
)
from tests.conformance.store.making import TENANT
from tests.conformance.store.stage import NOON, STAGES, Stage, forget

sessions, persons, rarely = st.sampled_from(SESSIONS), st.sampled_from(PEOPLE), st.sampled_from([False, False, True])
accepts = st.builds(
    Accept,
    st.sampled_from((*SESSIONS, "nobody")),
    st.sampled_from(["", "r1", "r2"]),
    st.sampled_from(["one", "two"]),
    st.sampled_from(["", "", "", "AB"]),
    st.booleans(),
    rarely,
)
progress = st.builds(Progress, sessions, st.sampled_from([1, 1, 2]), rarely)
joins = st.builds(Join, persons, persons, rarely)
creations = st.builds(Create, sessions, rarely)
deletions = st.builds(Delete, st.sampled_from(["s_help", "s_sales", "s_1"]), rarely)
arrivals = st.builds(Receive, sessions, persons, st.sampled_from(["IN1", "IN2"]), rarely)
every_call = st.one_of(accepts, accepts, progress, joins, arrivals, creations, deletions)
calls = st.lists(st.tuples(every_call, rarely), min_size=1, max_size=14)


async def prepare(stage: Stage) -> None:
    await prepare_store(stage.store, stage.leases)


async def prepare_store(store: Store, leases: Leases) -> None:
    """Have the sessions and people that calls are about, and own the sessions."""

    async def work(unit: UnitOfWork) -> None:
        for name in SESSIONS:
            await unit.sessions.add(replace(new_session(TENANT, name, "web", NOON), uid="s_" + name, etag=""))
        for identity in people():
            await unit.identities.add(TENANT, identity)

    await store.write(work)
    await leases.claim("me", limit=10, ttl=timedelta(hours=1))


async def account(stage: Stage) -> object:
    """All that callers could ever see; of positions and ordinals, which leave gaps, only the order."""

    async def look(unit: UnitOfWork) -> object:
        messages = await unit.messages.page(TENANT, MessageFilter(), before_ordinal=None, limit=1000)
        events = await unit.events.after(None, 0, limit=1000)
        return (
            await unit.sessions.page(TENANT, after="", limit=10),
            [replace(one, ordinal=0) for one in messages],
            [await receipts_of(unit, one) for one in messages],
            [await unit.identities.get(TENANT, one) for one in PEOPLE],
            [(one.session_uid, one.sequence, one.kind) for one in events],
            [
                await unit.requests.find(Accept(name, r, "", "", False, False).key)
                for name in SESSIONS
                for r in ("r1", "r2")
            ],
        )

    return await stage.store.read(look)


async def receipts_of(unit: UnitOfWork, message: Message) -> list[Receipt]:
    page = await unit.receipts.page(message.message_id, after_ordinal=0, limit=10)
    return [replace(one, ordinal=0) for one in page]


async def nothing(_unit: UnitOfWork) -> None:
    """Comes after all that was asked for before, also by callers that have gone."""


async def outcome(stage: Stage, call: Call, number: int) -> object:
    try:
        return await stage.store.write(lambda unit: call.work(unit, number), call.prefetch)
    except Exception as error:  # noqa: BLE001  # what a call raises is its outcome
        return type(error)


async def one_by_one(folder: Path, stage_name: str, some: list[tuple[Call, bool]]) -> tuple[list[object], object]:
    async with STAGES[stage_name](folder) as stage:
        await prepare(stage)
        outcomes = [await outcome(stage, call, number) for number, (call, _) in enumerate(some)]
        return outcomes, await account(stage)


async def at_once(folder: Path, stage_name: str, some: list[tuple[Call, bool]]) -> tuple[list[object], object]:
    async with STAGES[stage_name](folder) as stage:
        await prepare(stage)
        tasks = [asyncio.create_task(outcome(stage, call, number)) for number, (call, _) in enumerate(some)]
        await asyncio.sleep(0)
        for task, (_, is_cancelled) in zip(tasks, some, strict=True):
            if is_cancelled:
                task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await stage.store.write(nothing)
        return list(outcomes), await account(stage)


async def a_group_has_the_outcome_of_the_same_calls_one_by_one(stage_name: str, some: list[tuple[Call, bool]]) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        expected, expected_account = await one_by_one(Path(first), stage_name, some)
        outcomes, its_account = await at_once(Path(second), stage_name, some)
        for folder in (first, second):
            await forget(Path(folder))
    assert its_account == expected_account
    for got, wanted, (_, is_cancelled) in zip(outcomes, expected, some, strict=True):
        if not (is_cancelled and isinstance(got, asyncio.CancelledError)):
            assert got == wanted


@pytest.mark.timeout(180)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some=calls)
async def test_a_group_has_the_outcome_of_the_same_calls_one_by_one(some: list[tuple[Call, bool]]) -> None:
    await a_group_has_the_outcome_of_the_same_calls_one_by_one("sqlite", some)


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("postgres")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some=calls)
async def test_so_does_a_group_on_postgresql(
    some: list[tuple[Call, bool]],
) -> None:
    await a_group_has_the_outcome_of_the_same_calls_one_by_one("postgresql", some)
