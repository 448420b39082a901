"""A session whose keys cannot be read says so, waits for a person, and disturbs no other."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.conftest import World
from tests.stage.shop import PAIRED_WITHIN, Shop, State, reached
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import message_pb2, session_pb2, session_service_pb2


async def uid_of(shop: Shop) -> str:
    """What tells a session from others of its name."""
    request = session_service_pb2.GetSessionRequest(session_id=shop.session_id)
    return (await shop.gateway.sessions.GetSession(request)).session.uid


def damage(file: Path) -> bytes:
    """Write over the middle of a file; what it held."""
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:100] + b"\xa5" * middle + whole[100 + middle :])
    return whole


async def becomes(shop: Shop, state: State.ValueType, after: str) -> session_pb2.SessionStatus:
    """Wait until a session is in a state, as its events behind a cursor tell."""
    filters = {"session_ids": [shop.session_id], "kinds": ["session.state_changed"]}
    async with shop.gateway.events(after, **filters) as events:
        return (await events.until(reached(state), within=PAIRED_WITHIN)).session_state_changed.status


async def newest_cursor(shop: Shop) -> str:
    """The cursor of the newest event of a session."""
    async with shop.events() as events:
        await shop.gateway.sessions.UpdateSession(
            session_service_pb2.UpdateSessionRequest(
                session=session_pb2.Session(session_id=shop.session_id, display_name="Shop")
            )
        )
        return (await events.next()).cursor


async def test_one_session_with_damaged_keys_is_blocked_until_a_person_helps_and_the_others_go_on(
    own_world: World,
) -> None:
    damaged, sound = await own_world.shop(), await own_world.shop()
    ada = await own_world.lab.person("Ada")
    file = own_world.gateway.folder / "data" / "sessions" / f"{await uid_of(damaged)}.db"
    cursors = {shop: await newest_cursor(shop) for shop in (damaged, sound)}
    await own_world.gateway.stop()
    whole = damage(file)
    await own_world.gateway.start()
    await becomes(sound, State.STATE_CONNECTED, cursors[sound])
    blocked = await becomes(damaged, State.STATE_BLOCKED, cursors[damaged])
    assert blocked.failure.reason == reasons.ERROR_REASON_KEYS_UNREADABLE
    async with ada.inbox() as inbox:
        waiting = await damaged.accept(ada.phone_number, "patience")
        assert waiting.hold.kind == message_pb2.Hold.KIND_SESSION
        await sound.accept(ada.phone_number, "all is well")
        assert (await inbox.next()).text == "all is well"
        file.write_bytes(whole)
        await own_world.gateway.sessions.RestartSession(
            session_service_pb2.RestartSessionRequest(session_id=damaged.session_id)
        )
        assert (await inbox.next(within=PAIRED_WITHIN)).text == "patience"
    await is_paired_anew(damaged, file)


async def is_paired_anew(shop: Shop, file: Path) -> None:
    """See that keys which stay damaged are forgotten by a logout, and that the session can be paired again."""
    await shop.stop()
    damage(file)
    async with shop.events("session.state_changed") as events:
        await shop.gateway.sessions.StartSession(session_service_pb2.StartSessionRequest(session_id=shop.session_id))
        await events.until(reached(State.STATE_BLOCKED), within=PAIRED_WITHIN)
        await shop.logout()
        await events.until(reached(State.STATE_LOGGED_OUT), within=PAIRED_WITHIN)
    await shop.pair()
    assert (await shop.status()).state == State.STATE_CONNECTED
