"""System: what the installation is, what it allows, and how its providers fare."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from gateway.domain.access import Call
from gateway.domain.clocks import to_duration, to_timestamp
from gateway.domain.errors import StoreUnavailable
from gateway.domain.pairing import MOST_WATCHERS
from gateway.domain.requests import KEPT_FOR
from gateway.domain.retention import FOR_EVER, Retention
from gateway.ports.provider import Dialect, Dialects
from gateway.services.pages import LARGEST_SIZE
from wagate.v1 import system_service_pb2 as pb

_TEXT_CHARACTERS = 65_536
_LONGEST_WAIT = timedelta(seconds=60)


class System:
    """The use case of SystemService. `others_at_work` tells whether other processes speak to WhatsApp, if this one does
    not.
    """

    def __init__(
        self,
        providers: Dialects,
        *,
        version: str,
        request_bytes: int,
        give_up_after: timedelta,
        retention: Retention = FOR_EVER,
        others_at_work: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._others_at_work = others_at_work
        self._providers = providers
        self._version = version
        self._request_bytes = request_bytes
        self._give_up_after = give_up_after
        self._retention = retention
        self._start_time = datetime.now(UTC)

    async def info(self, _call: Call, _request: pb.GetServerInfoRequest) -> pb.GetServerInfoResponse:
        """Say what the server is."""
        nobody = await self._nobody_at_work()
        return pb.GetServerInfoResponse(
            version=self._version,
            contract_version="v1",
            server_time=to_timestamp(datetime.now(UTC)),
            start_time=to_timestamp(self._start_time),
            limits=pb.GetServerInfoResponse.Limits(
                text_characters=_TEXT_CHARACTERS,
                request_bytes=self._request_bytes,
                page_size=LARGEST_SIZE,
                pairing_watchers=MOST_WATCHERS,
                wait_timeout=to_duration(_LONGEST_WAIT),
                give_up_after=to_duration(self._give_up_after),
            ),
            retention=pb.GetServerInfoResponse.Retention(
                request_ids=to_duration(KEPT_FOR),
                events=_span(self._retention.events),
                messages=_span(self._retention.messages),
            ),
            providers=[self._provider(provider, nobody) for provider in self._providers.by_name.values()],
        )

    async def _nobody_at_work(self) -> str:
        """Why nobody speaks to WhatsApp, if others ought to and do not."""
        if self._others_at_work is None:
            return ""
        try:
            return "" if await self._others_at_work() else "No worker is at work."
        except StoreUnavailable as error:
            return error.message

    def _provider(self, provider: Dialect, nobody_at_work: str) -> pb.ProviderInfo:
        health = provider.health()
        trouble = nobody_at_work or health.message
        is_well = health.serving and not nobody_at_work
        serving = pb.ProviderInfo.HEALTH_SERVING if is_well else pb.ProviderInfo.HEALTH_NOT_SERVING
        return pb.ProviderInfo(
            provider=provider.name,
            is_default=provider.name == self._providers.default,
            capabilities=provider.capabilities,
            health=serving,
            health_message=trouble,
            lab=health.lab,
        )


def _span(kept_for: timedelta | None) -> Duration | None:
    return None if kept_for is None else to_duration(kept_for)
