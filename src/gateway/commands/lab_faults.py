"""What goes wrong in a lab, is forbidden there, or happens as a scenario tells it."""

from __future__ import annotations

import sys
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from gateway.commands.lab_control import DEFAULT, At, lab_at
from gateway.scenarios.blows import CLIENT_TOO_OLD, LAST_WORDS, LastWord
from gateway.scenarios.errors import ScenarioInvalid, StepFailed
from gateway.scenarios.faults import Faults
from gateway.scenarios.playing import play as play_scenario
from gateway.scenarios.scenario import read
from gateway.scenarios.verbs import lasting
from gateway.settings.spans import Span
from wagate.lab.v1 import lab_service_pb2 as pb

_NONE: Final = timedelta()
_WELL: Final = Faults()


async def fault(phone_number: str, *, faults: Annotated[Faults, Parameter(name="*")] = _WELL, at: At = DEFAULT) -> None:
    """Let this go wrong for an account's devices, and nothing else; without flags all is well again."""
    async with lab_at(at) as stub:
        await stub.SetFault(pb.SetFaultRequest(phone_number=phone_number, fault=faults.told()))


async def drop(phone_number: str, *, last_word: LastWord = "nothing", error_code: int = 0, at: At = DEFAULT) -> None:
    """End the connections of all devices of an account, without a word or with a last one."""
    request = pb.DropConnectionsRequest(
        phone_number=phone_number, last_word=LAST_WORDS[last_word], error_code=error_code
    )
    async with lab_at(at) as stub:
        print(f"{(await stub.DropConnections(request)).dropped_count} ended")


async def outdate(phone_number: str, *, at: At = DEFAULT) -> None:
    """Let an account's clients be too old: cut off, and refused with 405 until `wagate lab fault NUMBER`."""
    old = pb.SetFaultRequest.Fault(login_failure_code=CLIENT_TOO_OLD)
    async with lab_at(at) as stub:
        await stub.SetFault(pb.SetFaultRequest(phone_number=phone_number, fault=old))
        await stub.DropConnections(pb.DropConnectionsRequest(phone_number=phone_number))


async def ban(phone_number: str, span: Span, *, reason_code: int = 0, at: At = DEFAULT) -> None:
    """Ban an account for so long, such as 90s or 24h."""
    request = pb.BanAccountRequest(phone_number=phone_number, duration=lasting(span), reason_code=reason_code)
    async with lab_at(at) as stub:
        answer = await stub.BanAccount(request)
    print(f"banned until {answer.until_time.ToDatetime(UTC):%Y-%m-%d %H:%M:%S} UTC")


async def lock(phone_number: str, span: Span | None = None, *, at: At = DEFAULT) -> None:
    """Forbid an account to begin chats, for so long or until it is lifted."""
    request = pb.LockReachoutRequest(phone_number=phone_number, duration=None if span is None else lasting(span))
    async with lab_at(at) as stub:
        answer = await stub.LockReachout(request)
    ends = answer.HasField("until_time")
    print(f"locked until {answer.until_time.ToDatetime(UTC):%Y-%m-%d %H:%M:%S} UTC" if ends else "locked")


async def lift(phone_number: str, *, at: At = DEFAULT) -> None:
    """End an account's ban and lock."""
    async with lab_at(at) as stub:
        await stub.LiftRestrictions(pb.LiftRestrictionsRequest(phone_number=phone_number))


async def drain(phone_number: str, *, left: int = 0, told: bool = False, at: At = DEFAULT) -> None:
    """Use up the one-time keys of an account's devices; `--told` lets them know, so that they upload more."""
    async with lab_at(at) as stub:
        await stub.DrainPreKeys(pb.DrainPreKeysRequest(phone_number=phone_number, left=left, told=told))


async def clock(*, ahead: Span = _NONE, behind: Span = _NONE, at: At = DEFAULT) -> None:
    """Let the lab's clock be wrong; without flags it is right again."""
    async with lab_at(at) as stub:
        await stub.SetClock(pb.SetClockRequest(ahead=lasting(ahead - behind)))


async def play(scenario: Path, *, given: dict[str, str] | None = None, at: At = DEFAULT) -> None:
    """Play a scenario's file. `--given.shop +447700900000` says which account its `shop` is."""
    try:
        told = read(scenario)
        print(told.name)
        async with lab_at(at) as stub:
            await play_scenario(told, stub, given=given, tell=print)
    except (ScenarioInvalid, StepFailed) as error:
        print(f"wagate lab: {error}", file=sys.stderr)
        sys.exit(1)


COMMANDS: Final = (fault, drop, outdate, ban, lock, lift, drain, clock, play)
