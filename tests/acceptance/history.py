"""A log of more than a thousand events, and what the contract promises to those who read it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.acceptance.conftest import World
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab
from tests.stage.persons import Naming, Person
from tests.stage.shop import Shop
from wagate.v1 import event_pb2
from wagate.v1.event_service_pb2 import EventFilter, ListEventsRequest

_QUESTIONS: Final = 65
"""How many texts each shop has for each person."""
_ANSWERS: Final = 40
"""How many texts each person has for the shops."""


@dataclass(frozen=True)
class History:
    """What happened, and who took part in it. `told` is what a reader was told who read from the beginning, live;
    `chats` holds the ids of each person's chat, by every address of the person.
    """

    gateway: Gateway
    shops: Sequence[Shop]
    bob_ids: frozenset[str]
    chats: dict[str, frozenset[str]]
    begin: str
    told: Sequence[event_pb2.Event]

    def some_filter(self, dice: random.Random) -> EventFilter:
        """A filter, of which each field is set or not."""
        ids = [shop.session_id for shop in self.shops]
        asked = EventFilter(
            session_ids=dice.choice([[], ids[:1], ids, ["nobody"]]),
            kinds=dice.choice([[], ["message.received"], ["message.*"], ["session.*", "identity.merged"], ["later.*"]]),
            chat_ids=dice.choice([[], [], *([address] for address in sorted(self.chats))]),
        )
        wanted = dice.choice([None, True, False])
        if wanted is not None:
            asked.tenant_events = wanted
        return asked

    def after(self, cursor: str, asked: EventFilter) -> list[event_pb2.Event]:
        """The events after a cursor that a filter keeps."""
        cursors = [self.begin, *(event.cursor for event in self.told)]
        return [event for event in self.told[cursors.index(cursor) :] if self._keeps(asked, event)]

    def _keeps(self, asked: EventFilter, event: event_pb2.Event) -> bool:
        noun = event.kind.partition(".")[0]
        if event.session_uid:
            place = not asked.session_ids or event.session_id in asked.session_ids
        else:
            place = asked.tenant_events if asked.HasField("tenant_events") else not asked.session_ids
        kind = not asked.kinds or event.kind in asked.kinds or f"{noun}.*" in asked.kinds
        chat = not asked.chat_ids or any(event.chat_id in self.chats[address] for address in asked.chat_ids)
        return place and kind and chat


@asynccontextmanager
async def much_happened(lab: Lab, folder: Path) -> AsyncIterator[History]:
    """Let two shops write to two people, one of whom was known by two names, and let these answer."""
    async with gateway_process(folder, lab.environment) as gateway:
        begin = (await gateway.feeds.ListEvents(ListEventsRequest())).next_cursor
        async with gateway.events(after=begin) as events:
            world = World(gateway, lab)
            shops = [await world.shop(), await world.shop()]
            ada, bob = await lab.person("Ada"), await lab.person("Bob", naming=Naming.LID_ONLY)
            await bob.say(shops[0].phone_number, "do you know me?")
            await _talk(shops, (ada, bob))
            await events.until(_all_told(deliveries=_QUESTIONS * 4, answers=_ANSWERS * 2 + 1), within=30)
            chats: dict[str, frozenset[str]] = {}
            for person in (ada, bob):
                found = _ids_of(person, events.seen)
                chats |= dict.fromkeys((person.phone_number, person.lid, *found), found)
            yield History(gateway, shops, chats[bob.lid], chats, begin, events.seen)


async def _talk(shops: Sequence[Shop], people: Sequence[Person]) -> None:
    """Let all that waits in two stopped shops leave at once, while answers come in."""
    for shop in shops:
        await shop.stop()
        for number in range(_QUESTIONS):
            await asyncio.gather(*(shop.accept(person.phone_number, f"question {number}") for person in people))
    await asyncio.gather(*(shop.start() for shop in shops))
    for number in range(_ANSWERS):
        shop = shops[number % len(shops)]
        await asyncio.gather(*(person.say(shop.phone_number, f"answer {number}") for person in people))


def _all_told(*, deliveries: int, answers: int) -> Callable[[event_pb2.Event], bool]:
    """Whether, with this event, so many questions were told as delivered, and so many answers as received."""
    left = {"deliveries": deliveries, "answers": answers}

    def told(event: event_pb2.Event) -> bool:
        left["deliveries"] -= event.message_status_changed.reach.delivered_count
        left["answers"] -= event.HasField("message_received")
        return not any(left.values())

    return told


def _ids_of(person: Person, events: Sequence[event_pb2.Event]) -> frozenset[str]:
    """All ids by which a person is known."""
    for event in events:
        if event.identity_merged.identity.lid == person.lid:
            return frozenset([event.identity_merged.identity.id, *event.identity_merged.absorbed_ids])
    return frozenset(event.actor.id for event in events if event.actor.lid == person.lid)
