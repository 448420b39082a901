from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gateway.domain.sessions import (
    RESTING,
    DesiredState,
    Forbidden,
    LinkedDevice,
    OutboxSize,
    Restriction,
    Session,
    State,
    new_session,
)
from wagate.v1 import session_pb2

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNNING, STOPPED = DesiredState.DESIRED_STATE_RUNNING, DesiredState.DESIRED_STATE_STOPPED


def a_session(**changes: object) -> Session:
    session = new_session("default", "sales", "web", NOON)
    for name, value in changes.items():
        setattr(session, name, value)
    return session


@pytest.mark.parametrize(
    ("desired", "logout", "state"),
    [case for case in product((RUNNING, STOPPED), (True, False), State.values()) if case[2]],
)
def test_a_session_needs_an_owner_while_it_ought_to_run_has_to_log_out_or_does_not_rest_yet(
    desired: DesiredState.ValueType, logout: bool, state: State.ValueType
) -> None:
    session = a_session(desired_state=desired, logout_wanted=logout, state=state)
    assert session.is_wanted == (desired == RUNNING or logout or state not in RESTING)


def test_a_deleted_session_needs_no_owner() -> None:
    assert not a_session(deleted_time=NOON).is_wanted
    assert not a_session(deleted_time=NOON, state=State.STATE_STOPPED, desired_state=STOPPED).is_wanted


def shown(session: Session, now: datetime) -> list[session_pb2.Restriction]:
    return list(session.status_proto(now, None, OutboxSize(), ()).restrictions)


def test_a_ban_is_shown_until_it_ends() -> None:
    session = a_session(restrictions=(Restriction(Forbidden.KIND_BANNED, NOON, NOON),))
    (banned,) = shown(session, NOON - timedelta(seconds=1))
    assert banned.kind == Forbidden.KIND_BANNED
    assert banned.until_time.ToDatetime(UTC) == NOON
    assert shown(session, NOON) == []


def test_a_restriction_of_which_no_end_is_known_is_shown_without_one() -> None:
    session = a_session(restrictions=(Restriction(Forbidden.KIND_REACHOUT, None, NOON),))
    (locked,) = shown(session, NOON - timedelta(seconds=1))
    assert (locked.kind, locked.HasField("until_time")) == (Forbidden.KIND_REACHOUT, False)
    assert shown(session, NOON) == []


def test_of_each_kind_one_restriction_stands_and_each_ends_for_itself() -> None:
    session = a_session()
    for end in (NOON, NOON + timedelta(hours=1)):
        session.restrict(Restriction(Forbidden.KIND_REACHOUT, end, end))
    session.restrict(Restriction(Forbidden.KIND_BANNED))
    assert [one.kind for one in session.restrictions] == [Forbidden.KIND_REACHOUT, Forbidden.KIND_BANNED]
    assert session.restrictions_end_time == NOON + timedelta(hours=1)
    session.lift_ended(NOON + timedelta(hours=1))
    assert session.restriction(Forbidden.KIND_REACHOUT, NOON) is None
    assert session.restriction(Forbidden.KIND_BANNED, NOON) is not None
    session.lift(Forbidden.KIND_BANNED)
    assert not session.restrictions
    assert session.restrictions_end_time is None


def test_a_session_can_do_something_only_once_it_is_linked() -> None:
    status = a_session().status_proto(NOON, None, OutboxSize(), ("send.text",))
    assert (list(status.capabilities), status.HasField("account")) == ([], False)
    linked = a_session(device=LinkedDevice("1:2@s.whatsapp.net"))
    assert list(linked.status_proto(NOON, None, OutboxSize(), ("send.text",)).capabilities) == ["send.text"]


def test_the_outbox_is_as_old_as_its_oldest_message_and_never_from_the_future() -> None:
    old = a_session().status_proto(NOON, None, OutboxSize(2, NOON - timedelta(minutes=1)), ())
    assert (old.outbox_size, old.outbox_age.ToTimedelta()) == (2, timedelta(minutes=1))
    young = a_session().status_proto(NOON, None, OutboxSize(1, NOON + timedelta(minutes=1)), ())
    assert young.outbox_age.ToTimedelta() == timedelta(0)
    assert not a_session().status_proto(NOON, None, OutboxSize(), ()).HasField("outbox_age")


def test_two_sessions_of_one_id_are_told_apart_by_their_uid() -> None:
    assert a_session().uid != a_session().uid
    assert a_session().etag != a_session().etag
