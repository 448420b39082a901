"""Validation: a request is what its message says, and keeps the rules written beside its fields.

One rule stands beside none of them, as it holds for all: no string has the character U+0000, at which databases cut
strings short or refuse them.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError
from protovalidate import Validator

from gateway.domain.errors import FieldViolation, ValidationFailed
from gateway.transport.exchange import Exchange, Step
from gateway.transport.mapping.violations import nul_in, told
from gateway.transport.rpcs import Rpc

_LONG: Final = 16 * 1024
"""Of requests longer than this, bytes, only the first violation is looked for: millions would hold up everyone."""
_UNREADABLE: Final = FieldViolation(
    "", "ENCODING", "should be the request's message as protobuf, with strings in UTF-8"
)


class Validation:
    """Reads requests itself, so that bytes which are no message are refused like any other bad request."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        read, check = rpc.read, self._validator.collect_violations
        if read is None:
            return _unread(proceed)

        async def step(exchange: Exchange) -> None:
            given: bytes = exchange.given
            try:
                request = read(given)
            except DecodeError:
                raise ValidationFailed(_UNREADABLE) from None
            if violations := check(request, fail_fast=len(given) > _LONG):
                raise ValidationFailed(*told(violations))
            if 0 in given and (place := nul_in(request)):
                raise ValidationFailed(FieldViolation(place, "NUL", "should not hold the character U+0000"))
            exchange.request = request
            await proceed(exchange)

        return step


def _unread(proceed: Step) -> Step:
    async def step(exchange: Exchange) -> None:
        exchange.request = exchange.given
        await proceed(exchange)

    return step
