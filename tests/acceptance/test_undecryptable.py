"""A message that cannot be read stands as a placeholder until its author's client has sent it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from tests.acceptance.conftest import World
from tests.stage.lab import Kind
from tests.stage.persons import Person
from tests.stage.shop import Shop, as_told
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2
from wagate.lab.v1.oracle_pb2 import OracleEntry
from wagate.v1 import event_pb2, message_pb2

Message = message_pb2.Message
Fault = lab_service_pb2.SetFaultRequest.Fault

RECEIVED, UNDECRYPTABLE, RESOLVED = "message.received", "message.undecryptable", "message.resolved"


async def acquainted(world: World) -> tuple[Shop, Person]:
    """A shop that has heard of Ada before, and owes her no receipt."""
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with world.lab.oracle() as oracle:
        said = await ada.say(shop.phone_number, "hello")
        await oracle.until(recorded(Kind.KIND_CONFIRMED, "text", shop.phone_number, said))
    return shop, ada


async def told(events: Watch[event_pb2.Event], **counts: int) -> list[event_pb2.Event]:
    """The events up to the one with which so many have come of each kind of `message.…`."""
    missing = Counter({f"message.{kind}": count for kind, count in counts.items()})
    seen: list[event_pb2.Event] = []
    while missing:
        seen.append(await events.next())
        missing -= Counter([seen[-1].kind])
    return seen


def message_of(event: event_pb2.Event) -> message_pb2.Message:
    """The message that an event shows, whatever it tells of it."""
    match event.kind:
        case "message.undecryptable":
            return event.message_undecryptable.message
        case "message.resolved":
            return event.message_resolved.message
        case _:
            return event.message_received.message


def shown(events: Sequence[event_pb2.Event], kind: str) -> list[message_pb2.Message]:
    """The messages that the events of a kind show."""
    return [message_of(event) for event in events if event.kind == kind]


def recorded(kind: Kind.ValueType, sort: str, account: str, provider_message_id: str) -> Callable[[OracleEntry], bool]:
    """Whether an entry of the oracle is of a kind, and of this sort of stanza, account and message."""
    wanted = (kind, sort, account, provider_message_id)
    return lambda entry: (entry.kind, entry.type, entry.account, entry.provider_message_id) == wanted


def texts_of(messages: Sequence[message_pb2.Message]) -> list[str]:
    """What messages say."""
    return [message.content.text.text for message in messages]


async def test_what_cannot_be_read_is_a_placeholder_that_its_words_complete(world: World) -> None:
    shop, ada = await acquainted(world)
    await world.lab.fault(shop.account, Fault(garble_count=1))
    async with shop.events() as events:
        said = await ada.say(shop.phone_number, "are you open?")
        seen = await told(events, undecryptable=1, resolved=1)
        await ada.say(shop.phone_number, "and tomorrow?")
        seen += await told(events, received=1)
    (placeholder,), (completed,) = shown(seen, UNDECRYPTABLE), shown(seen, RESOLVED)
    assert placeholder.content.undecryptable.requested_again
    assert (placeholder.direction, placeholder.state) == (Message.DIRECTION_INBOUND, Message.STATE_RECEIVED)
    assert (placeholder.provider_message_id, placeholder.sender.lid) == (said, ada.lid)
    assert completed.message_id == placeholder.message_id
    assert completed.content.text.text == "are you open?"
    assert completed.revision > placeholder.revision
    assert (completed.send_time, completed.sender.id) == (placeholder.send_time, placeholder.sender.id)
    assert as_told(await shop.message(placeholder.message_id)) == completed
    assert texts_of(shown(seen, RECEIVED)) == ["and tomorrow?"]
    assert texts_of(await shop.messages()) == ["and tomorrow?", "are you open?", "hello"]
    assert [event.sequence for event in seen] == list(range(seen[0].sequence, seen[0].sequence + len(seen)))


async def test_its_author_is_asked_for_it_and_then_told_that_it_arrived(world: World) -> None:
    shop, ada = await acquainted(world)
    await world.lab.fault(shop.account, Fault(garble_count=1))
    async with world.lab.oracle() as oracle:
        said = await ada.say(shop.phone_number, "are you open?")
        for kind, sort in ((Kind.KIND_FORWARDED, "retry"), (Kind.KIND_ACCEPTED, "text"), (Kind.KIND_FORWARDED, "")):
            await oracle.until(recorded(kind, sort, ada.phone_number, said))


async def test_a_stranger_whose_first_words_cannot_be_read_is_known_all_the_same(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await world.lab.fault(shop.account, Fault(garble_count=1))
    async with shop.events("message.*") as events:
        await ada.say(shop.phone_number, "hello")
        placeholder, completed = map(message_of, await told(events, undecryptable=1, resolved=1))
    assert (placeholder.sender.phone_number, placeholder.sender.display_name) == (ada.phone_number, "Ada")
    assert (completed.message_id, completed.content.text.text) == (placeholder.message_id, "hello")
    assert (completed.chat.id, completed.sender.id) == (placeholder.chat.id, placeholder.sender.id)


async def test_several_in_a_row_are_each_completed_by_their_own_words(world: World) -> None:
    shop, ada = await acquainted(world)
    words = ["one", "two", "three", "four"]
    await world.lab.fault(shop.account, Fault(garble_count=len(words)))
    async with shop.events("message.*") as events:
        said = [await ada.say(shop.phone_number, text) for text in words]
        seen = await told(events, undecryptable=len(words), resolved=len(words))
    placeholders, completed = shown(seen, UNDECRYPTABLE), shown(seen, RESOLVED)
    assert [message.provider_message_id for message in placeholders] == said
    found = {message.message_id: message.content.text.text for message in completed}
    assert [found[message.message_id] for message in placeholders] == words
    assert texts_of(await shop.messages()) == ["four", "three", "two", "one", "hello"]


async def test_one_among_others_holds_nobody_up(world: World) -> None:
    shop, ada = await acquainted(world)
    bob = await world.lab.person("Bob")
    await shop.stop()
    await world.lab.fault(shop.account, Fault(garble_count=1))
    await ada.say(shop.phone_number, "one")
    await ada.go(online=False)
    await bob.say(shop.phone_number, "two")
    async with shop.events("message.*") as events:
        await shop.start()
        seen = await told(events, undecryptable=1, received=1)
        assert texts_of(shown(seen, RECEIVED)) == ["two"]
        await ada.go(online=True)
        (completed,) = shown(await told(events, resolved=1), RESOLVED)
    assert (completed.sender.lid, completed.content.text.text) == (ada.lid, "one")


async def test_one_that_waited_at_whatsapp_is_completed_too(world: World) -> None:
    shop, ada = await acquainted(world)
    await shop.stop()
    await world.lab.fault(shop.account, Fault(garble_count=1))
    await ada.say(shop.phone_number, "good night")
    await ada.say(shop.phone_number, "and good luck")
    async with shop.events("message.*") as events:
        await shop.start()
        seen = await told(events, undecryptable=1, resolved=1, received=1)
    (placeholder,), (completed,) = shown(seen, UNDECRYPTABLE), shown(seen, RESOLVED)
    assert (placeholder.origin, completed.origin) == (Message.ORIGIN_OFFLINE, Message.ORIGIN_OFFLINE)
    assert (completed.message_id, completed.content.text.text) == (placeholder.message_id, "good night")
    assert texts_of(shown(seen, RECEIVED)) == ["and good luck"]
    assert texts_of(await shop.messages()) == ["and good luck", "good night", "hello"]


async def test_what_the_owner_writes_on_the_phone_can_be_read_later_too(world: World) -> None:
    shop, ada = await acquainted(world)
    owner = await world.lab.person("Owner", phone_number=shop.phone_number)
    async with shop.events("message.accepted", UNDECRYPTABLE, RESOLVED) as events:
        await owner.say(ada.phone_number, "I am open")
        await told(events, accepted=1)
        await world.lab.fault(shop.account, Fault(garble_count=1))
        await owner.say(ada.phone_number, "until eight")
        placeholder, completed = map(message_of, await told(events, undecryptable=1, resolved=1))
    assert (placeholder.direction, placeholder.origin) == (Message.DIRECTION_OUTBOUND, Message.ORIGIN_OTHER_DEVICE)
    assert (completed.message_id, completed.content.text.text) == (placeholder.message_id, "until eight")
    assert completed.chat.id == placeholder.chat.id
    assert completed.chat.lid == ada.lid


async def test_words_that_come_over_a_later_line_complete_it_as_well(world: World) -> None:
    shop, ada = await acquainted(world)
    await shop.stop()
    await world.lab.fault(shop.account, Fault(garble_count=1))
    await ada.say(shop.phone_number, "good night")
    await ada.go(online=False)
    async with shop.events("message.*") as events:
        await shop.start()
        (placeholder,) = shown(await told(events, undecryptable=1), UNDECRYPTABLE)
        await shop.stop()
        await shop.start()
        await ada.go(online=True)
        (completed,) = shown(await told(events, resolved=1), RESOLVED)
    assert (completed.message_id, completed.content.text.text) == (placeholder.message_id, "good night")
    assert len(await shop.messages()) == 2
