"""Refusals: what a caller learns when a call fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc import status_pb2
from grpc import aio

from tests.stage.programs import ROOT

D = TypeVar("D", bound=Message)

_STATUS: Final = "grpc-status-details-bin"
_REASON: Final = re.compile(r"\s*ERROR_REASON_(\w+) = ")
_METADATA: Final = re.compile(r"Metadata: ([^.]*)\.")
_KEY: Final = re.compile(r"`(\w+)`")


class Refusal:
    """An error as the contract promises it: code, reason, the fields that are wrong, and facts."""

    def __init__(self, error: aio.AioRpcError) -> None:
        trailers = dict(error.trailing_metadata() or ())
        raw = trailers.get(_STATUS)
        assert isinstance(raw, bytes), f"no details came with {error.code()}: {error.details()}"
        self._status = status_pb2.Status.FromString(raw)
        self.code = error.code().name
        self.message = self._status.message
        info = self.detail(details.ErrorInfo)
        assert info.domain == "wagate.dev"
        self.reason = info.reason
        self.facts = dict(info.metadata)
        assert self.detail(details.RequestInfo).request_id == trailers["x-correlation-id"]

    def detail(self, kind: type[D]) -> D:
        """The detail of this kind."""
        found = next(self._details(kind), None)
        assert found is not None, f"no {kind.DESCRIPTOR.name} among {self._status}"
        return found

    @property
    def fields(self) -> list[str]:
        """The paths of the fields that are named as wrong."""
        return [bad.field for request in self._details(details.BadRequest) for bad in request.field_violations]

    def tells(self, secret: str) -> bool:
        """Whether it repeats this, anywhere."""
        return secret in str(self._status)

    def _details(self, kind: type[D]) -> Iterator[D]:
        for packed in self._status.details:
            detail = kind()
            if packed.Unpack(detail):
                yield detail


def personal(message: Message) -> Iterator[str]:
    """The strings of a message that the contract marks as personal, as far as they are long enough to tell anything."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in values:
                if isinstance(inner, Message):
                    yield from personal(inner)
        elif field.GetOptions().debug_redact and field.type == FieldDescriptor.TYPE_STRING:
            yield from (text for text in values if len(text) >= 5)


def facts_named(reason: str) -> set[str]:
    """The keys of metadata that the contract's comment names for a reason."""
    return _facts_of_reasons().get(reason, set())


@cache
def _facts_of_reasons() -> dict[str, set[str]]:
    facts: dict[str, set[str]] = {}
    comment = ""
    for line in (ROOT / "proto/public/wagate/v1/error_reason.proto").read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("//"):
            comment += line
        elif found := _REASON.match(line):
            named = _METADATA.search(comment)
            facts[found[1]] = set(_KEY.findall(named[1])) if named else set()
            comment = ""
    return facts
