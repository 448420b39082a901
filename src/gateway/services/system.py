"""System: what the installation is, what it allows, and how its providers fare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from gateway.domain.access import Call
from gateway.domain.clocks import to_duration, to_timestamp
from gateway.domain.requests import KEPT_FOR
from gateway.domain.retention import FOR_EVER, Retention
from gateway.ports.provider import Dialect, Dialects
from gateway.services.pages import LARGEST_SIZE
from wagate.v1 import system_service_pb2 as pb

_TEXT_CHARACTERS = 65_536
_PAIRING_WATCHERS = 8
_LONGEST_WAIT = timedelta(seconds=60)


class System:
    """The use case of SystemService."""

    def __init__(
        self,
        providers: Dialects,
        *,
        version: str,
        request_bytes: int,
        give_up_after: timedelta,
        retention: Retention = FOR_EVER,
    ) -> None:
        self._providers = providers
        self._version = version
        self._request_bytes = request_bytes
        self._give_up_after = give_up_after
        self._retention = retention
        self._start_time = datetime.now(UTC)

    async def info(self, _call: Call, _request: pb.GetServerInfoRequest) -> pb.GetServerInfoResponse:
        """Say what the server is."""
        response = pb.GetServerInfoResponse
        return pb.GetServerInfoResponse(
            version=self._version,
            contract_version="v1",
            server_time=to_timestamp(datetime.now(UTC)),
            start_time=to_timestamp(self._start_time),
            limits=response.Limits(
                text_characters=_TEXT_CHARACTERS,
                request_bytes=self._request_bytes,
                page_size=LARGEST_SIZE,
                pairing_watchers=_PAIRING_WATCHERS,
                wait_timeout=to_duration(_LONGEST_WAIT),
                give_up_after=to_duration(self._give_up_after),
            ),
            retention=response.Retention(
                request_ids=to_duration(KEPT_FOR),
                events=_span(self._retention.events),
                messages=_span(self._retention.messages),
            ),
            providers=[self._provider(provider) for provider in self._providers.by_name.values()],
        )

    def _provider(self, provider: Dialect) -> pb.ProviderInfo:
        health = provider.health()
        serving = pb.ProviderInfo.HEALTH_SERVING if health.serving else pb.ProviderInfo.HEALTH_NOT_SERVING
        return pb.ProviderInfo(
            provider=provider.name,
            is_default=provider.name == self._providers.default,
            capabilities=provider.capabilities,
            health=serving,
            health_message=health.message,
            lab=health.lab,
        )


def _span(kept_for: timedelta | None) -> Duration | None:
    return None if kept_for is None else to_duration(kept_for)
