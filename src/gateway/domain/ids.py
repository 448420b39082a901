"""Ids: made and recognised in one place.

Ids that the gateway makes are prefixed, unique, never reused, and sort by the moment at which they were made.
"""

import secrets
from typing import Final

import uuid_utils

MESSAGE: Final = "m_"
IDENTITY: Final = "p_"
EVENT: Final = "e_"
SESSION_UID: Final = "s_"
ATTEMPT: Final = "a_"
WORKER: Final = "w_"
PROCESS: Final = "x_"
QUESTION: Final = "q_"
SESSION_ID: Final = "session-"

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 26
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_FORTY_BITS: Final = (1 << 40) - 1


def make_id(prefix: str) -> str:
    """Make a new id: the prefix and 26 letters and digits that sort by time (a UUIDv7 in Crockford's base 32)."""
    number = int(uuid_utils.uuid7())
    first, second, third = number >> 80 & _FORTY_BITS, number >> 40 & _FORTY_BITS, number & _FORTY_BITS
    return f"{prefix}{_PAIRS[number >> 120]}{_letters(first)}{_letters(second)}{_letters(third)}"


def _letters(bits: int) -> str:
    """Forty bits as eight letters."""
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def make_web_message_id() -> str:
    """Make a provider's id of a message, of the form that WhatsApp's own web client chooses."""
    return "3EB0" + uuid_utils.uuid4().hex[-18:].upper()


def make_etag() -> str:
    """Make a value that no earlier version of a resource had."""
    return secrets.token_hex(8)


def is_identity_id(text: str) -> bool:
    """Whether a string has the form of a person's id. It need not exist."""
    rest = text.removeprefix(IDENTITY)
    return len(rest) == _LENGTH and rest != text and all(letter in _ALPHABET for letter in rest)
