"""Numbers: what the last three digits of one mean that begins with +999, which is the code of no country."""

from typing import Final

from gateway.domain.lines import LineState, NotSent, OutcomeUnknown, Refused, SendOutcome
from wagate.v1 import error_reason_pb2 as reasons

READS: Final = frozenset({"200", "222"})
ECHOES: Final = frozenset({"222"})
SWITCHED_OFF: Final = frozenset({"202", "408"})

NO_ACCOUNT: Final = Refused("not-on-whatsapp")
OUTCOMES: Final[dict[str, SendOutcome]] = {
    "404": NO_ACCOUNT,
    "408": OutcomeUnknown("WhatsApp's answer was lost."),
    "463": Refused("463"),
    "479": Refused("479"),
    "503": NotSent("The message did not leave."),
    "504": OutcomeUnknown("WhatsApp's answer was lost."),
}
"""What comes of writing there, if WhatsApp does not simply take the message."""

BREAKS: Final = {
    "401": (LineState.LOGGED_OUT, reasons.ERROR_REASON_SESSION_LOGGED_OUT, 0),
    "402": (LineState.BLOCKED, reasons.ERROR_REASON_ACCOUNT_BANNED, 60),
    "405": (LineState.BLOCKED, reasons.ERROR_REASON_CLIENT_OUTDATED, 0),
    "515": (LineState.RECONNECTING, reasons.ERROR_REASON_LINE_LOST, 2),
}
"""How the line goes down of whoever wrote there, why, and for how many seconds; 0 is for good."""


def ending_of(phone_number: str) -> str:
    """The digits that mean something; empty for the number of an ordinary person."""
    return phone_number[-3:] if phone_number.startswith("+999") else ""
