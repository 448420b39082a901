"""The logs of a whole run hold nothing that only its people should know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grpc import aio

from tests.acceptance.conftest import World
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.stage.refusing import refused
from tests.stage.shop import PAIRED_WITHIN, Shop, is_last
from wagate.v1 import contact_service_pb2, session_service_pb2
from wagate.v1.session_service_pb2_grpc import SessionServiceStub

if TYPE_CHECKING:
    from wagate.v1.session_service_pb2_grpc import SessionServiceAsyncStub

KEY: Final = "the-key-that-nobody-may-read"
WRONG_KEY: Final = "a-key-that-somebody-tried"
WRITTEN: Final = "canary written by the shop"
SAID: Final = "canary said by ada"
NOTE: Final = "canary in the caller's notes"


async def test_logs_hold_no_key_no_code_no_phone_number_and_nothing_that_was_said(lab: Lab, tmp_path: Path) -> None:
    environment = {**lab.environment, "WAGATE_ACCESS__KEY": KEY}
    async with gateway_process(tmp_path / "gateway", environment) as gateway:
        world = World(gateway, lab)
        secrets = [KEY, WRONG_KEY, WRITTEN, SAID, NOTE, *await a_whole_run(world)]
        await a_stranger_calls(world)
        await gateway.restart()
    log = gateway.process.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"info", "debug"} <= {line["level"] for line in lines}
    assert any(line["message"].startswith("whatsmeow") for line in lines), "the engine's own words are among them"
    assert [secret for secret in secrets if secret in log] == []


async def a_whole_run(world: World) -> list[str]:
    """Pair, write, answer, ask, err, log out; the codes and numbers that were used."""
    shop, other = await world.shop(paired=False), await world.shop(paired=False)
    ada, bob = await world.lab.person("Ada"), await world.lab.person("Bob")
    codes = [await pair(shop, ""), await pair(other, other.phone_number)]
    async with shop.events("message.*") as events, ada.inbox() as inbox:
        await shop.accept(ada.phone_number, WRITTEN, metadata={"note": NOTE}, request_id="written")
        received = await inbox.next()
        await ada.reply(received, SAID)
        await ada.read(received)
        await events.until(lambda event: event.HasField("message_received"))
        await events.until(lambda event: event.message_status_changed.reach.read_count == 1)
    with refused():
        await shop.accept(ada.phone_number, SAID, request_id="written")
    with refused():
        await shop.accept(f"{bob.phone_number} ", WRITTEN)
    asked = [bob.phone_number, "+4915100999990"]
    check = contact_service_pb2.CheckContactsRequest(session_id=shop.session_id, phone_numbers=asked)
    await world.gateway.contacts.CheckContacts(check)
    await shop.stop()
    await shop.accept(bob.phone_number, WRITTEN)
    await other.logout()
    delete = session_service_pb2.DeleteSessionRequest(session_id=shop.session_id, force=True)
    await world.gateway.sessions.DeleteSession(delete)
    numbers = [shop.phone_number, other.phone_number, ada.phone_number, *asked]
    return [part for code in codes for part in code] + [number.removeprefix("+") for number in numbers]


async def pair(shop: Shop, phone_number: str) -> list[str]:
    """Link a session, by QR or by code; what was shown for it, whole and in parts."""
    async with shop.pairing(phone_number) as frames:
        shown = (await frames.until(lambda frame: frame.HasField("code"))).code.text
        await (shop.lab.enter if phone_number else shop.lab.scan)(shop.account, shown)
        assert (await frames.until(is_last, within=PAIRED_WITHIN)).HasField("connected")
    parts = [shown.replace("-", "")] if phone_number else [part for part in shown.split(",") if len(part) > 20]
    return [shown, *parts]


async def a_stranger_calls(world: World) -> None:
    """Try a key that is none."""
    async with aio.insecure_channel(world.gateway.address) as channel:
        sessions: SessionServiceAsyncStub = SessionServiceStub(channel)
        with refused() as refusal:
            await sessions.ListSessions(
                session_service_pb2.ListSessionsRequest(),
                metadata=aio.Metadata(("authorization", f"Bearer {WRONG_KEY}")),
            )
    assert refusal.reason == "KEY_INVALID"
