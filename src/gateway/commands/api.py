"""`wagate api`: serves the contract for a fleet, in several processes on one port."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Annotated, Final

import structlog
import uvloop
from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.bootstrap import RunningGateway, check_for_a_fleet, running_api
from gateway.commands.options import File, Options
from gateway.commands.refusals import told
from gateway.commands.running import CANNOT, prepare, run_until, say_ready, stop_signal
from gateway.observability.exposition import exposed
from gateway.processes.numbers import GatheredNumbers
from gateway.processes.port import shared_port
from gateway.processes.pulse import pulse
from gateway.processes.sibling import Ready, Refused, SiblingEnded
from gateway.processes.siblings import Siblings
from gateway.settings import Settings, SettingsError, load

_LONGER_THAN_GRACE: Final = 5.0
"""Seconds by which a process may outlive its grace before it is killed."""

logger = structlog.get_logger()


@told(*CANNOT, SiblingEnded)
def api(
    *,
    processes: Annotated[int, Parameter(validator=Number(gte=1), help="How many processes serve on the port.")] = 1,
    config: File = None,
    **options: Options,
) -> None:
    """Serve the contract for a fleet until SIGTERM or SIGINT; its sessions are owned by `wagate worker`.

    Once all processes serve, one line of JSON on stdout says where. One that ends is started again. A second signal
    ends it at once. `wagate migrate` comes first.
    """
    settings = load(file=config, flags=options)
    check_for_a_fleet(settings, "api")
    if processes > 1 and settings.grpc.listen.startswith("unix:"):
        raise SettingsError("grpc.listen should be HOST:PORT: several processes cannot listen on one socket")
    prepare(settings)
    if processes == 1:
        uvloop.run(_serve_alone(settings))
    else:
        asyncio.run(_serve_together(settings, processes))


async def _serve_alone(settings: Settings) -> None:
    await run_until(stop_signal(), running_api(settings), _say, settings)


def _say(gateway: RunningGateway) -> None:
    say_ready(grpc=gateway.grpc_address, metrics=gateway.metrics_address)


async def _serve_together(settings: Settings, processes: int) -> None:
    """Keep the processes running until told to stop. Each shows its numbers to us, and we show them all."""
    stopped = stop_signal()
    patience = settings.shutdown.grace.total_seconds() + _LONGER_THAN_GRACE
    with shared_port("grpc.listen", settings.grpc.listen) as address:
        siblings = Siblings(serve_sibling, (_for_one(settings, address),), processes, patience=patience)
        async with _numbers_of(siblings, settings) as metrics, asyncio.TaskGroup() as group:
            running = group.create_task(siblings.run(), name="processes")
            try:
                await siblings.ready()
                say_ready(grpc=address, metrics=metrics, processes=list(siblings.process_ids.values()))
                logger.info("The processes are being stopped", signal=await stopped)
            finally:
                running.cancel()


def _for_one(settings: Settings, address: str) -> Settings:
    """The settings of one of several processes."""
    grpc = settings.grpc.model_copy(update={"listen": address})
    metrics = settings.metrics.model_copy(update={"listen": "127.0.0.1:0" if settings.metrics.listen else ""})
    return settings.model_copy(update={"grpc": grpc, "metrics": metrics})


@asynccontextmanager
async def _numbers_of(siblings: Siblings, settings: Settings) -> AsyncIterator[str]:
    """Show the numbers of all processes at one address."""
    siblings.registry.register(
        GatheredNumbers(lambda: {number: ready.metrics_address for number, ready in siblings.serving.items()})
    )
    async with exposed(siblings.registry, settings.metrics.listen, settings.access.key.get_secret_value()) as address:
        yield address


def serve_sibling(say: Connection, settings: Settings) -> None:
    """What one of several processes does; see `gateway.processes.sibling.Task`. Ctrl-C reaches it by its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare(settings)
    try:
        uvloop.run(_serve_under_parent(say, settings))
    except CANNOT as error:
        say.send(Refused(str(error)))
        sys.exit(1)


async def _serve_under_parent(say: Connection, settings: Settings) -> None:
    stopped = stop_signal(signal.SIGTERM)
    async with pulse(say):
        with _parent_watched(stopped):
            await run_until(
                stopped,
                running_api(settings, shared_port=True),
                lambda gateway: say.send(Ready(gateway.grpc_address, gateway.metrics_address)),
                settings,
            )


@contextmanager
def _parent_watched(stopped: asyncio.Future[str]) -> Iterator[None]:
    """Stop when the parent is gone: nobody would start us again, nor tell where we are."""
    loop, parent = asyncio.get_running_loop(), parent_process()
    assert parent is not None  # noqa: S101  # we were spawned

    def stop() -> None:
        loop.remove_reader(parent.sentinel)
        if not stopped.done():
            stopped.set_result("the parent is gone")

    loop.add_reader(parent.sentinel, stop)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)
