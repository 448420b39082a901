"""What can be said through WhatsApp Web, known without an engine."""

from gateway.domain.capabilities import OF_A_LINKED_DEVICE
from gateway.domain.ids import make_web_message_id
from gateway.ports.provider import ProviderHealth


class WebDialect:
    """See `gateway.ports.provider.Dialect`. `lab` tells whether those who open lines speak to a lab."""

    name = "web"
    capabilities: tuple[str, ...] = (*OF_A_LINKED_DEVICE, "send.link_preview")

    def __init__(self, *, lab: bool = False) -> None:
        self._lab = lab

    def new_message_id(self) -> str:
        return make_web_message_id()

    def health(self) -> ProviderHealth:
        return ProviderHealth(serving=True, lab=self._lab)
