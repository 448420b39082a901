"""Keys, shown with every call of a channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grpc import aio


def showing(key: str) -> list[aio.ClientInterceptor]:
    """What makes a channel show a key; nothing if there is none."""
    return [_Unary(key), _Stream(key)] if key else []


class _Showing:
    def __init__(self, key: str) -> None:
        self._shown = ("authorization", f"Bearer {key}")

    async def _proceed(self, continuation: Callable[..., Any], details: aio.ClientCallDetails, request: Any) -> Any:
        metadata = aio.Metadata(*(details.metadata or ()), self._shown)
        shown = aio.ClientCallDetails(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
        )
        return await continuation(shown, request)


class _Unary(_Showing, aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._proceed(continuation, client_call_details, request)


class _Stream(_Showing, aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._proceed(continuation, client_call_details, request)
