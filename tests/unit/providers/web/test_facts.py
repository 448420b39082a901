"""What the engine tells arrives in the words of the domain."""

from datetime import UTC, datetime

import pytest

from gateway.domain.clocks import to_timestamp
from gateway.domain.identities import Names
from gateway.domain.lines import (
    CodeShown,
    DeviceLinked,
    LineChanged,
    LineState,
    MessageArrived,
    MessageUndecryptable,
    NamesLearned,
    OfflineSync,
    PairingFailed,
    Party,
    PasskeyWanted,
    Place,
    ReceiptArrived,
    ReceiptKind,
)
from gateway.domain.sessions import LinkedDevice
from gateway.providers.web.facts import ItemUnknown, fact_of
from wagate.engine.v1 import item_pb2 as pb
from wagate.v1 import content_pb2
from wagate.v1 import error_reason_pb2 as reasons

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STAMP = to_timestamp(NOON)
DEVICE = pb.Device(jid="4915112345678:7@s.whatsapp.net", lid="9@lid", phone_number="+4915112345678", push_name="Shop")
LINKED = LinkedDevice("4915112345678:7@s.whatsapp.net", "9@lid", "+4915112345678")
FAILURE = reasons.Failure(reason=reasons.ERROR_REASON_LINE_LOST, message="The line was lost.")


def test_a_line_that_came_up_names_its_device() -> None:
    told = pb.LineChanged(state=pb.LineChanged.STATE_CONNECTED, device=DEVICE)
    assert fact_of(pb.Item(line_changed=told)) == LineChanged(LineState.CONNECTED, device=LINKED, push_name="Shop")


def test_a_line_that_is_gone_says_why_and_when_it_is_tried_again() -> None:
    told = pb.LineChanged(state=pb.LineChanged.STATE_RECONNECTING, failure=FAILURE, next_attempt_time=STAMP)
    expected = LineChanged(LineState.RECONNECTING, failure=FAILURE, next_attempt_time=NOON)
    assert fact_of(pb.Item(line_changed=told)) == expected


@pytest.mark.parametrize("state", [state for state in pb.LineChanged.State.values() if state])
def test_every_state_of_a_line_is_known(state: pb.LineChanged.State.ValueType) -> None:
    fact = fact_of(pb.Item(line_changed=pb.LineChanged(state=state)))
    assert isinstance(fact, LineChanged)
    assert "STATE_" + fact.state.name == pb.LineChanged.State.Name(state)


@pytest.mark.parametrize("kind", [kind for kind in pb.ReceiptArrived.Kind.values() if kind])
def test_every_kind_of_receipt_is_known(kind: pb.ReceiptArrived.Kind.ValueType) -> None:
    fact = fact_of(pb.Item(receipt_arrived=pb.ReceiptArrived(chat_jid="1@lid", sender_jid="1@lid", kind=kind)))
    assert isinstance(fact, ReceiptArrived)
    assert "KIND_" + fact.kind.name == pb.ReceiptArrived.Kind.Name(kind)


def test_the_steps_of_an_attempt_are_told() -> None:
    code = pb.PairingStep.Code(text="2@abc", expire_time=STAMP, codes_left=5)
    passkey = pb.PairingStep.Passkey(public_key_options_json="{}", confirmation_code="ABC")
    steps = [
        (pb.PairingStep(attempt_id="a_1", code=code), CodeShown("a_1", "2@abc", NOON, 5)),
        (pb.PairingStep(attempt_id="a_1", passkey=passkey), PasskeyWanted("a_1", "{}", "ABC")),
        (pb.PairingStep(attempt_id="a_1", linked=DEVICE), DeviceLinked("a_1", LINKED, "Shop")),
        (pb.PairingStep(attempt_id="a_1", failed=FAILURE), PairingFailed("a_1", FAILURE)),
    ]
    for step, fact in steps:
        assert fact_of(pb.Item(pairing_step=step)) == fact


