"""Reasons: the gRPC code and the remedy that the contract puts beside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.descriptor_pb2 import EnumValueOptions

from gateway.transport.rpcs import ContractIncomplete
from wagate.v1 import error_reason_pb2, options_pb2

ErrorReason = error_reason_pb2.ErrorReason
Remedy = options_pb2.Remedy

_PREFIX: Final = "ERROR_REASON_"
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the contract says about a reason. `name` is without its prefix, as ErrorInfo carries it."""

    name: str
    code: grpc.StatusCode
    retry: bool


def rulings() -> dict[int, Ruling]:
    """All reasons but UNSPECIFIED, by number.

    Raises:
        ContractIncomplete: a reason has no code other than OK, or no remedy.
    """
    return {
        value.number: _ruling(value.name, value.GetOptions())
        for value in ErrorReason.DESCRIPTOR.values
        if value.number != ErrorReason.ERROR_REASON_UNSPECIFIED
    }


def _ruling(name: str, options: EnumValueOptions) -> Ruling:
    code = options.Extensions[options_pb2.code]
    remedy = options.Extensions[options_pb2.remedy]
    if not code or remedy == Remedy.REMEDY_UNSPECIFIED:
        raise ContractIncomplete(f"{name} lacks its code or its remedy")
    return Ruling(name.removeprefix(_PREFIX), _CODES[code], remedy == Remedy.REMEDY_RETRY)
