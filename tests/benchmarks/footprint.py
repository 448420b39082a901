"""Footprint: what the parts of a fleet take of memory and disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.benchmarks.figures import Figure
from tests.stage.fleet import Fleet
from tests.stage.postgres import PostgresServer
from tests.stage.processes import children_of, engines_of, proportional, resident

_ON_DISK: Final = """
SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)) FILTER (WHERE nspname LIKE 'wagate\\_keys\\_%'), 0) AS keys,
       coalesce(sum(pg_total_relation_size(pg_class.oid)) FILTER (WHERE nspname = 'public'), 0) AS rows
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'm')
"""


@dataclass(frozen=True)
class Footprint:
    """What is taken, bytes: by the workers, their engines, the processes of PostgreSQL, and on disk by keys and by all
    other rows. Memory is what a process has of the machine's; what PostgreSQL's share counts once.
    """

    workers: int
    engines: int
    engine_count: int
    postgres: int
    keys: int
    rows: int


async def footprint(fleet: Fleet, postgres: PostgresServer) -> Footprint:
    """What is taken now."""
    workers = [worker.process.process_id for worker in fleet.workers if worker.process.runs]
    engines = [engine for worker in workers for engine in engines_of(worker)]
    server = postgres.process.process_id
    connection = await fleet.connect()
    try:
        await connection.execute("CHECKPOINT")
        on_disk = await connection.fetchrow(_ON_DISK)
    finally:
        await connection.close()
    return Footprint(
        sum(map(resident, workers)),
        sum(map(resident, engines)),
        len(engines),
        sum(map(proportional, [server, *children_of(server)])),
        int(on_disk["keys"]),
        int(on_disk["rows"]),
    )


def per_session(empty: Footprint, full: Footprint, count: int) -> list[Figure]:
    """What each of so many idle sessions adds."""
    parts = ("workers", "engines", "postgres", "keys", "rows")
    names = ("two workers", f"their {full.engine_count} engines", "PostgreSQL", "keys on disk", "other rows on disk")
    figures: list[Figure] = []
    for part, name in zip(parts, names, strict=True):
        whole, before = getattr(full, part), getattr(empty, part)
        figures.append(Figure(f"{name}, {count} idle sessions", whole / 2**20, "MiB"))
        figures.append(Figure(f"{name}, for each of {count} idle sessions", (whole - before) / 1024 / count, "KiB"))
    return figures
