"""The meter: what is counted while the gateway works. No call waits or fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class EngineMeter(Protocol):
    """What is reported of the engines of this process, each by its number."""

    def engine_up(self, number: int, *, up: bool) -> None:
        """An engine answers from now on, or does not."""

    def engine_lines(self, number: int, count: int) -> None:
        """How many lines an engine has."""

    def engine_restarted(self, number: int) -> None:
        """An engine was started again."""

    def engine_ended(self, number: int) -> None:
        """An engine is not needed any more."""


class Meter(EngineMeter, Protocol):
    """What services and workers report."""

    def message_accepted(self) -> None:
        """A message was accepted for sending."""

    def message_sent(self, result: str) -> None:
        """An attempt at sending ended: `sent`, `refused`, `not sent` or `unknown`."""

    def outbox_seen(self, count: int, oldest_seconds: float) -> None:
        """How much waits to be sent in this process's sessions, and since when the oldest has been due."""

    def inbound_committed(self, seconds: float) -> None:
        """Something that WhatsApp told was stored, so many seconds after it came."""

    def inbound_refused(self) -> None:
        """Something that WhatsApp told could not be stored, and will be told again."""

    def sessions_seen(self, by_state: Mapping[str, int]) -> None:
        """How many sessions are in each state; states that are not named have none."""

    def fleet_seen(self, owned: int, share: int, unowned: int) -> None:
        """How many sessions this worker owns, how many are its fair share, and how many in all have no owner."""

    def sessions_claimed(self, count: int) -> None:
        """This worker claimed so many sessions."""

    def session_given_away(self) -> None:
        """This worker gave a session to whoever takes it, to drain or to share evenly."""

    def stream_opened(self) -> None:
        """A feed was opened."""

    def stream_closed(self) -> None:
        """A feed ended."""

    def stream_lagged(self, seconds: float) -> None:
        """How far behind the newest event a feed was when it told one."""

    def group_committed(self, size: int) -> None:
        """The writer committed a group of so many units."""

    def forgotten(self, sort: str, count: int) -> None:
        """So many `events`, `messages` or `request_ids` were removed for their age."""
