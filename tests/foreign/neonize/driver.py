"""A person whose client is neonize. It is told what to do, and tells what happens, in lines of JSON."""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import pylibmagic  # noqa: F401 brings libmagic, which neonize asks the machine for
from neonize.client import NewClient, ProxySettings
from neonize.events import ConnectedEv, DisconnectedEv, LoggedOutEv, MessageEv, ReceiptEv
from neonize.proto.Neonize_pb2 import JID
from neonize.utils.enum import ReceiptType
from neonize.utils.jid import Jid2String, JIDToNonAD, build_jid
from neonize.utils.message import extract_text

REAL_ROOT_KEY: Final = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
"""What WhatsApp's own certificates are signed with: a variable of neonize's Go library."""
LIBRARY_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw.. .*/neonize-[^/]*\.so")


class Teller:
    """Tells what happens."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._one_at_a_time = threading.Lock()

    def __call__(self, **told: Any) -> None:
        with self._one_at_a_time:
            print(json.dumps(told), file=self._out, flush=True)


def jid(address: str) -> JID:
    """An address, which is E.164 with `+` or a JID."""
    user, _, server = address.partition("@")
    return build_jid(user.removeprefix("+"), server or "s.whatsapp.net")


def name(of: JID) -> str:
    """A user's JID, without the device; empty if there is none."""
    return Jid2String(JIDToNonAD(of)) if of.User else ""


class Person:
    """Does what is ordered, and tells what the client tells."""

    def __init__(self, tell: Teller) -> None:
        self.client = NewClient("neonize.db")
        self._tell = tell
        self._received: dict[str, MessageEv] = {}
        self._doing: dict[str, Callable[[dict[str, str]], None]] = {
            "say": self._say,
            "reply": self._reply,
            "read": self._read,
        }

    def listen(self) -> None:
        """Tell all that the client tells."""
        client, tell = self.client, self._tell
        client.qr(lambda _, text: tell(qr=text.decode()))
        client.event(ConnectedEv)(lambda *_: self._look_at_it())
        client.event(DisconnectedEv)(lambda *_: tell(state="disconnected"))
        client.event(LoggedOutEv)(lambda *_: tell(state="logged out"))
        client.event(MessageEv)(lambda _, message: self._hear(message))
        client.event(ReceiptEv)(lambda _, receipt: tell(receipt=told_receipt(receipt)))

    def obey(self, orders: Iterable[str]) -> None:
        """Do what is ordered until nothing is any more."""
        try:
            for line in orders:
                ((what, order),) = json.loads(line).items()
                self._doing[what](order)
        finally:
            self.client.stop()

    def _look_at_it(self) -> None:
        """Be one who looks at the screen: only what such a client confirms is shown as delivered."""
        self.client.set_force_activate_delivery_receipts(True)
        self._tell(state="connected")

    def _hear(self, message: MessageEv) -> None:
        if not message.Info.MessageSource.IsFromMe:
            self._received[message.Info.ID] = message
            self._tell(message=told_message(message))

    def _say(self, order: dict[str, str]) -> None:
        self._tell(said=self.client.send_message(jid(order["to"]), order["text"]).ID)

    def _reply(self, order: dict[str, str]) -> None:
        self._tell(said=self.client.reply_message(order["text"], self._received[order["id"]]).ID)

    def _read(self, order: dict[str, str]) -> None:
        source = self._received[order["id"]].Info.MessageSource
        self.client.mark_read(order["id"], chat=source.Chat, sender=source.Sender, receipt=ReceiptType.READ)


def told_message(message: MessageEv) -> dict[str, str]:
    source = message.Info.MessageSource
    return {
        "id": message.Info.ID,
        "chat": name(source.Chat),
        "sender": name(source.Sender),
        "sender_other": name(source.SenderAlt),
        "sender_name": message.Info.Pushname,
        "text": extract_text(message.Message),
        "quoted": message.Message.extendedTextMessage.contextInfo.stanzaID,
    }


def told_receipt(receipt: ReceiptEv) -> dict[str, Any]:
    return {"kind": ReceiptEv.ReceiptType.Name(receipt.Type).lower(), "ids": list(receipt.MessageIDs)}


def trust(root_key: bytes) -> None:
    """Put another key in the real one's place, in this process alone."""
    (place,) = places_of(REAL_ROOT_KEY)
    ctypes.memmove(place, root_key, len(REAL_ROOT_KEY))


def places_of(value: bytes) -> Iterator[int]:
    """Where a value is among the library's variables."""
    for mapping in LIBRARY_MAPPING.finditer(Path("/proc/self/maps").read_text()):
        start, end = (int(number, 16) for number in mapping.groups())
        held = ctypes.string_at(start, end - start)
        yield from (start + found.start() for found in re.finditer(re.escape(value), held))


@contextmanager
def stdout_alone() -> Iterator[TextIO]:
    """What was stdout, for us alone: what the client prints goes to stderr."""
    with os.fdopen(os.dup(1), "w") as ours:
        os.dup2(2, 1)
        yield ours


def fail(failed: Any) -> None:
    """End at an error that neither the client nor a thread would end at."""
    traceback.print_exception(failed.exc_value)
    os._exit(1)


def main() -> None:
    sys.unraisablehook = threading.excepthook = fail
    address, root_key_hex = os.environ["LAB_ADDRESS"], os.environ["LAB_ROOT_KEY_HEX"]
    trust(bytes.fromhex(root_key_hex))
    with stdout_alone() as ours:
        person = Person(Teller(ours))
        person.listen()
        threading.Thread(target=person.obey, args=[sys.stdin], daemon=True).start()
        person.client.connect(ProxySettings(proxy_address=f"http://{address}"))


if __name__ == "__main__":
    main()
