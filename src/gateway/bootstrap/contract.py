"""The contract, served: use cases on the ground, behind a gRPC server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.bootstrap.ground import Ground
from gateway.ports.provider import Dialects
from gateway.services.acceptance import Acceptance
from gateway.services.asking import LiveRequests, Owners
from gateway.services.contacts import Contacts
from gateway.services.feeds import Feeds
from gateway.services.messages import Messages
from gateway.services.pages import Pages
from gateway.services.pairing import Pairing
from gateway.services.reading import Reading
from gateway.services.sessions import Sessions
from gateway.services.stats import Stats
from gateway.services.system import System
from gateway.services.tail import Tail
from gateway.services.views import Views
from gateway.services.watching import MessageWatch
from gateway.services.workers import Workers
from gateway.transport.server import GrpcServer
from gateway.transport.servicers import Services
from gateway.version import VERSION


class Contract:
    """The contract at its address, which is taken at once; it is served while the context of `served` lasts. Without
    `works_here` a worker is in other processes only, and with `shared_port` others of ours may listen on the same one.

    Raises:
        CannotListen: the address is not free.
        ContractIncomplete: something of the contract is not served.
    """

    def __init__(
        self, ground: Ground, dialects: Dialects, *, works_here: bool = True, shared_port: bool = False
    ) -> None:
        self._ground = ground
        self._works_here = works_here
        self._dialects = dialects
        self._stopping = asyncio.Event()
        self._tail = Tail(ground.store, ground.queue, self._stopping)
        self._live = LiveRequests(ground.store)
        self._server = GrpcServer(
            self._services().servicers(),
            ground.settings,
            ground.meter,
            self._stopping,
            ground.store.health,
            ground.queue.health,
            shared_port=shared_port,
        )

    @property
    def address(self) -> str:
        """Where it is served."""
        return self._server.address

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve. At the end: health off, streams told, calls answered; then the questions that nobody waits for end."""
        questions_end = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._tail.run(), name="log tail")
            group.create_task(self._live.run(questions_end), name="live requests")
            await self._server.start()
            try:
                yield
            finally:
                await self._server.stop()
                questions_end.set()
                reading.cancel()

    def _services(self) -> Services:
        ground, dialects, settings = self._ground, self._dialects, self._ground.settings
        store, stopping, retention = ground.store, self._stopping, ground.retention
        views, pages, owners = Views(dialects, retention), Pages(store.signer), Owners(store, ground.queue)
        acceptance = Acceptance(dialects, settings.outbox.give_up_after)
        watch, workers = MessageWatch(store, self._tail, views, stopping), Workers(store, pages)
        return Services(
            sessions=Sessions(store, dialects, views, pages),
            pairing=Pairing(store, owners, views, stopping),
            messages=Messages(store, acceptance, views, pages, watch, ground.meter),
            reading=Reading(store, owners, self._live),
            contacts=Contacts(store, owners, self._live),
            feeds=Feeds(
                store,
                self._tail,
                store.signer,
                ground.meter,
                stopping,
                checkpoint_interval=settings.feeds.checkpoint_interval,
                retention=retention,
            ),
            system=System(
                dialects,
                version=VERSION,
                request_bytes=int(settings.grpc.max_receive_bytes),
                give_up_after=settings.outbox.give_up_after,
                retention=retention,
                others_at_work=None if self._works_here else workers.are_at_work,
            ),
            workers=workers,
            stats=Stats(store, store.signer, ground.queue.health),
        )
