"""Violations: from what protovalidate finds to the paths and rules that callers read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from google.protobuf.message import Message
from protovalidate import FieldPathElementPb, Violation

from gateway.domain.errors import FieldViolation

TOLD_AT_MOST: Final = 20
"""Errors travel as metadata, which gRPC keeps below 8 KiB."""
_KEY_AT_MOST: Final = 64
_SENTENCE_AT_MOST: Final = 160


def told(violations: Iterable[Violation]) -> list[FieldViolation]:
    """The first of these as callers read them, with paths such as `content.text.text` or `metadata["a key"]`."""
    return [_violation(found) for found, _ in zip(violations, range(TOLD_AT_MOST), strict=False)]


def nul_in(message: Message) -> str:
    """The path of the first string in a message that holds the character U+0000; empty if there is none."""
    for field, value in message.ListFields():
        if isinstance(value, Mapping):
            if "\0" in "".join((*value.keys(), *value.values())):
                return str(field.name)
            continue
        for place, each in enumerate(value if field.is_repeated else (value,)):
            path = f"{field.name}[{place}]" if field.is_repeated else str(field.name)
            if isinstance(each, str) and "\0" in each:
                return path
            if isinstance(each, Message) and (inner := nul_in(each)):
                return f"{path}.{inner}"
    return ""


def _violation(found: Violation) -> FieldViolation:
    proto = found.proto
    path = ".".join(_step(element) for element in proto.field.elements) if proto.field else ""
    sentence = ("the key " if proto.for_key else "") + proto.message
    return FieldViolation(path, proto.rule_id.upper().replace(".", "_"), sentence[:_SENTENCE_AT_MOST])


def _step(element: FieldPathElementPb) -> str:
    subscript = element.subscript
    if subscript is None:
        return element.field_name
    value = subscript.value
    shown = json.dumps(value[:_KEY_AT_MOST]) if isinstance(value, str) else str(value).lower()
    return f"{element.field_name}[{shown}]"
