"""What can happen to an account at one moment, or be forbidden to it for a time."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Final, Literal

from pydantic import NonNegativeInt

from gateway.scenarios.stage import Stage
from gateway.scenarios.verbs import Somebody, Verb, lasting
from gateway.settings.spans import Span
from wagate.lab.v1 import lab_service_pb2 as pb

LastWord = Literal["nothing", "stream-end", "replaced", "error"]

LAST_WORDS: Final = {
    "nothing": pb.DropConnectionsRequest.LAST_WORD_UNSPECIFIED,
    "stream-end": pb.DropConnectionsRequest.LAST_WORD_STREAM_END,
    "replaced": pb.DropConnectionsRequest.LAST_WORD_REPLACED,
    "error": pb.DropConnectionsRequest.LAST_WORD_ERROR,
}
CLIENT_TOO_OLD: Final = 405


class Drop(Verb):
    """The connections of somebody's devices end: without a word, or with a last one."""

    of: Somebody
    last_word: LastWord = "nothing"
    error_code: NonNegativeInt = 0

    async def play(self, stage: Stage) -> str:
        """End them."""
        request = pb.DropConnectionsRequest(
            phone_number=stage.number(self.of), last_word=LAST_WORDS[self.last_word], error_code=self.error_code
        )
        return f"{(await stage.lab.DropConnections(request)).dropped_count} ended"


class Outdate(Verb):
    """Somebody's clients are too old: they are cut off, and refused with 405 until that is cleared."""

    of: Somebody

    async def play(self, stage: Stage) -> str:
        """Refuse and cut off."""
        number = stage.number(self.of)
        fault = pb.SetFaultRequest.Fault(login_failure_code=CLIENT_TOO_OLD)
        await stage.lab.SetFault(pb.SetFaultRequest(phone_number=number, fault=fault))
        await stage.lab.DropConnections(pb.DropConnectionsRequest(phone_number=number))
        return ""


class Unlink(Verb):
    """Somebody's devices are logged out on the phone: one, or all."""

    of: Somebody
    device: NonNegativeInt = 0

    async def play(self, stage: Stage) -> str:
        """Log out."""
        await stage.lab.UnlinkDevice(pb.UnlinkDeviceRequest(phone_number=stage.number(self.of), device=self.device))
        return ""


class Ban(Verb):
    """WhatsApp bans somebody for so long."""

    of: Somebody
    lasting: Span
    reason_code: NonNegativeInt = 0

    async def play(self, stage: Stage) -> str:
        """Ban."""
        request = pb.BanAccountRequest(
            phone_number=stage.number(self.of), duration=lasting(self.lasting), reason_code=self.reason_code
        )
        until = (await stage.lab.BanAccount(request)).until_time.ToDatetime(UTC)
        return f"until {until:%H:%M:%S} UTC"


class Lock(Verb):
    """WhatsApp forbids somebody to begin chats, for so long or until it is cleared."""

    of: Somebody
    lasting: Span | None = None

    async def play(self, stage: Stage) -> str:
        """Lock."""
        span = None if self.lasting is None else lasting(self.lasting)
        answer = await stage.lab.LockReachout(pb.LockReachoutRequest(phone_number=stage.number(self.of), duration=span))
        return f"until {answer.until_time.ToDatetime(UTC):%H:%M:%S} UTC" if span else "until it is cleared"


class Drain(Verb):
    """Somebody's one-time keys are used up, and the devices are told so or not."""

    of: Somebody
    left: NonNegativeInt = 0
    told: bool = False

    async def play(self, stage: Stage) -> str:
        """Use them up."""
        request = pb.DrainPreKeysRequest(phone_number=stage.number(self.of), left=self.left, told=self.told)
        await stage.lab.DrainPreKeys(request)
        return ""


class Clock(Verb):
    """The lab's clock goes so far ahead of the true time, or behind it."""

    ahead: Span = timedelta()
    behind: Span = timedelta()

    async def play(self, stage: Stage) -> str:
        """Set it."""
        await stage.lab.SetClock(pb.SetClockRequest(ahead=lasting(self.ahead - self.behind)))
        return ""