def place(edit: str = "") -> pb.MessagePlace:
    return pb.MessagePlace(
        provider_message_id="3EB0A",
        chat_jid="123@lid",
        chat_alternate_jid="4915100000001@s.whatsapp.net",
        sender_jid="123:4@lid",
        sender_alternate_jid="4915100000001@s.whatsapp.net",
        push_name="Ada",
        send_time=STAMP,
        edit=edit,
    )


ADA = Names("123@lid", "+4915100000001")
ADA_BY_NAME = Names("123@lid", "+4915100000001", "Ada")


def test_a_message_names_its_chat_its_sender_and_whom_it_quotes_and_mentions() -> None:
    content = content_pb2.Content(text=content_pb2.Text(text="hello @"))
    told = pb.MessageArrived(
        place=place(edit="1"),
        content=content,
        quoted_provider_message_id="3EB0B",
        quoted_author_jid="9@lid",
        quoted_preview="what was said",
        mention_jids=["4915112345678@s.whatsapp.net", "7@lid"],
    )
    assert fact_of(pb.Item(message_arrived=told)) == MessageArrived(
        place=Place("3EB0A", Party(ADA), Party(ADA_BY_NAME), from_me=False, send_time=NOON, edit="1"),
        content=content,
        quoted_provider_message_id="3EB0B",
        quoted_author=Names(lid="9@lid"),
        quoted_preview="what was said",
        mentions=(Names(phone_number="+4915112345678"), Names(lid="7@lid")),
    )


def test_a_message_of_a_group_stands_in_a_place() -> None:
    told = pb.MessageArrived(place=pb.MessagePlace(chat_jid="1203@g.us", sender_jid="123@lid", send_time=STAMP))
    fact = fact_of(pb.Item(message_arrived=told))
    assert isinstance(fact, MessageArrived)
    assert fact.place.chat == Party(place_jid="1203@g.us")
    assert fact.quoted_author is None


def test_a_message_that_cannot_be_read_tells_whether_it_was_asked_for_again() -> None:
    told = pb.MessageUndecryptable(place=place(), requested_again=True)
    fact = fact_of(pb.Item(message_undecryptable=told))
    assert isinstance(fact, MessageUndecryptable)
    assert fact.requested_again


def test_a_receipt_tells_whose_it_is_and_of_what() -> None:
    told = pb.ReceiptArrived(
        chat_jid="123@lid",
        sender_jid="123@lid",
        sender_alternate_jid="4915100000001@s.whatsapp.net",
        provider_message_ids=["3EB0A", "3EB0B"],
        kind=pb.ReceiptArrived.KIND_READ,
        receipt_time=STAMP,
    )
    chat, sender = Party(Names(lid="123@lid")), Party(ADA)
    expected = ReceiptArrived(chat, sender, ("3EB0A", "3EB0B"), ReceiptKind.READ, NOON)
    assert fact_of(pb.Item(receipt_arrived=told)) == expected


def test_names_and_the_offline_queue_are_told() -> None:
    names = pb.PersonNames(lid="123@lid", phone_number="+4915100000001")
    assert fact_of(pb.Item(names_learned=pb.NamesLearned(names=names))) == NamesLearned(ADA)
    sync = pb.OfflineSync(phase=pb.OfflineSync.PHASE_COMPLETED, item_count=3)
    assert fact_of(pb.Item(offline_sync=sync)) == OfflineSync(completed=True, item_count=3)


@pytest.mark.parametrize(
    "item",
    [
        pb.Item(),
        pb.Item(line_changed=pb.LineChanged()),
        pb.Item(pairing_step=pb.PairingStep()),
        pb.Item(receipt_arrived=pb.ReceiptArrived(chat_jid="1@lid", sender_jid="1@lid", kind=99)),  # type: ignore[arg-type]
        pb.Item(offline_sync=pb.OfflineSync()),
    ],
)
def test_what_is_not_known_is_called_so(item: pb.Item) -> None:
    with pytest.raises(ItemUnknown):
        fact_of(item)
