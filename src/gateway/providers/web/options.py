"""What the web provider is told at its start."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class LabEndpoint:
    """A lab on loopback that the engine dials instead of WhatsApp, and by what it is trusted."""

    address: str
    root_key_hex: str
    ca_pem_file: Path


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Which engine is started, and how. `sessions_folder` holds the sessions' keys, unless `key_database` does: a
    PostgreSQL, named as libpq does, to which each engine has `key_connections` at most. `connect_rate` is in lines per
    second and engine.
    """

    program: Path
    sessions_folder: Path
    lab: LabEndpoint | None = None
    key_database: str = field(default="", repr=False)
    key_connections: int = 8
    sessions_per_engine: int = 100
    connect_rate: float = 40
    ping_every: timedelta = timedelta(seconds=22)
    ping_patience: timedelta = timedelta(seconds=10)
    start_timeout: timedelta = timedelta(seconds=15)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def arguments(self, socket: Path) -> list[str]:
        """The command line of an engine that serves this socket."""
        told = ["--socket", str(socket), "--log-level", _LEVELS[self.log_level]]
        told += ["--connect-rate", f"{self.connect_rate:g}"]
        told += ["--ping-every", f"{self.ping_every.total_seconds():g}s"]
        told += ["--ping-answer", f"{self.ping_patience.total_seconds():g}s"]
        if self.lab is not None:
            told += ["--lab-address", self.lab.address, "--lab-root-key", self.lab.root_key_hex]
            told += ["--lab-ca", str(self.lab.ca_pem_file)]
        return told


_LEVELS: Final = {"debug": "debug", "info": "info", "warning": "warn", "error": "error"}
