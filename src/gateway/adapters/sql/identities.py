"""Identities in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import orjson
from sqlalchemy import Executable, Select, bindparam, select

from gateway.adapters.sql.columns import among, among_those, is_set, listed
from gateway.adapters.sql.lookups import Lookup, Question
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import identities, identity_aliases, sessions
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.addresses import Address, Form
from gateway.domain.clocks import from_micros, to_micros
from gateway.domain.identities import Identity

_COLUMNS: Final[Mapping[Form, str]] = {
    Form.LID: "lid",
    Form.PHONE_NUMBER: "phone_number",
    Form.USERNAME: "username",
    Form.BUSINESS_USER_ID: "business_user_id",
}
"""Where the addresses are looked up that are names; all others are ids."""


def _by_name(name: str) -> Select[Any]:
    column = identities.c[name]
    return select(identities).where(
        identities.c.tenant_id == bindparam("tenant_id"),
        among(column, "values"),
        is_set(column),
    )


_BY_NAME: Final = {name: _by_name(name) for name in _COLUMNS.values()}
_BY_ID: Final = select(identities).where(
    identities.c.tenant_id == bindparam("tenant_id"), among(identities.c.identity_id, "values")
)
_ACCOUNTS: Final = select(identities).where(
    identities.c.tenant_id == bindparam("tenant_id"),
    among_those(
        identities.c.identity_id,
        select(sessions.c.account_id).where(
            sessions.c.tenant_id == bindparam("tenant_id"),
            sessions.c.deleted_time.is_(None),
            among(sessions.c.session_id, "values"),
        ),
    ),
)
_ALIASES: Final = select(identity_aliases.c.alias_id, identity_aliases.c.identity_id).where(
    identity_aliases.c.tenant_id == bindparam("tenant_id"),
    among(identity_aliases.c.alias_id, "values"),
)


_LOCKED: Final = {
    statement: statement.with_for_update(of=identities, read=True, key_share=True)
    for statement in (*_BY_NAME.values(), _BY_ID, _ACCOUNTS)
}
"""Where others write, what is read stays an identity of its own until the commit."""
_SEIZE: Final = _BY_ID.with_for_update(key_share=True, nowait=True)


class SqlIdentities:
    """See `gateway.ports.unit_of_work.Identities`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.identities
        self._names = transaction.identity_names
        self._aliases = transaction.aliases

    async def find(self, tenant_id: str, addresses: Iterable[Address]) -> dict[Address, Identity]:
        asked = list(addresses)
        await self._transaction.connection.look(self.lookups(tenant_id, asked))
        found: dict[Address, Identity] = {}
        for address in asked:
            row = self._known(tenant_id, address)
            if row is UNKNOWN:
                row = await self._row(tenant_id, self._id_of(tenant_id, address))
            if row is not None:
                found[address] = identity_of(row)
        return found

    async def get(self, tenant_id: str, identity_id: str) -> Identity | None:
        row = await self._row(tenant_id, identity_id)
        return identity_of(row) if row else None

    async def add(self, tenant_id: str, identity: Identity) -> None:
        self._transaction.changing()
        row = _row_of(tenant_id, identity, orjson.dumps(identity.alias_ids).decode())
        self._rows.add((tenant_id, identity.identity_id), row)
        self._transaction.seized.put((tenant_id, identity.identity_id), True)
        self._name(row)

    async def save(self, tenant_id: str, identity: Identity) -> None:
        self._transaction.changing()
        before = await self._own_row(tenant_id, identity.identity_id)
        row = _row_of(tenant_id, identity, before["alias_ids"])
        self._unname(before)
        self._rows.change((tenant_id, identity.identity_id), row)
        self._name(row)

    async def absorb(self, tenant_id: str, keep_id: str, absorbed_id: str) -> None:
        self._transaction.changing()
        keep = await self._own_row(tenant_id, keep_id)
        absorbed = await self._own_row(tenant_id, absorbed_id)
        moved = [*orjson.loads(absorbed["alias_ids"]), absorbed_id]
        for alias_id in moved:
            row = {"tenant_id": tenant_id, "alias_id": alias_id, "identity_id": keep_id}
            (self._aliases.add if alias_id == absorbed_id else self._aliases.change)((tenant_id, alias_id), row)
        alias_ids = orjson.dumps([*orjson.loads(keep["alias_ids"]), *moved]).decode()
        self._unname(absorbed)
        self._rows.remove((tenant_id, absorbed_id))
        self._rows.change((tenant_id, keep_id), {**keep, "alias_ids": alias_ids})
        self._name(keep)

    def lookups(self, tenant_id: str, addresses: Iterable[Address]) -> Iterator[Lookup]:
        """What to ask for the addresses that are not known yet: one question per form."""
        asked: dict[str, set[str]] = defaultdict(set)
        for address in addresses:
            if self._known(tenant_id, address) is UNKNOWN:
                asked[_COLUMNS.get(address.form, "")].add(address.value)
        for name, values in asked.items():
            if name:
                learn = partial(self._learn_names, tenant_id, name, values)
                yield Lookup(self._question(_BY_NAME[name], tenant_id, values), learn)
            else:
                yield from self._id_lookups(tenant_id, values)

    def account_lookups(self, tenant_id: str, session_ids: Iterable[str]) -> Iterator[Lookup]:
        """What to ask for the accounts of some sessions, as far as not known: who reads these looks there next."""
        asked = [session_id for session_id in session_ids if self._account(tenant_id, session_id) is UNKNOWN]
        if asked:
            yield Lookup(self._question(_ACCOUNTS, tenant_id, asked), partial(self._learn_ids, tenant_id, set()))

    def _account(self, tenant_id: str, session_id: str) -> Any:
        """The row of a session's account, None if there is none, UNKNOWN if the database has to be asked."""
        uid = self._transaction.session_names.find((tenant_id, session_id))
        session = self._transaction.sessions.find(uid) if isinstance(uid, str) else uid
        return self._rows.find((tenant_id, session["account_id"])) if isinstance(session, Mapping) else session

    def _known(self, tenant_id: str, address: Address) -> Any:
        """The row behind an address, None if there is none, UNKNOWN if the database has to be asked."""
        identity_id = self._id_of(tenant_id, address)
        if not isinstance(identity_id, str):
            return identity_id
        alias = self._aliases.find((tenant_id, identity_id))
        if isinstance(alias, Mapping):
            identity_id = alias["identity_id"]
        return self._rows.find((tenant_id, identity_id))

    def _id_of(self, tenant_id: str, address: Address) -> Any:
        name = _COLUMNS.get(address.form)
        return self._names.find((tenant_id, name, address.value)) if name else address.value

    async def _row(self, tenant_id: str, identity_id: str) -> Row | None:
        """The row of an id, or of the id that it is an alias of."""
        key = (tenant_id, identity_id)
        row = self._rows.find(key)
        if isinstance(row, Mapping):
            return row
        if row is UNKNOWN or self._aliases.find(key) is UNKNOWN:
            await self._transaction.connection.look(self._id_lookups(tenant_id, {identity_id}))
        row = self._rows.find(key)
        if isinstance(row, Mapping):
            return row
        alias = self._aliases.find(key)
        return await self._row(tenant_id, alias["identity_id"]) if isinstance(alias, Mapping) else None

    async def _own_row(self, tenant_id: str, identity_id: str) -> Row:
        row = await self._row(tenant_id, identity_id)
        if row is None or row["identity_id"] != identity_id:
            raise LookupError("an identity is changed that is not, or no longer, one of its own")
        await self._seize(row)
        return row

    async def _seize(self, row: Row) -> None:
        """Where others write, keep them from changing an identity, and make sure that none did since it was read."""
        key = (row["tenant_id"], row["identity_id"])
        if self._transaction.guard.is_needed and self._transaction.seized.find(key) is not True:
            locked = await self._transaction.connection.ask([_question(_SEIZE, key[0], [key[1]])])
            self._transaction.guard.compare(row, locked[0])
            self._transaction.seized.put(key, True)

    def _id_lookups(self, tenant_id: str, ids: set[str]) -> Iterator[Lookup]:
        yield Lookup(self._question(_BY_ID, tenant_id, ids), partial(self._learn_ids, tenant_id, ids))
        yield Lookup(_question(_ALIASES, tenant_id, ids), partial(self._learn_aliases, tenant_id, ids))

    def _question(self, statement: Select[Any], tenant_id: str, values: Iterable[str]) -> Question:
        return _question(_LOCKED[statement] if self._transaction.guard.is_needed else statement, tenant_id, values)

    def _learn_names(self, tenant_id: str, name: str, values: set[str], rows: list[Row]) -> None:
        for row in rows:
            self._rows.learn((tenant_id, row["identity_id"]), row)
            self._names.learn((tenant_id, name, row[name]), row["identity_id"])
        for value in values:
            self._names.learn((tenant_id, name, value), None)

    def _learn_ids(self, tenant_id: str, ids: set[str], rows: list[Row]) -> None:
        for row in rows:
            self._rows.learn((tenant_id, row["identity_id"]), row)
        for identity_id in ids:
            self._rows.learn((tenant_id, identity_id), None)

    def _learn_aliases(self, tenant_id: str, ids: set[str], rows: list[Row]) -> None:
        for row in rows:
            self._aliases.learn((tenant_id, row["alias_id"]), row)
        for alias_id in ids:
            self._aliases.learn((tenant_id, alias_id), None)

    def _name(self, row: Row) -> None:
        for name in _COLUMNS.values():
            if row[name]:
                self._names.put((row["tenant_id"], name, row[name]), row["identity_id"])

    def _unname(self, row: Row) -> None:
        for name in _COLUMNS.values():
            key = (row["tenant_id"], name, row[name])
            if row[name] and self._names.find(key) in {row["identity_id"], UNKNOWN}:
                self._names.put(key, None)


def _question(statement: Executable, tenant_id: str, values: Iterable[str]) -> Question:
    return Question(statement, {"tenant_id": tenant_id, "values": listed(sorted(values))})


def _row_of(tenant_id: str, identity: Identity, alias_ids: str) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "identity_id": identity.identity_id,
        "kind": identity.kind,
        "create_time": to_micros(identity.create_time),
        "lid": identity.lid,
        "phone_number": identity.phone_number,
        "username": identity.username,
        "business_user_id": identity.business_user_id,
        "display_name": identity.display_name,
        "alias_ids": alias_ids,
    }


def identity_of(row: Row) -> Identity:
    """The identity of a row."""
    return Identity(
        identity_id=row["identity_id"],
        kind=row["kind"],
        create_time=from_micros(row["create_time"]),
        lid=row["lid"],
        phone_number=row["phone_number"],
        username=row["username"],
        business_user_id=row["business_user_id"],
        display_name=row["display_name"],
        alias_ids=orjson.loads(row["alias_ids"]),
    )
