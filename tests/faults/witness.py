"""The oracle, read while the lab runs: what WhatsApp would know of everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.faults.record import Entry
from tests.stage.lab import Kind, Lab
from tests.stage.waiting import eventually
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.lab.v1 import oracle_pb2


class Witness:
    """All that the oracle has told so far, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def sees(self, predicate: Callable[[Entry], bool], *, within: float) -> bool:
        """Wait for an entry from now on of which something is true; tell whether it came."""
        looked_at = len(self.entries)

        def seen() -> bool:
            nonlocal looked_at
            since, looked_at = looked_at, len(self.entries)
            return any(predicate(entry) for entry in self.entries[since:])

        try:
            await eventually(seen, within)
        except AssertionError:
            return False
        return True

    async def read(self, lab: Lab) -> None:
        """Read until cancelled."""
        stream = lab.stub.WatchOracle(pb.WatchOracleRequest())
        try:
            async for told in stream:
                if told.entry.stanza != "receipt":
                    self.entries.append(_entry(told.entry))
        finally:
            stream.cancel()


def _entry(told: oracle_pb2.OracleEntry) -> Entry:
    return Entry(
        time=told.time.ToNanoseconds() / 1e9,
        kind=Kind.Name(told.kind).removeprefix("KIND_"),
        account=told.account,
        device=told.device,
        peer=told.peer,
        provider_message_id=told.provider_message_id,
        connection=told.connection,
        to_jid=told.to_jid,
    )


@asynccontextmanager
async def witnessing(lab: Lab) -> AsyncIterator[Witness]:
    """Read the oracle from its beginning for as long as the context lasts."""
    witness = Witness()
    reading = asyncio.create_task(witness.read(lab))
    try:
        yield witness
    finally:
        reading.cancel()
        await asyncio.wait([reading])
