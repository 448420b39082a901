"""Carrying over: an installation on SQLite becomes one on PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.adapters.embedded.folder import locked_folder
from gateway.adapters.sql.carrying import Carried, NotCarried, carry
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.processes import SqlProcesses
from gateway.adapters.sql.sqlite import url_of
from gateway.bootstrap.ground import is_sqlite, store_url
from gateway.settings import Settings

_LIKE: Final = "such as sqlite:///data/wagate.db"


async def carried_over(settings: Settings, source: str) -> list[Carried]:
    """Copy a database of SQLite, of which no gateway makes use, into the empty PostgreSQL that the settings name.

    Raises:
        NotCarried: the source is no database of ours, the target is not PostgreSQL, not empty, or in use.
        FolderTaken: a gateway works on the source.
        SchemaUnfit, StoreUnavailable: one of them cannot be migrated to what this version wants.
    """
    file, target = file_of(source), store_url(settings)
    if is_sqlite(target):
        raise NotCarried("store.url should name the PostgreSQL to carry into.")
    with locked_folder(file.parent):
        await migrate(url_of(file))
        await migrate(target)
        if running := await SqlProcesses(target).running():
            raise NotCarried(f"Stop these first: {', '.join(map(str, running))}.")
        return await carry(url_of(file), target)


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
