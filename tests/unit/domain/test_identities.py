from datetime import UTC, datetime

import pytest

from gateway.domain.addresses import parse_address
from gateway.domain.identities import Kind, Names, new_person, new_place

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_lid_is_the_strongest_name() -> None:
    assert Names("200@lid", "+4915112345678").jid() == "200@lid"
    assert Names(phone_number="+4915112345678").jid() == "4915112345678@s.whatsapp.net"


def test_a_new_person_has_an_id_of_ours_and_all_names_that_are_known() -> None:
    person = new_person(Names("200@lid", "+4915112345678", "Ada"), NOON)
    assert person.identity_id.startswith("p_")
    assert person.names() == Names("200@lid", "+4915112345678", "Ada")
    assert person.to_proto().kind == Kind.KIND_PERSON


@pytest.mark.parametrize(
    ("jid", "kind"),
    [
        ("120363025246125486@g.us", Kind.KIND_GROUP),
        ("12036@newsletter", Kind.KIND_CHANNEL),
        ("status@broadcast", Kind.KIND_STORY_FEED),
    ],
)
def test_a_place_is_its_jid(jid: str, kind: Kind.ValueType) -> None:
    place = new_place(parse_address(jid), NOON)
    assert (place.identity_id, place.kind) == (jid, kind)


def test_a_copy_can_be_changed_without_changing_the_person() -> None:
    person = new_person(Names("200@lid"), NOON)
    copy = person.copy()
    copy.alias_ids.append("p_older")
    assert person.alias_ids == []


def test_no_more_than_twenty_aliases_are_shown() -> None:
    person = new_person(Names("200@lid"), NOON)
    person.alias_ids = [f"p_{number}" for number in range(30)]
    assert list(person.to_proto().alias_ids) == person.alias_ids[:20]
