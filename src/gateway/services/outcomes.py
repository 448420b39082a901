"""Outcomes: what an attempt at sending makes of its message.

An attempt that repeats another says nothing about the earlier one: unless it ends the message, that stays UNCONFIRMED.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.lines import NotSent, OutcomeUnknown, Refused, SendOutcome, Sent, Unsayable
from gateway.domain.messages import RETRY_AFTER, Hold, HoldKind, Message, State
from gateway.domain.sessions import OnAmbiguous, Session
from wagate.v1 import error_reason_pb2 as reasons

REACHOUT_LOCKED: Final = "463"

_REASON_OF_CODE: Final = {
    "not-on-whatsapp": (reasons.ERROR_REASON_RECIPIENT_NOT_ON_WHATSAPP, "The recipient has no WhatsApp account."),
    REACHOUT_LOCKED: (
        reasons.ERROR_REASON_REACHOUT_RESTRICTED,
        "WhatsApp does not let this account write to new people now.",
    ),
}
_UNSAYABLE: Final = "The gateway accepted what it cannot say on WhatsApp: a fault of the gateway."
_REFUSED: Final = (reasons.ERROR_REASON_PROVIDER_REFUSED, "WhatsApp refused the message.")


def apply(message: Message, outcome: SendOutcome, session: Session, *, now: datetime, pause: timedelta) -> None:
    """Move a message that was being handed over to where this leads; what did not leave waits for `pause`."""
    match outcome:
        case Sent(send_time=send_time):
            message.move(State.STATE_SENT)
            message.send_time = send_time
            message.reach = replace(message.reach, recipient_count=1)
        case NotSent() if message.is_given_up(now):
            expire(message)
        case NotSent():
            _back_to_its_place(message, Hold(HoldKind.KIND_RETRY, now + pause))
        case OutcomeUnknown():
            lose_sight(message, session)
        case Refused(provider_code=code):
            _refuse(message, code, now)
        case Unsayable():
            message.move(State.STATE_FAILED)
            message.failure = reasons.Failure(reason=reasons.ERROR_REASON_INTERNAL, message=_UNSAYABLE)


def lose_sight(message: Message, session: Session) -> None:
    """Note that nobody knows whether a message left; its session says whether it is to be repeated."""
    message.move(State.STATE_UNCONFIRMED)
    if session.on_ambiguous == OnAmbiguous.ON_AMBIGUOUS_HOLD:
        message.hold = Hold(HoldKind.KIND_UNCONFIRMED)


def expire(message: Message) -> None:
    """End a message that was not sent by its give_up_time."""
    message.move(State.STATE_EXPIRED)
    message.hold = None
    message.next_attempt_time = None
    message.failure = reasons.Failure(
        reason=reasons.ERROR_REASON_GAVE_UP, message="The message was not sent by its give_up_time."
    )


def _back_to_its_place(message: Message, hold: Hold) -> None:
    message.hold = hold
    if message.repeat_count:
        message.repeat_count -= 1
        message.move(State.STATE_UNCONFIRMED)
    else:
        message.move(State.STATE_QUEUED)


def _refuse(message: Message, code: str, now: datetime) -> None:
    pause = _pause_after(message, code)
    if pause is not None:
        message.move(State.STATE_UNCONFIRMED if message.repeat_count else State.STATE_QUEUED)
        message.refusal_count += 1
        message.next_attempt_time = now + pause
        message.hold = Hold(HoldKind.KIND_RETRY, message.next_attempt_time)
        return
    reason, sentence = _REASON_OF_CODE.get(code, _REFUSED)
    message.move(State.STATE_FAILED)
    message.failure = reasons.Failure(reason=reason, message=sentence, provider_code=code)


def _pause_after(message: Message, code: str) -> timedelta | None:
    """How long to wait before asking again; None if asking again is of no use."""
    passing = code == "429" or (len(code) == 3 and code.startswith("5"))
    if not passing or message.refusal_count >= len(RETRY_AFTER):
        return None
    return RETRY_AFTER[message.refusal_count]
