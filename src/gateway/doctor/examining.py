"""Examining: every check, one after the other, none of which can end the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from gateway.doctor.clock import clock
from gateway.doctor.database import database
from gateway.doctor.disk import disk
from gateway.doctor.engine import engine
from gateway.doctor.findings import Finding, problem
from gateway.doctor.queue import queue
from gateway.doctor.settings import settings
from gateway.doctor.versions import versions
from gateway.settings import Settings

Check = Callable[[Settings], Awaitable[list[Finding]]]

CHECKS: Final[tuple[Check, ...]] = (versions, settings, disk, clock, database, queue, engine)
"""In the order of the report."""


async def examine(settings: Settings, checks: tuple[Check, ...] = CHECKS) -> list[Finding]:
    """Look at all that a gateway with these settings stands on. Changes nothing."""
    return [finding for check in checks for finding in await _found(check, settings)]


async def _found(check: Check, settings: Settings) -> list[Finding]:
    try:
        return await check(settings)
    except Exception as error:  # noqa: BLE001  # what nobody foresaw is a finding too; its text might hold a secret
        subject = check.__name__
        said = f"It could not be looked at: {type(error).__name__}."
        return [problem(f"{subject}.unforeseen", said, "Please report this, with what the logs say.")]
