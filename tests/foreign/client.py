"""Persons whose clients others made: published packages, unmodified, each driven by lines of JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.stage.children import Child, child
from tests.stage.lab import Lab
from tests.stage.programs import ROOT, foreign
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2

_PAIRED_WITHIN: Final = 40.0

Command = Sequence[str | Path]


def baileys() -> Command:
    """Runs Baileys, the most used client in JavaScript."""
    folder = foreign("baileys")
    return folder / "node", "--preserve-symlinks", "--preserve-symlinks-main", folder / "driver.mjs"


def neonize() -> Command:
    """Runs neonize, the most used client in Python."""
    return foreign("neonize") / "bin" / "python", ROOT / "tests" / "foreign" / "neonize" / "driver.py"


@dataclass(frozen=True)
class Message:
    """What a client tells of a message. The sender has up to two JIDs."""

    id: str
    chat: str
    sender: str
    sender_other: str
    sender_name: str
    text: str

    @property
    def sender_jids(self) -> set[str]:
        """The sender's JIDs, as far as the client knows them."""
        return {self.sender, self.sender_other} - {""}


@dataclass(frozen=True)
class Receipt:
    """What a client tells of what became of messages: each was `delivered` or `read`."""

    kind: str
    ids: list[str]


class ForeignClient:
    """A client, and the account that it is paired with."""

    def __init__(self, account: lab_service_pb2.Account, process: Child) -> None:
        self.account = account
        self.phone_number = account.phone_number
        self.lid = account.lid
        self.name = account.push_name
        self.codes: Watch[str] = Watch()
        self.states: Watch[str] = Watch()
        self.messages: Watch[Message] = Watch()
        self.receipts: Watch[Receipt] = Watch()
        self._said: Watch[str] = Watch()
        self._process = process

    async def pair(self, lab: Lab) -> None:
        """Link it to its account by QR."""
        code = await self.codes.next(within=_PAIRED_WITHIN)
        await lab.scan(self.account, code)
        await self.states.until(lambda state: state == "connected", within=_PAIRED_WITHIN)

    async def say(self, to: str, text: str) -> str:
        """Send a text, to E.164 with `+` or to a JID; WhatsApp's id of it."""
        await self._order(say={"to": to, "text": text})
        return await self._said.next()

    async def read(self, message: Message) -> None:
        """Read a message, and let its sender know."""
        await self._order(read={"id": message.id, "chat": message.chat, "sender": message.sender})

    async def received(self, message_id: str) -> Message:
        """A message, once it is there."""
        return await self.messages.until(lambda message: message.id == message_id)

    async def knows(self, kind: str, message_id: str) -> None:
        """Wait until it tells that a message of its own was `delivered` or `read`."""
        await self.receipts.until(lambda receipt: receipt.kind == kind and message_id in receipt.ids)

    async def listen(self) -> None:
        """Take in what the client tells, until it ends."""
        watches: dict[str, Watch[Any]] = {
            "qr": self.codes,
            "state": self.states,
            "message": self.messages,
            "receipt": self.receipts,
            "said": self._said,
        }
        shapes = {"message": Message, "receipt": Receipt}
        try:
            async for line in self._process.lines():
                ((what, told),) = json.loads(line).items()
                await watches[what].tell(shapes[what](**told) if what in shapes else told)
        finally:
            for watch in watches.values():
                await watch.close()

    async def _order(self, **order: dict[str, str]) -> None:
        await self._process.hear(json.dumps(order).encode())


@asynccontextmanager
async def foreign_client(
    command: Command, folder: Path, lab: Lab, account: lab_service_pb2.Account, entering: Sequence[str] = ()
) -> AsyncIterator[ForeignClient]:
    """Run a client that keeps everything in this folder, and pair it; at the end it must end well."""
    folder.mkdir(parents=True)
    environment = trusting(lab) | {"LAB_NAME": account.push_name}
    async with child(*entering, *command, log=folder / "client.log", environment=environment) as process:
        client = ForeignClient(account, process)
        listening = asyncio.create_task(client.listen())
        try:
            await client.pair(lab)
            yield client
            assert await process.dismiss() == 0
        except AssertionError as error:
            error.add_note(process.last_words())
            raise
        finally:
            await process.kill()
            await listening


def trusting(lab: Lab) -> dict[str, str]:
    """How a client is told to speak to a lab."""
    return {
        "LAB_ADDRESS": lab.environment["WAGATE_LAB__ADDRESS"],
        "LAB_ROOT_KEY_HEX": lab.environment["WAGATE_LAB__ROOT_KEY_HEX"],
        "LAB_CA_FILE": lab.environment["WAGATE_LAB__CA_FILE"],
        "SSL_CERT_FILE": lab.environment["WAGATE_LAB__CA_FILE"],
    }
