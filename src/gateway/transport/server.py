"""The gRPC server: what it serves, where, and how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from gateway.ports.queue import QueueHealth
from gateway.ports.unit_of_work import StoreHealth
from gateway.settings import Settings
from gateway.settings.tree import Grpc
from gateway.transport.health import Health
from gateway.transport.interceptors import CallMeter, Doors, stages
from gateway.transport.listening import listen_at
from gateway.transport.reflection import SERVICES as REFLECTION
from gateway.transport.reflection import reflection
from gateway.transport.registry import Registry
from gateway.transport.rpcs import rpcs_of

Servicers = Mapping[ServiceDescriptor, object]
"""Each service of the contract, and what serves it."""

_SHARE: Final = 0.5
"""Of the grace; the rest is for closing lines and the database."""
_ENDLESS: Final = 1.0
"""Seconds for what watches health or asks for reflection, once all calls of the contract are answered."""


class GrpcServer:
    """Serves the contract, health, and reflection. Streams of the contract end themselves once `stopping` is set. With
    `shared_port`, others of our processes may listen on the same port.

    Raises:
        ContractIncomplete: an RPC lacks its access, or a reason its code or remedy.
        CannotListen: nobody can listen there.
    """

    def __init__(
        self,
        servicers: Servicers,
        settings: Settings,
        meter: CallMeter,
        stopping: asyncio.Event,
        store_health: Callable[[], StoreHealth],
        queue_health: Callable[[], QueueHealth],
        *,
        shared_port: bool = False,
    ) -> None:
        self._stopping = stopping
        self._doors = Doors(stopping)
        self._patience = settings.shutdown.grace.total_seconds() * _SHARE
        self._health = Health(servicers, REFLECTION, store_health, queue_health)
        self._server = grpc.aio.server(options=_options(settings.grpc, shared_port=shared_port))
        access = settings.access
        around = stages(key=access.key.get_secret_value(), scopes=access.scopes, meter=meter, doors=self._doors)
        rpcs = [rpc for service, servicer in servicers.items() for rpc in rpcs_of(service, servicer)]
        registry = Registry(rpcs, around, settings.feeds.slow_after.total_seconds())
        self._server.add_generic_rpc_handlers(
            (registry, *reflection([service.full_name for service in servicers], around))
        )
        self._health.join(self._server)
        self.address = listen_at(self._server, "grpc.listen", settings.grpc.listen)

    async def start(self) -> None:
        """Serve, and say so to those who ask for health."""
        await self._health.start()
        await self._server.start()

    async def stop(self) -> None:
        """Stop in order: health says NOT_SERVING, streams are told and new calls refused, those under way are waited
        for within their share of the grace, and what is left is ended.
        """
        await self._health.stop()
        self._stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._doors.empty()
        await self._server.stop(_ENDLESS)


def _options(wanted: Grpc, *, shared_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", int(shared_port)),  # 0: a second server on the port is refused
        ("grpc.max_receive_message_length", int(wanted.max_receive_bytes)),
        ("grpc.max_send_message_length", -1),  # pages of messages may be larger than what a caller sends
        ("grpc.max_concurrent_streams", wanted.streams_per_connection),
        ("grpc.max_metadata_size", 16 * 1024),
        # Clients may ping as often as each 10 s, with no call under way too; silent ones are looked after.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
