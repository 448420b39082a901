"""Leases: who owns a session, for how long, and by which fence everyone can tell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """A session, held by one owner. `fence` grows with each new owner, for ever, also over restarts."""

    tenant_id: str
    session_uid: str
    owner_id: str
    fence: int
