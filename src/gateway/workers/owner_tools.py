"""What every owner works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from gateway.ports.meter import Meter
from gateway.ports.provider import Providers
from gateway.ports.queue import Queue
from gateway.services.faults import Faults
from gateway.services.inbox import Inbox
from gateway.services.line_questions import LineQuestions
from gateway.services.lines import Lines
from gateway.services.outbox import Outbox
from gateway.services.pairing_log import PairingLog
from gateway.services.receipts import Receipts
from gateway.services.restrictions import Restrictions
from gateway.workers.connect_pace import ConnectPace


@dataclass(frozen=True, slots=True)
class OwnerTools:
    """The services, ports and terms that all owners of a process share. What is unconfirmed is repeated `settle_for`
    after all that waited at WhatsApp has been told; if there is no new login within `redial_after`, one is made.
    A line is of use once it has been up, or has waited for a person, for `proven_after`. `pace` says when the next line
    may be opened.
    """

    providers: Providers
    queue: Queue
    meter: Meter
    lines: Lines
    inbox: Inbox
    receipts: Receipts
    restrictions: Restrictions
    outbox: Outbox
    questions: LineQuestions
    pairing_log: PairingLog
    faults: Faults
    lease_ttl: timedelta
    send_timeout: timedelta
    settle_for: timedelta = timedelta(seconds=5)
    redial_after: timedelta = timedelta(seconds=10)
    proven_after: timedelta = timedelta(seconds=5)
    pace: ConnectPace = field(default_factory=ConnectPace)
