"""A line sends, and tells what comes; WhatsApp hears that something arrived only once it is settled."""

from datetime import UTC, datetime

from gateway.domain.identities import Names
from gateway.domain.lines import (
    MessageArrived,
    Outgoing,
    Quoted,
    ReceiptArrived,
    ReceiptKind,
    Refused,
    Sent,
)
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import take
from tests.stage.lab import Kind
from tests.stage.persons import Person
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import content_pb2


def text(words: str) -> content_pb2.Content:
    return content_pb2.Content(text=content_pb2.Text(text=words))


def by_phone(person: Person) -> Names:
    return Names(phone_number=person.phone_number)


async def test_a_text_goes_out_under_the_id_that_was_chosen_and_its_receipts_come_back(
    world: World, shop: Shop
) -> None:
    ada = await world.lab.person("Ada")
    chosen = world.provider.new_message_id()
    async with ada.inbox() as inbox:
        outcome = await shop.operator.line.send(Outgoing(chosen, by_phone(ada), text("hello")), timeout=20)
        assert isinstance(outcome, Sent)
        assert outcome.to == Names(lid=ada.lid)
        received = await inbox.next()
        assert (received.provider_message_id, received.text) == (chosen, "hello")
        assert received.from_phone_number == shop.account.phone_number
        delivered, _ = await shop.operator.hear(ReceiptArrived)
        assert (delivered.kind, delivered.provider_message_ids) == (ReceiptKind.DELIVERED, (chosen,))
        await ada.read(received)
        read, _ = await shop.operator.hear(ReceiptArrived)
        assert (read.kind, read.sender.names.lid) == (ReceiptKind.READ, ada.lid)


async def test_a_reply_quotes_and_mentions_with_names_of_whatsapp(world: World, shop: Shop) -> None:
    ada, bob = await world.lab.person("Ada"), await world.lab.person("Bob")
    asked = await ada.say(shop.account.phone_number, "what do you sell?")
    arrived, _ = await shop.operator.hear(MessageArrived)
    assert arrived.place.provider_message_id == asked
    quoted = Quoted(asked, arrived.place.sender.names, arrived.content)
    answer = Outgoing(
        world.provider.new_message_id(), by_phone(ada), text("ask @ please"), quoted, mentions=(by_phone(bob),)
    )
    async with ada.inbox() as inbox:
        assert isinstance(await shop.operator.line.send(answer, timeout=20), Sent)
        received = await inbox.next()
        assert received.quoted_provider_message_id == asked
        assert len(received.mention_jids) == 1
        assert received.text.startswith("ask @")
        assert received.text.endswith(" please")


async def test_a_number_without_an_account_is_refused(world: World, shop: Shop) -> None:
    nobody = Names(phone_number="+4915100999999")
    message = Outgoing(world.provider.new_message_id(), nobody, text("hello?"))
    assert await shop.operator.line.send(message, timeout=20) == Refused("not-on-whatsapp")


async def test_whatsapps_no_is_told_with_its_number(world: World, shop: Shop) -> None:
    ada = await world.lab.person("Ada")
    await world.lab.fault(shop.account, lab_service_pb2.SetFaultRequest.Fault(refuse_code=463, refuse_count=1))
    message = Outgoing(world.provider.new_message_id(), by_phone(ada), text("hello"))
    assert await shop.operator.line.send(message, timeout=20) == Refused("463")


async def test_a_message_is_confirmed_to_whatsapp_only_once_it_is_settled(world: World, shop: Shop) -> None:
    ada = await world.lab.person("Ada")
    async with world.lab.oracle() as oracle:
        said = await ada.say(shop.account.phone_number, "are you open?")
        arrived, incoming = await shop.operator.hear(MessageArrived, settle=False)
        assert arrived.content.text.text == "are you open?"
        assert arrived.place.sender.names.lid == ada.lid
        assert arrived.place.sender.names.phone_number == ada.phone_number
        shops = {"account": shop.account.phone_number, "provider_message_id": said}
        await oracle.until(lambda entry: entry.kind == Kind.KIND_DELIVERED and entry.account == shops["account"])
        await oracle.silent(lambda entry: entry.kind == Kind.KIND_CONFIRMED, during=0.5)
        await incoming.settle()
        confirmed = await oracle.until(lambda entry: entry.kind == Kind.KIND_CONFIRMED)
        assert {"account": confirmed.account, "provider_message_id": confirmed.provider_message_id} == shops


async def test_what_is_refused_is_told_again_in_order(world: World, shop: Shop) -> None:
    ada = await world.lab.person("Ada")
    first = await ada.say(shop.account.phone_number, "one")
    _, incoming = await shop.operator.hear(MessageArrived, settle=False)
    second = await ada.say(shop.account.phone_number, "two")
    await incoming.refuse()
    again = [(await shop.operator.hear(MessageArrived))[0].place.provider_message_id for _ in range(2)]
    assert again == [first, second]


async def test_a_sender_is_told_that_messages_were_read(world: World, shop: Shop) -> None:
    ada = await world.lab.person("Ada")
    said = await ada.say(shop.account.phone_number, "hello")
    arrived, _ = await shop.operator.hear(MessageArrived)
    place = arrived.place
    async with world.lab.oracle() as oracle:
        await shop.operator.line.mark_read(place.chat, place.sender.names, [said], datetime.now(UTC), timeout=10)
        read = await oracle.until(lambda entry: entry.kind == Kind.KIND_FORWARDED and entry.type == "read")
        assert (read.account, read.provider_message_id) == (ada.phone_number, said)


async def test_numbers_are_checked(world: World, shop: Shop) -> None:
    ada = await world.lab.person("Ada")
    found, missing = await shop.operator.line.check([ada.phone_number, "+4915100999999"], timeout=10)
    assert (found.on_whatsapp, found.names.lid) == (True, ada.lid)
    assert not missing.on_whatsapp


async def test_what_waited_while_the_line_was_closed_is_told_as_such(world: World, shop: Shop) -> None:
    ada = await world.lab.person("Ada")
    lease = shop.operator.lease
    await shop.operator.line.close()
    await ada.say(shop.account.phone_number, "good night")
    shop.operator = await take(world.provider, lease)
    assert shop.operator.line.device is not None
    arrived, _ = await shop.operator.hear(MessageArrived)
    assert arrived.place.offline
