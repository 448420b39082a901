"""Gathering: after a run, what each party knows, written down for the judge."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from typing import Any, Final

from tests.faults.plan import Terms
from tests.faults.record import Event, Got, Injected, Record, Row, Session
from tests.faults.scene import Scene
from tests.stage.persons import Person
from tests.stage.shop import Shop
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.v1 import error_reason_pb2, event_pb2, event_service_pb2, message_pb2, message_service_pb2, session_pb2
from wagate.v1.session_service_pb2 import GetSessionRequest

_PAGE: Final = 500
_State = message_pb2.Message.State
_SessionState = session_pb2.SessionStatus.State


async def gathered(scene: Scene, terms: Terms, faults: list[Injected]) -> Record:
    """The record of a run that is over."""
    rows = [row async for row in _rows(scene)]
    rows.reverse()
    stored, found = await _stored(scene)
    return Record(
        terms=terms,
        lease_seconds=terms.lease,
        sessions=[await _session(scene, shop) for shop in scene.shops],
        calls=scene.traffic.calls,
        said=scene.traffic.said,
        got=[got for person in scene.persons for got in await _got(scene, person)],
        faults=sorted(faults, key=lambda fault: fault.begun),
        oracle=scene.witness.entries,
        rows=rows,
        stored=stored,
        damage="" if found == "ok" else found,
        events=[event async for event in _events(scene)],
        readings=[scene.reader.told()],
    )


async def _session(scene: Scene, shop: Shop) -> Session:
    session = (await scene.gateways[0].sessions.GetSession(GetSessionRequest(session_id=shop.session_id))).session
    accounts = (await scene.lab.stub.ListAccounts(pb.ListAccountsRequest())).accounts
    (device,) = next(account.devices for account in accounts if account.phone_number == shop.phone_number)
    state = _SessionState.Name(session.status.state).removeprefix("STATE_")
    return Session(shop.session_id, session.uid, shop.phone_number, device.device, state)


async def _got(scene: Scene, person: Person) -> list[Got]:
    stream = scene.lab.stub.WatchInbox(pb.WatchInboxRequest(person_id=person.person_id, until_now=True))
    return [Got(person.phone_number, got.text, got.provider_message_id) async for got in stream]


async def _rows(scene: Scene) -> AsyncIterator[Row]:
    """All messages, the newest first."""
    token = ""
    while True:
        request = message_service_pb2.ListMessagesRequest(session_id="-", page_size=_PAGE, page_token=token)
        page = await scene.gateways[0].messages.ListMessages(request)
        for message in page.messages:
            yield _row(message)
        token = page.next_page_token
        if not token:
            return


def _row(message: message_pb2.Message) -> Row:
    return Row(
        message_id=message.message_id,
        session_id=message.session_id,
        chat_id=message.chat.id,
        sender=message.sender.phone_number,
        provider_message_id=message.provider_message_id,
        request_id=message.request_id,
        outbound=message.direction == message_pb2.Message.DIRECTION_OUTBOUND,
        state=_State.Name(message.state).removeprefix("STATE_"),
        reason=error_reason_pb2.ErrorReason.Name(message.failure.reason) if message.HasField("failure") else "",
        reach=message_pb2.Reach.Level.Name(message.reach.furthest).removeprefix("LEVEL_"),
        text=message.content.text.text,
    )


async def _events(scene: Scene) -> AsyncIterator[Event]:
    """All events, the oldest first."""
    request = event_service_pb2.ListEventsRequest(page_size=_PAGE)
    while True:
        page = await scene.gateways[0].feeds.ListEvents(request)
        for event in page.events:
            yield _event(event)
        if not page.has_more:
            return
        request = event_service_pb2.ListEventsRequest(page_size=_PAGE, after_cursor=page.next_cursor)


def _event(event: event_pb2.Event) -> Event:
    what = getattr(event, event.WhichOneof("what") or "", None)
    message_id = getattr(what, "message_id", "") or getattr(getattr(what, "message", None), "message_id", "")
    return Event(
        event_id=event.event_id,
        kind=event.kind,
        session_id=event.session_id,
        uid=event.session_uid,
        sequence=event.sequence,
        time=event.record_time.ToNanoseconds() / 1e9,
        message_id=message_id,
        state=_state(event),
    )


def _state(event: event_pb2.Event) -> str:
    if event.HasField("message_status_changed"):
        return _State.Name(event.message_status_changed.state).removeprefix("STATE_")
    if event.HasField("session_state_changed"):
        return _SessionState.Name(event.session_state_changed.status.state).removeprefix("STATE_")
    return ""


async def _stored(scene: Scene) -> tuple[dict[str, str], str]:
    """Each message's state as the database has it, and what SQLite says of the file: `ok` if nothing is wrong."""
    if scene.parts:
        rows = await scene.parts.rows("SELECT message_id, state FROM messages")
        return _states(rows), "ok"
    with closing(sqlite3.connect(f"file:{scene.gateways[0].database}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT message_id, state FROM messages").fetchall()
        found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return _states(rows), found


def _states(rows: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {message_id: _State.Name(state).removeprefix("STATE_") for message_id, state in rows}
