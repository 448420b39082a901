"""Access: whose call it is, and whether they may."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from gateway.domain.access import DEFAULT_TENANT, Caller
from gateway.domain.errors import KeyInvalid, KeyMissing, ScopeMissing
from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc

_SCHEME: Final = "bearer "
_NEAR: Final = ("unix:", "ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D")


class Access:
    """Asks for the key of the settings. Without one, only callers on this machine are served, and may do all that the
    scopes allow. Keys are compared by digest, in a time that tells nothing.
    """

    def __init__(self, key: str, scopes: Iterable[str]) -> None:
        self._digest = hashlib.sha256(key.encode()).digest() if key else None
        self._caller = Caller(DEFAULT_TENANT, frozenset(scopes))

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        may = not rpc.scope or self._caller.holds(rpc.scope)

        async def step(exchange: Exchange) -> None:
            self._check(exchange)
            if not may:
                raise ScopeMissing(scope=rpc.scope)
            exchange.admit(self._caller)
            await proceed(exchange)

        return step

    def _check(self, exchange: Exchange) -> None:
        if self._digest is None:
            if not exchange.context.peer().startswith(_NEAR):
                raise KeyMissing("This server has no key, and serves callers on its own machine alone.")
            return
        shown = exchange.authorization
        if not shown:
            raise KeyMissing
        digest = hashlib.sha256(shown[len(_SCHEME) :].strip().encode()).digest()
        if not shown.lower().startswith(_SCHEME) or not hmac.compare_digest(digest, self._digest):
            raise KeyInvalid
