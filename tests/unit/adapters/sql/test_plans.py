"""What must stay fast when tables grow is answered from an index: asked of SQLite's own planner."""

# ruff: noqa: SLF001  # statements are looked at where they lie

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Executable
from sqlalchemy.dialects.sqlite.aiosqlite import dialect

from gateway.adapters.sql import (
    due,
    events,
    fences,
    identities,
    joining,
    messages,
    outbox,
    questions,
    receipts,
    requests,
    sessions,
)
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.sqlite_idiom import _WRITE

PLANS: list[tuple[str, Executable, list[str]]] = [
    ("fronts", outbox.HEADS, ["messages_outbox"]),
    ("front of a chat", outbox.FRONT, ["messages_outbox"]),
    ("unsent", outbox.UNSENT, ["messages_outbox"]),
    ("overdue", outbox.OVERDUE, ["messages_give_up"]),
    ("outbox size", sessions._OUTBOX, ["messages_outbox"]),
    ("sessions by name", sessions._BY_NAMES, ["sessions_live"]),
    ("page of sessions", sessions._PAGE, ["sessions_live"]),
    ("message by id", messages._BY_IDS, ["messages_1"]),
    ("message by key", messages._BY_KEY, ["messages_natural"]),
    ("message in chat", messages._IN_CHAT, ["messages_natural"]),
    ("known chats", messages._KNOWN_CHATS, ["messages_by_chat"]),
    ("sent messages", messages._SENT, ["messages_natural"]),
    ("all messages", messages._page(frozenset({"before"})), ["messages_by_tenant"]),
    ("messages of a session", messages._page(frozenset({"session_id", "before"})), ["messages_by_session"]),
    ("messages of a chat", messages._page(frozenset({"chat_id"})), ["messages_by_chat"]),
    ("twins", joining._TWINS, ["messages_by_chat", "messages_by_sender", "messages_natural"]),
    ("move of chats", joining._CHATS, ["messages_by_chat"]),
    ("move of senders", joining._SENDERS, ["messages_by_sender"]),
    ("move of receipts", joining._PEOPLE, ["receipts_by_participant"]),
    ("receipts of a message", receipts._PAGE, ["receipts_by_message"]),
    ("receipt of a person", receipts._OF_PERSON, ["receipts_1"]),
    ("identity by number", identities._BY_NAME["phone_number"], ["identities_phone_number"]),
    ("identity by lid", identities._BY_NAME["lid"], ["identities_lid"]),
    ("identity by id", identities._BY_ID, ["identities_1"]),
    ("accounts of sessions", identities._ACCOUNTS, ["sessions_live", "identities_1"]),
    ("sessions whose restrictions ended", sessions._RESTRICTED_UNTIL, ["sessions_restricted"]),
    ("sessions by uid", sessions._BY_UIDS, ["sessions_1"]),
    ("log of a tenant", events._after(frozenset({"tenant_id"})), ["events_by_tenant"]),
    ("log of a tenant, filtered", events._after(frozenset({"tenant_id", "kinds", "chat_ids"})), ["events_by_tenant"]),
    ("log of all", events._after(frozenset()), ["PRIMARY KEY"]),
    ("moment in the log", events._FROM_MOMENT, ["events_by_time"]),
    ("beginning of the log", events._OLDEST, ["events_by_tenant"]),
    ("end of the log", events._NEWEST, ["events_by_tenant"]),
    ("request id", requests._FIND, ["request_ids_1"]),
    ("fence", fences._BY_SESSIONS, ["leases_1"]),
    ("renewal", fences._RENEW, ["leases_of_owner"]),
    ("what is due in outboxes", due._OUTBOXES, ["sessions_1", "messages_outbox"]),
    ("wishes", due._WISHES, ["sessions_1"]),
    ("questions to a process", questions._IS_ASKED, ["questions_asked"]),
    ("questions to be taken", questions._TAKE, ["questions_asked"]),
    ("answers", questions._ANSWERED, ["questions_1"]),
    ("old questions", questions._FORGET, ["questions_by_age"]),
    ("names of a process", questions._SEEN, ["question_servers_of_process"]),
    ("event's number", _WRITE, ["sessions_1", "tenant_sequences_1"]),
]


@pytest.fixture(scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[sqlite3.Connection]:
    """An empty database: without statistics the planner goes by the shape of statements alone."""
    file: Path = tmp_path_factory.mktemp("plans") / "store.db"
    await migrate(url_of(file))
    connection = sqlite3.connect(file)
    yield connection
    connection.close()


@pytest.mark.parametrize(("statement", "indexes"), [plan[1:] for plan in PLANS], ids=[plan[0] for plan in PLANS])
def test_it_is_answered_from_an_index(database: sqlite3.Connection, statement: Executable, indexes: list[str]) -> None:
    sql = str(statement.compile(dialect=dialect()))  # type: ignore[attr-defined]
    rows = database.execute("EXPLAIN QUERY PLAN " + sql, [None] * sql.count("?")).fetchall()
    plan = "\n".join(row[3] for row in rows)
    scans = [line for line in plan.splitlines() if line.startswith("SCAN") and "VIRTUAL TABLE" not in line]
    assert [line for line in scans if line != "SCAN chats"] == [], plan
    for index in indexes:
        assert index in plan, plan
