"""The engine is lost, or loses its gateway; neither costs a message."""

import os
import signal

from tests.acceptance.conftest import World
from tests.stage.processes import engine_of, gone
from tests.stage.shop import PAIRED_WITHIN, State, reached


async def test_an_engine_that_is_killed_is_replaced_and_nothing_is_lost(own_world: World) -> None:
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    gateway = own_world.gateway.process.process_id
    first = engine_of(gateway)
    async with shop.events() as events, ada.inbox() as inbox:
        os.kill(first, signal.SIGKILL)
        said = await ada.say(shop.phone_number, "are you there?")
        await shop.accept(ada.phone_number, "yes")
        lost = await events.until(reached(State.STATE_RECONNECTING))
        assert lost.session_state_changed.status.HasField("next_attempt_time")
        received = await events.until(lambda event: event.HasField("message_received"), within=PAIRED_WITHIN)
        assert received.message_received.message.provider_message_id == said
        assert (await inbox.next(within=PAIRED_WITHIN)).text == "yes"
    assert (await shop.status()).state == State.STATE_CONNECTED
    assert engine_of(gateway) != first


async def test_an_engine_ends_within_a_second_of_its_gateway(own_world: World) -> None:
    engine = engine_of(own_world.gateway.process.process_id)
    await own_world.gateway.kill()
    await gone(engine, within=1)
