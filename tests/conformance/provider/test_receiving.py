"""A line tells what comes, in order; WhatsApp hears that it arrived only once it is settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.domain.lines import LineState, MessageArrived, OfflineSync
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import take
from tests.conformance.provider.whatsapp import Contact

TEXTS = ["one", "two", "three"]


async def say_all(world: World, person: Contact, to: Contact) -> None:
    for text in TEXTS:
        await world.whatsapp.say(person, to, text)


async def test_a_message_says_who_wrote_it_when_and_under_which_id(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    said = await world.whatsapp.say(ada, shop.account, "are you open?")
    arrived, _ = await shop.operator.hear(MessageArrived)
    place = arrived.place
    assert (place.provider_message_id, arrived.content.text.text) == (said, "are you open?")
    assert not arrived.content.HasField("context")
    assert place.sender.names.lid == place.chat.names.lid == ada.lid
    assert (place.sender.names.phone_number, place.from_me, place.offline) == (ada.phone_number, False, False)
    assert abs(place.send_time - datetime.now(UTC)) < timedelta(minutes=1)


async def test_messages_are_told_in_the_order_in_which_they_were_said(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await say_all(world, ada, shop.account)
    assert await shop.operator.texts(3) == TEXTS


async def test_a_message_is_confirmed_to_whatsapp_only_once_it_is_settled(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    said = await world.whatsapp.say(ada, shop.account, "are you open?")
    _, incoming = await shop.operator.hear(MessageArrived, settle=False)
    assert not await world.whatsapp.confirmed(ada, said, within=0.5)
    await incoming.settle()
    assert await world.whatsapp.confirmed(ada, said, within=10)


async def test_what_is_refused_is_told_again_with_all_behind_it_in_order(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await say_all(world, ada, shop.account)
    first, incoming = await shop.operator.hear(MessageArrived, settle=False)
    assert first.content.text.text == "one"
    await incoming.refuse()
    await shop.operator.refuse_until(LineState.RECONNECTING)
    assert await shop.operator.texts(3) == TEXTS


async def test_what_was_told_before_a_refusal_stays_settled(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await say_all(world, ada, shop.account)
    assert await shop.operator.texts(1) == ["one"]
    _, incoming = await shop.operator.hear(MessageArrived, settle=False)
    await incoming.refuse()
    await shop.operator.refuse_until(LineState.RECONNECTING)
    assert await shop.operator.texts(2) == ["two", "three"]


async def test_what_was_not_settled_is_told_again_to_the_next_line(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await world.whatsapp.say(ada, shop.account, "good night")
    _, unsettled = await shop.operator.hear(MessageArrived, settle=False)
    await shop.operator.line.close()
    await unsettled.settle()
    shop.operator = await take(world.provider, shop.operator.lease)
    again, _ = await shop.operator.hear(MessageArrived)
    assert again.content.text.text == "good night"


async def test_what_waited_while_there_was_no_line_is_told_in_order_and_then_that_it_was_all(
    world: World, shop: Shop
) -> None:
    ada = await world.whatsapp.person("Ada")
    await shop.operator.line.close()
    await say_all(world, ada, shop.account)
    shop.operator = await take(world.provider, shop.operator.lease)
    ended, _ = await shop.operator.hear(OfflineSync)
    while not ended.completed:
        ended, _ = await shop.operator.hear(OfflineSync)
    waited = [fact for fact in shop.operator.passed if isinstance(fact, MessageArrived)]
    assert [message.content.text.text for message in waited] == TEXTS
    assert ended.item_count >= len(TEXTS)


async def test_a_sender_is_told_that_messages_were_read(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    said = await world.whatsapp.say(ada, shop.account, "hello")
    place = (await shop.operator.hear(MessageArrived))[0].place
    await shop.operator.line.mark_read(place.chat, place.sender.names, [said], datetime.now(UTC), timeout=10)
    assert await world.whatsapp.told_read(ada, said, within=10)
