"""Those who speak in the story: the gateway's services, and the lab."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from gateway.demo.stage import Stage
from wagate.lab.v1.lab_service_pb2_grpc import LabServiceStub
from wagate.v1.event_service_pb2_grpc import EventServiceStub
from wagate.v1.message_service_pb2_grpc import MessageServiceStub
from wagate.v1.pairing_service_pb2_grpc import PairingServiceStub
from wagate.v1.session_service_pb2_grpc import SessionServiceStub

if TYPE_CHECKING:
    from wagate.lab.v1.lab_service_pb2_grpc import LabServiceAsyncStub
    from wagate.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from wagate.v1.message_service_pb2_grpc import MessageServiceAsyncStub
    from wagate.v1.pairing_service_pb2_grpc import PairingServiceAsyncStub
    from wagate.v1.session_service_pb2_grpc import SessionServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Cast:
    """The public contract, as any client speaks it, and the lab beside it."""

    sessions: SessionServiceAsyncStub
    pairing: PairingServiceAsyncStub
    messages: MessageServiceAsyncStub
    events: EventServiceAsyncStub
    lab: LabServiceAsyncStub


@asynccontextmanager
async def cast(stage: Stage) -> AsyncIterator[Cast]:
    """Connect to all of them."""
    async with (
        grpc.aio.insecure_channel(stage.grpc) as gateway,
        grpc.aio.insecure_channel(stage.lab_control) as lab,
    ):
        yield Cast(
            sessions=SessionServiceStub(gateway),
            pairing=PairingServiceStub(gateway),
            messages=MessageServiceStub(gateway),
            events=EventServiceStub(gateway),
            lab=LabServiceStub(lab),
        )
