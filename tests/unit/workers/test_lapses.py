"""When a lease is not renewed: sends stop, then the line is closed, and what is shown is true."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from gateway.adapters.sql.leases import SqlLeases
from gateway.domain.leases import Lease
from gateway.domain.messages import HoldKind, State
from gateway.domain.sessions import State as SessionState
from gateway.domain.workers import Roll, Worker
from gateway.workers.session_owner import SessionOwner
from gateway.workers.tenure import Tenure, boot_seconds
from tests.stage.programs import ROOT
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import LEASE_FOR, House
from tests.unit.workers.crew import message_in_state, sailing, tools_of
from wagate.v1 import session_service_pb2 as pb

TTL = timedelta(seconds=10)


class FrozenLeases(SqlLeases):
    """Leases of a database that answers no more, until it does."""

    def __init__(self, house: House) -> None:
        super().__init__(house.store)
        self.answers = asyncio.Event()
        self.answers.set()

    async def check_in(self, worker: Worker, ttl: timedelta) -> tuple[list[Lease], Roll]:
        await self.answers.wait()
        return await super().check_in(worker, ttl)


@asynccontextmanager
async def working(house: House, lease: Lease) -> AsyncIterator[SessionOwner]:
    """An owner at work, whose lease nobody renews but the test."""
    owner = SessionOwner(lease, tools_of(house, ttl=TTL))
    task = asyncio.create_task(owner.run())
    try:
        yield owner
    finally:
        task.cancel()
        await asyncio.wait([task])


async def state(house: House) -> SessionState.ValueType:
    request = pb.GetSessionRequest(session_id="sales")
    return (await house.sessions.get(house.call(), request)).session.status.state


async def test_after_sixty_percent_of_a_lease_nothing_is_sent_and_after_eighty_the_line_is_closed(
    house: House, lease: Lease
) -> None:
    async with working(house, lease) as owner:
        line = await house.provider.line()
        await line.come_up()
        await owner.renew(timedelta(seconds=3.9))
        message_id = await house.send()
        assert timedelta(seconds=1.7) < line.renewed[-1] <= timedelta(seconds=1.9)
        await eventually(lambda: line.closed)
        assert house.provider.handed == []
        assert (await house.message(message_id)).state == State.STATE_QUEUED
        assert len(house.provider.lines) == 1
        await owner.renew(TTL)
        await (await house.provider.line(2)).come_up()
        await message_in_state(house, message_id, State.STATE_SENT)
    assert (await house.session()).fault_count == 0


async def test_a_database_that_freezes_closes_the_line_before_another_may_claim_and_all_goes_on_once_it_is_back(
    house: House, lease: Lease
) -> None:
    leases = FrozenLeases(house)
    await leases.release(lease)
    async with sailing(house, ttl=2, every=0.1, leases=leases):
        line = await house.provider.line()
        await line.come_up()
        leases.answers.clear()
        frozen = boot_seconds()
        await eventually(lambda: line.closed)
        assert boot_seconds() - frozen < 2
        message_id = await house.send()

        async def is_held() -> bool:
            return (await house.shown(message_id)).hold.kind == HoldKind.KIND_SESSION

        await eventually(is_held)
        assert await state(house) in (SessionState.STATE_RECONNECTING, SessionState.STATE_STARTING)
        leases.answers.set()
        await (await house.provider.line(2)).come_up()
        await message_in_state(house, message_id, State.STATE_SENT)


async def test_a_session_whose_lease_lapsed_is_shown_as_starting_and_its_messages_as_held(
    house: House, lease: Lease
) -> None:
    message_id = await house.send()
    assert not (await house.shown(message_id)).HasField("hold")
    house.clock.ahead += LEASE_FOR * 2
    assert await state(house) == SessionState.STATE_STARTING
    assert (await house.shown(message_id)).hold.kind == HoldKind.KIND_SESSION
    told = await house.newest()
    assert await house.lines.unattended() == 1
    (changed,) = [event.session_state_changed for event in await house.log("session.state_changed", after=told)]
    assert (changed.previous_state, changed.status.state) == (SessionState.STATE_CONNECTED, SessionState.STATE_STARTING)
    assert await house.lines.unattended() == 0
    del lease


async def test_a_session_that_is_owned_is_not_taken_for_unattended(house: House, lease: Lease) -> None:
    assert await house.lines.unattended() == 0
    assert (await house.session()).state == SessionState.STATE_CONNECTED
    del lease


def test_a_tenure_is_extended_and_ends_in_steps() -> None:
    tenure = Tenure(TTL)
    assert tenure.may_send
    tenure.extend(timedelta(seconds=4.1))
    assert tenure.may_send
    tenure.extend(timedelta(seconds=3.9))
    assert not tenure.may_send
    assert timedelta(seconds=1.8) < tenure.of_line <= timedelta(seconds=1.9)
    tenure.extend(timedelta(seconds=1.9))
    assert tenure.of_line == timedelta(0)


_FROZEN = """
import sys
from datetime import timedelta
from gateway.workers.tenure import Tenure
tenure = Tenure(timedelta(seconds=1))
print(tenure.may_send, flush=True)
sys.stdin.readline()
print(tenure.may_send, tenure.of_line, flush=True)
"""


async def test_a_process_that_was_stopped_for_longer_than_its_lease_knows_it_as_soon_as_it_goes_on() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FROZEN, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdin
    assert process.stdout
    async with asyncio.timeout(3 * SECONDS):
        assert await process.stdout.readline() == b"True\n"
        os.kill(process.pid, signal.SIGSTOP)
        frozen = boot_seconds()
        process.stdin.write(b"\n")
        await eventually(lambda: boot_seconds() > frozen + 1)
        os.kill(process.pid, signal.SIGCONT)
        assert await process.stdout.readline() == b"False 0:00:00\n"
        await process.wait()
