"""The engine ends with its gateway; one that is killed is replaced, and costs no message."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import pytest

from tests.acceptance.conftest import World
from tests.stage.gateway import gateway_process
from tests.stage.lab import Kind, Lab
from tests.stage.persons import Person
from tests.stage.processes import engine_of, gone
from tests.stage.shop import PAIRED_WITHIN, Shop, State, reached
from wagate.lab.v1.oracle_pb2 import OracleEntry
from wagate.v1 import event_pb2, message_pb2, message_service_pb2

Message = message_pb2.Message

EACH_WAY: Final = 300


@pytest.fixture(scope="module")
async def a_world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gateway that is treated badly, and the lab."""
    async with gateway_process(tmp_path_factory.mktemp("ends") / "gateway", lab.environment) as gateway:
        yield World(gateway, lab)


async def test_an_engine_ends_within_a_second_of_a_gateway_that_is_killed(a_world: World) -> None:
    await a_world.shop()
    engine = engine_of(a_world.gateway.process.process_id)
    await a_world.gateway.kill()
    await gone(engine, within=1)
    await a_world.gateway.start()


async def test_a_gateway_that_is_told_to_stop_ends_well_and_leaves_nothing_running(a_world: World) -> None:
    await a_world.shop()
    engine = engine_of(a_world.gateway.process.process_id)
    async with asyncio.timeout(30):
        assert await a_world.gateway.stop() == 0
    await gone(engine, within=0.1)
    await a_world.gateway.start()


async def test_an_engine_that_is_killed_is_replaced_and_nothing_is_lost(a_world: World) -> None:
    shop, ada = await a_world.shop(), await a_world.lab.person("Ada")
    gateway = a_world.gateway.process.process_id
    first = engine_of(gateway)
    async with shop.events() as events, ada.inbox() as inbox:
        os.kill(first, signal.SIGKILL)
        said = await ada.say(shop.phone_number, "are you there?")
        await shop.accept(ada.phone_number, "yes")
        lost = await events.until(reached(State.STATE_RECONNECTING))
        assert lost.session_state_changed.status.HasField("next_attempt_time")
        received = await events.until(lambda event: event.HasField("message_received"), within=PAIRED_WITHIN)
        assert received.message_received.message.provider_message_id == said
        assert (await inbox.next(within=PAIRED_WITHIN)).text == "yes"
    assert (await shop.status()).state == State.STATE_CONNECTED
    assert engine_of(gateway) != first


@pytest.mark.timeout(120)
async def test_nothing_is_lost_or_disordered_when_the_engine_is_killed_once(a_world: World) -> None:
    shop, ada = await a_world.shop(), await a_world.lab.person("Ada")
    await acquainted(shop, ada)
    out, in_ = ([f"{way} {number}" for number in range(EACH_WAY)] for way in ("out", "in"))
    async with a_world.lab.oracle() as oracle, shop.events() as events, ada.inbox() as inbox:
        async with asyncio.TaskGroup() as group:
            accepting = group.create_task(say_all(shop, ada, out))
            saying = group.create_task(answer_all(shop, ada, in_))
            await inbox.until(lambda received: received.text == out[EACH_WAY // 3], within=40)
            os.kill(engine_of(a_world.gateway.process.process_id), signal.SIGKILL)
        accepted, said = accepting.result(), saying.result()
        await inbox.until(lambda received: received.text == out[-1], within=60)
        await events.until(lambda event: taken_in(event, said[-1]), within=60)
        await oracle.until(all_told({(Kind.KIND_ACCEPTED, accepted[-1]), (Kind.KIND_CONFIRMED, said[-1])}))
        taken = [
            e.provider_message_id for e in oracle.seen if (e.kind, e.account) == (Kind.KIND_ACCEPTED, shop.phone_number)
        ]
    assert in_order(taken, accepted) == accepted
    assert in_order([received.provider_message_id for received in inbox.seen], accepted) == accepted
    assert [m.provider_message_id for m in await received_by(shop)] == said
    assert [event.sequence for event in events.seen] == list(
        range(events.seen[0].sequence, events.seen[-1].sequence + 1)
    )


async def acquainted(shop: Shop, ada: Person) -> None:
    """Let each write once, so that both have encryption sessions."""
    async with shop.events("message.received") as events, ada.inbox() as inbox:
        await ada.say(shop.phone_number, "hello")
        await events.next()
        await shop.accept(ada.phone_number, "hello yourself")
        await inbox.next()


async def say_all(shop: Shop, ada: Person, texts: Sequence[str]) -> list[str]:
    """Accept texts for Ada; WhatsApp's ids of them."""
    return [(await shop.accept(ada.phone_number, text)).provider_message_id for text in texts]


async def answer_all(shop: Shop, ada: Person, texts: Sequence[str]) -> list[str]:
    """Let Ada write; WhatsApp's ids of what she wrote."""
    return [await ada.say(shop.phone_number, text) for text in texts]


def all_told(wanted: set[tuple[Kind.ValueType, str]]) -> Callable[[OracleEntry], bool]:
    """Whether, with this entry, all of these were told of messages of these ids."""

    def told(entry: OracleEntry) -> bool:
        wanted.discard((entry.kind, entry.provider_message_id))
        return not wanted

    return told


def taken_in(event: event_pb2.Event, provider_message_id: str) -> bool:
    """Whether an event tells of a message from someone else."""
    told = (event.message_received, event.message_resolved)
    return any(what.message.provider_message_id == provider_message_id for what in told)


def in_order(told: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """What was told of what is wanted, each where it came first: a repeat under the same id is the same message."""
    return [told_id for told_id in dict.fromkeys(told) if told_id in set(wanted)]


async def received_by(shop: Shop) -> list[message_pb2.Message]:
    """All that a session received, the oldest first, without the greeting."""
    request = message_service_pb2.ListMessagesRequest(
        session_id=shop.session_id, direction=Message.DIRECTION_INBOUND, page_size=500
    )
    newest_first = (await shop.gateway.messages.ListMessages(request)).messages
    assert all(message.content.HasField("text") for message in newest_first)
    return newest_first[-2::-1]
