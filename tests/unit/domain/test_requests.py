from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.requests import fingerprint
from wagate.v1 import content_pb2
from wagate.v1 import message_service_pb2 as pb
from wagate.v1 import session_service_pb2 as sessions

WaitFor = pb.SendMessageRequest.WaitFor
NOTES = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=8)


def a_send(**changes: object) -> pb.SendMessageRequest:
    request = pb.SendMessageRequest(
        session_id="sales",
        to="+4915112345678",
        content=content_pb2.Content(text=content_pb2.Text(text="Good morning")),
        metadata={"order": "17", "shop": "mitte"},
    )
    request.MergeFrom(pb.SendMessageRequest(**changes))  # type: ignore[arg-type]
    return request


def test_the_id_itself_and_how_long_a_call_waits_do_not_count() -> None:
    waits = a_send(request_id="r-1", wait_for=WaitFor.WAIT_FOR_SENT, wait_timeout=Duration(seconds=5))
    assert fingerprint(waits) == fingerprint(a_send(request_id="r-2")) == fingerprint(a_send())


def test_every_other_field_counts() -> None:
    others = [
        a_send(session_id="support"),
        a_send(to="+4915112345679"),
        a_send(content=content_pb2.Content(text=content_pb2.Text(text="Good evening"))),
        a_send(content=content_pb2.Content(text=content_pb2.Text(link_preview=True))),
        a_send(metadata={"order": "18"}),
        a_send(give_up_time=Timestamp(seconds=1)),
        a_send(validate_only=True),
    ]
    named = {field.name for other in others for field, _ in other.ListFields()}
    compared = set(pb.SendMessageRequest.DESCRIPTOR.fields_by_name) - {"request_id", "wait_for", "wait_timeout"}
    assert named == compared, "a new field of the request needs a line above"
    prints = [fingerprint(request) for request in (a_send(), *others)]
    assert len(set(prints)) == len(prints)


@given(NOTES, st.randoms())
def test_the_order_of_a_map_does_not_count(notes: dict[str, str], chance: object) -> None:
    shuffled = list(notes.items())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fingerprint(_noted(list(notes.items()))) == fingerprint(_noted(shuffled))


@given(NOTES, NOTES)
def test_two_maps_are_one_body_exactly_when_they_are_equal(one: dict[str, str], other: dict[str, str]) -> None:
    same = fingerprint(_noted(list(one.items()))) == fingerprint(_noted(list(other.items())))
    assert same == (one == other)


def test_an_order_that_was_given_counts() -> None:
    one = pb.MarkMessagesReadRequest(session_id="sales", message_ids=["m_1", "m_2"])
    other = pb.MarkMessagesReadRequest(session_id="sales", message_ids=["m_2", "m_1"])
    assert fingerprint(one) != fingerprint(other)


def test_a_request_is_not_changed_by_looking_at_it() -> None:
    request = a_send(request_id="r-1", wait_for=WaitFor.WAIT_FOR_SENT)
    fingerprint(request)
    assert (request.request_id, request.wait_for) == ("r-1", WaitFor.WAIT_FOR_SENT)


def _noted(notes: list[tuple[str, str]]) -> sessions.CreateSessionRequest:
    request = sessions.CreateSessionRequest(request_id="r-1")
    for key, value in notes:
        request.session.metadata[key] = value
    return request
