"""`wagate migrate`: the database, brought to what this version wants."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Annotated, Final

from cyclopts import Parameter

from gateway.adapters.embedded.folder import FolderTaken, FolderUnusable, locked_folder
from gateway.adapters.sql.carrying import NotCarried
from gateway.adapters.sql.migrating import migrate as bring_up
from gateway.adapters.sql.migrating import migrate_back
from gateway.bootstrap import is_sqlite, store_url
from gateway.bootstrap.carrying import carried_over
from gateway.commands.options import File, Options
from gateway.commands.refusals import told
from gateway.domain.errors import StoreUnavailable
from gateway.observability import start_logging
from gateway.ports.processes import SchemaUnfit
from gateway.programs import ProgramMissing
from gateway.providers.web.carrying import KeysNotCarried
from gateway.providers.web.failures import EngineFailed
from gateway.settings import Settings, load

_CANNOT: Final = (
    FolderTaken,
    FolderUnusable,
    NotCarried,
    SchemaUnfit,
    StoreUnavailable,
    ProgramMissing,
    EngineFailed,
    KeysNotCarried,
)


@told(*_CANNOT)
def migrate(
    *,
    back_to: Annotated[str, Parameter(help="Go back to this older revision instead; `base` removes all tables.")] = "",
    source: Annotated[
        str, Parameter(name="--from", help="Then carry all over from this SQLite, such as sqlite:///data/wagate.db.")
    ] = "",
    config: File = None,
    **options: Options,
) -> None:
    """Bring the database to what this version wants. On SQLite `wagate serve` does so at its start.

    On PostgreSQL others may go on meanwhile: a step that takes away what one of them needs is refused.
    """
    settings = load(file=config, flags=options)
    start_logging(settings.log)
    if source:
        _carry(settings, source)
        return
    url = store_url(settings)
    with locked_folder(settings.data.folder) if is_sqlite(url) else nullcontext():
        asyncio.run(migrate_back(url, back_to) if back_to else bring_up(url))
    print(f"The database is at {back_to}." if back_to else "The database is as this version wants it.")


def _carry(settings: Settings, source: str) -> None:
    over = asyncio.run(carried_over(settings, source))
    for one in over.rows:
        if one.rows:
            print(f"{one.rows:>12,} rows of {one.table}, compared (sha256 {one.checksum[:12]})")
    count = len(over.with_keys)
    print(f"All rows were carried over, and the keys of {count} session{'' if count == 1 else 's'}.")
    for session_id in over.to_pair:
        print(f"The session {session_id} must pair again: its keys are not there, or damaged.")
