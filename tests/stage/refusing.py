"""Calls that are refused, and the reason that they give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc import aio


@dataclass
class Refusal:
    """What a refused call said."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""


@contextmanager
def refused() -> Iterator[Refusal]:
    """The call inside is refused; with what, is known after it."""
    refusal = Refusal()
    try:
        yield refusal
    except aio.AioRpcError as error:
        refusal.code = error.code()
        refusal.reason = _reason(error)
        return
    raise AssertionError("the call was not refused")


def _reason(error: aio.AioRpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(info):
                    return info.reason
    return ""
