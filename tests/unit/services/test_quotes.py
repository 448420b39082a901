from __future__ import annotations

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import MessageArrived
from tests.unit.services.house import House, text
from tests.unit.services.telling import PHONE, arrives, person, place


async def test_a_quote_is_looked_for_in_its_own_chat_alone(house: House, lease: Lease) -> None:
    elsewhere = await arrives(house, lease, "Tea?", phone_number="+4915100000011")
    provider_id = (await house.message(elsewhere)).provider_message_id
    fact = MessageArrived(
        place(person(phone_number=PHONE)), text("Yes"), provider_id, Names(phone_number=PHONE), "Tea?"
    )
    await house.inbox.message(lease, fact)
    quote = (await house.all_messages())[-1].content.context.reply_to
    assert (quote.message_id, quote.preview) == ("", "Tea?")


async def test_who_is_quoted_may_show_that_the_chat_is_another(house: House, lease: Lease) -> None:
    first = await arrives(house, lease, "Tea?", phone_number=PHONE)
    provider_id = (await house.message(first)).provider_message_id
    where = place(person("200@lid"))
    await house.inbox.message(lease, MessageArrived(where, text("Well?"), provider_id, Names("200@lid", PHONE), "Tea?"))
    shown = (await house.all_messages())[-1]
    assert shown.content.context.reply_to.message_id == first
    assert shown.chat == (await house.shown(first)).chat


async def test_what_stands_alone_has_no_context(house: House, lease: Lease) -> None:
    message_id = await arrives(house, lease, "Good day")
    assert not (await house.shown(message_id)).content.HasField("context")
