"""An embedded installation becomes one on PostgreSQL, and its sessions go on without pairing again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stage.crowd import cursor_now
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.stage.persons import Person
from tests.stage.programs import built
from tests.stage.shop import PAIRED_WITHIN, Shop, State, new_shop, reached
from tests.upgrades.commands import told
from wagate.v1 import message_pb2


@pytest.mark.timeout(240)
async def test_a_session_goes_on_where_it_was_carried_to(lab: Lab, url: str, tmp_path: Path) -> None:
    ada = await lab.person("Ada")
    async with gateway_process(tmp_path / "embedded", lab.environment) as embedded:
        shop = await new_shop(embedded, lab)
        before = await sent(shop, ada, "from the file")
        cursor = await cursor_now(embedded)

    source = ("--from", f"sqlite:///{embedded.database}")
    engine = ("--engine.binary", str(built("wagate-engine")))
    status, said, complaint = await told("migrate", "--store.url", url, *source, *engine, folder=tmp_path)
    assert status == 0, complaint
    assert said.endswith("All rows were carried over, and the keys of 1 session.\n")

    async with gateway_process(tmp_path / "carried", {**lab.environment, "WAGATE_STORE__URL": url}) as carried:
        shop = Shop(carried, lab, shop.session_id, shop.account)
        async with carried.events(cursor, session_ids=[shop.session_id]) as events:
            await events.until(reached(State.STATE_CONNECTED), within=PAIRED_WITHIN)
            again = await shop.accept(ada.phone_number, "from the file", request_id="from the file")
            assert again.message_id == before.message_id
            await sent(shop, ada, "from PostgreSQL")
            await ada.say(shop.phone_number, "to PostgreSQL")
            await events.until(lambda event: event.HasField("message_received"), within=PAIRED_WITHIN)
        assert [message.content.text.text for message in await shop.messages()] == [
            "to PostgreSQL",
            "from PostgreSQL",
            "from the file",
        ]


async def sent(shop: Shop, person: Person, text: str) -> message_pb2.Message:
    """A message, once its recipient has it."""
    async with person.inbox() as inbox:
        message = await shop.accept(person.phone_number, text, request_id=text)
        await inbox.until(lambda received: received.text == text, within=PAIRED_WITHIN)
    return message
