"""The same on PostgreSQL: asked of its planner, with tables that are filled and known to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import orjson
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from gateway.adapters.sql.statements import prepare
from gateway.adapters.sql.tables import metadata
from tests.stage.postgres import PostgresServer
from tests.unit.adapters.sql.collecting import statements
from tests.unit.adapters.sql.test_every_plan import GROWING, WAITING

_PAGE: Final = 500
_FILL: Final = """
    INSERT INTO sessions (uid, tenant_id, session_id, provider, create_time, update_time, since_time)
      SELECT 's_' || n, 'default', 'session-' || n, 'web', n, n, n FROM generate_series(1, 50) AS n;
    INSERT INTO messages (tenant_id, message_id, session_id, session_uid, chat_id, sender_id, direction, state, content,
      create_time, due_time, give_up_time, provider_message_id)
      SELECT CASE WHEN n % 300 = 0 THEN 'small' ELSE 'default' END, 'm_' || n, 'session-' || n % 50, 's_' || n % 50,
        'p_' || n % 1000, 'p_' || n % 999, 2,
        CASE WHEN n % 20 = 0 THEN 2 ELSE 5 END, '', n, n, n, '3A' || n FROM generate_series(1, 30000) AS n;
    INSERT INTO receipts (tenant_id, message_id, participant_id)
      SELECT 'default', 'm_' || n, 'p_' || n % 1000 FROM generate_series(1, 10000) AS n;
    INSERT INTO events (tenant_id, event_id, session_id, session_uid, sequence, kind, chat_id, record_time, body)
      SELECT CASE WHEN n % 300 = 0 THEN 'small' ELSE 'default' END, 'e_' || n, 'session-' || n % 50, 's_' || n % 50, n,
        'message.accepted', 'p_' || n % 1000, n, '' FROM generate_series(1, 10000) AS n;
    INSERT INTO identities (tenant_id, identity_id, create_time, lid, phone_number, username, business_user_id)
      SELECT 'default', 'p_' || n, n, 'l' || n, '+' || n, 'u' || n, 'b' || n FROM generate_series(1, 10000) AS n;
    INSERT INTO identity_aliases SELECT 'default', 'p_a' || n, 'p_' || n FROM generate_series(1, 10000) AS n;
    INSERT INTO tenant_sequences SELECT 't_' || n FROM generate_series(1, 10000) AS n;
    INSERT INTO request_ids (tenant_id, rpc, session_id, request_id, fingerprint, create_time, answer)
      SELECT 'default', 'SendMessage', 'session-1', 'r' || n, '', n, '' FROM generate_series(1, 10000) AS n;
    ANALYZE;
"""
_TENANTS: Final = ("default", "small")
"""One to whom nearly all belongs, and one of many."""
_GIVEN: Final[Mapping[str, Any]] = {
    "uid": "s_1",
    "session_id": "session-1",
    "session_ids": ["session-1", "session-2"],
    "uids": ["s_1"],
    "keys": ["m_1", "s_1"],
    "ids": ["m_1", "m_2"],
    "message_id": "m_1",
    "chat_id": "p_1",
    "chat_ids": ["p_1", "p_2"],
    "sender_id": "p_1",
    "participant_id": "p_1",
    "from_id": "p_1",
    "to_id": "p_2",
    "provider_message_id": "3A1",
    "provider_message_ids": ["3A1", "3A2"],
    "edit": "",
    "direction": 2,
    "kinds": ["message.accepted"],
    "rpc": "SendMessage",
    "limit": 50,
    "before": 5_000,
    "after": 5_000,
    "now": 5_000,
    "moment": 5_000,
    "due_time": 5_000,
    "ordinal": 5_000,
    "last": 100,
}
"""What stands in the parameters, by name; anything else is a small number, or text."""


@pytest.fixture(scope="module")
async def database(postgres: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """A database with something in it."""
    async with postgres.database() as url:
        connection = await postgres.connect(url)
        await connection.execute(_FILL)
        yield connection
        await connection.close()


_ASKED: Final = [name for name in statements() if not name.startswith("sqlite_idiom.")]


async def test_no_index_of_a_growing_table_is_without_use(database: asyncpg.Connection) -> None:
    plans = [await _plan(database, name, tenant) for name in _ASKED for tenant in _TENANTS]
    used = {_of_the_log(node.get("Index Name", "")) for plan in plans for node in _nodes(plan)}
    growing = {index.name for name in GROWING for index in metadata.tables[name].indexes}
    assert growing - used == set()


@pytest.mark.parametrize("name", _ASKED)
async def test_it_reads_no_growing_table_from_end_to_end_and_sorts_no_more_than_a_page(
    database: asyncpg.Connection, name: str
) -> None:
    plan = await _plan(database, name, _TENANTS[0])
    for node in _nodes(plan):
        if _grows(node.get("Relation Name", "")) and node["Node Type"] != "ModifyTable":
            assert node["Node Type"] != "Seq Scan", orjson.dumps(plan)
            assert _is_narrow(node), orjson.dumps(plan)
        if node["Node Type"] == "Sort":
            assert node["Plan Rows"] <= _PAGE, orjson.dumps(plan)


async def _plan(database: asyncpg.Connection, name: str, tenant_id: str) -> dict[str, Any]:
    prepared = prepare(dialect(), statements()[name])  # type: ignore[no-untyped-call]
    wanted = await database.prepare(prepared.sql)
    asked = zip(prepared.pick(_Names()), wanted.get_parameters(), strict=True)
    plan: dict[str, Any] = (await wanted.explain(*(_given(one, kind, tenant_id) for one, kind in asked)))[0]["Plan"]
    return plan


def _of_the_log(index: str) -> str:
    """The name of an index without that of the log's part."""
    return index.replace("events_first_", "events_")


@dataclass(frozen=True)
class _Name:
    """A parameter."""

    name: str


class _Names(dict[str, Any]):
    """The name of each parameter in its place."""

    def __missing__(self, name: str) -> _Name:
        return _Name(name)


def _given(asked: object, kind: asyncpg.Type, tenant_id: str) -> object:
    """What stands in the place of a parameter; what the statement brings itself stays."""
    if not isinstance(asked, _Name):
        return asked
    given = tenant_id if asked.name in {"tenant_id", "tenant"} else _GIVEN.get(asked.name)
    is_number = kind.name.startswith(("int", "bigint"))
    if kind.kind == "array":
        return [1, 2] if is_number else given if isinstance(given, list) else ["one"]
    if is_number:
        return given if isinstance(given, int) else 1
    if kind.name == "bytea":
        return b""
    return given if isinstance(given, str) else "one"


def _grows(table: str) -> bool:
    return table in GROWING or table.startswith("events_")


def _is_narrow(node: Mapping[str, Any]) -> bool:
    """Whether an index leads to what is wanted, holds nothing else, or is read only as far as a limit goes."""
    return (
        "Index Cond" in node
        or "Recheck Cond" in node
        or node.get("Index Name") in WAITING
        or node.get("is limited", False)
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan; those of which a limit takes what comes first, in the order of an index, are marked."""
    yield plan
    for below in plan.get("Plans", ()):
        below["is limited"] = plan["Node Type"] == "Limit" and "Index" in below["Node Type"]
        yield from _nodes(below)
