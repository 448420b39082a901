"""The installation: what is made once, with the database."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, insert, select

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.tables import installation
from gateway.domain.clocks import to_micros
from gateway.domain.cursors import Signer

_FIND: Final = select(installation)
_MAKE: Final = insert(installation).values({column.name: bindparam("made_" + column.name) for column in installation.c})


async def open_installation(connection: Connection) -> Signer:
    """Find the log's name and the secret that signs its cursors, or make them, of all processes as the only one."""
    await connection.run(connection.statements.idiom.alone)
    for row in await connection.rows(_FIND, {}):
        return Signer(row["secret"], row["log_id"])
    log_id, secret = secrets.token_hex(8), secrets.token_bytes(32)
    made = {"made_log_id": log_id, "made_secret": secret, "made_create_time": to_micros(datetime.now(UTC))}
    await connection.rows(_MAKE, made)
    return Signer(secret, log_id)
