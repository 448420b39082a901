"""Writing as an owner: every unit of an owner begins by proving the lease."""

from __future__ import annotations

from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import Prefetch, UnitOfWork


async def owned_session(uow: UnitOfWork, lease: Lease) -> Session:
    """The session that a lease holds.

    Raises:
        LeaseLost: another owner has it by now, or it was deleted.
    """
    await uow.fences.check(lease.session_uid, lease.fence)
    session = await uow.sessions.get_by_uid(lease.session_uid)
    if session is None or session.deleted_time is not None:
        raise LeaseLost(lease.session_uid)
    return session


def needs(lease: Lease, *message_ids: str) -> Prefetch:
    """What a unit of an owner will surely read: its lease, its session, and these messages."""
    return Prefetch(owned=(lease.session_uid,), messages=message_ids)
