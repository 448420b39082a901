"""What is older than it has to be kept is gone, and whoever comes back for it is told so, by the whole server."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta

import pytest
from grpc import aio

from tests.acceptance.refusal import Refusal, facts_named
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.waiting import eventually
from wagate.v1 import event_service_pb2, session_pb2, session_service_pb2, system_service_pb2

DAY = timedelta(days=1)


@pytest.fixture
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A gateway that keeps events for a week, on a simulated WhatsApp."""
    environment = {"WAGATE_PROVIDERS__ENABLED": "simulator", "WAGATE_RETENTION__EVENTS": "7d"}
    async with gateway_process(tmp_path_factory.mktemp("retention") / "gateway", environment) as gateway:
        yield gateway


async def create(gateway: Gateway, session_id: str) -> str:
    """Create a session; return the cursor behind that."""
    session = session_pb2.Session(session_id=session_id)
    await gateway.sessions.CreateSession(session_service_pb2.CreateSessionRequest(session=session))
    return (await gateway.feeds.ListEvents(event_service_pb2.ListEventsRequest())).next_cursor


def grow_older(gateway: Gateway, span: timedelta) -> None:
    """Let all that happened so far have happened so much earlier."""
    with closing(sqlite3.connect(gateway.database)) as database, database:
        database.execute("UPDATE events SET record_time = record_time - ?", (span // timedelta(microseconds=1),))


async def refusal_of(gateway: Gateway, cursor: str) -> Refusal | None:
    """How a cursor is refused, by lists and by streams alike."""
    refusals: list[Refusal] = []
    try:
        await gateway.feeds.ListEvents(event_service_pb2.ListEventsRequest(after_cursor=cursor))
    except aio.AioRpcError as error:
        refusals.append(Refusal(error))
    stream = gateway.feeds.StreamEvents(event_service_pb2.StreamEventsRequest(after_cursor=cursor), timeout=10)
    try:
        async for _ in stream:
            break
    except aio.AioRpcError as error:
        refusals.append(Refusal(error))
    finally:
        stream.cancel()
    return refusals[0] if len(refusals) == 2 else None


async def test_whoever_was_away_for_longer_than_events_are_kept_is_told_so_and_from_where_to_go_on(
    gateway: Gateway,
) -> None:
    early = await create(gateway, "one")
    await create(gateway, "two")
    await gateway.stop()
    grow_older(gateway, 8 * DAY)
    await gateway.start()
    await eventually(lambda: is_refused(gateway, early))
    await create(gateway, "three")
    refusal = await refusal_of(gateway, early)
    assert refusal is not None
    assert (refusal.code, refusal.reason) == ("OUT_OF_RANGE", "CURSOR_EXPIRED")
    assert refusal.facts.keys() == facts_named("CURSOR_EXPIRED")
    request = event_service_pb2.ListEventsRequest(after_cursor=refusal.facts["oldest_cursor"])
    left = (await gateway.feeds.ListEvents(request)).events
    assert left[0].record_time.ToJsonString() == refusal.facts["oldest_time"]
    assert [event.session_id for event in left if event.kind == "session.created"] == ["three"]


async def is_refused(gateway: Gateway, cursor: str) -> bool:
    return await refusal_of(gateway, cursor) is not None


async def test_the_server_and_each_feed_say_how_long_things_are_kept(gateway: Gateway) -> None:
    info = await gateway.system.GetServerInfo(system_service_pb2.GetServerInfoRequest())
    assert info.retention.events.ToTimedelta() == 7 * DAY
    assert info.retention.messages.ToTimedelta() == 365 * DAY
    stream = gateway.feeds.StreamEvents(event_service_pb2.StreamEventsRequest(), timeout=10)
    async for frame in stream:
        assert frame.opened.retention.ToTimedelta() == 7 * DAY
        break
    stream.cancel()
