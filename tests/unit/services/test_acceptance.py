from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.clocks import to_timestamp
from gateway.domain.errors import (
    AddressInvalid,
    IdentityNotFound,
    MessageNotFound,
    RecipientNotSupported,
    SessionLoggedOut,
    SessionNeverPaired,
    ValidationFailed,
)
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.messages import HoldKind
from gateway.services.acceptance import lone_signs, read_wish
from tests.unit.services.house import House, a_send
from tests.unit.services.telling import PHONE, arrives
from wagate.v1 import content_pb2
from wagate.v1 import message_service_pb2 as pb
from wagate.v1 import session_service_pb2 as session_pb


def mentioning(words: str, *addresses: str) -> pb.SendMessageRequest:
    request = a_send(words)
    for address in addresses:
        request.content.context.mentions.add(address=address)
    return request


def answering(message_id: str, *, to: str = PHONE) -> pb.SendMessageRequest:
    request = a_send("Yes", to=to)
    request.content.context.reply_to.message_id = message_id
    return request


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("@", 1),
        ("@ and @", 2),
        ("hello @, are you there?", 1),
        ("(@)", 1),
        ("*@*", 1),
        ("hi,@ you", 1),
        ("@ada", 0),
        ("ada@", 0),
        ("ada@example.org", 0),
        ("@@", 0),
        ("@_", 0),
        ("@é", 0),
        ("@7", 0),
        ("no sign", 0),
        ("@🎉", 1),
    ],
)
def test_a_sign_stands_alone_without_a_letter_digit_underscore_or_sign_beside_it(text: str, signs: int) -> None:
    assert lone_signs(text) == signs


@given(st.lists(st.sampled_from(["@", "word", "7", "_", "@@"]), max_size=12))
def test_between_spaces_every_single_sign_stands_alone_and_nothing_else(words: list[str]) -> None:
    assert lone_signs(" ".join(words)) == words.count("@")


@pytest.mark.parametrize(
    "request_",
    [
        mentioning("hello @"),
        mentioning("hello", PHONE),
        mentioning("@ and @", PHONE),
        mentioning("ada@example.org", PHONE),
    ],
)
def test_as_many_signs_stand_alone_as_people_are_mentioned(request_: pb.SendMessageRequest) -> None:
    if not request_.content.context.mentions:
        read_wish(request_)
        return
    with pytest.raises(ValidationFailed) as caught:
        read_wish(request_)
    assert [one.field for one in caught.value.violations] == ["content.context.mentions"]


def test_only_persons_can_be_mentioned_and_the_wrong_one_is_named() -> None:
    with pytest.raises(ValidationFailed) as caught:
        read_wish(mentioning("@ @", PHONE, "120363025246125486@g.us"))
    assert caught.value.violations[0].field == "content.context.mentions[1].address"
    with pytest.raises(AddressInvalid) as refused:
        read_wish(mentioning("@", "Ada"))
    assert refused.value.field == "content.context.mentions[0].address"


@pytest.mark.parametrize(
    ("to", "kind"),
    [("120363025246125486@g.us", "group"), ("12036@newsletter", "channel"), ("status@broadcast", "story feed")],
)
def test_places_cannot_be_written_to_yet(to: str, kind: str) -> None:
    with pytest.raises(RecipientNotSupported) as caught:
        read_wish(a_send(to=to))
    assert (caught.value.field, caught.value.facts) == ("to", {"kind": kind})


def test_what_is_only_ever_received_cannot_be_sent() -> None:
    request = a_send()
    request.content.CopyFrom(content_pb2.Content(unsupported=content_pb2.Unsupported()))
    with pytest.raises(ValidationFailed):
        read_wish(request)


async def test_people_who_are_mentioned_are_shown_as_who_they_are(house: House, lease: Lease) -> None:
    await arrives(house, lease, "Good day", lid="200@lid", phone_number="+4915100000011")
    shown = (await house.messages.send(house.call(), mentioning("@ and @", "200@lid", "+4915100000012"))).message
    ada, bob = shown.content.context.mentions
    assert (ada.identity.phone_number, ada.address) == ("+4915100000011", "")
    assert bob.identity.phone_number == "+4915100000012"
    known = await house.whose("+4915100000012")
    assert known is not None
    assert bob.identity.id == known.identity_id


