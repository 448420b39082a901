"""What an outbox is expected to hold: a session's messages, and which of them may be handed over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from gateway.domain.clocks import from_timestamp
from gateway.domain.messages import State
from tests.machines.expected import Expected
from wagate.v1 import message_pb2

LOCKED_FOR: Final = timedelta(hours=1)
_LEFT_TO_TIME: Final = frozenset({State.STATE_QUEUED, State.STATE_UNCONFIRMED})


class ExpectedOutbox:
    """The messages of one session in the order of their acceptance; chats are numbers. `holds` is whether the session
    holds what is ambiguous.
    """

    def __init__(self) -> None:
        self.messages: list[Expected] = []
        self.holds = False
        self._heard_from: set[int] = set()
        self._locked_until: datetime | None = None

    def accept(self, chat: int, shown: message_pb2.Message) -> None:
        """A message was accepted."""
        self.messages.append(Expected(shown.message_id, chat, from_timestamp(shown.give_up_time)))

    def at(self, which: int) -> Expected:
        """One of the messages, for any number."""
        return self.messages[which % len(self.messages)]

    def heads(self, now: datetime) -> list[Expected]:
        """The first of each chat that waits, unless it lets the others pass or must not be sent now."""
        heads: dict[int, Expected] = {}
        for message in self.messages:
            if message.waits() and not message.lets_others_pass(now):
                heads.setdefault(message.chat, message)
        return [head for head in heads.values() if self._is_known(head.chat) or not self._is_locked(now)]

    def lose_sight(self) -> None:
        """Of what was being handed over nobody knows whether it left."""
        for message in self.messages:
            if message.state == State.STATE_SENDING:
                message.lose_sight(holds=self.holds)

    def expire(self, now: datetime) -> None:
        """Time has come so far."""
        for message in self.messages:
            if message.give_up_time <= now and message.state in _LEFT_TO_TIME:
                message.end(State.STATE_EXPIRED)

    def fail(self) -> None:
        """The session lost its link."""
        for message in self.messages:
            if message.waits():
                message.end(State.STATE_FAILED)

    def hear_from(self, chat: int) -> None:
        """Somebody wrote."""
        self._heard_from.add(chat)

    def lock(self, until: datetime | None) -> None:
        """WhatsApp forbids to write where nothing was written, or no longer does."""
        self._locked_until = until

    def refused_as_new(self, chat: int, now: datetime) -> None:
        """WhatsApp refused a message because the chat is new; if it is, all new ones are forbidden for a while."""
        if not self._is_known(chat) and not self._is_locked(now):
            self._locked_until = now + LOCKED_FOR

    def _is_known(self, chat: int) -> bool:
        sent = any(message.chat == chat and message.state == State.STATE_SENT for message in self.messages)
        return sent or chat in self._heard_from

    def _is_locked(self, now: datetime) -> bool:
        return self._locked_until is not None and self._locked_until > now
