"""Requests of every RPC, made up from the contract's descriptors: sound ones, odd ones and nonsense, as callers write.

Drawn from a seeded source and not by hypothesis: that spends its examples on few and small ones, and ten thousand
different ones are wanted, in a second or two.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_DEEP: Final = 4
_BOUNDS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
}
_UNKNOWN_NUMBERS: Final = (-1, 77, 2**31 - 1)
_MOMENTS: Final = (0, 1, -1, 1_800_000_000, 253_402_300_799, 253_402_300_800, -62_135_596_800, -62_135_596_801)
_LIKELY: Final = {
    "content": 0.95,
    "text": 1.0,
    "seconds": 0.9,
    "unsupported": 0.05,
    "undecryptable": 0.05,
    "format": 0.2,
}
_WORDS: Final = ("", "word", "another")
NASTY: Final = (
    "",
    " ",
    "-",
    "\0",
    "a\0b",
    "'; drop table messages; --",
    "%s%n{}${jndi}",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc",
    "\N{GRINNING FACE}" * 40,
    "e\N{COMBINING ACUTE ACCENT}" * 60,
    "\ufffe\uffff\ue000",
    "../../etc/passwd",
    "@",
    "@ and @, @ @",
    "https://example.com/@ @",
    "+4915112345678",
    "120363025246125486@g.us",
    "status@broadcast",
    "123@lid",
    "p_00000000000000000000000000",
    "\N{ARABIC-INDIC DIGIT FOUR}" * 8,
    "x" * 129,
    "x" * 5000,
    "\N{GRINNING FACE}" * 16_384,
    "*",
    "message.*",
    "session.created",
    "display_name",
    "metadata",
    "spec.expected_phone_number",
    "AAAAAAAAAAAAAAAAAAAAAAA",
)


class MadeUp:
    """Makes up requests. `known` are, for the names of fields, values that lead somewhere."""

    def __init__(self, source: Random, known: Mapping[str, Sequence[str]]) -> None:
        self._source = source
        self._known = known
        self._wildness = 0.0
        self._soon = int(time.time()) + 60

    def request(self, kind: Descriptor) -> Message:
        """One request of this kind: nearly sound, odd or wild."""
        self._wildness = self._source.choice((0.02, 0.1, 0.6))
        return self._message(kind, _DEEP)

    def _is_wild(self) -> bool:
        return self._source.random() < self._wildness

    def _message(self, kind: Descriptor, depth: int) -> Message:
        message: Message = GetMessageClass(kind)()
        for field in kind.fields:
            if (depth or not field.message_type) and self._source.random() < self._likely(field):
                self._fill(message, field, depth)
        return message

    def _likely(self, field: FieldDescriptor) -> float:
        usual = 0.2 if field.message_type and not field.containing_oneof else 0.4
        return 0.95 if field.name in self._known else _LIKELY.get(field.name, usual)

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        held = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            for _ in range(self._count()):
                held[self._string("")] = self._string("")
        elif field.is_repeated:
            values = [self._value(field, depth) for _ in range(self._count())]
            held.extend(values)
        elif field.message_type:
            held.CopyFrom(self._value(field, depth))
            held.SetInParent()
        else:
            setattr(message, field.name, self._value(field, depth))

    def _count(self) -> int:
        return self._source.choice((0, 2, 3, 20)) if self._is_wild() else 1

    def _value(self, field: FieldDescriptor, depth: int) -> Any:
        if field.message_type:
            return self._message(field.message_type, depth - 1)
        if field.enum_type:
            return self._number_of(field.enum_type)
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
                return self._source.randbytes(self._count())
            case FieldDescriptor.CPPTYPE_STRING:
                return self._string(field.name)
            case FieldDescriptor.CPPTYPE_BOOL:
                return self._source.random() < 0.5
            case cpp_type:
                return self._integer(field, *_BOUNDS[cpp_type])

    def _number_of(self, kind: EnumDescriptor) -> int:
        numbers = [value.number for value in kind.values]
        return self._source.choice(_UNKNOWN_NUMBERS if self._is_wild() else numbers)

    def _integer(self, field: FieldDescriptor, least: int, most: int) -> int:
        is_moment = field.full_name == "google.protobuf.Timestamp.seconds"
        if not self._is_wild():
            return self._source.randint(0, 60) + (self._soon if is_moment else 0)
        moments = _MOMENTS if is_moment else ()
        wild: Sequence[int] = (least, most, self._source.randint(least, most), *moments)
        return self._source.choice(wild)

    def _string(self, name: str) -> str:
        if not self._is_wild():
            return self._source.choice(self._known.get(name, _WORDS))
        if self._source.random() < 0.7:
            return self._source.choice(NASTY)
        return "".join(chr(self._letter()) for _ in range(self._source.randint(0, 20)))

    def _letter(self) -> int:
        letter = self._source.randint(0, int(self._source.choice((127, 0x10FFFF))))
        return letter if not 0xD800 <= letter < 0xE000 else letter - 0xD800
