"""Carrying keys: from the file of each session into a database that all share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.providers.web.calls import ask
from gateway.providers.web.failures import CallFailed
from gateway.providers.web.lone_engine import lone_engine
from gateway.providers.web.options import EngineOptions
from wagate.engine.v1 import engine_service_pb2 as pb

if TYPE_CHECKING:
    from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

_SECONDS: Final = 120.0
"""For one session: a long history is many keys."""
_LOST: Final = frozenset({"NOTHING_TO_CARRY", "STORE_CORRUPT"})
"""There is nothing that could be carried, now or later."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A linked session whose keys should lie in a file, and the fence of its last owner."""

    tenant_id: str
    session_id: str
    session_uid: str
    fence: int


class KeysNotCarried(Exception):
    """The keys of a session could not be carried now; the message says why."""


async def carry_keys(
    options: EngineOptions, folder: Path, database: str, sessions: Iterable[KeyFile]
) -> AsyncIterator[tuple[KeyFile, bool]]:
    """Move the keys of sessions from their files in a folder into a database, which is named as libpq does. Tells of
    each whether it has its keys; one that has not must pair again. What was carried before is told again.

    Raises:
        EngineFailed, TimeoutError: no engine could be asked.
        KeysNotCarried: a file is in use, or the database fails.
    """
    async with lone_engine(options) as (stub, _):
        for session in sessions:
            yield session, await _carry(stub, folder, database, session)


async def _carry(stub: EngineServiceAsyncStub, folder: Path, database: str, session: KeyFile) -> bool:
    request = pb.CarrySessionRequest(
        session_id=session.session_uid,
        fence=session.fence,
        store_path=str(folder / f"{session.session_uid}.db"),
        database=pb.KeyDatabase(url=database, tenant_id=session.tenant_id),
    )
    try:
        answer = await ask(stub.CarrySession, request, timeout=_SECONDS)
    except CallFailed as failed:
        if failed.reason in _LOST:
            return False
        raise KeysNotCarried(f"The keys of {session.session_id} cannot be carried now: {failed}.") from failed
    return answer.HasField("device")
