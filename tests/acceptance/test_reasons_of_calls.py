"""Why a call could not be answered just then: each reason, and that the same call succeeds later."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest
from grpc import aio

from tests.acceptance.conftest import World
from tests.acceptance.refusal import Refusal
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.stage.shop import Shop, new_shop
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import contact_service_pb2, event_service_pb2, session_service_pb2

Fault = lab_service_pb2.SetFaultRequest.Fault


async def test_a_deadline_that_passes_while_whatsapp_is_asked_leaves_the_outcome_open(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    request = contact_service_pb2.CheckContactsRequest(session_id=shop.session_id, phone_numbers=[ada.phone_number])
    await world.lab.fault(shop.account, Fault(frozen=True))
    with pytest.raises(aio.AioRpcError) as error:
        await world.gateway.contacts.CheckContacts(request, timeout=2)
    assert Refusal(error.value).reason == "OUTCOME_OPEN"
    await world.lab.fault(shop.account)
    assert (await world.gateway.contacts.CheckContacts(request)).results[0].on_whatsapp


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Let another process, such as a backup gone wrong, keep the database from being written."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


async def test_a_database_that_cannot_be_written_refuses_and_accepts_nothing(own_world: World) -> None:
    gateway = own_world.gateway
    request = session_service_pb2.CreateSessionRequest(request_id="once")
    with locked(gateway.database), pytest.raises(aio.AioRpcError) as error:
        await gateway.sessions.CreateSession(request, timeout=20)
    assert Refusal(error.value).reason == "STORE_UNAVAILABLE"
    assert not (await gateway.sessions.ListSessions(session_service_pb2.ListSessionsRequest())).sessions
    assert not (await gateway.sessions.CreateSession(request)).repeated_request


async def test_whoever_watches_a_message_is_told_that_the_server_stops(own_world: World) -> None:
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    await shop.stop()
    waiting = await shop.accept(ada.phone_number, "Later")
    async with shop.watch(waiting.message_id) as message:
        await message.next()
        await own_world.gateway.stop()
        with pytest.raises(aio.AioRpcError) as error:
            await message.end()
    assert Refusal(error.value).reason == "SHUTTING_DOWN"


ACCEPTED: Final = event_service_pb2.EventFilter(kinds=["message.accepted"])
MORE_THAN_BUFFERS_HOLD: Final = 250


async def test_a_feed_that_nobody_reads_is_closed_and_goes_on_from_its_cursor(lab: Lab, tmp_path: Path) -> None:
    environment = {**lab.environment, "WAGATE_FEEDS__SLOW_AFTER": "100ms"}
    async with gateway_process(tmp_path / "gateway", environment) as gateway:
        shop = await new_shop(gateway, lab)
        await shop.stop()
        feed = gateway.feeds.StreamEvents(event_service_pb2.StreamEventsRequest(filter=ACCEPTED))
        assert frame_of(await feed.read()).HasField("opened")
        accepted = [await flood(shop) for _ in range(MORE_THAN_BUFFERS_HOLD)]
        told, refusal = await all_that_came(feed)
        assert refusal.reason == "CONSUMER_TOO_SLOW"
        async with gateway.events(after=refusal.facts["resume_cursor"], kinds=["message.accepted"]) as rest:
            missed = [(await rest.next()).message_accepted.message.message_id for _ in accepted[len(told) :]]
    assert told + missed == accepted
    assert missed


async def flood(shop: Shop) -> str:
    """Let one long message be told; its id."""
    return (await shop.accept(shop.phone_number, "x" * 60_000)).message_id


Feed = aio.UnaryStreamCall[event_service_pb2.StreamEventsRequest, event_service_pb2.StreamEventsResponse]


async def all_that_came(feed: Feed) -> tuple[list[str], Refusal]:
    """Read a feed late: the messages that it told, and how it ended."""
    told: list[str] = []
    while True:
        try:
            frame = frame_of(await feed.read())
        except aio.AioRpcError as error:
            return told, Refusal(error)
        if frame.HasField("event"):
            told.append(frame.event.message_accepted.message.message_id)


def frame_of(read: object) -> event_service_pb2.StreamEventsResponse:
    """What was read of a feed that has not ended well."""
    assert isinstance(read, event_service_pb2.StreamEventsResponse)
    return read
