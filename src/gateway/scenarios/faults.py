"""What can go wrong for an account for as long as one likes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from gateway.scenarios.stage import Stage
from gateway.scenarios.verbs import Somebody, Verb, lasting
from gateway.settings.spans import Span
from wagate.lab.v1 import lab_service_pb2 as pb


class Faults(BaseModel):
    """All that goes wrong for the devices of an account; what is left out does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frozen: bool = False
    """Open sockets stay open, and nothing is read or written."""
    acks_held: bool = False
    """Messages are passed on; their acks are held back until this ends."""
    acks_lost: bool = False
    """Messages are passed on, and never acked."""
    ack_delay: Span = timedelta()
    """Messages are passed on; their acks leave so much later."""
    refuse_code: NonNegativeInt = 0
    """Messages are refused with this number, such as 463 or 479."""
    refuse_count: NonNegativeInt = 0
    """How many are refused; 0 means all."""
    unreachable: bool = False
    """No login is answered."""
    login_failure_code: NonNegativeInt = 0
    """Logins are refused with this number, such as 405."""
    ban_duration: Span = timedelta()
    """How long the ban lasts that a login refused with 402 is told of."""
    garble_count: NonNegativeInt = 0
    """So many of the next messages to them cannot be decrypted, until they are sent again."""
    retries_lost: bool = False
    """Nobody hears that they ask for a message again."""
    duplicate_count: NonNegativeInt = 0
    """So many of the next messages to them arrive twice."""
    delay_to_device: Span = timedelta()
    """All that is sent to them arrives so much later."""
    delay_from_device: Span = timedelta()
    """All that they send is heard so much later."""

    def told(self) -> pb.SetFaultRequest.Fault:
        """The same as the lab is told it."""
        fields = {name: getattr(self, name) for name in Faults.model_fields}
        said: dict[str, Any] = {
            name: lasting(value) if isinstance(value, timedelta) else value for name, value in fields.items()
        }
        return pb.SetFaultRequest.Fault(**said)


class Fault(Faults, Verb):
    """Let this go wrong for somebody from now on, and nothing else."""

    of: Somebody

    async def play(self, stage: Stage) -> str:
        """Set it."""
        await stage.lab.SetFault(pb.SetFaultRequest(phone_number=stage.number(self.of), fault=self.told()))
        return ""


class Clear(Verb):
    """Nothing goes wrong any more, and nothing is forbidden: for somebody, or else for all, and the clock is right."""

    of: Somebody = ""

    async def play(self, stage: Stage) -> str:
        """End it all."""
        for number in [stage.number(self.of)] if self.of else stage.numbers():
            await stage.lab.SetFault(pb.SetFaultRequest(phone_number=number))
            await stage.lab.LiftRestrictions(pb.LiftRestrictionsRequest(phone_number=number))
        if not self.of:
            await stage.lab.SetClock(pb.SetClockRequest())
        return ""
