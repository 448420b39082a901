"""Who is who, against a model that knows nothing of stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.addresses import parse_address
from gateway.domain.events import StoredEvent
from gateway.domain.identities import Identity, Names
from gateway.domain.lines import Party
from gateway.services.identities import learn, learn_party
from tests.unit.services.house import House, event_of
from tests.unit.services.telling import arrives, person, place, says
from wagate.v1 import message_service_pb2 as pb

LIDS = [f"100{number}@lid" for number in range(4)]
PHONES = [f"+491510000000{number}" for number in range(4)]
A_FACT = st.builds(
    Names,
    lid=st.sampled_from(["", *LIDS]),
    phone_number=st.sampled_from(["", *PHONES]),
    push_name=st.sampled_from(["", "Ada", "Bob"]),
).filter(lambda names: bool(names.lid or names.phone_number))
_tenants = count(1)


@dataclass(eq=False)
class Person:
    """Somebody, and every id under which they were ever known."""

    lid: str = ""
    phone: str = ""
    name: str = ""
    ids: list[str] = field(default_factory=list)


@dataclass
class Model:
    """The rules of the contract, on a list of people, the oldest first."""

    people: list[Person] = field(default_factory=list)
    merged: int = 0
    moved: int = 0

    def learn(self, names: Names) -> Person:
        person = self._learn(names)
        person.name = names.push_name or person.name
        return person

    def _learn(self, names: Names) -> Person:
        by_lid = next((one for one in self.people if names.lid and one.lid == names.lid), None)
        by_phone = next((one for one in self.people if names.phone_number and one.phone == names.phone_number), None)
        if by_lid is None and by_phone is not None and not (names.lid and by_phone.lid):
            by_phone.lid = names.lid or by_phone.lid
            return by_phone
        if by_lid is None:
            by_lid = Person(names.lid)
            self.people.append(by_lid)
        if by_phone is not None and by_phone is not by_lid:
            if not by_phone.lid:
                return self._merge(by_lid, by_phone, names)
            by_phone.phone = ""
            self.moved += 1
        by_lid.phone = names.phone_number or by_lid.phone
        return by_lid

    def _merge(self, one: Person, other: Person, names: Names) -> Person:
        self.merged += 1
        older, younger = sorted((one, other), key=self.people.index)
        older.lid, older.phone = names.lid, names.phone_number
        older.ids += younger.ids
        older.name = older.name or younger.name
        self.people.remove(younger)
        return older


@given(st.lists(A_FACT, max_size=14))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_people_are_who_the_rules_say_whatever_is_learnt_in_whatever_order(
    house: House, facts: list[Names]
) -> None:
    tenant, model = f"t{next(_tenants)}", Model()
    for names in facts:
        person = model.learn(names)
        identity = await house.store.write(lambda uow, names=names: learn(uow, tenant, names))  # type: ignore[misc]
        if identity.identity_id not in person.ids:
            assert not person.ids, "an older id stays"
            person.ids.append(identity.identity_id)
        assert identity.identity_id == person.ids[0]
    for person in model.people:
        for address in filter(None, [*person.ids, person.lid, person.phone]):
            await _is(house, tenant, address, person)
    for phone in set(PHONES) - {person.phone for person in model.people}:
        assert await _found(house, tenant, phone) is None
    log = await house.store.read(lambda uow: uow.events.after(tenant, 0, limit=1000))
    assert _kinds(log) == {"identity.merged": model.merged, "identity.number_moved": model.moved}
    assert [event.sequence for event in log] == list(range(1, len(log) + 1))


async def _is(house: House, tenant: str, address: str, person: Person) -> None:
    identity = await _found(house, tenant, address)
    assert identity is not None
    assert (identity.identity_id, identity.lid, identity.phone_number, identity.display_name) == (
        person.ids[0],
        person.lid,
        person.phone,
        person.name,
    )
    assert sorted(identity.alias_ids) == sorted(person.ids[1:])


async def _found(house: House, tenant: str, address: str) -> Identity | None:
    wanted = parse_address(address)
    return (await house.store.read(lambda uow: uow.identities.find(tenant, [wanted]))).get(wanted)


def _kinds(log: list[StoredEvent]) -> dict[str, int]:
    kinds = ("identity.merged", "identity.number_moved")
    return {kind: sum(event.kind == kind for event in log) for kind in kinds}


async def _learn(house: House, lid: str = "", phone: str = "") -> Identity:
    return await house.store.write(lambda uow: learn(uow, DEFAULT_TENANT, Names(lid, phone)))


@pytest.mark.parametrize("phone_first", [True, False])
async def test_phone_and_lid_known_apart_become_one_under_the_older_id_which_the_younger_still_names(
    house: House, phone_first: bool
) -> None:
    if phone_first:
        older, younger = await _learn(house, phone=PHONES[0]), await _learn(house, lid=LIDS[0])
    else:
        older, younger = await _learn(house, lid=LIDS[0]), await _learn(house, phone=PHONES[0])
    for _ in range(3):
        assert (await _learn(house, LIDS[0], PHONES[0])).identity_id == older.identity_id
    for address in (older.identity_id, younger.identity_id, LIDS[0], PHONES[0]):
        known = await house.whose(address)
        assert known is not None
        assert known.identity_id == older.identity_id
    (merged,) = [event.identity_merged for event in await house.log("identity.merged")]
    assert merged.identity.id == older.identity_id
    assert (merged.identity.lid, merged.identity.phone_number) == (LIDS[0], PHONES[0])
    assert list(merged.absorbed_ids) == [younger.identity_id]


async def test_both_names_at_once_are_one_person_and_no_event(house: House) -> None:
    person = await _learn(house, LIDS[0], PHONES[0])
    assert (await _learn(house, lid=LIDS[0])).identity_id == person.identity_id
    assert (await _learn(house, phone=PHONES[0])).identity_id == person.identity_id
    assert await house.log("identity.merged", "identity.number_moved") == []


async def test_someone_who_changed_to_a_number_that_was_known_alone_has_it_from_then_on(house: House) -> None:
    ada = await _learn(house, LIDS[0], PHONES[0])
    await _learn(house, phone=PHONES[1])
    for _ in range(3):
        known = await _learn(house, LIDS[0], PHONES[1])
        assert (known.identity_id, known.phone_number) == (ada.identity_id, PHONES[1])
    (merged,) = [event.identity_merged for event in await house.log("identity.merged")]
    assert merged.identity.phone_number == PHONES[1]
    assert await house.whose(PHONES[0]) is None


async def test_a_number_that_changed_hands_belongs_to_the_new_owner_and_is_told_once(house: House) -> None:
    before, after = await _learn(house, LIDS[0], PHONES[0]), await _learn(house, LIDS[1], PHONES[0])
    assert before.identity_id != after.identity_id
    await _learn(house, LIDS[1], PHONES[0])
    (moved,) = [event.identity_number_moved for event in await house.log("identity.number_moved")]
    assert (moved.identity.id, moved.identity.phone_number) == (after.identity_id, PHONES[0])
    assert (moved.previous_identity.id, moved.previous_identity.phone_number) == (before.identity_id, "")
    owner = await house.whose(PHONES[0])
    assert owner is not None
    assert owner.identity_id == after.identity_id


async def test_chats_and_messages_of_two_that_are_one_are_joined(house: House) -> None:
    lease = await house.linked()
    by_phone = await arrives(house, lease, "from my number", phone_number=PHONES[0])
    by_lid = await arrives(house, lease, "from my LID", lid=LIDS[0], phone_number="")
    sent = await house.send("to my LID", to=LIDS[0])
    assert (await house.message(by_phone)).chat_id != (await house.message(by_lid)).chat_id
    kept = await _learn(house, LIDS[0], PHONES[0])
    for message_id in (by_phone, by_lid, sent):
        message = await house.message(message_id)
        assert message.chat_id == kept.identity_id
    for address in (LIDS[0], PHONES[0], *kept.alias_ids):
        request = pb.ListMessagesRequest(session_id="sales", chat=address)
        listed = (await house.messages.list(house.call(), request)).messages
        assert [message.message_id for message in listed] == [sent, by_lid, by_phone]


async def test_one_message_told_under_both_names_before_the_merge_and_again_after_it_is_no_third_one(
    house: House,
) -> None:
    lease = await house.linked()
    where = place(person(phone_number=PHONES[0]), "3A01")
    await house.inbox.message(lease, says("Good day", where))
    await _learn(house, LIDS[0], PHONES[0])
    again = place(person(lid=LIDS[0], phone_number=PHONES[0]), "3A01")
    await house.inbox.message(lease, says("Good day", again))
    assert len(await house.all_messages()) == 1


async def test_a_place_is_named_by_its_jid_and_known_once(house: House) -> None:
    async def twice(jid: str) -> set[str]:
        party = Party(place_jid=jid)
        found = [await house.store.write(lambda uow: learn_party(uow, DEFAULT_TENANT, party)) for _ in range(2)]
        return {place.identity_id for place in found}

    for jid in ("120363025246125486@g.us", "12036@newsletter", "status@broadcast", "1530000000@broadcast"):
        assert await twice(jid) == {jid}


async def test_events_of_identities_belong_to_the_tenant(house: House) -> None:
    await _learn(house, phone=PHONES[0])
    await _learn(house, lid=LIDS[0])
    await _learn(house, LIDS[0], PHONES[0])
    (stored,) = await house.stored_log()
    event = event_of(stored)
    assert (stored.session_uid, event.session_id, stored.sequence) == ("", "", 1)
    assert event.chat_id == event.identity_merged.identity.id
