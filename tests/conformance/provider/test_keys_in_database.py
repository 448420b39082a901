"""Sessions whose keys lie in a PostgreSQL: any worker goes on where another was, and who was first is heard no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import make_url

from gateway.adapters.sql.libpq import libpq_url
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import LineState, Outgoing, Sent
from gateway.observability import PrometheusMeter
from gateway.ports.provider import LineDown, Opening
from gateway.providers.web.engine_pool import EnginePool, engine_pool
from gateway.providers.web.key_stores import KeysInDatabase
from gateway.providers.web.options import EngineOptions
from gateway.providers.web.web_provider import WebProvider, web_provider
from tests.conformance.provider.conftest import Shop, World, speaking_to
from tests.conformance.provider.lab_whatsapp import LabWhatsApp
from tests.conformance.provider.operator import LONG, new_lease, operating, take
from tests.stage.lab import Lab, lab_process
from tests.stage.postgres import PostgresServer
from tests.stage.waiting import eventually
from wagate.v1 import content_pb2


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab_process(tmp_path / "lab") as lab:
        yield lab


@pytest.fixture
def options(lab: Lab, tmp_path: Path, postgres_url: str) -> EngineOptions:
    return replace(speaking_to(lab, tmp_path), key_database=libpq_url(postgres_url))


@pytest.fixture
async def provider(options: EngineOptions) -> AsyncIterator[WebProvider]:
    async with web_provider(options, PrometheusMeter()) as provider:
        yield provider


@pytest.fixture
async def world(lab: Lab, provider: WebProvider) -> AsyncIterator[World]:
    async with AsyncExitStack() as streams:
        yield World(provider, LabWhatsApp(lab, streams))


async def _sends(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    said = content_pb2.Content(text=content_pb2.Text(text="hello"))
    message = Outgoing(world.provider.new_message_id(), Names(phone_number=ada.phone_number), said)
    assert isinstance(await shop.operator.line.send(message, timeout=20), Sent)
    assert (await world.whatsapp.heard(ada)).text == "hello"
    await world.whatsapp.say(ada, shop.account, "hello yourself")
    assert await shop.operator.texts(1) == ["hello yourself"]


async def test_another_worker_goes_on_and_the_first_line_is_gone(
    world: World, shop: Shop, options: EngineOptions
) -> None:
    await _sends(world, shop)
    lease = shop.operator.lease
    async with web_provider(options, PrometheusMeter()) as elsewhere:
        next_lease = Lease(lease.tenant_id, lease.session_uid, "another", lease.fence + 1)
        async with operating(elsewhere, next_lease) as successor:
            connected = await successor.until(LineState.CONNECTED)
            assert connected.device == successor.line.device
            await _sends(World(elsewhere, world.whatsapp), Shop(successor, shop.account))
    with pytest.raises(LineDown):
        await take(world.provider, lease)


async def test_keys_of_a_session_that_is_gone_are_erased_within_moments(world: World, shop: Shop) -> None:
    uid = shop.operator.lease.session_uid
    await shop.operator.line.close()
    assert uid in world.provider.kept_sessions()
    await eventually(lambda: world.provider.erase(uid))
    assert uid not in world.provider.kept_sessions()
    shop.operator = await take(world.provider, shop.operator.lease)
    assert shop.operator.line.device is None


async def test_all_lines_of_an_engine_share_as_many_connections_as_it_may_have(
    options: EngineOptions, postgres: PostgresServer, postgres_url: str
) -> None:
    async with web_provider(replace(options, key_connections=2), PrometheusMeter()) as provider:
        lines = await asyncio.gather(*(take(provider, new_lease()) for _ in range(10)))
        observer = await postgres.connect(postgres_url)
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'wagate-engine' AND datname = $1"
        assert await observer.fetchval(asked, make_url(postgres_url).database) == 2
        await observer.close()
        await asyncio.gather(*(operator.line.close() for operator in lines))


class Meanwhile:
    """An engine to be asked, and something that happens whenever it is asked which keys there are."""

    def __init__(self, engines: EnginePool, act: Callable[[], object]) -> None:
        self._asked = engines.any().stub
        self._act = act
        self.stub = self

    def any(self) -> Meanwhile:
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "ListKeptSessions":
            self._act()
        return getattr(self._asked, name)


async def test_keys_that_become_unwanted_while_it_is_looked_which_there_are_are_erased_as_soon(
    options: EngineOptions,
) -> None:
    lease = new_lease()
    async with engine_pool(options, PrometheusMeter()) as engines:
        meanwhile = Meanwhile(engines, lambda: keys.erase(lease.session_uid))
        keys = KeysInDatabase(options.key_database, 2, cast(EnginePool, meanwhile))
        keys.place(Opening(lease.session_uid, lease, LONG, None, "", ""))
        working = asyncio.create_task(keys.run())
        await eventually(lambda: lease.session_uid not in keys.kept())
        working.cancel()
        await asyncio.wait([working])
