from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.events import EVERYTHING, Cause, EventFilter, StoredEvent, draft, kind_of
from gateway.domain.identities import Names, new_person
from wagate.v1 import event_pb2 as pb

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stored(kind: str = "message.received", session_id: str = "sales", chat_id: str = "p_1") -> StoredEvent:
    uid = "s_" + session_id if session_id else ""
    return StoredEvent(1, "default", session_id, uid, 1, kind, chat_id, NOON, b"")


OF_TENANT = stored("identity.merged", session_id="")


def test_without_a_filter_everything_is_wanted() -> None:
    assert EVERYTHING.wants(stored())
    assert EVERYTHING.wants(OF_TENANT)


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (EventFilter(session_ids=frozenset({"sales", "support"})), True),
        (EventFilter(session_ids=frozenset({"support"})), False),
        (EventFilter(kinds=frozenset({"message.received"})), True),
        (EventFilter(kinds=frozenset({"session.*", "message.*"})), True),
        (EventFilter(kinds=frozenset({"message.accepted", "session.*"})), False),
        (EventFilter(kinds=frozenset({"mess.*"})), False),
        (EventFilter(chat_ids=frozenset({"p_1"})), True),
        (EventFilter(chat_ids=frozenset({"p_2"})), False),
        (EventFilter(frozenset({"sales"}), frozenset({"message.*"}), frozenset({"p_1"})), True),
        (EventFilter(frozenset({"sales"}), frozenset({"message.*"}), frozenset({"p_2"})), False),
        (EventFilter(tenant_events=False), True),
    ],
)
def test_an_event_is_wanted_when_every_field_that_is_set_matches(which: EventFilter, wanted: bool) -> None:
    assert which.wants(stored()) is wanted


def test_the_tenants_own_events_are_hidden_only_on_request() -> None:
    assert EventFilter(session_ids=frozenset({"sales"}), tenant_events=True).wants(OF_TENANT)
    assert not EventFilter(tenant_events=False).wants(OF_TENANT)
    assert not EventFilter(kinds=frozenset({"message.*"})).wants(OF_TENANT)


def test_a_kind_is_the_fields_name_with_its_first_underscore_as_a_dot() -> None:
    assert kind_of("message_status_changed") == "message.status_changed"
    assert kind_of("identity_number_moved") == "identity.number_moved"
    for field in pb.Event.DESCRIPTOR.oneofs_by_name["what"].fields:
        assert kind_of(field.name).count(".") == 1


def test_an_envelope_says_who_did_what_when_and_for_whom() -> None:
    ada = new_person(Names(push_name="Ada"), NOON)
    event = draft(
        pb.Event(message_received=pb.MessageReceived()),
        event_id="e_1",
        record_time=NOON,
        session_id="sales",
        session_uid="s_1",
        chat_id=ada.identity_id,
        actor=ada,
        occur_time=NOON - timedelta(minutes=1),
        cause=Cause("r-1", "c-1"),
    )
    assert (event.event_id, event.kind, event.session_id, event.session_uid) == (
        "e_1",
        "message.received",
        "sales",
        "s_1",
    )
    assert (event.chat_id, event.actor.display_name) == (ada.identity_id, "Ada")
    assert event.record_time.ToDatetime(UTC) - event.occur_time.ToDatetime(UTC) == timedelta(minutes=1)
    assert (event.request_id, event.correlation_id, event.cursor, event.sequence) == ("r-1", "c-1", "", 0)


def test_what_happens_here_happens_when_it_is_stored() -> None:
    event = draft(pb.Event(session_deleted=pb.SessionDeleted()), event_id="e_1", record_time=NOON)
    assert event.occur_time == event.record_time
    assert not event.HasField("actor")


def test_an_event_that_tells_nothing_is_a_fault() -> None:
    with pytest.raises(ValueError, match="tells something"):
        draft(pb.Event(), event_id="e_1", record_time=NOON)
