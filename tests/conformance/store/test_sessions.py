from __future__ import annotations

import pytest

from gateway.domain.sessions import (
    Forbidden,
    LinkedDevice,
    OnAmbiguous,
    OutboxSize,
    Restriction,
    Session,
    State,
    new_session,
)
from gateway.ports.unit_of_work import Prefetch, Store, UnitOfWork
from tests.conformance.store.making import TENANT, at, message, stored, stored_session
from tests.conformance.store.stage import NOON
from wagate.v1.error_reason_pb2 import ErrorReason, Failure


def full_session() -> Session:
    session = new_session(TENANT, "full", "web", NOON)
    session.display_name = "Vertrieb ☎"
    session.metadata = {"team": "sales", "": "empty key"}
    session.expected_phone_number = "+4915112345678"
    session.restarts = 3
    session.logout_wanted = True
    session.state = State.STATE_BLOCKED
    session.failure = Failure(reason=ErrorReason.ERROR_REASON_SESSION_LOGGED_OUT, message="gone")
    session.next_attempt_time = at(1)
    session.on_ambiguous = OnAmbiguous.ON_AMBIGUOUS_HOLD
    session.restrictions = (
        Restriction(Forbidden.KIND_BANNED),
        Restriction(Forbidden.KIND_REACHOUT, at(2), at(3)),
    )
    session.device = LinkedDevice("4915112345678:7@s.whatsapp.net", "77@lid", "+4915112345678")
    session.account_id = "p_own"
    session.revision = 12
    return session


async def test_a_session_comes_back_as_it_was_stored(store: Store) -> None:
    session = full_session()
    await store.write(lambda unit: unit.sessions.add(session))
    assert await store.read(lambda unit: unit.sessions.get(TENANT, "full")) == session
    assert await store.read(lambda unit: unit.sessions.get_by_uid(session.uid)) == session


async def test_a_session_of_another_tenant_is_not_found(store: Store) -> None:
    await stored_session(store, "sales", tenant_id="other")
    assert await store.read(lambda unit: unit.sessions.get(TENANT, "sales")) is None


async def test_what_is_changed_and_not_saved_stays_as_it_was(store: Store) -> None:
    await stored_session(store)

    async def change_only(unit: UnitOfWork) -> None:
        session = await unit.sessions.get(TENANT, "sales")
        assert session is not None
        session.display_name = "changed"
        session.metadata["changed"] = "yes"

    await store.write(change_only)
    session = await store.read(lambda unit: unit.sessions.get(TENANT, "sales"))
    assert session is not None
    assert (session.display_name, session.metadata) == ("", {})


async def test_what_is_changed_after_saving_stays_as_it_was_saved(store: Store) -> None:
    await stored_session(store)

    async def save_and_change(unit: UnitOfWork) -> None:
        session = await unit.sessions.get(TENANT, "sales")
        assert session is not None
        session.display_name = "saved"
        await unit.sessions.save(session)
        session.display_name = "later"
        again = await unit.sessions.get(TENANT, "sales")
        assert again is not None
        assert again.display_name == "saved"

    await store.write(save_and_change)
    session = await store.read(lambda unit: unit.sessions.get(TENANT, "sales"))
    assert session is not None
    assert session.display_name == "saved"


async def test_a_deleted_session_gives_its_id_free_and_keeps_its_uid(store: Store) -> None:
    first = await stored_session(store)

    async def delete_and_create(unit: UnitOfWork) -> Session:
        session = await unit.sessions.get(TENANT, "sales")
        assert session is not None
        session.deleted_time = unit.now
        await unit.sessions.save(session)
        assert await unit.sessions.get(TENANT, "sales") is None
        second = new_session(TENANT, "sales", "web", unit.now)
        await unit.sessions.add(second)
        return second

    second = await store.write(delete_and_create, Prefetch(sessions=((TENANT, "sales"),)))
    assert await store.read(lambda unit: unit.sessions.get(TENANT, "sales")) == second
    deleted = await store.read(lambda unit: unit.sessions.get_by_uid(first.uid))
    assert deleted is not None
    assert deleted.deleted_time == NOON


async def test_two_live_sessions_of_one_id_cannot_be_stored(store: Store) -> None:
    await stored_session(store)
    with pytest.raises(Exception, match="session_id"):
        await stored_session(store)


