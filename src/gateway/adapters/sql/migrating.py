"""Migrations: the schema is brought to where this version wants it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gateway.adapters.sql.engines import migrating_engine
from gateway.domain.errors import StoreUnavailable

_FOLDER: Final = Path(__file__).parent / "migrations"


async def migrate(url: str) -> None:
    """Bring the database at `url` up to what this version wants. All or nothing.

    Raises:
        StoreUnavailable: the database cannot be opened or changed.
    """
    await _run(url, lambda config: command.upgrade(config, "head"))


async def migrate_back(url: str, to: str = "base") -> None:
    """Bring the database at `url` down to an older revision; `base` means no tables at all. All or nothing.

    Raises:
        StoreUnavailable: the database cannot be opened or changed.
    """
    await _run(url, lambda config: command.downgrade(config, to))


async def _run(url: str, order: Callable[[Config], None]) -> None:
    def migrate_over(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        config.attributes["connection"] = connection
        order(config)

    engine = migrating_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate_over)
    except DBAPIError as error:
        raise StoreUnavailable(f"The database cannot be migrated: {error.orig}") from error
    finally:
        await engine.dispose()
