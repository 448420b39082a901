from __future__ import annotations

import pytest

from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.errors import AddressInvalid, IdentityNotFound
from gateway.domain.identities import Identity, Names
from gateway.services.identities import learn
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE
from wagate.v1 import contact_service_pb2 as pb


@pytest.fixture
async def ada(house: House) -> Identity:
    return await house.store.write(lambda uow: learn(uow, DEFAULT_TENANT, Names("200@lid", PHONE, "Ada")))


async def test_a_person_is_shown_by_every_name_they_have(house: House, ada: Identity) -> None:
    for address in (PHONE, PHONE[1:], PHONE[1:] + "@s.whatsapp.net", "200@lid", ada.identity_id):
        shown = (await house.contacts.identity(house.call(), pb.GetIdentityRequest(address=address))).identity
        assert (shown.id, shown.lid, shown.phone_number, shown.display_name) == (
            ada.identity_id,
            "200@lid",
            PHONE,
            "Ada",
        )


async def test_an_address_that_names_nobody_is_not_found_and_none_of_the_forms_is_refused(
    house: House, ada: Identity
) -> None:
    del ada
    with pytest.raises(IdentityNotFound):
        await house.contacts.identity(house.call(), pb.GetIdentityRequest(address="+4915199999999"))
    with pytest.raises(IdentityNotFound):
        await house.contacts.identity(house.call(tenant="other"), pb.GetIdentityRequest(address=PHONE))
    with pytest.raises(AddressInvalid):
        await house.contacts.identity(house.call(), pb.GetIdentityRequest(address="Ada"))


async def test_many_are_resolved_in_the_order_of_the_question_each_beside_what_was_asked(
    house: House, ada: Identity
) -> None:
    asked = ["+4915199999999", PHONE, PHONE[1:], "200@lid"]
    answer = await house.contacts.resolve(house.call(), pb.ResolveIdentitiesRequest(addresses=asked))
    assert [one.requested for one in answer.results] == asked
    assert [one.identity.id for one in answer.results] == ["", *[ada.identity_id] * 3]
    with pytest.raises(AddressInvalid) as caught:
        await house.contacts.resolve(house.call(), pb.ResolveIdentitiesRequest(addresses=[PHONE, "Ada"]))
    assert caught.value.field == "addresses[1]"


async def test_at_most_twenty_aliases_are_shown_and_all_of_them_work(house: House) -> None:
    kept = await house.store.write(lambda uow: learn(uow, DEFAULT_TENANT, Names(lid="300@lid")))
    for number in range(25):
        phone = f"+49151000001{number:02}"
        await house.store.write(lambda uow, phone=phone: learn(uow, DEFAULT_TENANT, Names("", phone)))  # type: ignore[misc]
        kept = await house.store.write(lambda uow, phone=phone: learn(uow, DEFAULT_TENANT, Names("300@lid", phone)))  # type: ignore[misc]
    shown = (await house.contacts.identity(house.call(), pb.GetIdentityRequest(address="300@lid"))).identity
    assert list(shown.alias_ids) == sorted(kept.alias_ids)[:20]
    assert len(kept.alias_ids) == 25
    for alias in kept.alias_ids:
        known = await house.whose(alias)
        assert known is not None
        assert known.identity_id == kept.identity_id
