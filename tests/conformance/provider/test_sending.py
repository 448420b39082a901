"""A line sends, and says truly what came of it."""

from __future__ import annotations

import pytest

from gateway.domain.identities import Names
from gateway.domain.lines import (
    LineState,
    MessageArrived,
    NotSent,
    OutcomeUnknown,
    Outgoing,
    Quoted,
    ReceiptArrived,
    ReceiptKind,
    Refused,
    SendOutcome,
    Sent,
)
from gateway.ports.provider import LineDown
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.whatsapp import Contact
from wagate.v1 import content_pb2


def saying(words: str) -> content_pb2.Content:
    return content_pb2.Content(text=content_pb2.Text(text=words))


async def send(world: World, shop: Shop, to: str, words: str = "hello", *, timeout: float = 20) -> SendOutcome:
    message = Outgoing(world.provider.new_message_id(), Names(phone_number=to), saying(words))
    return await shop.operator.line.send(message, timeout=timeout)


async def test_a_text_arrives_under_the_id_that_was_chosen_and_its_receipts_come_back(world: World, shop: Shop) -> None:
    ada, chosen = await world.whatsapp.person("Ada"), world.provider.new_message_id()
    message = Outgoing(chosen, Names(phone_number=ada.phone_number), saying("hello"))
    outcome = await shop.operator.line.send(message, timeout=20)
    assert isinstance(outcome, Sent)
    assert outcome.to.lid == ada.lid
    heard = await world.whatsapp.heard(ada)
    assert (heard.provider_message_id, heard.text, heard.sender) == (chosen, "hello", shop.account.phone_number)
    delivered = await receipt(shop)
    assert (delivered.kind, delivered.provider_message_ids) == (ReceiptKind.DELIVERED, (chosen,))
    await world.whatsapp.read(ada, shop.account, chosen)
    read = await receipt(shop)
    assert (read.kind, read.provider_message_ids) == (ReceiptKind.READ, (chosen,))
    assert read.sender.names.lid == read.chat.names.lid == ada.lid


async def receipt(shop: Shop) -> ReceiptArrived:
    return (await shop.operator.hear(ReceiptArrived))[0]


async def test_messages_arrive_in_the_order_in_which_they_were_sent(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    texts = [str(number) for number in range(5)]
    for text in texts:
        assert isinstance(await send(world, shop, ada.phone_number, text), Sent)
    assert [(await world.whatsapp.heard(ada)).text for _ in texts] == texts


async def test_a_reply_quotes_and_calls_out(world: World, shop: Shop) -> None:
    ada, bob = await world.whatsapp.person("Ada"), await world.whatsapp.person("Bob")
    asked = await world.whatsapp.say(ada, shop.account, "what do you sell?")
    arrived, _ = await shop.operator.hear(MessageArrived)
    answer = Outgoing(
        world.provider.new_message_id(),
        Names(phone_number=ada.phone_number),
        saying("ask @ please"),
        Quoted(asked, arrived.place.sender.names, arrived.content),
        mentions=(Names(phone_number=bob.phone_number),),
    )
    assert isinstance(await shop.operator.line.send(answer, timeout=20), Sent)
    heard = await world.whatsapp.heard(ada)
    assert (heard.quoted, heard.mentions) == (asked, 1)
    assert heard.text.startswith("ask @")
    assert heard.text.endswith(" please")


async def test_a_number_without_an_account_is_refused(world: World, shop: Shop) -> None:
    assert await send(world, shop, world.whatsapp.nobody) == Refused("not-on-whatsapp")


async def test_whatsapps_no_is_told_with_its_number(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await world.whatsapp.refuse(shop.account, ada, 400)
    assert await send(world, shop, ada.phone_number) == Refused("400")


async def test_an_answer_that_does_not_come_in_time_is_not_known(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    assert isinstance(await send(world, shop, ada.phone_number), Sent)
    await world.whatsapp.freeze(shop.account, ada)
    assert isinstance(await send(world, shop, ada.phone_number, timeout=1), OutcomeUnknown)


async def test_without_a_connection_a_message_surely_does_not_leave(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await world.whatsapp.drop(shop.account)
    await shop.operator.until(LineState.RECONNECTING)
    assert isinstance(await unsent(world, shop, ada), NotSent | LineDown)
    await shop.operator.until(LineState.CONNECTED)
    assert isinstance(await send(world, shop, ada.phone_number, "now"), Sent)
    assert (await world.whatsapp.heard(ada)).text == "now"


async def unsent(world: World, shop: Shop, to: Contact) -> SendOutcome | LineDown:
    try:
        return await send(world, shop, to.phone_number, "not now")
    except LineDown as error:
        return error


async def test_numbers_are_checked_in_the_order_of_the_question(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    missing, found = await shop.operator.line.check([world.whatsapp.nobody, ada.phone_number], timeout=10)
    assert (missing.requested, missing.on_whatsapp) == (world.whatsapp.nobody, False)
    assert (found.requested, found.on_whatsapp) == (ada.phone_number, True)
    assert (found.names.lid, found.names.phone_number) == (ada.lid, ada.phone_number)


async def test_a_question_that_is_not_answered_in_time_fails(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await world.whatsapp.freeze(shop.account, ada)
    with pytest.raises(TimeoutError):
        await shop.operator.line.check([ada.phone_number], timeout=1)
