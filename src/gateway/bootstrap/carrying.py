"""Carrying over: an installation on SQLite becomes one on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.adapters.embedded.folder import locked_folder
from gateway.adapters.sql.carrying import Carried, NotCarried, carry, linked
from gateway.adapters.sql.libpq import libpq_url
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.processes import SqlProcesses
from gateway.adapters.sql.sqlite import url_of
from gateway.bootstrap.ground import is_sqlite, store_url
from gateway.bootstrap.speaking import engine_options
from gateway.providers.web.carrying import KeyFile, carry_keys
from gateway.settings import Settings

_WEB: Final = "web"
_LIKE: Final = "such as sqlite:///data/wagate.db"


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What was carried: rows of each table, sessions with their keys, and sessions that must pair again."""

    rows: list[Carried]
    with_keys: list[str]
    to_pair: list[str]


async def carried_over(settings: Settings, source: str) -> CarriedOver:
    """Copy a database of SQLite, of which no gateway makes use, into the empty PostgreSQL that the settings name, and
    move the keys of its sessions there. Done again, it goes on where it ended.

    Raises:
        NotCarried: the source is no database of ours, the target is not PostgreSQL, not empty, or in use.
        FolderTaken: a gateway works on the source.
        SchemaUnfit, StoreUnavailable: one of them cannot be migrated to what this version wants.
        ProgramMissing, EngineFailed, KeysNotCarried: all rows were carried, and not all keys.
    """
    file, target = file_of(source), store_url(settings)
    if is_sqlite(target):
        raise NotCarried("store.url should name the PostgreSQL to carry into.")
    with locked_folder(file.parent):
        await migrate(url_of(file))
        await migrate(target)
        if running := await SqlProcesses(target).running():
            raise NotCarried(f"Stop these first: {', '.join(map(str, running))}.")
        rows = await carry(url_of(file), target)
        return await _with_keys(settings, file.parent / "sessions", target, rows)


async def _with_keys(settings: Settings, folder: Path, target: str, rows: list[Carried]) -> CarriedOver:
    files = [KeyFile(one.tenant_id, one.session_id, one.session_uid, one.fence) for one in await linked(target, _WEB)]
    over = CarriedOver(rows, [], [])
    if files:
        async for session, has_keys in carry_keys(engine_options(settings), folder, libpq_url(target), files):
            (over.with_keys if has_keys else over.to_pair).append(session.session_id)
    return over


def file_of(source: str) -> Path:
    """The file that a URL of SQLite names.

    Raises:
        NotCarried: it names none, or the file is not there.
    """
    try:
        url = make_url(source)
    except ArgumentError:
        raise NotCarried(f"--from should be a URL, {_LIKE}.") from None
    if url.get_backend_name() != "sqlite" or not url.database:
        raise NotCarried(f"--from should name a file of SQLite, {_LIKE}.")
    file = Path(url.database).resolve()
    if not file.is_file():
        raise NotCarried(f"--from should name a database, and there is none at {file}.")
    return file
