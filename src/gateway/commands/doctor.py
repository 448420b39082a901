"""`wagate doctor`: what a gateway stands on, and what to do about it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

from cyclopts import Parameter

from gateway.commands.options import File, Options
from gateway.doctor.examining import examine
from gateway.doctor.findings import Finding
from gateway.doctor.report import as_json, as_table, is_healthy
from gateway.doctor.settings import refused
from gateway.observability import start_logging
from gateway.settings import SettingsError, load
from gateway.settings.tree import Log


def doctor(
    *,
    json: Annotated[bool, Parameter(negative="", help="Print JSON for machines instead of a table.")] = False,
    config: File = None,
    **options: Options,
) -> None:
    """Look at database, queue, engine, disk, clock, versions and settings, and say what to do.

    Changes nothing, and may be run beside a gateway. The exit status is 1 if there is a problem; a warning is none.
    """
    findings = _findings(config, options)
    print(as_json(findings) if json else as_table(findings))
    sys.exit(0 if is_healthy(findings) else 1)


def _findings(config: File, options: dict[str, Options]) -> list[Finding]:
    start_logging(Log(level="error", format="pretty"))
    try:
        settings = load(file=config, flags=options)
    except SettingsError as error:
        return refused(error)
    return asyncio.run(examine(settings))
