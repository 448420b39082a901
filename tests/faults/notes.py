"""What was done, and when, noted for the judge."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.plan import Kind
from tests.faults.record import Injected
from tests.stage.shop import Shop


class Notes:
    """The faults that were injected so far, each noted once it is over."""

    def __init__(self) -> None:
        self.injected: list[Injected] = []

    @contextmanager
    def noting(self, kind: Kind, shop: Shop | None = None, *, between: bool = False) -> Iterator[list[str]]:
        """Note a fault that lasts as long as the context. Sessions that are put into the list are those that it
        concerned, if they are not all.
        """
        begun, concerned = time.time(), [shop.session_id] if shop else []
        yield concerned
        self.injected.append(Injected(kind, begun, time.time(), "", between, tuple(concerned)))
