"""A person whose client is neonize. It is told what to do, and tells what happens, in lines of JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import pylibmagic  # noqa: F401 brings libmagic, which neonize asks the machine for
from neonize.client import NewClient, ProxySettings
from neonize.events import ConnectedEv, DisconnectedEv, LoggedOutEv, MessageEv, ReceiptEv
from neonize.proto.Neonize_pb2 import JID
from neonize.utils.enum import ReceiptType
from neonize.utils.jid import Jid2String, JIDToNonAD, build_jid
from neonize.utils.message import extract_text

from tests.foreign.neonize.trust import trust


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
