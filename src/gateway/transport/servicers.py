"""All services of the contract, and what serves each: one line for each noun."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.services.contacts import Contacts
from gateway.services.feeds import Feeds
from gateway.services.messages import Messages
from gateway.services.pairing import Pairing
from gateway.services.reading import Reading
from gateway.services.sessions import Sessions
from gateway.services.stats import Stats
from gateway.services.system import System
from gateway.services.workers import Workers
from gateway.transport.contacts import ContactServicer
from gateway.transport.events import EventServicer
from gateway.transport.messages import MessageServicer
from gateway.transport.pairing import PairingServicer
from gateway.transport.server import Servicers
from gateway.transport.sessions import SessionServicer
from gateway.transport.system import SystemServicer
from wagate.v1 import (
    contact_service_pb2,
    event_service_pb2,
    message_service_pb2,
    pairing_service_pb2,
    session_service_pb2,
    system_service_pb2,
)


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases that are served."""

    sessions: Sessions
    pairing: Pairing
    messages: Messages
    reading: Reading
    contacts: Contacts
    feeds: Feeds
    system: System
    workers: Workers
    stats: Stats

    def servicers(self) -> Servicers:
        """What serves each service of the contract."""
        return {
            session_service_pb2.DESCRIPTOR.services_by_name["SessionService"]: SessionServicer(self.sessions),
            pairing_service_pb2.DESCRIPTOR.services_by_name["PairingService"]: PairingServicer(self.pairing),
            message_service_pb2.DESCRIPTOR.services_by_name["MessageService"]: MessageServicer(
                self.messages, self.reading
            ),
            contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"]: ContactServicer(self.contacts),
            event_service_pb2.DESCRIPTOR.services_by_name["EventService"]: EventServicer(self.feeds),
            system_service_pb2.DESCRIPTOR.services_by_name["SystemService"]: SystemServicer(
                self.system, self.workers, self.stats
            ),
        }
