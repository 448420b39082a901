"""What can be the matter with an engine, and what its errors mean to a line."""

from collections.abc import Mapping
from typing import Final

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from gateway.ports.provider import ChallengeUnknown, LineDown, LineGone

_DOMAIN: Final = "engine.wagate.dev"
_DETAILS: Final = "grpc-status-details-bin"

GONE: Final = frozenset({"FENCE_STALE", "LEASE_EXPIRED", "SESSION_NOT_OPEN"})
"""The reasons that end a line for good; the engine gives them before it does anything."""

_MEANING: Final[Mapping[str, type[Exception]]] = {
    **dict.fromkeys(GONE, LineGone),
    "NO_SUCH_CHALLENGE": ChallengeUnknown,
}
_ENGINE_IS_GONE: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})


class EngineMissing(Exception):
    """There is no program where the settings say that the engine is."""


class EngineFailed(Exception):
    """The engine ended, could not be started, or does not answer."""


def reason_of(error: aio.AioRpcError) -> str:
    """The engine's reason for an error; empty if it gave none."""
    raw = next((value for key, value in error.trailing_metadata() or () if key == _DETAILS), b"")
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(raw if isinstance(raw, bytes) else raw.encode()).details:
        if detail.Unpack(info) and info.domain == _DOMAIN:
            return info.reason
    return ""


def meaning_of(error: aio.AioRpcError) -> Exception:
    """What an error of the engine means to whoever uses a line."""
    sentence = error.details() or error.code().name
    if reason := reason_of(error):
        return _MEANING.get(reason, LineDown)(sentence)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError(sentence)
    if error.code() in _ENGINE_IS_GONE:
        return LineGone(sentence)
    return LineDown(sentence)
