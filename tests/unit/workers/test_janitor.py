from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.domain.leases import Lease
from gateway.domain.messages import State
from gateway.domain.retention import Retention
from gateway.services.duties import DutiesOfOne
from gateway.services.forgetting import Forgetting
from gateway.services.keys import Keys
from gateway.workers.janitor import Janitor
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import message_in_state
from tests.unit.workers.scripted_provider import alone
from wagate.v1 import session_service_pb2 as pb

KEPT = Retention(events=timedelta(days=30), messages=timedelta(days=365))


@pytest.fixture
async def janitor(house: House) -> AsyncIterator[None]:
    """A janitor at work."""
    stopping = asyncio.Event()
    forgetting = Forgetting(house.store, KEPT, house.meter)
    duties, providers = DutiesOfOne(), alone(house.provider)
    janitor = Janitor(duties, house.outbox, house.restrictions, house.lines, forgetting, Keys(house.store), providers)
    working = asyncio.create_task(janitor.run(stopping))
    yield
    stopping.set()
    await asyncio.wait_for(working, SECONDS)


@pytest.mark.usefixtures("janitor")
async def test_what_was_not_sent_in_time_expires(house: House, lease: Lease) -> None:
    del lease
    message_id = await house.send()
    house.clock.ahead += timedelta(hours=25)
    await message_in_state(house, message_id, State.STATE_EXPIRED)


@pytest.mark.usefixtures("janitor")
async def test_keys_of_deleted_sessions_are_forgotten_and_no_others(house: House) -> None:
    kept, deleted = await house.create("kept"), await house.create("deleted")
    house.provider.kept = [kept.uid, deleted.uid, "s_of_nobody"]
    request = pb.DeleteSessionRequest(session_id="deleted", force=True)
    await house.sessions.delete(house.call(), request)
    await eventually(lambda: house.provider.kept == [kept.uid, "s_of_nobody"])


@pytest.mark.usefixtures("janitor")
async def test_keys_that_the_disk_does_not_let_go_are_tried_again_and_stop_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = await house.create("deleted")
    house.provider.kept = [deleted.uid]
    tried = asyncio.Event()

    def fail(_uid: str) -> bool:
        tried.set()
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(house.provider, "erase", fail)
        await house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="deleted", force=True))
        await asyncio.wait_for(tried.wait(), SECONDS)
    await eventually(lambda: house.provider.kept == [])


@pytest.mark.usefixtures("janitor")
async def test_what_is_older_than_it_has_to_be_kept_is_forgotten_and_counted(house: House) -> None:
    await house.create("kept")
    told = len(await house.stored_log())
    house.clock.ahead += timedelta(days=31)

    async def is_forgotten() -> bool:
        return await house.stored_log() == []

    await eventually(is_forgotten)
    await eventually(
        lambda: house.meter.registry.get_sample_value("wagate_forgotten_total", {"sort": "events"}) == told
    )
