"""A message to a group can be decrypted once, and nobody is asked for it again: whoever is killed between its
decryption and its commit must still have it.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.acceptance.conftest import World
from tests.stage.gateway import Gateway
from tests.stage.groups import Addressing, new_group
from tests.stage.lab import Kind
from tests.stage.midway import commits_held, decrypted
from tests.stage.persons import Person
from tests.stage.processes import engine_of
from tests.stage.shop import PAIRED_WITHIN, Shop
from wagate.lab.v1.oracle_pb2 import OracleEntry

WORDS: Final = [str(number) for number in range(3)]

Loss = Callable[[Gateway], Awaitable[None]]


async def lose_the_engine(gateway: Gateway) -> None:
    """Kill the engine; the gateway starts another."""
    os.kill(engine_of(gateway.process.process_id), signal.SIGKILL)


async def lose_the_gateway(gateway: Gateway) -> None:
    """Kill the gateway, with which its engine ends, and start another."""
    await gateway.kill()


async def test_what_was_decrypted_and_not_stored_when_someone_was_killed_is_told_once_and_in_order(
    own_world: World,
) -> None:
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    groups = [
        await new_group(own_world.lab, ada.phone_number, shop.phone_number, addressing=addressing, keys_once=keys_once)
        for addressing, keys_once in itertools.product(Addressing, (False, True))
    ]
    async with shop.events("message.*") as events:
        said = [await ada.say(group, "hello") for group in groups]
        begin = [await events.next() for _ in groups][-1]
    for lose in (lose_the_engine, lose_the_gateway, lose_the_engine):
        said += await killed_midway(shop, begin.session_uid, ada, groups, lose)
    async with shop.gateway.events(after=begin.cursor, session_ids=[shop.session_id]) as events:
        await events.until(lambda event: event.message_received.message.provider_message_id == said[-1])
        told = [event.message_received.message for event in events.seen if event.HasField("message_received")]
        sequences = [event.sequence for event in events.seen]
    assert [message.provider_message_id for message in told] == said[len(groups) :]
    assert {message.chat.id for message in told} == set(groups)
    assert [message.content.text.text for message in told][:: len(groups)] == WORDS * 3
    assert sequences == list(range(begin.sequence + 1, begin.sequence + 1 + len(sequences)))
    assert [message.provider_message_id for message in await shop.messages()] == said[::-1]


async def killed_midway(shop: Shop, session_uid: str, ada: Person, groups: Sequence[str], lose: Loss) -> list[str]:
    """Let someone be killed after what Ada says was decrypted, and before it is stored; the ids of what she said."""
    async with shop.lab.oracle() as oracle:
        with commits_held(shop.gateway.database):
            said = [await ada.say(group, words) for words in WORDS for group in groups]
            await decrypted(shop.gateway, session_uid)
            await lose(shop.gateway)
        assert not any(is_confirmed(entry) and entry.provider_message_id in said for entry in oracle.seen)
        if not shop.gateway.process.runs:
            await shop.gateway.start()
        missing = set(said)
        while missing:
            missing.discard((await oracle.until(is_confirmed, within=PAIRED_WITHIN)).provider_message_id)
    return said


def is_confirmed(entry: OracleEntry) -> bool:
    """Whether a device told WhatsApp that it has a message."""
    return entry.kind == Kind.KIND_CONFIRMED
