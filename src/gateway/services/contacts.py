"""Contacts: who people are, as far as is known, and who has an account."""

from __future__ import annotations

from gateway.domain.access import Call
from gateway.domain.addresses import parse_address
from gateway.domain.errors import IdentityNotFound
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.asking import LiveRequests, Owners, check_connected
from gateway.services.repeats import Repeat
from gateway.services.sessions import read_session
from wagate.v1 import contact_service_pb2 as pb
from wagate.worker.v1 import owner_pb2


class Contacts:
    """The use cases of ContactService."""

    def __init__(self, store: Store, owners: Owners, live: LiveRequests) -> None:
        self._store = store
        self._owners = owners
        self._live = live

    async def check(self, call: Call, request: pb.CheckContactsRequest) -> pb.CheckContactsResponse:
        """Ask WhatsApp which numbers have an account."""
        repeat = Repeat(call, "CheckContacts", request.session_id, request.request_id, request)

        async def ask(call: Call) -> pb.CheckContactsResponse:
            session = await read_session(self._store, call.tenant_id, request.session_id)
            check_connected(session)
            question = owner_pb2.CheckContacts(phone_numbers=request.phone_numbers)
            reply = await self._owners.ask(call, session, owner_pb2.OwnerRequest(check_contacts=question))
            return await self._checked(call, reply.checked_contacts)

        response, repeated = await self._live.once(call, repeat, pb.CheckContactsResponse, ask)
        response.repeated_request = repeated
        return response

    async def _checked(self, call: Call, checked: owner_pb2.CheckedContacts) -> pb.CheckContactsResponse:
        async def work(uow: UnitOfWork) -> pb.CheckContactsResponse:
            response = pb.CheckContactsResponse()
            for contact in checked.contacts:
                person = await uow.identities.get(call.tenant_id, contact.identity_id)
                result = pb.ContactCheck(
                    requested=contact.requested,
                    on_whatsapp=contact.on_whatsapp,
                    identity=person.to_proto() if person else None,
                )
                response.results.append(result)
            return response

        return await self._store.read(work)

    async def identity(self, call: Call, request: pb.GetIdentityRequest) -> pb.GetIdentityResponse:
        """Show what is known of one."""
        address = parse_address(request.address, field="address")

        async def work(uow: UnitOfWork) -> pb.GetIdentityResponse:
            found = await uow.identities.find(call.tenant_id, [address])
            if address not in found:
                raise IdentityNotFound(field="address")
            return pb.GetIdentityResponse(identity=found[address].to_proto())

        return await self._store.read(work)

    async def resolve(self, call: Call, request: pb.ResolveIdentitiesRequest) -> pb.ResolveIdentitiesResponse:
        """Show what is known of many."""
        addresses = [parse_address(text, field=f"addresses[{place}]") for place, text in enumerate(request.addresses)]

        async def work(uow: UnitOfWork) -> pb.ResolveIdentitiesResponse:
            found = await uow.identities.find(call.tenant_id, addresses)
            response = pb.ResolveIdentitiesResponse()
            for text, address in zip(request.addresses, addresses, strict=True):
                result = response.results.add(requested=text)
                if address in found:
                    result.identity.CopyFrom(found[address].to_proto())
            return response

        return await self._store.read(work)
