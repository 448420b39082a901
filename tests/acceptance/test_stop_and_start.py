"""What was accepted waits for its session, and goes on; whatever happens to the gateway meanwhile."""

from tests.acceptance.conftest import World
from tests.stage.lab import Kind
from tests.stage.shop import State
from wagate.v1 import message_pb2

Message = message_pb2.Message
Hold = message_pb2.Hold


async def test_the_outbox_of_a_stopped_session_waits_with_a_visible_hold_and_goes_on_in_order(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    accepted = [await shop.accept(ada.phone_number, text) for text in ("one", "two", "three")]
    assert {(message.state, message.hold.kind) for message in accepted} == {(Message.STATE_QUEUED, Hold.KIND_SESSION)}
    status = await shop.status()
    assert (status.state, status.outbox_size) == (State.STATE_STOPPED, 3)
    async with ada.inbox() as inbox:
        await shop.start()
        assert [(await inbox.next()).text for _ in range(3)] == ["one", "two", "three"]
        async with shop.watch(accepted[-1].message_id) as watch:
            sent = await watch.until(lambda message: message.state == Message.STATE_SENT)
    assert not sent.HasField("hold")
    assert (await shop.status()).outbox_size == 0


async def test_a_session_that_was_stopped_stays_so_over_a_restart(own_world: World) -> None:
    shop = await own_world.shop()
    await shop.stop()
    await own_world.gateway.restart()
    assert (await shop.status()).state == State.STATE_STOPPED
    await shop.start()


async def test_a_gateway_that_is_killed_loses_and_doubles_nothing(own_world: World) -> None:
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    texts = [f"message {number}" for number in range(20)]
    async with ada.inbox() as inbox, own_world.lab.oracle() as oracle:
        for text in texts:
            await shop.accept(ada.phone_number, text)
        await inbox.next()
        await own_world.gateway.kill()
        said = await ada.say(shop.phone_number, "are you still there?")
        await own_world.gateway.start()
        await inbox.until(lambda received: received.text == texts[-1], within=60)
        await oracle.until(
            lambda entry: entry.kind == Kind.KIND_CONFIRMED and entry.provider_message_id == said, within=30
        )
        received = [message.text for message in inbox.seen]
    assert list(dict.fromkeys(received)) == texts
    by_id = {message.provider_message_id: message.text for message in inbox.seen}
    assert sorted(by_id.values()) == sorted(texts), "a repeat carries the same id"
    inbound = [message for message in await shop.messages() if message.direction == Message.DIRECTION_INBOUND]
    assert [message.provider_message_id for message in inbound] == [said]