async def test_a_page_goes_on_after_an_id_and_shows_only_the_states_asked_for(store: Store) -> None:
    for name in ("a", "b", "c", "d"):
        await stored_session(store, name)

    async def stop(unit: UnitOfWork) -> None:
        session = await unit.sessions.get(TENANT, "c")
        assert session is not None
        session.state = State.STATE_STOPPED
        await unit.sessions.save(session)

    await store.write(stop)

    async def names(after: str, limit: int, *states: State.ValueType) -> list[str]:
        page = await store.read(lambda unit: unit.sessions.page(TENANT, after=after, limit=limit, states=states))
        return [session.session_id for session in page]

    assert await names("", 10) == ["a", "b", "c", "d"]
    assert await names("a", 2) == ["b", "c"]
    assert await names("", 10, State.STATE_STOPPED) == ["c"]
    assert await names("", 10, State.STATE_STARTING, State.STATE_STOPPED) == ["a", "b", "c", "d"]


async def test_a_page_within_a_unit_shows_what_the_unit_stored(store: Store) -> None:
    async def work(unit: UnitOfWork) -> list[str]:
        await unit.sessions.add(new_session(TENANT, "new", "web", NOON))
        return [session.session_id for session in await unit.sessions.page(TENANT, after="", limit=10)]

    assert await store.write(work) == ["new"]


async def test_the_outbox_counts_what_waits_and_tells_since_when(store: Store) -> None:
    session = await stored_session(store)
    assert await store.read(lambda unit: unit.sessions.outbox(session.uid)) == OutboxSize()
    await stored(store, message(session, due_time=at(2)), message(session, due_time=at(1)))
    assert await store.read(lambda unit: unit.sessions.outbox(session.uid)) == OutboxSize(2, at(1))


async def test_the_providers_of_all_sessions_are_known_but_not_those_of_deleted_ones(store: Store) -> None:
    await stored_session(store, "one")
    await stored_session(store, "two")
    deleted = new_session(TENANT, "three", "simulator", NOON)
    deleted.deleted_time = NOON
    await store.write(lambda unit: unit.sessions.add(deleted))
    assert await store.read(lambda unit: unit.sessions.providers()) == ["web"]


async def test_the_census_counts_sessions_by_state_and_all_that_waits(store: Store) -> None:
    sessions = [await stored_session(store, name) for name in ("a", "b")]
    await stored(store, *(message(session, due_time=at(3)) for session in sessions))
    census = await store.read(lambda unit: unit.sessions.census())
    assert census.by_state == {State.STATE_STARTING: 2}
    assert census.outbox == OutboxSize(2, at(3))


async def test_of_some_sessions_those_that_were_deleted_are_told(store: Store) -> None:
    kept, deleted = await stored_session(store, "kept"), await stored_session(store, "deleted")
    deleted.deleted_time = at(1)
    await store.write(lambda unit: unit.sessions.save(deleted))
    asked = [kept.uid, deleted.uid, "s_of_nobody"]
    assert await store.read(lambda unit: unit.sessions.deleted_among(asked)) == [deleted.uid]
    assert await store.read(lambda unit: unit.sessions.deleted_among([])) == []


async def saved(store: Store, session: Session) -> None:
    await store.write(lambda unit: unit.sessions.save(session))


async def test_sessions_whose_restrictions_are_over_are_found_the_first_to_end_first(store: Store) -> None:
    ends = {"later": at(3), "first": at(1), "open": None, "second": at(2)}
    for name, end in ends.items():
        session = await stored_session(store, name)
        session.restrict(Restriction(Forbidden.KIND_REACHOUT, None, end))
        await saved(store, session)
    await stored_session(store, "free")

    async def over(limit: int) -> list[str]:
        found = await store.read(lambda unit: unit.sessions.with_ended_restrictions(at(2), limit))
        return [session.session_id for session in found]

    assert (await over(9), await over(1)) == (["first", "second"], ["first"])


async def test_sessions_of_all_tenants_are_found_by_their_state(store: Store) -> None:
    for name, tenant, state in (
        ("here", TENANT, State.STATE_CONNECTED),
        ("elsewhere", "other", State.STATE_DEGRADED),
        ("resting", TENANT, State.STATE_STOPPED),
        ("gone", TENANT, State.STATE_CONNECTED),
    ):
        session = await stored_session(store, name, tenant_id=tenant)
        session.state, session.deleted_time = state, at(1) if name == "gone" else None
        await saved(store, session)

    async def found(limit: int) -> int:
        states = (State.STATE_CONNECTED, State.STATE_DEGRADED)
        return len(await store.read(lambda unit: unit.sessions.in_states(states, limit)))

    assert (await found(9), await found(1)) == (2, 1)
