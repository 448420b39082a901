"""Faults of leases and of the queue: a session is owned by one, served soon, and told of truly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.errors import OutcomeOpen, OwnerUnavailable, StoreUnavailable
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.messages import State
from gateway.services.asking import Owners
from gateway.services.contacts import Contacts
from gateway.workers.fleet import Fleet, FleetTerms
from gateway.workers.session_owner import SessionOwner
from tests.stage.faulty.part import FaultyPart
from tests.stage.faulty.plan import Fault, Plan
from tests.stage.waiting import eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import message_in_state, worker
from tests.unit.workers.faulty_house import FaultyHouse
from wagate.v1 import contact_service_pb2

TTL, EVERY = timedelta(seconds=2), timedelta(milliseconds=200)
PHONE = "+4915112345678"


@pytest.fixture
def faulty(house: House) -> FaultyHouse:
    return FaultyHouse(house)


@asynccontextmanager
async def sailing(faulty: FaultyHouse, plan: Plan) -> AsyncIterator[None]:
    """A fleet whose leases fail as planned."""
    leases = FaultyPart(faulty.calm.leases, plan, StoreUnavailable)
    tools = replace(faulty.tools(), lease_ttl=TTL)
    terms = FleetTerms(100, TTL, EVERY)
    fleet = Fleet(worker(), leases, faulty.queue, faulty.calm.meter, terms, lambda lease: SessionOwner(lease, tools))
    stopping = asyncio.Event()
    working = asyncio.create_task(fleet.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await working


@pytest.mark.parametrize("fault", Fault)
async def test_a_session_that_was_perhaps_claimed_is_owned_soon_after_beside_others(
    faulty: FaultyHouse, fault: Fault
) -> None:
    plan = Plan()
    await faulty.calm.create("sales")
    async with sailing(faulty, plan):
        await faulty.calm.provider.line()
        plan.strike("claim", fault)
        await faulty.calm.create("support")
        await faulty.calm.provider.line(2)
    assert plan.is_over


@pytest.mark.parametrize("fault", Fault)
async def test_renewals_may_fail_for_less_than_a_lease_lasts(faulty: FaultyHouse, fault: Fault) -> None:
    plan = Plan()
    await faulty.calm.create()
    async with sailing(faulty, plan):
        line = await faulty.calm.provider.line()
        plan.strike("check_in", fault, times=5)
        await eventually(lambda: plan.is_over and len(line.renewed) > 1)
    assert len(faulty.calm.provider.lines) == 1


@pytest.mark.parametrize("fault", Fault)
async def test_a_lease_that_was_perhaps_not_given_back_runs_out(faulty: FaultyHouse, fault: Fault) -> None:
    plan = Plan()
    plan.strike("release", fault)
    await faulty.calm.create()
    async with sailing(faulty, plan):
        await faulty.calm.provider.line()
    async with sailing(faulty, Plan()):
        await faulty.calm.provider.line(2)
    assert plan.is_over


async def test_a_bell_that_nobody_heard_costs_time_and_no_more(faulty: FaultyHouse, lease: Lease) -> None:
    faulty.queue.lost = ("",)
    async with faulty.connected(lease):
        message_id = await faulty.calm.send()
        await message_in_state(faulty.calm, message_id, State.STATE_SENT)


async def test_a_bell_that_rings_twice_changes_nothing(faulty: FaultyHouse, lease: Lease) -> None:
    faulty.queue.doubled = ("",)
    async with faulty.connected(lease):
        sent = [await faulty.calm.send(f"{number}") for number in range(5)]
        await message_in_state(faulty.calm, sent[-1], State.STATE_SENT)
    assert faulty.copies() == ["0", "1", "2", "3", "4"]


async def check(faulty: FaultyHouse, seconds: float = 30.0) -> contact_service_pb2.CheckContactsResponse:
    """Ask, under one request_id, whether a number has an account; wait so long for the answer."""
    request = contact_service_pb2.CheckContactsRequest(session_id="sales", phone_numbers=[PHONE], request_id="once")
    contacts = Contacts(faulty.store, Owners(faulty.store, faulty.queue), faulty.calm.live)
    return await contacts.check(faulty.calm.call(seconds=seconds), request)


@pytest.mark.parametrize("fault", Fault)
async def test_a_question_whose_answer_is_lost_with_its_owner_can_be_asked_again_at_once(
    faulty: FaultyHouse, lease: Lease, fault: Fault
) -> None:
    faulty.calm.provider.accounts[PHONE] = Names("200@lid", PHONE)
    async with faulty.connected(lease):
        faulty.queue.plan.strike("ask", fault)
        with pytest.raises(OwnerUnavailable):
            await check(faulty)
        assert faulty.calm.provider.checks == (1 if fault is Fault.ANSWER_LOST else 0)
        assert (await check(faulty)).results[0].on_whatsapp


async def test_an_answer_that_comes_too_late_is_kept_for_the_same_question(faulty: FaultyHouse, lease: Lease) -> None:
    faulty.calm.provider.accounts[PHONE] = Names("200@lid", PHONE)
    async with faulty.connected(lease):
        faulty.queue.delay = 1.0
        with pytest.raises(OutcomeOpen):
            await check(faulty, seconds=0.5)
        faulty.queue.delay = 0.0
        again = await check(faulty)
    assert (again.results[0].on_whatsapp, again.repeated_request) == (True, True)
    assert faulty.calm.provider.checks == 1
