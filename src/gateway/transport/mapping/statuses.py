"""Statuses: what callers read of an error, with the details that apply."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc import status_pb2

from gateway.domain.clocks import to_duration
from gateway.domain.errors import GatewayError, NotFound, NotNow, TryAgain, ValidationFailed
from gateway.transport.mapping.reasons import Ruling

DOMAIN: Final = "wagate.dev"
TRY_AGAIN_AFTER: Final = timedelta(seconds=1)
_FACT_AT_MOST: Final = 512


def status_of(error: GatewayError, ruling: Ruling, correlation_id: str) -> status_pb2.Status:
    """An error as google.rpc.Status."""
    return _status(ruling, error.message, [*_details(error, ruling)], error.facts, correlation_id)


def fault(ruling: Ruling, correlation_id: str) -> status_pb2.Status:
    """A fault of the gateway, without a word of what it was."""
    sentence = "A fault of the gateway; the correlation id finds it in the logs."
    return _status(ruling, sentence, [], {}, correlation_id)


def _status(
    ruling: Ruling, sentence: str, applying: list[Message], facts: dict[str, str], correlation_id: str
) -> status_pb2.Status:
    status = status_pb2.Status(code=ruling.code.value[0], message=sentence)
    metadata = {key: str(value)[:_FACT_AT_MOST] for key, value in facts.items()}
    info = details.ErrorInfo(reason=ruling.name, domain=DOMAIN, metadata=metadata)
    for detail in (info, *applying, details.RequestInfo(request_id=correlation_id)):
        status.details.add().Pack(detail)
    return status


def _details(error: GatewayError, ruling: Ruling) -> Iterator[Message]:
    if isinstance(error, ValidationFailed):
        yield _bad_request(*((bad.field, bad.rule, bad.description) for bad in error.violations))
    elif error.field:
        yield _bad_request((error.field, ruling.name, error.message))
    if isinstance(error, NotFound):
        yield _resource(error)
    if isinstance(error, NotNow):
        yield _precondition(error, ruling)
    if error.retry_after is not None or isinstance(error, TryAgain):
        yield details.RetryInfo(retry_delay=to_duration(error.retry_after or TRY_AGAIN_AFTER))


def _bad_request(*violations: tuple[str, str, str]) -> details.BadRequest:
    told = (
        details.BadRequest.FieldViolation(field=field, reason=reason, description=description)
        for field, reason, description in violations
    )
    return details.BadRequest(field_violations=told)


def _resource(error: NotFound) -> details.ResourceInfo:
    kind = type(error).__name__.removesuffix("NotFound").lower()
    return details.ResourceInfo(
        resource_type=kind, resource_name=error.facts.get(f"{kind}_id", ""), description=error.message
    )


def _precondition(error: NotNow, ruling: Ruling) -> details.PreconditionFailure:
    """Its subject is the path of what is not in the needed state: the message if one is named, else the session."""
    named = (f"{kind}s/{name}" for kind in ("message", "session") if (name := error.facts.get(f"{kind}_id")))
    violation = details.PreconditionFailure.Violation(
        type=ruling.name, subject=next(named, ""), description=error.message
    )
    return details.PreconditionFailure(violations=[violation])
