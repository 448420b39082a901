"""Two who begin to write to each other at the same moment read each other, at first sight and in order."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.acceptance.conftest import World
from tests.stage.persons import Person
from tests.stage.shop import Shop
from wagate.v1 import event_pb2

TEXTS: Final = 25


async def test_who_begins_to_write_while_being_written_to_is_read_and_reads(world: World) -> None:
    shop = await world.shop()
    people = [await world.lab.person(name) for name in ("Ada", "Bob", "Carol")]
    async with shop.events("message.received", "message.undecryptable") as events, asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(both_write(shop, person))
        for _ in range(TEXTS * len(people)):
            assert (await events.next(within=30)).kind == "message.received"
    for person in people:
        assert heard_from(person, events.seen) == [f"answer {number}" for number in range(TEXTS)]


async def both_write(shop: Shop, person: Person) -> None:
    """Let a shop and a person write at the same time, and see that the person reads all."""
    questions = [f"question {number}" for number in range(TEXTS)]
    async with person.inbox() as inbox:
        async with asyncio.TaskGroup() as group:
            group.create_task(ask(shop, person, questions))
            group.create_task(answer(shop, person))
        heard = [await inbox.next(within=30) for _ in questions]
    assert [(received.text, received.retry_count) for received in heard] == [(question, 0) for question in questions]


async def ask(shop: Shop, person: Person, questions: list[str]) -> None:
    """Let the shop write."""
    for question in questions:
        await shop.accept(person.phone_number, question)


async def answer(shop: Shop, person: Person) -> None:
    """Let the person write."""
    for number in range(TEXTS):
        await person.say(shop.phone_number, f"answer {number}")


def heard_from(person: Person, events: list[event_pb2.Event]) -> list[str]:
    """What a person was heard to say."""
    return [event.message_received.message.content.text.text for event in events if event.actor.lid == person.lid]
