"""PostgreSQL's driver: steps run over asyncpg, and what its errors mean."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto
from functools import lru_cache
from itertools import count, groupby
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
_PARAMETER: Final = re.compile(r"\$(\d+)")
_TOGETHER_AT_MOST: Final = 16
"""Statements that are asked in one: more take longer to plan than a trip."""
_TEXTS_AT_MOST: Final = 512


class _Kind(Enum):
    """What steps have in common that go together."""

    MUTE = auto()
    READING = auto()
    OTHER = auto()


class PostgresDriver:
    """See `gateway.adapters.sql.driver.Driver`. Each step is one trip, but for mute ones, and for those that only read:
    of both, those that follow each other are one. Mute ones with parameters are prepared by name, in the trip that
    first runs them.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._names: dict[str, str] = {}
        self._numbers = count(1)
        self._ending: asyncio.Task[None] | None = None

    async def run(self, steps: Sequence[Step]) -> list[list[Row]]:
        with _meant():
            await self._ended()
            answers: list[list[Row]] = []
            for kind, some in groupby(steps, _kind_of):
                together = list(some)
                if kind is _Kind.MUTE:
                    await self._say(together)
                    answers += [[] for _ in together]
                elif kind is _Kind.READING and len(together) > 1:
                    for begun in range(0, len(together), _TOGETHER_AT_MOST):
                        answers += await self._read(together[begun : begun + _TOGETHER_AT_MOST])
                else:
                    answers += [await self._ask(step) for step in together]
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

    async def _say(self, steps: Sequence[Step]) -> None:
        names, texts = dict(self._names), list[str]()
        for step in steps:
            if step.parameters and step.sql not in names:
                names[step.sql] = f"said_{next(self._numbers)}"
                texts.append(f"PREPARE {names[step.sql]} AS {step.sql}")
            texts.append(_said(step, names))
        await self._connection.execute("; ".join(texts))
        self._names = names

    async def _read(self, steps: Sequence[Step]) -> list[list[Row]]:
        text = _together(tuple((step.sql, len(step.parameters)) for step in steps))
        (told,) = await self._connection.fetch(text, *(one for step in steps for one in step.parameters))
        answers = zip(steps, told, strict=True)
        return [[dict(zip(step.columns, row, strict=True)) for row in rows] for step, rows in answers]

    async def _ended(self) -> None:
        """Wait for the end of what only read."""
        ending, self._ending = self._ending, None
        if ending is not None:
            await ending


def _kind_of(step: Step) -> _Kind:
    return _Kind.MUTE if step.mute else _Kind.READING if step.columns else _Kind.OTHER


def _said(step: Step, names: Mapping[str, str]) -> str:
    """A mute step as text; a quote within a parameter is doubled, and nothing else has a meaning there."""
    if not step.parameters:
        return step.sql
    parameters = ", ".join("'" + one.replace("'", "''") + "'" for one in step.parameters)
    return f"EXECUTE {names[step.sql]}({parameters})"


@lru_cache(_TEXTS_AT_MOST)
def _together(statements: tuple[tuple[str, int], ...]) -> str:
    """One statement that answers several, each with a list of its rows; the parameters stand one after another."""
    lists: list[str] = []
    before = 0
    for sql, parameters in statements:
        lists.append(f"ARRAY(SELECT row(found.*) FROM ({_renumbered(sql, before)}) AS found)")  # noqa: S608  # ours
        before += parameters
    return f"SELECT {', '.join(lists)}"


def _renumbered(sql: str, before: int) -> str:
    """A statement whose parameters stand behind so many others."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", sql)


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
