"""Rights: what the gateway's role must be allowed to do in PostgreSQL, and the statement that allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.adapters.sql.tables import metadata
from gateway.doctor.findings import Finding, fine, problem

_KEYS: Final = "wagate_keys_"
"""How the schemas begin that engines keep keys in, one for each tenant."""
_ALLOWED: Final = text(
    """
    SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
      quote_ident(current_schema()) AS schema,
      coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS makes_tables,
      has_database_privilege(current_database(), 'CREATE') AS makes_schemas,
      EXISTS (SELECT FROM pg_namespace WHERE starts_with(nspname, :keys)) AS has_schemas
    """
)
_OWNERS: Final = text(
    """
    SELECT DISTINCT quote_ident(pg_get_userbyid(owner)) FROM (
      SELECT nspowner AS owner FROM pg_namespace WHERE starts_with(nspname, :keys)
      UNION ALL
      SELECT relowner FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND (
        starts_with(nspname, :keys)
        OR nspname = current_schema() AND (relname = ANY(:tables) OR relname ~ '^events_[0-9]+$')
      )
    ) AS owned WHERE NOT pg_has_role(owner, 'USAGE') ORDER BY 1
    """
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role may do. Names are written as SQL takes them; `schema` is where it makes tables, empty if nowhere, and
    `strangers` are the owners of our tables and schemas whose rights it has not.
    """

    role: str
    database: str
    schema: str
    makes_tables: bool
    makes_schemas: bool
    has_schemas: bool
    strangers: Sequence[str] = ()


async def rights_over(connection: AsyncConnection) -> Rights:
    """What the role at this end of a connection may do."""
    told = (await connection.execute(_ALLOWED, {"keys": _KEYS})).mappings().one()
    tables = [table.name for table in metadata.sorted_tables]
    strangers = (await connection.execute(_OWNERS, {"keys": _KEYS, "tables": tables})).scalars().all()
    return Rights(**{**told, "schema": told["schema"] or "", "strangers": strangers})


def rights(known: Rights) -> list[Finding]:
    """Judge what a role may do."""
    return [_tables(known), _schemas(known), _ours(known)]


def _tables(known: Rights) -> Finding:
    check = "database.makes_tables"
    if known.makes_tables:
        return fine(check, f"{known.role} may make tables in {known.schema}.")
    said = f"{known.role} may not make tables in {known.schema or 'any schema of its search_path'}"
    grant = f"GRANT USAGE, CREATE ON SCHEMA {known.schema or 'public'} TO {known.role};"
    return problem(check, f"{said}: it can neither migrate, nor give the log a part for each day.", _let(grant))


def _schemas(known: Rights) -> Finding:
    check = "database.makes_schemas"
    if known.makes_schemas:
        return fine(check, f"{known.role} may make a schema for each tenant's keys.")
    said = f"{known.role} may not make schemas in {known.database}"
    if known.has_schemas:
        return fine(check, f"{said}, and those for keys that there are were made for it.")
    grant = f"GRANT CREATE ON DATABASE {known.database} TO {known.role};"
    given = f"CREATE SCHEMA {_KEYS}default AUTHORIZATION {known.role};"
    return problem(check, f"{said}: no session can be opened, as its keys have no place.", f"{_let(grant)} Or: {given}")


def _ours(known: Rights) -> Finding:
    check = "database.owns_tables"
    if not known.strangers:
        return fine(check, f"What lies there belongs to {known.role}.")
    owners = ", ".join(known.strangers)
    said = f"What lies there belongs to {owners}, and {known.role} has not the rights of an owner."
    grant = f"GRANT {owners} TO {known.role};"
    other = f"Or, where that would allow too much, ALTER … OWNER TO {known.role}; for each table and schema."
    return problem(check, said, f"{_let(grant)} {other}")


def _let(grant: str) -> str:
    return f"Let who administers it say: {grant}"
