"""ContactService over gRPC."""

from __future__ import annotations

from gateway.services.contacts import Contacts
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import contact_service_pb2 as pb
from wagate.v1.contact_service_pb2_grpc import ContactServiceServicer


class ContactServicer(ContactServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def CheckContacts(
        self, request: pb.CheckContactsRequest, _context: ServicerContext
    ) -> pb.CheckContactsResponse:
        return await self._contacts.check(current_call(), request)

    async def GetIdentity(self, request: pb.GetIdentityRequest, _context: ServicerContext) -> pb.GetIdentityResponse:
        return await self._contacts.identity(current_call(), request)

    async def ResolveIdentities(
        self, request: pb.ResolveIdentitiesRequest, _context: ServicerContext
    ) -> pb.ResolveIdentitiesResponse:
        return await self._contacts.resolve(current_call(), request)
