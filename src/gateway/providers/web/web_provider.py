"""The web provider: WhatsApp Web, as a linked device."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
import uuid_utils

from gateway.ports.provider import LineDown, LineGone, Opening, ProviderHealth
from gateway.providers.web.calls import OPENING, answered
from gateway.providers.web.engine import Engine, kept_engine
from gateway.providers.web.key_stores import erase_store, kept_stores
from gateway.providers.web.names import device_of, device_proto
from gateway.providers.web.options import EngineOptions
from gateway.providers.web.web_line import WebLine, lease_proto
from wagate.engine.v1 import engine_service_pb2 as pb

_log = structlog.get_logger(__name__)

_CAPABILITIES: Final = (
    "send.text",
    "send.reply",
    "send.mention",
    "send.link_preview",
    "receipt.read",
    "contact.check",
    "pair.qr",
    "pair.code",
)


class WebProvider:
    """Speaks WhatsApp Web through the engine. Make it with `web_provider`."""

    name = "web"
    capabilities: tuple[str, ...] = _CAPABILITIES

    def __init__(self, options: EngineOptions, engine: Engine) -> None:
        self._options = options
        self._engine = engine

    def new_message_id(self) -> str:
        """An id of the form that WhatsApp's own web client chooses."""
        return "3EB0" + uuid_utils.uuid4().hex[-18:].upper()

    async def open(self, opening: Opening) -> WebLine:
        engine = self._engine.running()
        lease = opening.lease
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
        return WebLine(engine, inbox, lease, device)

    def kept_sessions(self) -> list[str]:
        return kept_stores(self._options.sessions_folder)

    def erase(self, session_uid: str) -> bool:
        return erase_store(self._options.sessions_folder, session_uid)

    def health(self) -> ProviderHealth:
        lab = self._options.lab is not None
        if self._engine.is_up:
            return ProviderHealth(serving=True, lab=lab)
        return ProviderHealth(serving=False, message=self._engine.trouble, lab=lab)

    def _request(self, opening: Opening) -> pb.OpenSessionRequest:
        return pb.OpenSessionRequest(
            lease=lease_proto(opening.session_uid, opening.lease.fence, opening.remaining),
            device=device_proto(opening.device) if opening.device else None,
            store_path=str(self._options.sessions_folder / f"{opening.session_uid}.db"),
            expected_phone_number=opening.expected_phone_number,
            push_name=opening.push_name,
        )


@asynccontextmanager
async def web_provider(options: EngineOptions, on_restart: Callable[[], None]) -> AsyncIterator[WebProvider]:
    """A web provider with its engine, which is started now and ended with the context; `on_restart` is called each time
    the engine is started again.

    Raises:
        EngineMissing: the settings name no program.
        EngineFailed: the engine does not start.
    """
    _make_private(options.sessions_folder)
    if options.lab is not None:
        _log.warning("THIS GATEWAY SPEAKS TO A LAB, NOT TO WHATSAPP", address=options.lab.address)
    async with kept_engine(options, on_restart) as engine:
        yield WebProvider(options, engine)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
