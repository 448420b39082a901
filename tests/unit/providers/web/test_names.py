"""JIDs are people and places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.addresses import parse_address
from gateway.domain.identities import Names
from gateway.domain.lines import Party
from gateway.providers.web.names import device_of, device_proto, names_of, party_of
from wagate.engine.v1 import item_pb2


@pytest.mark.parametrize(
    ("jids", "names"),
    [
        (["4915112345678@s.whatsapp.net"], Names(phone_number="+4915112345678")),
        (["4915112345678:7@s.whatsapp.net"], Names(phone_number="+4915112345678")),
        (["4915112345678.0:7@s.whatsapp.net"], Names(phone_number="+4915112345678")),
        (["123@lid"], Names(lid="123@lid")),
        (["123:99@hosted.lid"], Names(lid="123@lid")),
        (["4915112345678@hosted"], Names(phone_number="+4915112345678")),
        (["123@lid", "4915112345678@s.whatsapp.net"], Names(lid="123@lid", phone_number="+4915112345678")),
        (["4915112345678@s.whatsapp.net", "123@lid"], Names(lid="123@lid", phone_number="+4915112345678")),
        (["123@lid", ""], Names(lid="123@lid")),
    ],
)
def test_a_person_has_the_names_that_its_jids_hold(jids: list[str], names: Names) -> None:
    assert names_of(*jids) == names


@pytest.mark.parametrize(
    "jid",
    [
        "120363025246125486@g.us",
        "12036@newsletter",
        "status@broadcast",
        "123456@broadcast",
        "867051314767696@bot",
        "0@s.whatsapp.net",
        "s.whatsapp.net",
    ],
)
def test_whatever_is_no_person_is_a_place_of_its_jid(jid: str) -> None:
    assert party_of(jid, "") == Party(place_jid=jid)
    assert names_of(jid) is None


def test_what_somebody_calls_themselves_goes_with_their_names() -> None:
    assert party_of("123@lid", push_name="Ada") == Party(names=Names(lid="123@lid", push_name="Ada"))


def test_a_device_keeps_its_number_and_loses_nothing_on_the_way_back() -> None:
    told = item_pb2.Device(jid="4915112345678:7@s.whatsapp.net", lid="123@lid", phone_number="+4915112345678")
    assert device_proto(device_of(told)) == told


SERVERS = ("s.whatsapp.net", "lid", "hosted", "hosted.lid", "c.us", "g.us", "newsletter", "broadcast", "bot", "")
NEARLY = st.text(max_size=30) | st.builds(
    "{}@{}".format, st.from_regex(r"[0-9a-z.:@٣-]{0,20}", fullmatch=True), st.sampled_from(SERVERS)
)


@given(NEARLY, NEARLY)
def test_whatever_a_line_calls_somebody_is_a_person_who_can_be_addressed_or_a_place(jid: str, other: str) -> None:
    party = party_of(jid, other)
    names = [name for name in (party.names.lid, party.names.phone_number) if name]
    assert party.place_jid == ("" if names else jid)
    for name in names:
        assert parse_address(name).value == name
