"""What is seen of the story."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import segno

from wagate.v1 import event_pb2, message_pb2, session_pb2

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper as EnumTypeWrapper

_State = session_pb2.SessionStatus.State


class Screen:
    """The terminal: steps numbered, events as they come, each with the seconds since the beginning."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._step = 0

    def step(self, sentence: str) -> None:
        """Begin a step of the story."""
        self._step += 1
        self._write(f"\n{self._step}. {sentence}")

    def say(self, sentence: str) -> None:
        """Tell what came of it."""
        self._write(f"   {sentence}")

    def event(self, event: event_pb2.Event) -> None:
        """Show an event of the stream."""
        self._write(
            f"   {time.monotonic() - self._begun:5.1f} s  event {event.sequence:<3} {event.kind:<23} {what(event)}"
        )

    def qr(self, text: str) -> None:
        """Draw a QR."""
        drawing = io.StringIO()
        segno.make(text, error="l", micro=False).terminal(drawing, compact=True, border=1)
        self._write(drawing.getvalue().rstrip("\n"))

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def what(event: event_pb2.Event) -> str:
    """What an event tells, in a few words."""
    tell = _WORDS.get(event.WhichOneof("what") or "")
    return tell(event) if tell else ""


def _said(message: message_pb2.Message) -> str:
    who = message.sender.display_name or "the shop"
    return f"{who}: {message.content.text.text}"


def _status(changed: event_pb2.MessageStatusChanged) -> str:
    reach = changed.reach.furthest
    if reach:
        return _name(message_pb2.Reach.Level, reach)
    return _name(message_pb2.Message.State, changed.state)


def _name(enum: EnumTypeWrapper[Any], value: int) -> str:
    """The name of a value without the enum's own, in small letters."""
    return enum.Name(value).partition("_")[2].lower().replace("_", " ")


_WORDS: Final[dict[str, Callable[[event_pb2.Event], str]]] = {
    "session_created": lambda event: event.session_created.session.session_id,
    "session_state_changed": lambda event: _name(_State, event.session_state_changed.status.state),
    "session_pairing": lambda event: _name(event_pb2.SessionPairing.Step, event.session_pairing.step),
    "message_accepted": lambda event: _said(event.message_accepted.message),
    "message_received": lambda event: _said(event.message_received.message),
    "message_status_changed": lambda event: _status(event.message_status_changed),
}
