"""Versions: this one's, and those of all that work on the same database."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version

from gateway.adapters.sql.processes import SqlProcesses
from gateway.adapters.sql.schema import wanted
from gateway.bootstrap import is_sqlite, store_url
from gateway.doctor.findings import Finding, fine, warning
from gateway.domain.errors import StoreUnavailable
from gateway.domain.processes import Process
from gateway.settings import Settings
from gateway.version import VERSION


async def versions(settings: Settings) -> list[Finding]:
    """Look at what is installed here, and at who runs on the database."""
    url = store_url(settings)
    if is_sqlite(url):
        return [ours()]
    try:
        running = await SqlProcesses(url).running()
    except StoreUnavailable:  # the database's own check says more
        return [ours()]
    return [ours(), *others(running)]


def ours() -> Finding:
    """What is installed here."""
    beside = f"Python {platform.python_version()}, gRPC {version('grpcio')}"
    return fine("versions.gateway", f"wagate {VERSION} with contract wagate.v1 and schema {wanted()}; {beside}.")


def others(running: Sequence[Process]) -> list[Finding]:
    """Judge who runs on the database, by their versions."""
    check, counted = "versions.running", Counter(map(str, running))
    different = {str(process) for process in running if (process.version, process.schema) != (VERSION, wanted())}
    advice = "End the update: run one version everywhere. Until then `wagate migrate` takes nothing away from these."
    found: list[Finding] = []
    for name, count in sorted(counted.items()):
        said = f"{name} runs." if count == 1 else f"{name} runs {count} times."
        found.append(warning(check, said, advice) if name in different else fine(check, said))
    return found or [fine(check, "Nobody runs on the database now.")]
