from __future__ import annotations

import pytest

from gateway.domain.addresses import parse_address
from gateway.domain.identities import Identity, Kind, new_place
from gateway.ports.unit_of_work import Prefetch, Store, UnitOfWork
from tests.conformance.store.making import TENANT, person
from tests.conformance.store.stage import NOON

GROUP = parse_address("120363012345678901@g.us")


async def add(store: Store, *identities: Identity) -> None:
    async def work(unit: UnitOfWork) -> None:
        for identity in identities:
            await unit.identities.add(TENANT, identity)

    await store.write(work)


async def test_people_and_places_are_found_by_every_address_they_have(store: Store) -> None:
    ada = person(lid="111@lid", phone_number="+4915111111111", push_name="Ada")
    ada.username, ada.business_user_id = "ada.l", "DE.1234567"
    group = new_place(GROUP, NOON)
    await add(store, ada, group)
    ways = [parse_address(way) for way in ("111@lid", "+4915111111111", "@ada.l", "DE.1234567", ada.identity_id)]
    unknown = parse_address("+4915199999999")
    found = await store.read(lambda unit: unit.identities.find(TENANT, [*ways, GROUP, unknown]))
    assert found == {**dict.fromkeys(ways, ada), GROUP: group}
    assert await store.read(lambda unit: unit.identities.get(TENANT, ada.identity_id)) == ada
    assert await store.read(lambda unit: unit.identities.find("other", ways)) == {}
    assert group.kind == Kind.KIND_GROUP


async def test_an_identity_is_found_by_a_name_that_an_earlier_step_of_the_unit_gave_it(store: Store) -> None:
    ada = person(phone_number="+4915111111111")
    await add(store, ada)
    old, new = parse_address("+4915111111111"), parse_address("222@lid")

    async def rename(unit: UnitOfWork) -> dict[str, str]:
        known = (await unit.identities.find(TENANT, [old, new]))[old]
        known.lid, known.phone_number = "222@lid", ""
        await unit.identities.save(TENANT, known)
        found = await unit.identities.find(TENANT, [old, new])
        return {address.value: identity.identity_id for address, identity in found.items()}

    assert await store.write(rename, Prefetch(addresses=((TENANT, old), (TENANT, new)))) == {"222@lid": ada.identity_id}


@pytest.mark.parametrize("taker_first", [True, False])
async def test_a_number_moves_from_one_person_to_another_in_any_order(store: Store, *, taker_first: bool) -> None:
    giver, taker = person(phone_number="+4915111111111"), person(lid="333@lid")
    await add(store, giver, taker)

    async def move(unit: UnitOfWork) -> None:
        giver.phone_number, taker.phone_number = "", "+4915111111111"
        for identity in (taker, giver) if taker_first else (giver, taker):
            await unit.identities.save(TENANT, identity)

    await store.write(move)
    number = parse_address("+4915111111111")
    found = await store.read(lambda unit: unit.identities.find(TENANT, [number]))
    assert found[number].identity_id == taker.identity_id


@pytest.mark.parametrize("names_first", [True, False])
async def test_an_absorbed_identity_is_an_alias_for_ever_and_its_names_are_free(
    store: Store, *, names_first: bool
) -> None:
    oldest, old, new = person(lid="1@lid"), person(lid="2@lid"), person(phone_number="+4915111111111")
    await add(store, oldest, old, new)
    await store.write(lambda unit: unit.identities.absorb(TENANT, old.identity_id, new.identity_id))

    async def join(unit: UnitOfWork) -> None:
        keep = await unit.identities.get(TENANT, oldest.identity_id)
        assert keep is not None
        keep.phone_number = "+4915111111111"
        if names_first:
            await unit.identities.save(TENANT, keep)
        await unit.identities.absorb(TENANT, oldest.identity_id, old.identity_id)
        if not names_first:
            await unit.identities.save(TENANT, keep)

    await store.write(join)
    addresses = [
        parse_address(text) for text in (old.identity_id, new.identity_id, oldest.identity_id, "+4915111111111")
    ]
    found = await store.read(lambda unit: unit.identities.find(TENANT, addresses))
    assert {identity.identity_id for identity in found.values()} == {oldest.identity_id}
    assert len(found) == 4
    assert found[addresses[0]].alias_ids == [new.identity_id, old.identity_id]
    assert await store.read(lambda unit: unit.identities.find(TENANT, [parse_address("2@lid")])) == {}


async def test_within_its_unit_an_absorbed_identity_answers_as_the_one_that_absorbed_it(store: Store) -> None:
    keep, gone = person(lid="1@lid"), person(lid="2@lid")
    await add(store, keep, gone)

    async def join(unit: UnitOfWork) -> list[str]:
        await unit.identities.absorb(TENANT, keep.identity_id, gone.identity_id)
        by_id = await unit.identities.get(TENANT, gone.identity_id)
        by_address = await unit.identities.find(TENANT, [parse_address(gone.identity_id), parse_address("2@lid")])
        return [one.identity_id for one in (by_id, *by_address.values()) if one]

    assert await store.write(join) == [keep.identity_id] * 2


async def test_an_alias_cannot_be_saved_as_if_it_were_still_one_of_its_own(store: Store) -> None:
    keep, gone = person(lid="1@lid"), person(lid="2@lid")
    await add(store, keep, gone)
    await store.write(lambda unit: unit.identities.absorb(TENANT, keep.identity_id, gone.identity_id))
    with pytest.raises(LookupError):
        await store.write(lambda unit: unit.identities.save(TENANT, gone))
