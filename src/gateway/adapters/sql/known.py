"""What a writer knows: rows that it keeps in mind from one transaction to the next, where nobody else writes them."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.sql.shelf import Layered, Shelf

_ROWS_AT_MOST: Final = 20_000
"""Of one table. A row takes about 1 KiB."""


class Known:
    """The shelves that outlast a transaction: of rows that many units read and few change. A transaction that fails
    takes what it knew with it.
    """

    def __init__(self) -> None:
        self.sessions: Shelf[str] = Shelf()
        self.session_names: Layered[tuple[str, str], str] = Layered()
        self.leases: Shelf[str] = Shelf()
        self.identities: Shelf[tuple[str, str]] = Shelf()
        self.identity_names: Layered[tuple[str, str, str], str] = Layered()
        self.aliases: Shelf[tuple[str, str]] = Shelf()

    def trim(self) -> None:
        """Forget all rows of a table once they are too many to keep in mind."""
        layers: list[Layered[Any, Any]] = [*vars(self).values()]
        for layer in layers:
            if len(layer.kept()) > _ROWS_AT_MOST:
                layer.clear()