async def test_an_answer_is_shown_with_who_said_what_is_answered(house: House, lease: Lease) -> None:
    asked = await arrives(house, lease, "Tea?" + "x" * 2000)
    request = answering(asked)
    request.content.context.reply_to.preview = "what the caller makes up"
    shown = (await house.messages.send(house.call(), request)).message
    quote = shown.content.context.reply_to
    assert (quote.message_id, quote.author.phone_number) == (asked, PHONE)
    assert quote.preview == ("Tea?" + "x" * 2000)[:1024]


async def test_only_a_message_of_the_same_chat_and_session_can_be_answered(house: House, lease: Lease) -> None:
    elsewhere = await arrives(house, lease, "Tea?", phone_number="+4915100000011")
    other = await house.linked("support")
    in_another_session = await arrives(house, other, "Tea?")
    for message_id in (elsewhere, in_another_session, "m_unknown", ""):
        with pytest.raises(MessageNotFound) as caught:
            await house.messages.send(house.call(), answering(message_id))
        assert caught.value.field == "content.context.reply_to.message_id"
    assert (await house.messages.send(house.call(), answering(elsewhere, to="+4915100000011"))).message.message_id


async def test_retrying_an_answer_that_mentions_keeps_both(house: House, lease: Lease) -> None:
    asked = await arrives(house, lease, "Tea?")
    request = mentioning("with @", "+4915100000012")
    request.content.context.reply_to.message_id = asked
    old = (await house.messages.send(house.call(), request)).message
    await house.messages.cancel(house.call(), pb.CancelMessageRequest(session_id="sales", message_id=old.message_id))
    retry = pb.RetryMessageRequest(session_id="sales", message_id=old.message_id)
    assert (await house.messages.retry(house.call(), retry)).message.content == old.content


async def test_an_address_that_names_nobody_is_refused_unless_whatsapp_can_tell(house: House, lease: Lease) -> None:
    del lease
    for to in ("@ada", "p_00000000000000000000000000", "US.13491208655302741918"):
        with pytest.raises(IdentityNotFound) as caught:
            await house.messages.send(house.call(), a_send(to=to))
        assert caught.value.field == "to"
    for to in ("+4915100000011", "200@lid"):
        assert (await house.messages.send(house.call(), a_send(to=to))).message.chat.id


async def test_a_message_is_given_up_when_its_caller_says_within_a_year_from_now(house: House, lease: Lease) -> None:
    del lease
    request, now = a_send(), house.clock.now()
    for moment in (now - timedelta(seconds=1), now + timedelta(days=366)):
        request.give_up_time.CopyFrom(to_timestamp(moment))
        with pytest.raises(ValidationFailed):
            await house.messages.send(house.call(), request)
    request.give_up_time.CopyFrom(to_timestamp(now + timedelta(days=364)))
    assert (await house.messages.send(house.call(), request)).message.give_up_time == request.give_up_time


async def test_what_was_never_paired_or_is_logged_out_sends_nothing(house: House) -> None:
    await house.create("new")
    with pytest.raises(SessionNeverPaired):
        await house.messages.send(house.call(), a_send(session_id="new"))
    lease = await house.leases.claim("w_test", limit=5, ttl=timedelta(days=1))
    await house.lines.stopped(lease[0])
    linked = await house.linked()
    await house.lines.logged_out(linked)
    with pytest.raises(SessionLoggedOut):
        await house.messages.send(house.call(), a_send())


async def test_once_a_logout_is_asked_for_nothing_more_is_accepted(house: House, lease: Lease) -> None:
    del lease
    await house.sessions.logout(house.call(), session_pb.LogoutSessionRequest(session_id="sales"))
    with pytest.raises(SessionLoggedOut):
        await house.messages.send(house.call(), a_send())


@pytest.mark.parametrize("state", [LineState.OPENING, LineState.DEGRADED, LineState.RECONNECTING, LineState.BLOCKED])
async def test_a_session_that_is_not_connected_accepts_and_shows_why_the_message_waits(
    house: House, lease: Lease, state: LineState
) -> None:
    await house.lines.changed(lease, LineChanged(state))
    message_id = await house.send()
    assert (await house.shown(message_id)).hold.kind == HoldKind.KIND_SESSION
    (accepted,) = await house.log("message.accepted")
    assert accepted.message_accepted.message.hold.kind == HoldKind.KIND_SESSION
    await house.lines.changed(lease, LineChanged(LineState.CONNECTED))
    assert not (await house.shown(message_id)).HasField("hold")
