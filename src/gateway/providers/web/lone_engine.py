"""An engine for a few questions, beside those that may run: it opens no session, and ends with its context."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grpc import aio

from gateway.providers.web.engine_process import EngineProcess, engine_process
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.options import EngineOptions
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceStub

if TYPE_CHECKING:
    from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub


@asynccontextmanager
async def lone_engine(options: EngineOptions) -> AsyncIterator[tuple[EngineServiceAsyncStub, pb.GetEngineResponse]]:
    """Run an engine while the context lasts: how it is asked, and what it says that it is.

    Raises:
        EngineFailed: it cannot be started, ends instead of answering, or refuses to answer.
        TimeoutError: it does not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix="wagate-engine-") as folder:
        socket = Path(folder, "engine.sock")
        async with engine_process(options, socket) as process, aio.insecure_channel(f"unix:{socket}") as channel:
            stub: EngineServiceAsyncStub = EngineServiceStub(channel)
            async with asyncio.timeout(options.start_timeout.total_seconds()):
                described = await _first_answer(process, stub)
            yield stub, described


async def _first_answer(process: EngineProcess, stub: EngineServiceAsyncStub) -> pb.GetEngineResponse:
    """What the engine answers; one that ends instead ends the waiting, with its last words."""
    call = stub.GetEngine(pb.GetEngineRequest(), wait_for_ready=True)
    watching = asyncio.create_task(process.watch(), name="engine process")
    watching.add_done_callback(lambda _: call.cancel())
    try:
        return await call
    except asyncio.CancelledError:
        if watching.done() and (ended := watching.exception()):
            raise ended from None
        raise
    except aio.AioRpcError as error:
        raise EngineFailed(f"it answers {error.code().name}") from error
    finally:
        watching.cancel()
