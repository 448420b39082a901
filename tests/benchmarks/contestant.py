"""Contestants: gateways that can be measured. Ours is one; docs/benchmarks.md tells how another is plugged in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class LabAddress:
    """The WhatsApp that a contestant is to dial, and what it is to trust there."""

    host_and_port: str
    root_key_hex: str
    """The public key that signs the Noise certificate, in place of WhatsApp's own."""
    ca_file: Path
    """The authority of the TLS certificate, PEM."""


@dataclass(frozen=True)
class Inbound:
    """A text that a contestant told its subscriber of."""

    session: str
    text: str


class Contestant(Protocol):
    """A gateway. All that it keeps lies in the folder that it was made with: a copy of that is a copy of it."""

    async def start(self) -> None:
        """Run, and serve calls when this returns. Sessions that were linked before connect by themselves."""

    async def stop(self) -> None:
        """End, in order; if it has ended already, do nothing."""

    async def pair(self, session: str) -> str:
        """Begin to link a new session; the text of the QR that a phone is to scan."""

    async def connected(self, *sessions: str) -> None:
        """Wait until sessions are connected."""

    async def rest(self, *sessions: str) -> None:
        """Drop the connections of sessions and keep their links; returns when they are dropped."""

    async def wake(self, *sessions: str) -> None:
        """Connect sessions again; need not wait until they are."""

    async def send(self, session: str, to: str, text: str) -> None:
        """Send a text to a number (E.164 with `+`); returns when the gateway has answered the caller."""

    def watching(self) -> AbstractAsyncContextManager[AsyncIterator[Inbound]]:
        """Subscribe to what arrives, from now on, in all sessions."""

    def processes(self) -> Mapping[str, Sequence[int]]:
        """What it runs as: names, and the ids of the processes of each."""
