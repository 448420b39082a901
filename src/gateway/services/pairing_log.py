"""What the log tells of a pairing attempt: that there is a code and until when, never the code."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.clocks import to_timestamp
from gateway.domain.leases import Lease
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.log import tell
from gateway.services.ownership import needs, owned_session
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2, identity_pb2

Step = event_pb2.SessionPairing.Step


class PairingLog:
    """Tells steps, each in a commit of its own, under the owner's fence."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tell(
        self,
        lease: Lease,
        attempt_id: str,
        step: Step.ValueType,
        *,
        expire: datetime | None = None,
        failure: reasons.Failure | None = None,
    ) -> identity_pb2.Identity:
        """Tell one step; answer with the session's account, which is empty while there is none."""

        async def work(uow: UnitOfWork) -> identity_pb2.Identity:
            session = await owned_session(uow, lease)
            account = await self._account(uow, session, step)
            pairing = event_pb2.SessionPairing(
                attempt_id=attempt_id, step=step, expire_time=to_timestamp(expire), failure=failure
            )
            if account is not None:
                pairing.account.CopyFrom(account)
            await tell(uow, session, event_pb2.Event(session_pairing=pairing))
            return account or identity_pb2.Identity()

        return await self._store.write(work, needs(lease))

    async def account(self, session: Session) -> identity_pb2.Identity:
        """The account that a session is linked to."""

        async def work(uow: UnitOfWork) -> identity_pb2.Identity:
            account = await uow.identities.get(session.tenant_id, session.account_id)
            return account.to_proto() if account else identity_pb2.Identity()

        return await self._store.read(work)

    @staticmethod
    async def _account(uow: UnitOfWork, session: Session, step: Step.ValueType) -> identity_pb2.Identity | None:
        if step not in (Step.STEP_LINKED, Step.STEP_CONNECTED):
            return None
        account = await uow.identities.get(session.tenant_id, session.account_id)
        return account.to_proto() if account else None
