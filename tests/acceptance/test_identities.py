"""A person is one identity, by whichever name they were known first."""

from tests.acceptance.conftest import World
from tests.stage.persons import Naming, Person
from tests.stage.shop import Shop
from wagate.v1 import contact_service_pb2, identity_pb2


async def identity(shop: Shop, address: str) -> identity_pb2.Identity:
    """Who an address names."""
    request = contact_service_pb2.GetIdentityRequest(address=address)
    return (await shop.gateway.contacts.GetIdentity(request)).identity


async def one_identity(shop: Shop, person: Person, *earlier_ids: str) -> identity_pb2.Identity:
    """See that all names of a person, and ids that they had, name one identity, and that the chat is one."""
    found = await identity(shop, person.phone_number)
    assert (found.phone_number, found.lid) == (person.phone_number, person.lid)
    for address in (person.lid, person.phone_number.removeprefix("+"), found.id, *earlier_ids):
        assert await identity(shop, address) == found
    chats = {message.chat.id for message in await shop.messages() if message.chat.id in (found.id, *earlier_ids)}
    assert chats == {found.id}
    return found


async def test_a_person_who_is_named_by_both_names_at_once_is_one_from_the_beginning(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.received") as events:
        await ada.say(shop.phone_number, "hello")
        received = (await events.next()).message_received.message
    found = await one_identity(shop, ada)
    assert found.id == received.chat.id
    assert list(found.alias_ids) == []


async def test_a_person_known_by_phone_first_keeps_that_identity(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada", naming=Naming.LID_ONLY)
    await shop.stop()
    accepted = await shop.accept(ada.phone_number, "hello")
    assert (accepted.chat.phone_number, accepted.chat.lid) == (ada.phone_number, "")
    await ada.say(shop.phone_number, "are you there?")
    async with shop.events("message.*") as events, ada.inbox() as inbox:
        await shop.start()
        await inbox.next()
        received = (await events.until(lambda event: event.HasField("message_received"))).message_received.message
        await events.until(lambda event: event.message_status_changed.reach.delivered_count == 1)
    found = await one_identity(shop, ada, accepted.chat.id, received.chat.id)
    assert found.id == accepted.chat.id


async def test_a_person_known_by_lid_first_keeps_that_identity(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada", naming=Naming.LID_ONLY)
    async with shop.events("message.received") as events:
        await ada.say(shop.phone_number, "hello")
        received = (await events.next()).message_received.message
    assert (received.chat.lid, received.chat.phone_number) == (ada.lid, "")
    await shop.stop()
    accepted = await shop.accept(ada.phone_number, "hello yourself")
    assert accepted.chat.id != received.chat.id
    async with world.gateway.events(kinds=["identity.merged"]) as merges:
        async with ada.inbox() as inbox:
            await shop.start()
            await inbox.next()
        merged = (await merges.until(lambda event: event.identity_merged.identity.lid == ada.lid)).identity_merged
    assert (merged.identity.id, list(merged.absorbed_ids)) == (received.chat.id, [accepted.chat.id])
    found = await one_identity(shop, ada, accepted.chat.id)
    assert found.id == received.chat.id
    assert list(found.alias_ids) == [accepted.chat.id]
    assert (await shop.message(accepted.message_id)).chat == found


async def test_an_earlier_id_is_still_written_to(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada", naming=Naming.LID_ONLY)
    async with shop.events("message.received") as events:
        await ada.say(shop.phone_number, "hello")
        await events.next()
    await shop.stop()
    absorbed = (await shop.accept(ada.phone_number, "one")).chat.id
    async with ada.inbox() as inbox:
        await shop.start()
        await inbox.next()
        await shop.accept(absorbed, "two")
        assert (await inbox.next()).text == "two"
