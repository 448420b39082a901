"""The disk of a gateway is full: what is refused, what goes on, and what becomes of the rest once there is room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.stage.children import child
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab
from tests.stage.persons import Person
from tests.stage.programs import installed
from tests.stage.refusing import refused
from tests.stage.shop import Shop, new_shop
from tests.stage.small_disk import SmallDisk, small_disk
from tests.stage.waiting import eventually
from wagate.v1 import message_pb2, session_pb2

State = message_pb2.Message.State
SessionState = session_pb2.SessionStatus.State
WITHIN: Final = 30.0
SHORT_LEASES: Final = {"WAGATE_LEASES__TTL": "3s", "WAGATE_LEASES__RENEW_EVERY": "1s"}


@dataclass(frozen=True)
class Scene:
    """A shop whose gateway lies on a small disk, and Ada, who writes to it."""

    gateway: Gateway
    disk: SmallDisk
    shop: Shop
    ada: Person

    async def accept_until_refused(self) -> tuple[list[str], str]:
        """Send until the disk, which is full, takes no more; the texts that were accepted, and why no more were."""
        accepted: list[str] = []
        with refused() as refusal:
            while True:
                await self.shop.accept(self.ada.phone_number, f"full {len(accepted)}")
                accepted.append(f"full {len(accepted)}")
        assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        return accepted, refusal.reason

    async def serves(self, service: str = "") -> bool:
        """Whether health says so of a service, or of the whole."""
        async with aio.insecure_channel(self.gateway.address) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def has_no_line(self) -> bool:
        """Whether the session says so: without room nobody can go on owning it."""
        return (await self.shop.status()).state != SessionState.STATE_CONNECTED

    async def does_not_serve(self) -> bool:
        """Whether health says so of the whole."""
        return not await self.serves()


@pytest.fixture
async def scene(lab: Lab, tmp_path: Path) -> AsyncIterator[Scene]:
    """A shop on a small disk with room for everything."""
    folder = tmp_path / "gateway"
    async with (
        small_disk(folder / "data") as disk,
        gateway_process(folder, {**lab.environment, **SHORT_LEASES}, disk.entering) as gateway,
    ):
        yield Scene(gateway, disk, await new_shop(gateway, lab), await lab.person("Ada"))


async def test_a_full_disk_refuses_and_keeps_what_was_accepted_and_room_is_all_it_takes_to_go_on(scene: Scene) -> None:
    process_id = scene.gateway.process.process_id
    async with scene.ada.inbox() as inbox, scene.shop.events() as events:
        before = await scene.shop.accept(scene.ada.phone_number, "before")
        await events.until(lambda event: event.message_status_changed.state == State.STATE_SENT)
        scene.disk.fill()
        accepted, reason = await scene.accept_until_refused()
        assert reason == "STORE_FULL"

        await scene.ada.say(scene.shop.phone_number, "while it is full")
        await eventually(scene.does_not_serve, WITHIN)
        await eventually(scene.has_no_line, WITHIN)
        assert await scene.serves("wagate.v1.EventService")
        assert not await scene.serves("wagate.v1.MessageService")
        assert (await scene.shop.message(before.message_id)).state == State.STATE_SENT
        async with scene.gateway.events(after=events.seen[0].cursor) as reread:
            await reread.next()
        assert not [event for event in events.seen if event.HasField("message_received")]

        scene.disk.make_room()
        after = await scene.shop.accept(scene.ada.phone_number, "after")
        heard = await events.until(lambda event: event.HasField("message_received"), within=WITHIN)
        assert heard.message_received.message.content.text.text == "while it is full"
        await inbox.until(lambda received: received.text == "after", within=WITHIN)
        await eventually(scene.serves, WITHIN)
    assert [received.text for received in inbox.seen] == ["before", *accepted, "after"]
    assert (await scene.shop.message(after.message_id)).state == State.STATE_SENT
    assert scene.gateway.process.process_id == process_id


async def test_where_only_the_keys_find_no_room_the_line_waits_for_it_and_nothing_is_lost_or_doubled(
    lab: Lab, tmp_path: Path
) -> None:
    folder = tmp_path / "gateway"
    environment = {**lab.environment, "WAGATE_STORE__URL": f"sqlite+aiosqlite:///{folder}/elsewhere.db"}
    async with (
        small_disk(folder / "data") as disk,
        gateway_process(folder, environment, disk.entering) as gateway,
    ):
        scene = Scene(gateway, disk, await new_shop(gateway, lab), await lab.person("Ada"))
        async with scene.ada.inbox() as inbox, scene.shop.events() as events:
            disk.fill()
            for number in range(3):
                await scene.shop.accept(scene.ada.phone_number, f"{number}")
            await scene.ada.say(scene.shop.phone_number, "while it is full")
            await eventually(scene.has_no_line, WITHIN)
            disk.make_room()
            await inbox.until(lambda received: received.text == "2", within=WITHIN)
            await events.until(lambda event: event.HasField("message_received"), within=WITHIN)
        assert [received.text for received in inbox.seen] == ["0", "1", "2"]


async def test_a_gateway_that_finds_no_room_to_begin_says_so_in_a_sentence(tmp_path: Path) -> None:
    async with small_disk(tmp_path / "data", "1m") as disk:
        disk.fill()
        options = ("serve", "--data.folder", disk.folder, "--grpc.listen", "127.0.0.1:0", "--metrics.listen", "")
        async with child(*disk.entering, installed("wagate"), *options, log=tmp_path / "log") as process:
            assert await process.ended() == 1
            assert process.last_words() == "wagate: The database cannot be migrated: database or disk is full\n"
