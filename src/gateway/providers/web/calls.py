"""How the engine is asked: each call has a deadline, its errors come as what they mean, and none is left behind."""

from typing import Final, TypeVar

from grpc import aio

from gateway.providers.web.failures import meaning_of

Request = TypeVar("Request")
Response = TypeVar("Response")

AT_ONCE: Final = 10.0
"""Seconds that the engine has for what asks nobody."""
OPENING: Final = 20.0
"""Seconds that it has to open and lock a store."""
WITH_WHATSAPP: Final = 25.0
"""Seconds that it has for what waits for WhatsApp and has no deadline of its caller's."""


async def answered(call: aio.UnaryUnaryCall[Request, Response]) -> Response:
    """Wait for the answer of a call.

    Raises:
        LineGone, LineDown, ChallengeUnknown, TimeoutError: as `meaning_of` tells.
    """
    try:
        return await call
    except aio.AioRpcError as error:
        raise meaning_of(error) from error
    finally:
        call.cancel()
