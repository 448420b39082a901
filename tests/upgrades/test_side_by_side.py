"""Two versions work on one database while its schema changes: nothing is lost, doubled or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.adapters.sql.migrating import schema_of
from tests.stage.children import child
from tests.stage.fleet import Worker
from tests.stage.gateway import Gateway
from tests.stage.lab import Lab
from tests.stage.postgres import PostgresServer
from tests.stage.programs import installed
from tests.stage.shop import Shop, new_shop
from tests.stage.waiting import eventually
from tests.upgrades.load import Load
from tests.upgrades.versions import later, previous, running_from
from wagate.v1 import event_pb2, event_service_pb2, message_pb2, message_service_pb2

State = message_pb2.Message.State
CALLERS = 3
MORE = 15


@dataclass
class Version:
    """One version's commands, and one API process and one worker of it."""

    folder: Path
    environment: Mapping[str, str]
    api: Gateway
    worker: Worker

    async def start(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.api.start())
            group.create_task(self.worker.start())

    async def migrate(self) -> tuple[int, str]:
        """Exit status of `wagate migrate`, and what it complained about."""
        log = self.folder / "migrate.log"
        log.write_bytes(b"")
        async with child(installed("wagate"), "migrate", log=log, environment=self.environment) as command:
            return await command.ended(), log.read_text()


def version_of(code: Path, folder: Path, lab: Lab, url: str) -> Version:
    pace = {"WAGATE_LEASES__TTL": "4s", "WAGATE_LEASES__RENEW_EVERY": "1s"}
    environment = {**lab.environment, **pace, **running_from(code), "WAGATE_STORE__URL": url}
    for part in ("api", "worker"):
        (folder / part).mkdir(parents=True)
    api, worker = Gateway(folder / "api", environment, command=["api"]), Worker(folder / "worker", environment)
    return Version(folder, environment, api, worker)


@pytest.mark.timeout(300)
async def test_two_versions_work_side_by_side_while_the_schema_changes(
    lab: Lab, postgres: PostgresServer, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(postgres.database(migrated=False))
        old, new = version_of(previous(), tmp_path / "old", lab, url), version_of(later(), tmp_path / "new", lab, url)
        assert (await old.migrate())[0] == 0
        before = (await schema_of(url)).at
        await old.start()
        shop, ada = await new_shop(old.api, lab), await lab.person("Ada")
        inbox = await stack.enter_async_context(ada.inbox())
        load = Load(shop.session_id, shop.phone_number, ada, inbox, [old.api])
        async with load.going_on(CALLERS):
            await load.grows(MORE)
            status, complaint = await new.migrate()
            assert (status, (await schema_of(url)).at) == (1, "9001")
            assert f"wagate worker 0.1.0 (schema {before})" in complaint
            await load.grows(MORE)
            await new.start()
            load.doors.append(new.api)
            await load.grows(MORE)
            assert await old.worker.stop() == 0
            assert await old.api.process.stop() == 0
            load.doors.remove(old.api)
            await old.api.stop()
            await load.grows(MORE)
            assert await new.migrate() == (0, "")
            assert (await schema_of(url)).at == "9002"
            await load.grows(MORE)
        await judge(load, Shop(new.api, lab, shop.session_id, shop.account))
        assert (await new.api.stop(), await new.worker.stop()) == (0, 0)


async def judge(load: Load, shop: Shop) -> None:
    """All that was accepted and said is there, once and in order, and the log has no gap."""

    async def all_at_rest() -> bool:
        shown = {message.message_id: message.state for message in await outbound(shop)}
        return [shown.get(message_id) for message_id in load.accepted.values()] == [State.STATE_SENT] * len(
            load.accepted
        )

    await eventually(all_at_rest, 60)
    got = [received.text for received in load.inbox.seen]
    assert sorted(got) == sorted(load.accepted)
    for caller in range(CALLERS):
        assert said_by(caller, got) == said_by(caller, load.accepted)
    assert [message.content.text.text for message in await inbound(shop)] == load.said[::-1]
    sequences = [event.sequence async for event in events_of(shop)]
    assert sequences == list(range(1, len(sequences) + 1))


def said_by(caller: int, texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text.startswith(f"caller {caller}:")]


async def outbound(shop: Shop) -> list[message_pb2.Message]:
    return await messages_of(shop, message_pb2.Message.DIRECTION_OUTBOUND)


async def inbound(shop: Shop) -> list[message_pb2.Message]:
    return await messages_of(shop, message_pb2.Message.DIRECTION_INBOUND)


async def messages_of(shop: Shop, direction: message_pb2.Message.Direction.ValueType) -> list[message_pb2.Message]:
    """All of a direction, the newest first."""
    found: list[message_pb2.Message] = []
    request = message_service_pb2.ListMessagesRequest(session_id=shop.session_id, page_size=500, direction=direction)
    while True:
        page = await shop.gateway.messages.ListMessages(request)
        found += page.messages
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def events_of(shop: Shop) -> AsyncIterator[event_pb2.Event]:
    """The whole log of a session."""
    request = event_service_pb2.ListEventsRequest(page_size=500)
    while True:
        page = await shop.gateway.feeds.ListEvents(request)
        for event in page.events:
            if event.session_id == shop.session_id:
                yield event
        if not page.has_more:
            return
        request.after_cursor = page.next_cursor
