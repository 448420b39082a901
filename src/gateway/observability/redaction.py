"""What must not be read in a log: secrets, phone numbers, and fields that the contract marks `debug_redact`."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

MASK: Final = "***"

_SECRET_NAME: Final = re.compile(
    r"(^|[_-])(key|secret|token|password|authorization|credentials?|cookie)([_-](hex|pem))?$", re.IGNORECASE
)
_SECRET_TEXT: Final = re.compile(
    r"(?P<scheme>\bbearer\s+)\S+|(?P<url>://[^/\s:@]*:)[^@\s]+(?=@)|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_PHONE: Final = re.compile(
    r"(?P<uuid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|\+\d{6,15}"
    r"|(?<![A-Za-z0-9])\d{8,15}(?![A-Za-z0-9])"
)


_SUSPECT: Final = re.compile(r"\d{6}|[Bb][Ee][Aa][Rr]|://|-----B")
"""What every text that has to be redacted holds: most have not, and are let through at once."""


def redact(text: str) -> str:
    """A text without secrets, and with only the last four digits of whatever could be a phone number: E.164 wherever it
    stands, and bare digits as in JIDs. UUIDs stay.
    """
    if not _SUSPECT.search(text):
        return text
    return _PHONE.sub(_last_four, _SECRET_TEXT.sub(_masked, text))


def redact_fields(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: redacts every string of a line, and masks what is named like a secret."""
    for name, value in fields.items():
        if type(value) is str:  # nearly all of a line, and nearly all of it harmless: this is quick about it
            if _SUSPECT.search(value) or _is_secret(name):
                fields[name] = _clean(name, value)
        else:
            fields[name] = _clean(name, value)
    return fields


def rendered(message: Message) -> dict[str, Any]:
    """A proto for a log, with every field that the contract marks `debug_redact` masked."""
    return {
        field.name: MASK if field.GetOptions().debug_redact else _plain(field, value)
        for field, value in message.ListFields()
    }


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): rendered(inner) if isinstance(inner, Message) else inner for key, inner in value.items()}
    if field.is_repeated:
        return [_plain_one(field, item) for item in value]
    return _plain_one(field, value)


def _plain_one(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type:
        return rendered(value)
    if field.enum_type:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return value


def _clean(name: str, value: Any) -> Any:
    if value and _is_secret(name):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, Message):
        value = rendered(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _clean(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(name, inner) for inner in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else redact(str(value))


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _last_four(match: re.Match[str]) -> str:
    return match[0] if match["uuid"] else "…" + match[0][-4:]


def _masked(match: re.Match[str]) -> str:
    return (match["scheme"] or match["url"] or "") + MASK
