"""What can be the matter with an engine, and what its errors mean to a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from gateway.ports.provider import ChallengeUnknown, LineDown, LineGone, LineRefused
from wagate.v1 import error_reason_pb2 as reasons

_DOMAIN: Final = "engine.wagate.dev"
_DETAILS: Final = "grpc-status-details-bin"

ENGINE_GONE: Final = "ENGINE_GONE"
"""Our own reason: the engine was gone before it could be asked."""
_GONE: Final = frozenset({"FENCE_STALE", "LEASE_EXPIRED", "SESSION_NOT_OPEN", ENGINE_GONE})
"""The reasons that end a line for good; each is given before anything is done."""

_MEANING: Final[Mapping[str, type[Exception]]] = {
    **dict.fromkeys(_GONE, LineGone),
    "NO_SUCH_CHALLENGE": ChallengeUnknown,
}
_STORE_CORRUPT: Final = "STORE_CORRUPT"
_KEYS_UNREADABLE: Final = reasons.Failure(
    reason=reasons.ERROR_REASON_KEYS_UNREADABLE, message="The file that holds the session's keys is damaged."
)
_ENGINE_IS_GONE: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})


class EngineMissing(Exception):
    """There is no program where the settings say that the engine is."""


class EngineFailed(Exception):
    """The engine ended, could not be started, or does not answer."""


class CallFailed(Exception):
    """A call of the engine failed: with this code, and with this reason if the engine gave one."""

    def __init__(self, code: grpc.StatusCode, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason

    @classmethod
    def of(cls, error: aio.AioRpcError) -> CallFailed:
        """What gRPC says of it."""
        return cls(error.code(), _reason_of(error), error.details() or error.code().name)


def meaning_of(failed: CallFailed) -> Exception:
    """What the failure of a call means to whoever uses a line."""
    sentence = str(failed)
    if failed.reason == _STORE_CORRUPT:
        return LineRefused(_KEYS_UNREADABLE)
    if failed.reason:
        return _MEANING.get(failed.reason, LineDown)(sentence)
    if failed.code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError(sentence)
    if failed.code in _ENGINE_IS_GONE:
        return LineGone(sentence)
    return LineDown(sentence)


def _reason_of(error: aio.AioRpcError) -> str:
    raw = next((value for key, value in error.trailing_metadata() or () if key == _DETAILS), b"")
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(raw if isinstance(raw, bytes) else raw.encode()).details:
        if detail.Unpack(info) and info.domain == _DOMAIN:
            return info.reason
    return ""
