"""The parts of a fleet, and what its database knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.stage.fleet import Fleet
from tests.stage.postgres import PostgresServer
from tests.stage.redis import RedisServer

_OWNERS: Final = "SELECT session_id, owner_id FROM leases JOIN sessions ON sessions.uid = leases.session_uid"


@dataclass(frozen=True)
class Parts:
    """A fleet, and what it stands on."""

    fleet: Fleet
    postgres: PostgresServer
    redis: RedisServer

    async def rows(self, question: str) -> list[tuple[str, object]]:
        """What PostgreSQL answers, asked beside the fleet: pairs."""
        connection = await self.postgres.connect(self.fleet.database)
        try:
            return [(row[0], row[1]) for row in await connection.fetch(question)]
        finally:
            await connection.close()

    async def owners(self) -> dict[str, object]:
        """Which worker's each session is, or was last."""
        return dict(await self.rows(_OWNERS))
