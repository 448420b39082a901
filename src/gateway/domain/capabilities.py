"""Capabilities: what a provider can do, as `GetServerInfo` and sessions show it."""

from typing import Final

OF_A_LINKED_DEVICE: Final[tuple[str, ...]] = (
    "send.text",
    "send.reply",
    "send.mention",
    "receipt.read",
    "contact.check",
    "pair.qr",
    "pair.code",
)
"""What a device can do that is linked to an account, whatever it is linked through."""
