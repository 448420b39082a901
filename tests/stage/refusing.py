"""Calls that are refused, and the reason that they give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc import aio


@dataclass
class Refusal:
    """What a refused call said; `retry_after` is in seconds, 0 if it says nothing of trying again."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    retry_after: float = 0.0


@contextmanager
def refused() -> Iterator[Refusal]:
    """The call inside is refused; with what, is known after it."""
    refusal = Refusal()
    try:
        yield refusal
    except aio.AioRpcError as error:
        refusal.code = error.code()
        for detail in _details(error):
            _read(detail, refusal)
        return
    raise AssertionError("the call was not refused")


def _details(error: aio.AioRpcError) -> Iterator[Any]:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            yield from status_pb2.Status.FromString(value).details


def _read(detail: Any, refusal: Refusal) -> None:
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    if detail.Unpack(info):
        refusal.reason = info.reason
    elif detail.Unpack(retry):
        refusal.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
