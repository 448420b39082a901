"""What a lab can be told beside `Lab.fault`: last words, bans, locks, drained keys, a wrong clock, floods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from tests.stage.lab import Lab
from tests.stage.persons import Person
from wagate.lab.v1 import lab_service_pb2 as pb

LastWord = pb.DropConnectionsRequest.LastWord
_CLIENT_TOO_OLD = 405


def lasting(span: timedelta) -> Duration:
    """A span as the lab is told it."""
    told = Duration()
    told.FromTimedelta(span)
    return told


async def drop(
    lab: Lab,
    account: pb.Account,
    last_word: LastWord.ValueType = LastWord.LAST_WORD_UNSPECIFIED,
    *,
    error_code: int = 0,
) -> int:
    """End the connections of an account's devices, without a word or with a last one; how many there were."""
    request = pb.DropConnectionsRequest(phone_number=account.phone_number, last_word=last_word, error_code=error_code)
    return (await lab.stub.DropConnections(request)).dropped_count


async def replace(lab: Lab, account: pb.Account) -> None:
    """Tell an account's devices that another connection has replaced theirs."""
    await drop(lab, account, LastWord.LAST_WORD_REPLACED)


async def outdate(lab: Lab, account: pb.Account) -> None:
    """Let an account's clients be too old: all are cut off, and refused with 405 until `lab.fault(account)`."""
    await lab.fault(account, pb.SetFaultRequest.Fault(login_failure_code=_CLIENT_TOO_OLD))
    await drop(lab, account)


async def ban(lab: Lab, account: pb.Account, span: timedelta, *, reason_code: int = 0) -> datetime:
    """Cut an account off, and forbid it to log in for so long; when that ends."""
    request = pb.BanAccountRequest(phone_number=account.phone_number, duration=lasting(span), reason_code=reason_code)
    return (await lab.stub.BanAccount(request)).until_time.ToDatetime(UTC)


async def lock_reachout(lab: Lab, account: pb.Account, span: timedelta | None = None) -> datetime | None:
    """Forbid an account to begin chats, for so long or until it is lifted; when that ends."""
    duration = None if span is None else lasting(span)
    told = await lab.stub.LockReachout(pb.LockReachoutRequest(phone_number=account.phone_number, duration=duration))
    return told.until_time.ToDatetime(UTC) if told.HasField("until_time") else None


async def lift_restrictions(lab: Lab, account: pb.Account) -> None:
    """End an account's ban and reach-out lock."""
    await lab.stub.LiftRestrictions(pb.LiftRestrictionsRequest(phone_number=account.phone_number))


async def drain_prekeys(lab: Lab, account: pb.Account, *, left: int = 0, told: bool = False) -> None:
    """Use up the one-time keys of an account's devices, and tell them so or not."""
    await lab.stub.DrainPreKeys(pb.DrainPreKeysRequest(phone_number=account.phone_number, left=left, told=told))


async def set_clock(lab: Lab, *, ahead: timedelta | None = None) -> None:
    """Let the lab's clock be so far ahead of the true time, behind if that is negative, or right."""
    await lab.stub.SetClock(pb.SetClockRequest(ahead=None if ahead is None else lasting(ahead)))


async def say_many(lab: Lab, person: Person, to: str, count: int, *, text: str = "Text") -> list[str]:
    """Let a person say so many texts, `Text 1` first, in one go; WhatsApp's ids of them, in order."""
    request = pb.SayManyRequest(person_id=person.person_id, to=to, text=text, count=count)
    return list((await lab.stub.SayMany(request)).provider_message_ids)
