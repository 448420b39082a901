"""The installation: what is made once, with the database."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.adapters.sql.tables import installation
from gateway.domain.clocks import to_micros
from gateway.domain.cursors import Signer


async def open_installation(connection: AsyncConnection) -> Signer:
    """Find the log's name and the secret that signs its cursors, or make them."""
    row = (await connection.execute(select(installation))).mappings().first()
    if row is None:
        log_id, secret = secrets.token_hex(8), secrets.token_bytes(32)
        made = {"log_id": log_id, "secret": secret, "create_time": to_micros(datetime.now(UTC))}
        await connection.execute(insert(installation).values(made))
        return Signer(secret, log_id)
    return Signer(row["secret"], row["log_id"])
