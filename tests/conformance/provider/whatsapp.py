"""The other side of a provider: what a test can let happen there, and what can be seen there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Contact:
    """Somebody with an account: who links sessions to it, or who chats."""

    phone_number: str
    lid: str


@dataclass(frozen=True)
class Heard:
    """A message, as its recipient sees it; `quoted` is the id of the message that it answers."""

    provider_message_id: str
    sender: str
    text: str
    quoted: str
    mentions: int


class WhatsApp(Protocol):
    """WhatsApp, or what stands for it. Accounts and people are new each time: tests do not meet."""

    nobody: str
    """A number without an account."""

    async def account(self) -> Contact:
        """An account whose phone does nothing by itself."""

    async def person(self, name: str) -> Contact:
        """Somebody who chats when told to."""

    async def scan(self, account: Contact, code: str) -> None:
        """Let an account's phone scan a QR; returns once WhatsApp has linked a device, raises if it does not."""

    async def enter(self, account: Contact, code: str) -> None:
        """Let the code be typed instead."""

    async def say(self, person: Contact, to: Contact, text: str) -> str:
        """Let somebody write; WhatsApp's id of the message."""

    async def heard(self, person: Contact) -> Heard:
        """The next message that somebody gets."""

    async def read(self, person: Contact, to: Contact, provider_message_id: str) -> None:
        """Let somebody read a message."""

    async def confirmed(self, person: Contact, provider_message_id: str, *, within: float) -> bool:
        """Whether somebody is told, within so many seconds, that what they wrote has arrived."""

    async def told_read(self, person: Contact, provider_message_id: str, *, within: float) -> bool:
        """Whether somebody is told, within so many seconds, that what they wrote was read."""

    async def refuse(self, account: Contact, person: Contact, code: int) -> None:
        """Refuse what an account writes to somebody."""

    async def freeze(self, account: Contact, person: Contact) -> None:
        """Answer nothing any more on an account's connection, least of all about this person; a later one is sound."""

    async def drop(self, account: Contact) -> None:
        """Cut an account's connection."""

    async def replace(self, account: Contact) -> None:
        """Say that another took an account's connection over."""

    async def outdate(self, account: Contact) -> None:
        """Say that the client is too old."""

    async def ban(self, account: Contact, *, seconds: int) -> None:
        """Ban an account, and cut its connection."""

    async def lock_reachout(self, account: Contact, *, seconds: int) -> None:
        """Forbid an account to write to people that it has not written to."""

    async def unlink(self, account: Contact) -> None:
        """Remove an account's devices on its phone."""

    async def has_device(self, account: Contact) -> bool:
        """Whether a device is linked to an account."""

    async def crash(self) -> None:
        """Let whatever the provider leans on die, and come back by itself."""
