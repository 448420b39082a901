"""The journal: events that units told, until they are numbered and written.

The row of an event's session counts it, or else that of its tenant. The numbers are taken just before the events are
written: so writers in several processes meet at these rows one after the other.
"""

from __future__ import annotations

from typing import Any


class Journal:
    """The events of the finished units, and those of the unit under way."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self.own: list[dict[str, Any]] = []
        """Those of the unit under way."""
        self.grew = False
        """Whether events were handed out to be written."""

    @property
    def is_waiting(self) -> bool:
        """Whether finished units told events that are not written yet."""
        return bool(self._kept)

    def tell(self, row: dict[str, Any]) -> None:
        """Want an event told."""
        self.own.append(row)

    def keep(self) -> None:
        self._kept += self.own
        self.own = []

    def forget(self) -> None:
        self.own = []

    def drain(self) -> list[dict[str, Any]]:
        """Hand out the events of the finished units, to be numbered and written."""
        rows, self._kept = self._kept, []
        self.grew = self.grew or bool(rows)
        return rows

    def counting_sessions(self) -> set[str]:
        """The uids of the sessions that count the events of the finished units."""
        return {row["session_uid"] for row in self._kept if row["session_uid"]}
