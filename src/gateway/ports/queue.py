"""The queue: a doorbell and a speaking tube. The store is the truth; a lost ring costs latency, no more."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

EVENTS = "events"
"""Rings when the log grew."""
FLEET = "fleet"
"""Rings when what is wanted of some session changed."""
OUTBOX_BELLS = "outbox:"
"""Bells of outboxes begin with this; the session's uid follows."""
WISH_BELLS = "wish:"
"""So do those of wishes with this."""


def outbox_bell(session_uid: str) -> str:
    """Rings when a session's outbox has something new to look at."""
    return OUTBOX_BELLS + session_uid


def wish_bell(session_uid: str) -> str:
    """Rings when something else is wanted of a session."""
    return WISH_BELLS + session_uid


def worker_bell(worker_id: str) -> str:
    """Rings when something is wanted of a worker."""
    return "worker:" + worker_id


def owner_name(session_uid: str) -> str:
    """Under which name a session's owner answers requests."""
    return "owner:" + session_uid


LONGEST_LETTER = 4 * 1024 * 1024
"""No question and no answer is longer, in bytes."""


class Ears(Protocol):
    """Listens to some bells."""

    async def heard(self, timeout: float) -> bool:
        """Wait until one has rung since the last call, `timeout` seconds at most; tell whether one has."""


class NobodyAnswers(Exception):
    """Nobody serves under that name."""


class AnswerOverdue(Exception):
    """The question was handed over, and no answer came in time."""


class LetterTooLong(Exception):
    """A question is longer than any may be."""


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """Whether bells ring in other processes as they should, and a sentence if not: then all is done, but later."""

    serving: bool
    message: str = ""


class Queue(Protocol):
    """How processes wake and ask each other."""

    def ring(self, *bells: str) -> None:
        """Wake everyone who listens to these. Never waits, never fails."""

    def listen(self, *bells: str) -> AbstractContextManager[Ears]:
        """Listen to bells, from now on."""

    async def ask(self, name: str, question: bytes, *, timeout: float) -> bytes:
        """Ask whoever serves under a name, and wait for the answer.

        Raises:
            NobodyAnswers: the question reached nobody.
            AnswerOverdue: it was handed over, or may have been, and no answer came within `timeout` seconds.
            LetterTooLong: it has more than LONGEST_LETTER bytes.
        """

    def serve(self, name: str, answer: Callable[[bytes], Awaitable[bytes]]) -> AbstractAsyncContextManager[None]:
        """Answer questions under a name, several at a time, while the context lasts. One server per name: a second one
        takes over. Answers under way are cancelled at the end; those of more than LONGEST_LETTER bytes are none.
        """

    def health(self) -> QueueHealth:
        """How it fares."""
