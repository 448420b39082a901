"""Processes: the gateways, API processes and workers that run on one database, each of its own version."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """A process of ours. `role` is its command, `schema` the revision that its version wants, `host` its machine."""

    process_id: str
    role: str
    version: str
    schema: str
    host: str

    def __str__(self) -> str:
        return f"wagate {self.role} {self.version} (schema {self.schema}) on {self.host}"
