"""A person whose client is neonize. It is told what to do, and tells what happens, in lines of JSON."""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
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


def listen(client: NewClient, tell: Teller) -> None:
    """Tell all that the client tells."""
    client.qr(lambda _, text: tell(qr=text.decode()))
    client.event(ConnectedEv)(lambda *_: look_at_it(client, tell))
    client.event(DisconnectedEv)(lambda *_: tell(state="disconnected"))
    client.event(LoggedOutEv)(lambda *_: tell(state="logged out"))
    client.event(MessageEv)(lambda _, message: tell_message(tell, message))
    client.event(ReceiptEv)(lambda _, receipt: tell_receipt(tell, receipt))


def look_at_it(client: NewClient, tell: Teller) -> None:
    """Be one who looks at the screen: only what such a client confirms is shown as delivered."""
    client.set_force_activate_delivery_receipts(True)
    tell(state="connected")


def tell_message(tell: Teller, message: MessageEv) -> None:
    """Tell what others say."""
    source = message.Info.MessageSource
    if not source.IsFromMe:
        told = {
            "id": message.Info.ID,
            "chat": name(source.Chat),
            "sender": name(source.Sender),
            "sender_other": name(source.SenderAlt),
            "sender_name": message.Info.Pushname,
            "text": extract_text(message.Message),
        }
        tell(message=told)


def tell_receipt(tell: Teller, receipt: ReceiptEv) -> None:
    kind = ReceiptEv.ReceiptType.Name(receipt.Type).lower()
    tell(receipt={"kind": kind, "ids": list(receipt.MessageIDs)})


def obey(client: NewClient, tell: Teller, orders: Iterator[str]) -> None:
    """Do what is ordered until nothing is any more."""
    doing: dict[str, Callable[[dict[str, str]], None]] = {
        "say": lambda order: tell(said=client.send_message(jid(order["to"]), order["text"]).ID),
        "read": lambda order: client.mark_read(
            order["id"], chat=jid(order["chat"]), sender=jid(order["sender"]), receipt=ReceiptType.READ
        ),
    }
    try:
        for line in orders:
            ((what, order),) = json.loads(line).items()
            doing[what](order)
    finally:
        client.stop()


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
        tell = Teller(ours)
        client = NewClient("neonize.db")
        listen(client, tell)
        threading.Thread(target=obey, args=(client, tell, sys.stdin), daemon=True).start()
        client.connect(ProxySettings(proxy_address=f"http://{address}"))


if __name__ == "__main__":
    main()
