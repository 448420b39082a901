"""A teller: a process beside a fleet that stores events of one of its sessions, as a worker would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.adapters.sql.store import SqlStore, open_store
from gateway.bootstrap.queues import open_queue
from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.ids import IDENTITY, MESSAGE, make_id
from gateway.domain.sessions import Session
from gateway.observability.logs import start_logging
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services import log
from gateway.settings import load
from wagate.v1 import content_pb2, event_pb2, identity_pb2, message_pb2

_TEXT: Final = "Your order 1047 has left our house this morning, and should be with you on Thursday between 9 and 12."


@dataclass(frozen=True)
class Stored:
    """Events of one commit: when it was over, by `time.perf_counter`, and how long they are together, bytes."""

    moment: float
    length: int


class Teller:
    """Stores events; bells ring in all processes."""

    def __init__(self, store: SqlStore, session: Session) -> None:
        self._store = store
        self._session = session
        self.rang = 0.0

    async def cursor(self) -> str:
        """Where the log ends now."""
        return self._store.signer.cursor(DEFAULT_TENANT, await self._store.read(lambda uow: uow.events.newest()))

    async def tell(self, count: int) -> Stored:
        """Store so many in one commit."""
        length = await self._store.write(partial(self._tell, [make_id(IDENTITY) for _ in range(count)]))
        return Stored(self.rang, length)

    async def tell_steadily(self, rate: float, seconds: float) -> dict[str, float]:
        """Store one at a time at a rate; when each commit was over, by the event's chat."""
        stored: dict[str, float] = {}
        begun = time.perf_counter()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(begun + number / rate - time.perf_counter(), 0))
            chat_id = make_id(IDENTITY)
            await self._store.write(partial(self._tell, [chat_id]))
            stored[chat_id] = self.rang
        return stored

    async def _tell(self, chat_ids: list[str], uow: UnitOfWork) -> int:
        """Someone wrote in each of these chats; how long the events are, bytes, without what the log adds."""
        length = 0
        for chat_id in chat_ids:
            what = event_pb2.Event(message_received=event_pb2.MessageReceived(message=self._message(chat_id)))
            await log.tell(uow, self._session, what, chat_id=chat_id)
            length += what.ByteSize()
        return length

    def _message(self, chat_id: str) -> message_pb2.Message:
        return message_pb2.Message(
            message_id=make_id(MESSAGE),
            session_id=self._session.session_id,
            chat=identity_pb2.Identity(id=chat_id),
            content=content_pb2.Content(text=content_pb2.Text(text=_TEXT)),
            state=message_pb2.Message.STATE_RECEIVED,
        )


@asynccontextmanager
async def a_teller(database: str, redis_url: str, session_id: str) -> AsyncIterator[Teller]:
    """One who tells of this session while the context lasts."""
    settings = load(flags={"queue": {"url": redis_url}, "log": {"level": "warning"}})
    start_logging(settings.log)

    def ring(*bells: str) -> None:
        teller.rang = time.perf_counter()
        queue.ring(*bells)

    async with (
        open_store(database, ring=ring) as store,
        open_queue(settings, store, alone=False, changed=lambda _up: None) as queue,
    ):
        session = await store.read(lambda uow: uow.sessions.get(DEFAULT_TENANT, session_id))
        assert session is not None
        teller = Teller(store, session)
        yield teller
