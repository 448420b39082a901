"""Two who begin to write to each other at the same moment lose nothing, though some may have to be asked for again."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.acceptance.conftest import World
from tests.stage.persons import Person
from tests.stage.shop import Shop
from wagate.v1 import event_pb2

TEXTS: Final = 25


async def test_who_begins_to_write_while_being_written_to_hears_and_is_heard(world: World) -> None:
    shop = await world.shop()
    people = [await world.lab.person(name) for name in ("Ada", "Bob", "Carol")]
    async with shop.events("message.received", "message.resolved") as events, asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(both_write(shop, person))
        for _ in range(TEXTS * len(people)):
            await events.next(within=30)
    for person in people:
        assert sorted(heard_from(person, events.seen)) == sorted(f"answer {number}" for number in range(TEXTS))


async def both_write(shop: Shop, person: Person) -> None:
    """Let a shop and a person write at the same time, and see that the person hears each text once."""
    questions = [f"question {number}" for number in range(TEXTS)]
    async with person.inbox() as inbox:
        async with asyncio.TaskGroup() as group:
            group.create_task(ask(shop, person, questions))
            group.create_task(answer(shop, person))
        heard = [(await inbox.next(within=30)).text for _ in questions]
    assert sorted(heard) == sorted(questions)


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
    told = [getattr(event, str(event.WhichOneof("what"))).message for event in events]
    return [message.content.text.text for message in told if message.sender.lid == person.lid]
