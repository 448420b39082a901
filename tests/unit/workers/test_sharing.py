"""Workers share the sessions: evenly, slowly, and in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.errors import OwnerUnavailable
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState, Sent
from gateway.domain.messages import State
from gateway.domain.sessions import State as SessionState
from gateway.workers.tenure import boot_seconds
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.workers.answers import Held
from tests.unit.workers.crew import in_state, message_in_state, sailing, worker
from tests.unit.workers.scripted_provider import ScriptedLine
from wagate.v1 import contact_service_pb2, pairing_service_pb2
from wagate.v1 import system_service_pb2 as pb
from wagate.v1.worker_pb2 import Worker

ADA = "+4915100000011"


def open_lines(house: House) -> list[ScriptedLine]:
    return [line for line in house.provider.lines if not line.closed]


def owned(house: House) -> Counter[str]:
    """How many open lines each worker has."""
    return Counter(line.opening.lease.owner_id for line in open_lines(house))


async def created(house: House, count: int) -> list[str]:
    return [(await house.create(f"s{number}")).uid for number in range(count)]


async def shown(house: House) -> dict[str, Worker]:
    workers = (await house.workers.list(house.call(), pb.ListWorkersRequest())).workers
    return {one.worker_id: one for one in workers}


async def drain(house: House, worker_id: str) -> None:
    await house.workers.drain(house.call(), pb.DrainWorkerRequest(worker_id=worker_id))


async def paired(house: House, session_id: str) -> None:
    """Watch a session being paired."""
    request = pairing_service_pb2.PairSessionRequest(session_id=session_id)
    async for _ in house.pairing.pair(house.call(), request):
        pass


async def given_back(house: House, lease: Lease) -> None:
    """Let the session of a lease be claimed by whoever comes."""
    await house.leases.release(lease)


async def test_a_second_worker_is_given_its_share_and_each_session_has_one_line_all_along(house: House) -> None:
    await created(house, 6)
    async with sailing(house, "w_1", ttl=100, every=0.1):
        await eventually(lambda: owned(house) == {"w_1": 6})
        async with sailing(house, "w_2", ttl=100, every=0.1):
            await eventually(lambda: owned(house) == {"w_1": 3, "w_2": 3})
            assert {name: one.fair_share for name, one in (await shown(house)).items()} == {"w_1": 3, "w_2": 3}
        await eventually(lambda: owned(house) == {"w_1": 6})
    opened = Counter(line.opening.session_uid for line in house.provider.lines)
    assert sum(opened.values()) == 12
    fences: dict[str, int] = {}
    for line in house.provider.lines:
        assert line.opening.lease.fence > fences.get(line.opening.session_uid, 0)
        fences[line.opening.session_uid] = line.opening.lease.fence


async def test_what_others_leave_is_claimed_beyond_the_fair_share_after_a_while(house: House) -> None:
    await created(house, 4)
    await house.leases.check_in(worker("w_idle"), timedelta(seconds=100))
    async with sailing(house, every=0.1, left_over=1.5):
        await eventually(lambda: owned(house) == {"w_1": 2})
        await eventually(lambda: owned(house) == {"w_1": 4})


async def test_a_session_that_somebody_is_just_pairing_stays_where_it_is(house: House) -> None:
    uids = await created(house, 2)
    async with sailing(house, "w_1", ttl=100, every=0.1):
        for line in (await house.provider.line(1), await house.provider.line(2)):
            await line.tell(LineChanged(LineState.UNLINKED))
        await in_state(house, SessionState.STATE_PAIRING, "s0")
        stepping = asyncio.create_task(paired(house, "s0"))
        await eventually(lambda: any(line.attempts for line in house.provider.lines))
        async with sailing(house, "w_2", ttl=100, every=0.1):
            await eventually(lambda: owned(house) == {"w_1": 1, "w_2": 1})
            (kept,) = [line for line in open_lines(house) if line.opening.lease.owner_id == "w_1"]
            assert kept.opening.session_uid == uids[0]
        stepping.cancel()
        await asyncio.wait([stepping])


async def test_a_worker_that_is_drained_gives_all_away_and_claims_nothing_more(house: House) -> None:
    await created(house, 4)
    async with sailing(house, "w_1", ttl=100, every=0.1):
        await eventually(lambda: owned(house) == {"w_1": 4})
        async with sailing(house, "w_2", ttl=100, every=0.1):
            await drain(house, "w_1")
            await eventually(lambda: owned(house) == {"w_2": 4})

            async def is_drained() -> bool:
                return (await shown(house))["w_1"].state == Worker.STATE_DRAINED

            await eventually(is_drained)
            await house.create("later")
            await eventually(lambda: owned(house) == {"w_2": 5})


async def test_a_worker_that_no_bell_tells_of_its_drain_sees_it_long_before_it_checks_in_again(house: House) -> None:
    await created(house, 2)
    async with sailing(house, ttl=1000, every=300):
        await eventually(lambda: owned(house) == {"w_1": 2})
        await house.store.write(lambda unit: unit.workers.want_drain("w_1"))
        await eventually(lambda: not owned(house))


async def test_a_hundred_sessions_are_handed_over_in_less_than_five_seconds(house: House) -> None:
    await created(house, 100)
    async with sailing(house, "w_1", ttl=100, every=0.5):
        await eventually(lambda: owned(house) == {"w_1": 100}, 30)
        async with sailing(house, "w_2", ttl=100, every=0.5):
            begun = boot_seconds()
            await drain(house, "w_1")
            await eventually(lambda: owned(house) == {"w_2": 100}, 30)
            assert boot_seconds() - begun < 5


async def test_a_message_under_way_is_finished_before_its_session_is_given_away(house: House, lease: Lease) -> None:
    house.provider.answer = whatsapp = Held()
    await given_back(house, lease)
    async with asyncio.timeout(SECONDS):
        async with sailing(house):
            await (await house.provider.line()).come_up()
            first, second = await house.send("one", to=ADA), await house.send("two", to=ADA)
            await whatsapp.asked.wait()
            asyncio.get_running_loop().call_later(
                0.3, whatsapp.answers.put_nowait, Sent(datetime.now(UTC), Names(phone_number=ADA))
            )
        await message_in_state(house, first, State.STATE_SENT)
    assert house.provider.texts() == ["one"]
    assert (await house.message(second)).state == State.STATE_QUEUED


async def test_whoever_asks_whatsapp_while_the_session_is_given_away_is_told_to_come_back(
    house: House, lease: Lease
) -> None:
    house.provider.patience = asyncio.Event().wait  # type: ignore[assignment]
    await given_back(house, lease)
    async with sailing(house):
        await (await house.provider.line()).come_up()
        request = contact_service_pb2.CheckContactsRequest(session_id="sales", phone_numbers=[ADA])
        asking = asyncio.create_task(house.contacts.check(house.call(), request))
        await eventually(lambda: house.provider.checks == 1)
    with pytest.raises(OwnerUnavailable):
        await asyncio.wait_for(asking, SECONDS)
