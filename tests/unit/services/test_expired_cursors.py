"""A cursor whose events are no longer kept says so, and from where one can go on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.errors import CursorExpired
from tests.unit.services.house import House
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_service_pb2 as pb


def forget_events(database: Path, up_to: int) -> None:
    """Remove the oldest events, as a retention would."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("delete from events where position <= ?", (up_to,))


async def test_a_cursor_of_events_that_are_gone_is_refused_with_the_oldest_one(house: House, tmp_path: Path) -> None:
    early = (await house.feeds.list(house.call(), pb.ListEventsRequest())).next_cursor
    for session_id in ("one", "two", "three"):
        await house.create(session_id)
    gone = (await house.stored_log())[1]
    forget_events(tmp_path / "store.db", gone.position)
    with pytest.raises(CursorExpired) as error:
        await house.feeds.list(house.call(), pb.ListEventsRequest(after_cursor=early))
    assert error.value.reason == reasons.ERROR_REASON_CURSOR_EXPIRED
    oldest = pb.ListEventsRequest(after_cursor=error.value.facts["oldest_cursor"])
    (left,) = (await house.feeds.list(house.call(), oldest)).events
    assert left.session_id == "three"
    assert error.value.facts["oldest_time"] == left.record_time.ToJsonString()
    with pytest.raises(CursorExpired):
        await anext(aiter(house.feeds.stream(house.call(), pb.StreamEventsRequest(after_cursor=early))))
