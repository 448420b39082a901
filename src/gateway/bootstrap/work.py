"""The work that is done when nobody calls: sessions are owned, what is overdue is ended, and all is counted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from gateway.adapters.sql.leases import SqlLeases
from gateway.bootstrap.ground import Ground
from gateway.domain.ids import WORKER, make_id
from gateway.domain.leases import Lease
from gateway.domain.workers import Worker
from gateway.ports.provider import Providers
from gateway.services.counting import Counting
from gateway.services.duties import Duties, DutiesOfOne, DutiesOfTheEldest
from gateway.services.faults import Faults
from gateway.services.forgetting import Forgetting
from gateway.services.inbox import Inbox
from gateway.services.keys import Keys
from gateway.services.line_questions import LineQuestions
from gateway.services.lines import Lines
from gateway.services.outbox import Outbox
from gateway.services.pairing_log import PairingLog
from gateway.services.receipts import Receipts
from gateway.services.restrictions import Restrictions
from gateway.services.views import Views
from gateway.version import VERSION
from gateway.workers.census_taker import CensusTaker
from gateway.workers.connect_pace import ConnectPace
from gateway.workers.fleet import Fleet, FleetTerms
from gateway.workers.janitor import Janitor
from gateway.workers.owner_tools import OwnerTools
from gateway.workers.session_owner import SessionOwner


@asynccontextmanager
async def worked(ground: Ground, providers: Providers) -> AsyncIterator[str]:
    """Do the work while the context lasts, and tell under which id; then lines are closed and leases given back."""
    stopping, me = asyncio.Event(), _worker(ground)
    duties = DutiesOfOne() if ground.is_alone else DutiesOfTheEldest(ground.store, me.worker_id)
    census_taker = CensusTaker(duties, Counting(ground.store, ground.meter))
    if ground.is_alone:
        await _forget_earlier_owners(ground, providers)
    async with asyncio.TaskGroup() as group:
        group.create_task(_fleet(ground, providers, me).run(stopping), name="fleet")
        group.create_task(_janitor(ground, providers, duties).run(stopping), name="janitor")
        group.create_task(census_taker.run(stopping), name="census taker")
        try:
            yield me.worker_id
        finally:
            stopping.set()


async def _forget_earlier_owners(ground: Ground, providers: Providers) -> None:
    """Whoever owned something here has ended, and so have all lines: nobody needs to wait until leases run out."""
    await SqlLeases(ground.store).end_all()
    await Lines(ground.store, Views(providers)).all_lost()


def _fleet(ground: Ground, providers: Providers, me: Worker) -> Fleet:
    tools = _tools(ground, providers)

    def hire(lease: Lease) -> SessionOwner:
        return SessionOwner(lease, tools)

    settings = ground.settings
    terms = FleetTerms(
        settings.worker.capacity,
        settings.leases.ttl,
        settings.leases.renew_every,
        settings.fleet.left_over,
        settings.fleet.drain_within,
        settings.fleet.connect_rate,
    )
    return Fleet(me, SqlLeases(ground.store), ground.queue, ground.meter, terms, hire, tools.pace)


def _worker(ground: Ground) -> Worker:
    """Who works here, as others see it."""
    settings = ground.settings.worker
    return Worker(
        worker_id=make_id(WORKER),
        display_name=settings.name or socket.gethostname(),
        version=VERSION,
        start_time=datetime.now(UTC),
        capacity=settings.capacity,
        metrics_address=ground.metrics_address,
    )


def _tools(ground: Ground, providers: Providers) -> OwnerTools:
    store, settings, views = ground.store, ground.settings, Views(providers)
    return OwnerTools(
        providers=providers,
        queue=ground.queue,
        meter=ground.meter,
        lines=Lines(store, views),
        restrictions=Restrictions(store, views),
        faults=Faults(store, views),
        inbox=Inbox(store),
        receipts=Receipts(store),
        outbox=Outbox(store, views),
        questions=LineQuestions(store),
        pairing_log=PairingLog(store),
        lease_ttl=settings.leases.ttl,
        send_timeout=settings.outbox.send_timeout,
        pace=ConnectPace(_pacing(providers)),
    )


def _pacing(providers: Providers) -> Callable[[float], None]:
    def pace(reconnects: float) -> None:
        for provider in providers.by_name.values():
            provider.pace(reconnects)

    return pace


def _janitor(ground: Ground, providers: Providers, duties: Duties) -> Janitor:
    store, views = ground.store, Views(providers)
    forgetting = Forgetting(store, ground.retention, ground.meter)
    outbox, restrictions = Outbox(store, views), Restrictions(store, views)
    return Janitor(duties, outbox, restrictions, Lines(store, views), forgetting, Keys(store), providers)
