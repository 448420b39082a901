"""Processes that play an API: each serves its number of a lifetime, and does what it is told."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, start_http_server

from gateway.processes.pulse import pulse
from gateway.processes.sibling import Ready, Refused


def serve(say: Connection, folder: Path) -> None:
    """Serve numbers until SIGTERM; leave a file that tells so."""
    registry = CollectorRegistry()
    Counter("played", "How often it was played.", ["by"], registry=registry).labels("me").inc(os.getpid())
    server, _ = start_http_server(0, "127.0.0.1", registry)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    say.send(Ready(f"played by {os.getpid()}", f"127.0.0.1:{server.server_port}"))
    ended.wait()
    (folder / str(os.getpid())).touch()


def refuse(say: Connection) -> None:
    """Say that it cannot serve."""
    say.send(Refused("There is no room."))
    sys.exit(1)


def fall(_say: Connection) -> None:
    """End without a word."""
    sys.exit(7)


def ignore(say: Connection) -> None:
    """Take no notice of SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say.send(Ready("", ""))
    threading.Event().wait()


def live(say: Connection, every: float) -> None:
    """Say that it is alive, once in so many seconds."""
    asyncio.run(_live(say, every))


async def _live(say: Connection, every: float) -> None:
    async with pulse(say, every):
        say.send(Ready("", ""))
        await asyncio.Event().wait()


def hang(say: Connection, every: float) -> None:
    """Say twice that it is alive, then block its own loop."""
    asyncio.run(_hang(say, every))


async def _hang(say: Connection, every: float) -> None:
    async with pulse(say, every):
        say.send(Ready("", ""))
        await asyncio.sleep(every * 2)
        time.sleep(3600)  # noqa: ASYNC251  # this is what is wrong with it
