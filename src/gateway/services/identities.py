"""Who is who: names are learnt as they come, two that turn out to be one are merged, numbers that moved are moved.

A LID is one account and stronger than a phone number, which may change hands.
"""

from __future__ import annotations

from gateway.domain.addresses import Address, Form, parse_address
from gateway.domain.errors import AddressInvalid
from gateway.domain.identities import Identity, Names, new_person, new_place
from gateway.domain.lines import Party
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.log import tell_tenant
from wagate.v1 import event_pb2


async def learn_party(uow: UnitOfWork, tenant_id: str, party: Party) -> Identity:
    """The identity of a person or place that a line named; made if it is new."""
    if not party.place_jid:
        return await learn(uow, tenant_id, party.names)
    address = place_address(party.place_jid)
    found = await uow.identities.find(tenant_id, [address])
    if address in found:
        return found[address]
    place = new_place(address, uow.now)
    await uow.identities.add(tenant_id, place)
    return place


def place_address(jid: str) -> Address:
    """The address of a place that a line named. Lists and servers that the contract does not know are story feeds of
    their own: nobody can write there.
    """
    try:
        address = parse_address(jid)
    except AddressInvalid:
        return Address(Form.STORY_FEED, jid)
    return address if address.is_place else Address(Form.STORY_FEED, jid)


async def learn(uow: UnitOfWork, tenant_id: str, names: Names) -> Identity:
    """The identity of the person with these names, who now has all of them; made if it is new."""
    by_lid, by_phone = await _find(uow, tenant_id, names)
    if by_lid is None and by_phone is None:
        person = new_person(names, uow.now)
        await uow.identities.add(tenant_id, person)
        return person
    if by_lid is None or by_phone is None or by_lid.identity_id == by_phone.identity_id:
        return await _complete(uow, tenant_id, by_lid, by_phone, names)
    if by_phone.lid:
        return await _move_number(uow, tenant_id, by_lid, by_phone, names)
    return await _merge(uow, tenant_id, by_lid, by_phone, names)


async def _find(uow: UnitOfWork, tenant_id: str, names: Names) -> tuple[Identity | None, Identity | None]:
    lid = Address(Form.LID, names.lid)
    phone = Address(Form.PHONE_NUMBER, names.phone_number)
    found = await uow.identities.find(tenant_id, [address for address in (lid, phone) if address.value])
    return found.get(lid), found.get(phone)


async def _complete(
    uow: UnitOfWork, tenant_id: str, by_lid: Identity | None, by_phone: Identity | None, names: Names
) -> Identity:
    if by_lid is not None:
        return await _save_if_changed(uow, tenant_id, by_lid, names)
    if by_phone is None:
        raise ValueError("one of the two is known")
    if names.lid and by_phone.lid:
        newcomer = new_person(Names(lid=names.lid, push_name=names.push_name), uow.now)
        await uow.identities.add(tenant_id, newcomer)
        return await _move_number(uow, tenant_id, newcomer, by_phone, names)
    return await _save_if_changed(uow, tenant_id, by_phone, names)


async def _save_if_changed(uow: UnitOfWork, tenant_id: str, person: Identity, names: Names) -> Identity:
    known = (person.lid, person.phone_number, person.display_name)
    person.lid = names.lid or person.lid
    person.phone_number = names.phone_number or person.phone_number
    person.display_name = names.push_name or person.display_name
    if known != (person.lid, person.phone_number, person.display_name):
        await uow.identities.save(tenant_id, person)
    return person


async def _merge(uow: UnitOfWork, tenant_id: str, one: Identity, other: Identity, names: Names) -> Identity:
    kept, absorbed = sorted((one, other), key=lambda person: (person.create_time, person.identity_id))
    await uow.identities.absorb(tenant_id, kept.identity_id, absorbed.identity_id)
    await uow.messages.move_chat(tenant_id, absorbed.identity_id, kept.identity_id)
    absorbed_ids = [absorbed.identity_id, *absorbed.alias_ids]
    kept.alias_ids = kept.alias_ids + absorbed_ids
    kept.lid = names.lid
    kept.phone_number = names.phone_number
    kept.username = kept.username or absorbed.username
    kept.business_user_id = kept.business_user_id or absorbed.business_user_id
    kept.display_name = names.push_name or kept.display_name or absorbed.display_name
    await uow.identities.save(tenant_id, kept)
    merged = event_pb2.IdentityMerged(identity=kept.to_proto(), absorbed_ids=absorbed_ids)
    await tell_tenant(uow, tenant_id, event_pb2.Event(identity_merged=merged), chat_id=kept.identity_id)
    return kept


async def _move_number(uow: UnitOfWork, tenant_id: str, to: Identity, previous: Identity, names: Names) -> Identity:
    previous.phone_number = ""
    await uow.identities.save(tenant_id, previous)
    to.phone_number = names.phone_number
    to.display_name = names.push_name or to.display_name
    await uow.identities.save(tenant_id, to)
    moved = event_pb2.IdentityNumberMoved(identity=to.to_proto(), previous_identity=previous.to_proto())
    await tell_tenant(uow, tenant_id, event_pb2.Event(identity_number_moved=moved), chat_id=to.identity_id)
    return to


def names_of(address: Address) -> Names:
    """The names that an address says of a person; an id, a username or a business id says none."""
    match address.form:
        case Form.LID:
            return Names(lid=address.value)
        case Form.PHONE_NUMBER:
            return Names(phone_number=address.value)
        case _:
            return Names()
