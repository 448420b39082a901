"""How the engine is asked: each call has a deadline, its errors come as what they mean, and none is left behind."""

import asyncio
from typing import Final, TypeVar

import grpc
from grpc import aio

from gateway.ports.provider import LineDown
from gateway.providers.web.failures import ENGINE_GONE, CallFailed, meaning_of

Request = TypeVar("Request")
Response = TypeVar("Response")

AT_ONCE: Final = 5.0
"""Seconds that the engine has for what asks nobody."""
OPENING: Final = 20.0
"""Seconds that it has to open and lock a store."""
WITH_WHATSAPP: Final = 25.0
"""Seconds that it has for what waits for WhatsApp and has no deadline of its caller's."""


async def ask(method: aio.UnaryUnaryMultiCallable[Request, Response], request: Request, *, timeout: float) -> Response:
    """Ask the engine, and wait `timeout` seconds for its answer.

    Raises:
        CallFailed: there is no answer, or it is a no.
    """
    try:
        call = method(request, timeout=timeout)
    except aio.UsageError as error:
        raise CallFailed(grpc.StatusCode.UNAVAILABLE, ENGINE_GONE, "the engine is gone") from error
    try:
        return await call
    except aio.AioRpcError as error:
        raise CallFailed.of(error) from error
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise CallFailed(grpc.StatusCode.CANCELLED, "", "the engine went away") from error
    finally:
        call.cancel()


async def answered(
    method: aio.UnaryUnaryMultiCallable[Request, Response], request: Request, *, timeout: float
) -> Response:
    """Ask the engine what has no deadline of its caller's. An engine that does not answer is as good as down.

    Raises:
        LineGone, LineDown, ChallengeUnknown: as `meaning_of` tells.
    """
    try:
        return await answered_in_time(method, request, timeout=timeout)
    except TimeoutError as error:
        raise LineDown("the engine does not answer") from error


async def answered_in_time(
    method: aio.UnaryUnaryMultiCallable[Request, Response], request: Request, *, timeout: float
) -> Response:
    """Ask the engine, and wait `timeout` seconds for its answer.

    Raises:
        LineGone, LineDown, ChallengeUnknown, TimeoutError: as `meaning_of` tells.
    """
    try:
        return await ask(method, request, timeout=timeout)
    except CallFailed as failed:
        raise meaning_of(failed) from failed


def _is_cancelled() -> bool:
    """Whether it is us who are cancelled. A channel that is closed lets its calls end as if we were."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
