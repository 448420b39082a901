"""Persons whose clients others made: published packages, unmodified, each driven by lines of JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.stage.children import Child, child
from tests.stage.lab import Lab
from tests.stage.programs import ROOT, foreign
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2

_CONNECTED_WITHIN: Final = 40.0

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
    """What a client tells of a message. The sender has up to two JIDs; `quoted` is the id of what it answers."""

    id: str
    chat: str
    sender: str
    sender_other: str
    sender_name: str
    text: str
    quoted: str

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
    """A client, and the account that it is linked to. It can leave and come back any number of times."""

    codes: Watch[str]
    states: Watch[str]
    messages: Watch[Message]
    receipts: Watch[Receipt]

    def __init__(
        self, account: lab_service_pb2.Account, start: Callable[[], AbstractAsyncContextManager[Child]]
    ) -> None:
        self.account = account
        self.phone_number = account.phone_number
        self.lid = account.lid
        self.name = account.push_name
        self._start = start
        self._running = AsyncExitStack()
        self._process: Child

    async def pair(self, lab: Lab) -> None:
        """Start it, and link it to its account by QR."""
        await self._come()
        code = await self.codes.next(within=_CONNECTED_WITHIN)
        await lab.scan(self.account, code)
        await self.states.until(lambda state: state == "connected", within=_CONNECTED_WITHIN)

    async def come_back(self) -> None:
        """Start it once it is linked, and wait until it is connected."""
        await self._come()
        await self.states.until(lambda state: state == "connected", within=_CONNECTED_WITHIN)

    async def leave(self) -> None:
        """Let it end, as it must do well."""
        assert await self._process.dismiss() == 0
        await self._running.aclose()

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        await self._running.aclose()

    def last_words(self) -> str:
        """The end of its log."""
        return self._process.last_words()

    async def say(self, to: str, text: str) -> str:
        """Send a text, to E.164 with `+` or to a JID; WhatsApp's id of it."""
        await self._order(say={"to": to, "text": text})
        return await self._said.next()

    async def reply(self, message: Message, text: str) -> str:
        """Answer a message; WhatsApp's id of the answer."""
        await self._order(reply={"id": message.id, "text": text})
        return await self._said.next()

    async def read(self, message: Message) -> None:
        """Read a message, and let its sender know."""
        await self._order(read={"id": message.id})

    async def received(self, message_id: str) -> Message:
        """A message, once it is there in words."""
        return await self.messages.until(lambda message: message.id == message_id and message.text != "")

    async def knows(self, kind: str, message_id: str) -> None:
        """Wait until it tells that a message of its own was `delivered` or `read`."""
        await self.receipts.until(lambda receipt: receipt.kind == kind and message_id in receipt.ids)

    async def _come(self) -> None:
        self.codes, self.states, self._said = Watch(), Watch(), Watch[str]()
        self.messages, self.receipts = Watch(), Watch()
        self._process = await self._running.enter_async_context(self._start())
        listening = asyncio.create_task(self._listen())
        self._running.push_async_callback(asyncio.wait, [listening])
        self._running.push_async_callback(self._process.kill)

    async def _listen(self) -> None:
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
    client = ForeignClient(
        account, partial(child, *entering, *command, log=folder / "client.log", environment=environment)
    )
    try:
        await client.pair(lab)
        yield client
        await client.leave()
    except AssertionError as error:
        error.add_note(client.last_words())
        raise
    finally:
        await client.kill()


def trusting(lab: Lab) -> dict[str, str]:
    """How a client is told to speak to a lab."""
    return {
        "LAB_ADDRESS": lab.environment["WAGATE_LAB__ADDRESS"],
        "LAB_ROOT_KEY_HEX": lab.environment["WAGATE_LAB__ROOT_KEY_HEX"],
        "LAB_CA_FILE": lab.environment["WAGATE_LAB__CA_FILE"],
        "SSL_CERT_FILE": lab.environment["WAGATE_LAB__CA_FILE"],
    }
