"""PostgreSQL's driver: steps run over asyncpg, and what its errors mean."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Final

import asyncpg
from asyncpg import exceptions as refusals

from gateway.adapters.sql.driver import ConnectionLost, Contended, RowsUnfit, Step
from gateway.adapters.sql.shelf import Row
from gateway.domain.errors import StoreFull, StoreUnavailable

_UNFIT: Final = (refusals.IntegrityConstraintViolationError, refusals.DataError)
_CONTENDED: Final = (
    refusals.DeadlockDetectedError,
    refusals.LockNotAvailableError,
    refusals.SerializationError,
)
_LOST: Final = (
    refusals.PostgresConnectionError,
    refusals.OperatorInterventionError,
    refusals.IdleInTransactionSessionTimeoutError,
    refusals.InterfaceError,
    refusals.InternalClientError,
    OSError,
)
_STILL_THERE: Final = refusals.QueryCanceledError
"""A statement that took too long; the only intervention that leaves the connection."""
_CLOSING_SECONDS: Final = 1.0


class PostgresDriver:
    """See `gateway.adapters.sql.driver.Driver`. Each step is one trip, but for mute ones: those that follow each other
    are one, and the server waits for nobody between them.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._ending: asyncio.Task[None] | None = None

    async def run(self, steps: Sequence[Step]) -> list[list[Row]]:
        with _meant():
            await self._ended()
            answers: list[list[Row]] = []
            for mute, some in groupby(steps, lambda step: step.mute):
                if mute:
                    together = list(some)
                    await self._connection.execute("; ".join(step.sql for step in together))
                    answers += [[] for _ in together]
                else:
                    answers += [await self._ask(step) for step in some]
            return answers

    async def rollback(self) -> None:
        with _meant():
            await self._ended()
            if not self._connection.is_closed() and self._connection.is_in_transaction():
                await self._connection.execute("ROLLBACK")

    def drop(self) -> None:
        self._ending = asyncio.create_task(self._connection.execute("ROLLBACK"), name="end of a reading")

    async def end(self) -> None:
        with suppress(TimeoutError, asyncpg.PostgresError, *_LOST):
            await self._ended()
            await self._connection.close(timeout=_CLOSING_SECONDS)

    async def _ask(self, step: Step) -> list[Row]:
        if step.rows is not None:
            await self._connection.executemany(step.sql, step.rows)
            return []
        return [dict(row) for row in await self._connection.fetch(step.sql, *step.parameters)]

    async def _ended(self) -> None:
        """Wait for the end of what only read."""
        ending, self._ending = self._ending, None
        if ending is not None:
            await ending


@contextmanager
def _meant() -> Iterator[None]:
    try:
        yield
    except _STILL_THERE as error:
        raise StoreUnavailable from error
    except _UNFIT as error:
        raise RowsUnfit(str(error)) from error
    except _CONTENDED as error:
        raise Contended(str(error)) from error
    except _LOST as error:
        raise ConnectionLost from error
    except refusals.DiskFullError as error:
        raise StoreFull from error
    except asyncpg.PostgresError as error:
        raise StoreUnavailable from error
