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
SESSION_ID: Final = "session-"

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 26
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_PLACES: Final = range(5 * (_LENGTH - 2), -1, -10)
"""Where in a number each pair of letters begins, in bits."""


def make_id(prefix: str) -> str:
    """Make a new id: the prefix and 26 letters and digits that sort by time (a UUIDv7 in Crockford's base 32)."""
    number = int(uuid_utils.uuid7())
    return prefix + "".join([_PAIRS[number >> place & 1023] for place in _PLACES])


def make_etag() -> str:
    """Make a value that no earlier version of a resource had."""
    return secrets.token_hex(8)


def is_identity_id(text: str) -> bool:
    """Whether a string has the form of a person's id. It need not exist."""
    rest = text.removeprefix(IDENTITY)
    return len(rest) == _LENGTH and rest != text and all(letter in _ALPHABET for letter in rest)
