"""What can be said through WhatsApp Web, known without an engine."""

from typing import Final

import uuid_utils

from gateway.ports.provider import ProviderHealth

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


class WebDialect:
    """See `gateway.ports.provider.Dialect`. `lab` tells whether those who open lines speak to a lab."""

    name = "web"
    capabilities: tuple[str, ...] = _CAPABILITIES

    def __init__(self, *, lab: bool = False) -> None:
        self._lab = lab

    def new_message_id(self) -> str:
        """An id of the form that WhatsApp's own web client chooses."""
        return "3EB0" + uuid_utils.uuid4().hex[-18:].upper()

    def health(self) -> ProviderHealth:
        return ProviderHealth(serving=True, lab=self._lab)
