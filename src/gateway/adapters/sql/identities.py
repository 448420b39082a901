"""Identities in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from sqlalchemy import Select, bindparam, select

from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import identities, identity_aliases, is_set
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
        column.in_(bindparam("values", expanding=True)),
        is_set(column),
    )


_BY_NAME: Final = {name: _by_name(name) for name in _COLUMNS.values()}
_BY_ID: Final = select(identities).where(
    identities.c.tenant_id == bindparam("tenant_id"), identities.c.identity_id.in_(bindparam("ids", expanding=True))
)
_ALIASES: Final = select(identity_aliases.c.alias_id, identity_aliases.c.identity_id).where(
    identity_aliases.c.tenant_id == bindparam("tenant_id"),
    identity_aliases.c.alias_id.in_(bindparam("ids", expanding=True)),
)


class SqlIdentities:
    """See `gateway.ports.unit_of_work.Identities`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.identities
        self._names = transaction.identity_names
        self._aliases = transaction.aliases

    async def find(self, tenant_id: str, addresses: Iterable[Address]) -> dict[Address, Identity]:
        asked = list(addresses)
        await self.prefetch(tenant_id, asked)
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

    async def prefetch(self, tenant_id: str, addresses: Iterable[Address]) -> None:
        """Learn the identities behind addresses with one statement per form."""
        asked: dict[str, set[str]] = defaultdict(set)
        for address in addresses:
            if self._known(tenant_id, address) is UNKNOWN:
                asked[_COLUMNS.get(address.form, "")].add(address.value)
        for name, values in asked.items():
            if name:
                await self._learn_names(tenant_id, name, sorted(values))
            else:
                await self._learn_ids(tenant_id, sorted(values))

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
        row = self._rows.find((tenant_id, identity_id))
        if row is UNKNOWN:
            await self._learn_ids(tenant_id, [identity_id])
            row = self._rows.find((tenant_id, identity_id))
        if isinstance(row, Mapping):
            return row
        alias = self._aliases.find((tenant_id, identity_id))
        if alias is UNKNOWN:
            await self._learn_aliases(tenant_id, [identity_id])
            alias = self._aliases.find((tenant_id, identity_id))
        return await self._row(tenant_id, alias["identity_id"]) if isinstance(alias, Mapping) else None

    async def _own_row(self, tenant_id: str, identity_id: str) -> Row:
        row = await self._row(tenant_id, identity_id)
        if row is None or row["identity_id"] != identity_id:
            raise LookupError("an identity is changed that is not, or no longer, one of its own")
        return row

    async def _learn_names(self, tenant_id: str, name: str, values: list[str]) -> None:
        parameters = {"tenant_id": tenant_id, "values": values}
        for row in await self._transaction.connection.rows(_BY_NAME[name], parameters):
            self._rows.learn((tenant_id, row["identity_id"]), row)
            self._names.learn((tenant_id, name, row[name]), row["identity_id"])
        for value in values:
            self._names.learn((tenant_id, name, value), None)

    async def _learn_ids(self, tenant_id: str, ids: list[str]) -> None:
        for row in await self._transaction.connection.rows(_BY_ID, {"tenant_id": tenant_id, "ids": ids}):
            self._rows.learn((tenant_id, row["identity_id"]), row)
        missing = [identity_id for identity_id in ids if self._rows.find((tenant_id, identity_id)) is UNKNOWN]
        for identity_id in missing:
            self._rows.learn((tenant_id, identity_id), None)
        if missing:
            await self._learn_aliases(tenant_id, missing)

    async def _learn_aliases(self, tenant_id: str, ids: list[str]) -> None:
        found = await self._transaction.connection.rows(_ALIASES, {"tenant_id": tenant_id, "ids": ids})
        for row in found:
            self._aliases.learn((tenant_id, row["alias_id"]), row)
        for alias_id in ids:
            self._aliases.learn((tenant_id, alias_id), None)
        targets = {row["identity_id"] for row in found}
        unknown = sorted(one for one in targets if self._rows.find((tenant_id, one)) is UNKNOWN)
        if unknown:
            await self._learn_ids(tenant_id, unknown)

    def _name(self, row: Row) -> None:
        for name in _COLUMNS.values():
            if row[name]:
                self._names.put((row["tenant_id"], name, row[name]), row["identity_id"])

    def _unname(self, row: Row) -> None:
        for name in _COLUMNS.values():
            key = (row["tenant_id"], name, row[name])
            if row[name] and self._names.find(key) in {row["identity_id"], UNKNOWN}:
                self._names.put(key, None)


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
