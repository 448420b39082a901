"""A running lab, spoken to, and what it answers as readable lines."""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final, ParamSpec

import grpc
from cyclopts import Parameter

from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.lab.v1.lab_service_pb2_grpc import LabServiceStub

if TYPE_CHECKING:
    from wagate.lab.v1.lab_service_pb2_grpc import LabServiceAsyncStub

P = ParamSpec("P")

DEFAULT: Final = "127.0.0.1:50060"
_PATIENCE: Final = 5.0

At = Annotated[str, Parameter(help="Where the lab is controlled.")]


@asynccontextmanager
async def lab_at(address: str) -> AsyncIterator[LabServiceAsyncStub]:
    """The lab that is controlled at this address; it must answer within 5 s."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub: LabServiceAsyncStub = LabServiceStub(channel)
        await stub.GetLab(pb.GetLabRequest(), timeout=_PATIENCE)
        yield stub


def telling(command: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Run a command; what the lab refuses is a sentence and exit status 1."""

    @functools.wraps(command)
    async def run(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            await command(*arguments, **named)
        except grpc.aio.AioRpcError as error:
            print(f"wagate lab: {error.code().name}: {error.details()}", file=sys.stderr)
            sys.exit(1)

    return run


def describe(account: pb.Account) -> str:
    """An account in a line."""
    devices = ", ".join(
        f"device {device.device} {'online' if device.online else 'offline'}, {device.queue_size} waiting"
        for device in account.devices
    )
    return f"{account.phone_number}  {account.lid}  {account.push_name or '-'}  {devices or 'no devices'}"
