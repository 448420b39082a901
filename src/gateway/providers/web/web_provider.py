"""The web provider: WhatsApp Web, as a linked device."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from gateway.ports.meter import EngineMeter
from gateway.ports.provider import LineDown, LineGone, Opening, ProviderHealth
from gateway.providers.web.calls import OPENING, answered
from gateway.providers.web.dialect import WebDialect
from gateway.providers.web.engine_pool import EnginePool, Seat, engine_pool
from gateway.providers.web.key_stores import KeyFiles, KeysInDatabase, KeyStores
from gateway.providers.web.names import device_of, device_proto
from gateway.providers.web.options import EngineOptions
from gateway.providers.web.web_line import WebLine, lease_proto
from wagate.engine.v1 import engine_service_pb2 as pb

_log = structlog.get_logger(__name__)


class WebProvider(WebDialect):
    """Speaks WhatsApp Web through engines. Make it with `web_provider`."""

    def __init__(self, engines: EnginePool, keys: KeyStores, *, lab: bool) -> None:
        super().__init__(lab=lab)
        self._engines = engines
        self._keys = keys

    async def open(self, opening: Opening) -> WebLine:
        seat = await self._engines.seat()
        try:
            return await self._open(opening, seat)
        except BaseException:
            seat.leave()
            raise

    async def _open(self, opening: Opening, seat: Seat) -> WebLine:
        engine, lease = seat.engine, opening.lease
        inbox = engine.switchboard.plug_in(opening.session_uid, lease.fence)
        try:
            opened = await answered(engine.stub.OpenSession, self._request(opening), timeout=OPENING)
        except LineGone as error:
            engine.switchboard.unplug(opening.session_uid, lease.fence, "it was not opened")
            raise LineDown(str(error)) from error
        except BaseException:
            engine.switchboard.unplug(opening.session_uid, lease.fence, "it was not opened")
            raise
        device = device_of(opened.device) if opened.HasField("device") else None
        return WebLine(seat, inbox, lease, device)

    def kept_sessions(self) -> list[str]:
        return self._keys.kept()

    def erase(self, session_uid: str) -> bool:
        return self._keys.erase(session_uid)

    def pace(self, reconnects: float) -> None:
        self._engines.pace(reconnects)

    def health(self) -> ProviderHealth:
        return self._engines.health()

    def _request(self, opening: Opening) -> pb.OpenSessionRequest:
        request = pb.OpenSessionRequest(
            lease=lease_proto(opening.session_uid, opening.lease.fence, opening.remaining),
            device=device_proto(opening.device) if opening.device else None,
            expected_phone_number=opening.expected_phone_number,
            push_name=opening.push_name,
        )
        request.MergeFrom(self._keys.place(opening))
        return request


@asynccontextmanager
async def web_provider(options: EngineOptions, meter: EngineMeter) -> AsyncIterator[WebProvider]:
    """A web provider with its engines, of which the first is started now; they end with the context.

    Raises:
        EngineMissing: the settings name no program.
        EngineFailed: the engine does not start.
    """
    lab = options.lab is not None
    if not options.key_database:
        _make_private(options.sessions_folder)
    if options.lab is not None:
        _log.warning("THIS GATEWAY SPEAKS TO A LAB, NOT TO WHATSAPP", address=options.lab.address)
    async with engine_pool(options, meter) as engines, _keys(options, engines) as keys:
        yield WebProvider(engines, keys, lab=lab)


@asynccontextmanager
async def _keys(options: EngineOptions, engines: EnginePool) -> AsyncIterator[KeyStores]:
    if not options.key_database:
        yield KeyFiles(options.sessions_folder)
        return
    keys = KeysInDatabase(options.key_database, options.key_connections, engines)
    looking = asyncio.create_task(keys.run(), name="keys in the database")
    try:
        yield keys
    finally:
        looking.cancel()
        await asyncio.wait([looking])


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
