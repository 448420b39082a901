"""The engine's process: started as our child, dead with us, its end noticed at once."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from gateway.providers.web.engine_log import LONGEST_LINE, EngineLog
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.options import EngineOptions

_log = structlog.get_logger(__name__)

_PATIENCE: Final = 5.0
"""Seconds that an engine has to end by itself."""


class EngineProcess:
    """One run of the engine."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._log = EngineLog()

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self._process.pid

    async def watch(self) -> None:
        """Hand on its log, and raise EngineFailed as soon as it ends."""
        if self._process.stderr is None:
            raise RuntimeError("an engine is started with its stderr piped")
        await self._log.hand_on(self._process.stderr)
        status = await self._process.wait()
        last_words = f": {self._log.last_words}" if self._log.last_words else ""
        raise EngineFailed(f"the engine ended with exit status {status}{last_words}")

    async def end(self) -> None:
        """Ask it to end, and insist after 5 s."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._process.wait()
        except TimeoutError:
            _log.warning("The engine did not end in time and is killed", process_id=self.process_id)
        finally:
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def engine_process(options: EngineOptions, socket: Path) -> AsyncIterator[EngineProcess]:
    """Run an engine that serves this socket, while the context lasts.

    It sees that we are gone by its stdin, which nobody writes to. It is in a session of its own, so that Ctrl-C reaches
    us alone and lines are closed in order.
    """
    command = [str(options.program), *options.arguments(socket)]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            env=_environment(),
            limit=LONGEST_LINE,
            start_new_session=True,
        )
    except OSError as error:
        raise EngineFailed(f"the engine could not be started: {error}") from error
    running = EngineProcess(process)
    try:
        yield running
    finally:
        await running.end()


def _environment() -> dict[str, str]:
    """Our environment without our own settings, since keys are among them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAGATE_")}
