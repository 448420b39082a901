"""The janitor: ends what has waited too long, and forgets what belongs to nobody."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.ports.provider import Provider, Providers
from gateway.services.duties import Duties
from gateway.services.forgetting import Forgetting
from gateway.services.keys import Keys
from gateway.services.lines import Lines
from gateway.services.outbox import Outbox
from gateway.services.restrictions import Restrictions

_ROUND_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Janitor:
    """Expires messages at their give_up_time, ends restrictions at theirs, says of sessions whose owner vanished that
    they have no line, and erases the keys of deleted sessions, all within a second or so; and forgets what is older
    than it has to be kept. One janitor at a time works on a store.
    """

    def __init__(
        self,
        duties: Duties,
        outbox: Outbox,
        restrictions: Restrictions,
        lines: Lines,
        forgetting: Forgetting,
        keys: Keys,
        providers: Providers,
    ) -> None:
        self._duties = duties
        self._outbox = outbox
        self._restrictions = restrictions
        self._lines = lines
        self._forgetting = forgetting
        self._keys = keys
        self._providers = providers

    async def run(self, stopping: asyncio.Event) -> None:
        """Make rounds until `stopping`."""
        while not stopping.is_set():
            try:
                if await self._duties.are_mine():
                    await self._round()
            except StoreUnavailable:
                log.warning("The janitor waits for the database.")
            try:
                await asyncio.wait_for(stopping.wait(), _ROUND_SECONDS)
            except TimeoutError:
                continue

    async def _round(self) -> None:
        expired = await self._outbox.expire_overdue()
        if expired:
            log.info("Messages were given up.", count=expired)
        lifted = await self._restrictions.lift_ended()
        if lifted:
            log.info("Restrictions of sessions ended.", count=lifted)
        unattended = await self._lines.unattended()
        if unattended:
            log.warning("Sessions lost their worker.", count=unattended)
        for provider in self._providers.by_name.values():
            for uid in await self._keys.forgettable(provider.kept_sessions()):
                _erase(provider, uid)
        forgotten = await self._forgetting.forget_old()
        if forgotten:
            log.info("What was too old was forgotten.", **forgotten)


def _erase(provider: Provider, session_uid: str) -> None:
    """Erase what can be erased now; the rest is tried again with the next round."""
    try:
        if provider.erase(session_uid):
            log.info("The keys of a deleted session were erased.", session_uid=session_uid)
    except OSError:
        log.exception("The keys of a deleted session cannot be erased.", session_uid=session_uid)
