"""Where engines keep the keys of sessions: in a SQLite file for each, or in a database that all share."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path
from typing import Final, Protocol

import structlog

from gateway.ports.provider import LineDown, LineGone, Opening
from gateway.providers.web.calls import OPENING, answered
from gateway.providers.web.engine_pool import EnginePool
from wagate.engine.v1 import engine_service_pb2 as pb

_log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 30.0


class KeyStores(Protocol):
    """Knows where the keys lie, and which there are."""

    def place(self, opening: Opening) -> pb.OpenSessionRequest:
        """A request that tells the engine no more than where the keys of a session lie."""

    def kept(self) -> list[str]:
        """The sessions that have keys."""

    def erase(self, session_uid: str) -> bool:
        """Erase a session's keys if that can be done now; tell whether there are none any more."""


class KeyFiles:
    """One SQLite file per session, with a lock beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, opening: Opening) -> pb.OpenSessionRequest:
        return pb.OpenSessionRequest(store_path=str(self._folder / f"{opening.session_uid}.db"))

    def kept(self) -> list[str]:
        return kept_stores(self._folder)

    def erase(self, session_uid: str) -> bool:
        return erase_store(self._folder, session_uid)


class KeysInDatabase:
    """A schema for each tenant, in a PostgreSQL that only engines speak to, over so many connections at most each. What
    is there is known as of half a minute ago, and what is to be erased is so within moments: asked again then, `erase`
    tells it.
    """

    def __init__(self, url: str, connections: int, engines: EnginePool) -> None:
        self._url = url
        self._connections = connections
        self._engines = engines
        self._kept: set[str] = set()
        self._unwanted: set[str] = set()
        self._wanted = asyncio.Event()

    def place(self, opening: Opening) -> pb.OpenSessionRequest:
        self._kept.add(opening.session_uid)
        return pb.OpenSessionRequest(database=self._database(opening.lease.tenant_id))

    def kept(self) -> list[str]:
        return list(self._kept)

    def erase(self, session_uid: str) -> bool:
        if session_uid not in self._kept:
            return True
        self._unwanted.add(session_uid)
        self._wanted.set()
        return False

    async def run(self) -> None:
        """Look what is there, and erase what is unwanted, until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self._erase_unwanted()
                await self._look()
            except (LineDown, LineGone) as error:
                _log.warning("The database of the keys cannot be asked", why=str(error))
            try:
                await asyncio.wait_for(self._wanted.wait(), _LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _erase_unwanted(self) -> None:
        for uid in list(self._unwanted):
            request = pb.EraseKeptSessionRequest(database=self._database(), session_id=uid)
            await answered(self._engines.any().stub.EraseKeptSession, request, timeout=OPENING)
            self._unwanted.discard(uid)
            self._kept.discard(uid)

    async def _look(self) -> None:
        request = pb.ListKeptSessionsRequest(database=self._database())
        found = await answered(self._engines.any().stub.ListKeptSessions, request, timeout=OPENING)
        self._kept.update(found.session_ids)

    def _database(self, tenant_id: str = "") -> pb.KeyDatabase:
        """How it is told to an engine: always alike, as the first to name it decides."""
        return pb.KeyDatabase(url=self._url, tenant_id=tenant_id, most_connections=self._connections)


def kept_stores(folder: Path) -> list[str]:
    """The sessions that have a store."""
    return [store.stem for store in folder.glob("*.db")]


def erase_store(folder: Path, session_uid: str) -> bool:
    """Remove a session's store; False, and nothing is removed, while an engine has it open."""
    lock = os.open(folder / f"{session_uid}.db.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        for left in folder.glob(f"{session_uid}.*"):
            left.unlink(missing_ok=True)
        return True
    finally:
        os.close(lock)
