"""Sessions: created, read, changed, and told whether they ought to run."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Final

from gateway.domain.access import Call
from gateway.domain.errors import (
    EtagMismatch,
    ProviderUnknown,
    SessionExists,
    SessionNeverPaired,
    SessionNotFound,
    SessionNotStopped,
)
from gateway.domain.events import Cause
from gateway.domain.ids import SESSION_ID, make_etag, make_id
from gateway.domain.sessions import DELETABLE, DesiredState, Session, State, new_session
from gateway.ports.provider import Dialects
from gateway.ports.queue import FLEET, wish_bell
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.endings import end_outbox
from gateway.services.log import tell
from gateway.services.pages import Pages
from gateway.services.repeats import Repeat
from gateway.services.session_changes import apply_changes
from gateway.services.views import Views
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2
from wagate.v1 import session_pb2 as resource
from wagate.v1 import session_service_pb2 as pb

_WRITTEN_BY_CALLERS: Final = attrgetter(
    "display_name", "metadata", "expected_phone_number", "on_ambiguous", "desired_state"
)
"""What the etag stands for; a change of anything else is no news to those who keep a copy."""


class Sessions:
    """The use cases of SessionService. Each answers once its wish is stored; the session's owner carries it out."""

    def __init__(self, store: Store, providers: Dialects, views: Views, pages: Pages) -> None:
        self._store = store
        self._providers = providers
        self._views = views
        self._pages = pages

    async def create(self, call: Call, request: pb.CreateSessionRequest) -> pb.CreateSessionResponse:
        """Create a session that is wanted and linked to nothing."""
        wish = request.session
        session_id = wish.session_id or make_id(SESSION_ID)
        provider = wish.spec.provider or self._providers.default
        if provider not in self._providers.by_name:
            raise ProviderUnknown(field="session.spec.provider", provider=provider)
        repeat = Repeat(call, "CreateSession", "", request.request_id, request)

        async def work(uow: UnitOfWork) -> pb.CreateSessionResponse:
            if record := await repeat.earlier(uow):
                earlier = await self._by_uid(uow, record.resource_id)
                return pb.CreateSessionResponse(session=await self._views.session(uow, earlier), repeated_request=True)
            if await uow.sessions.get(call.tenant_id, session_id) is not None:
                raise SessionExists(field="session.session_id", session_id=session_id)
            session = new_session(call.tenant_id, session_id, provider, uow.now)
            session.display_name = wish.display_name
            session.metadata = dict(wish.metadata)
            session.expected_phone_number = wish.spec.expected_phone_number
            session.on_ambiguous = wish.spec.on_ambiguous or session.on_ambiguous
            if request.validate_only:
                session.uid = ""
                return pb.CreateSessionResponse(session=session.to_proto(None))
            await uow.sessions.add(session)
            await repeat.remember(uow, session.uid)
            shown = await self._views.session(uow, session)
            created = event_pb2.SessionCreated(session=shown)
            await tell(uow, session, event_pb2.Event(session_created=created), cause=_cause(call, request.request_id))
            uow.ring(FLEET)
            return pb.CreateSessionResponse(session=shown)

        if request.validate_only:
            return await self._store.read(work)
        return await self._store.write(work, repeat.needs())

    async def get(self, call: Call, request: pb.GetSessionRequest) -> pb.GetSessionResponse:
        """Show one session."""

        async def work(uow: UnitOfWork) -> pb.GetSessionResponse:
            session = await find_session(uow, call.tenant_id, request.session_id)
            return pb.GetSessionResponse(session=await self._views.session(uow, session))

        return await self._store.read(work)

    async def list(self, call: Call, request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
        """Show sessions in the order of their ids."""
        page = self._pages.read(call, "ListSessions", request)

        async def work(uow: UnitOfWork) -> pb.ListSessionsResponse:
            found = await uow.sessions.page(
                call.tenant_id, after=page.after, limit=page.size + 1, states=list(request.states)
            )
            shown = [await self._views.session(uow, session) for session in found[: page.size]]
            token = page.token(found[page.size - 1].session_id) if len(found) > page.size else ""
            return pb.ListSessionsResponse(sessions=shown, next_page_token=token)

        return await self._store.read(work)

    async def update(self, call: Call, request: pb.UpdateSessionRequest) -> pb.UpdateSessionResponse:
        """Change a session's notes or what is wanted of it."""

        def change(session: Session) -> None:
            _check_etag(session, request.session.etag, "session.etag")
            apply_changes(session, request.session, request.update_mask.paths)

        shown, repeated = await self._change(
            call,
            "UpdateSession",
            request.session.session_id,
            request,
            change,
            field="session.session_id",
            dry=request.validate_only,
        )
        return pb.UpdateSessionResponse(session=shown, repeated_request=repeated)

    async def start(self, call: Call, request: pb.StartSessionRequest) -> pb.StartSessionResponse:
        """Want a line."""

        def change(session: Session) -> None:
            session.desired_state = DesiredState.DESIRED_STATE_RUNNING
            if session.state == State.STATE_BLOCKED:
                session.restarts += 1

        shown, repeated = await self._change(call, "StartSession", request.session_id, request, change)
        return pb.StartSessionResponse(session=shown, repeated_request=repeated)

    async def stop(self, call: Call, request: pb.StopSessionRequest) -> pb.StopSessionResponse:
        """Want no line."""

        def change(session: Session) -> None:
            session.desired_state = DesiredState.DESIRED_STATE_STOPPED

        shown, repeated = await self._change(call, "StopSession", request.session_id, request, change)
        return pb.StopSessionResponse(session=shown, repeated_request=repeated)

    async def restart(self, call: Call, request: pb.RestartSessionRequest) -> pb.RestartSessionResponse:
        """Want the line anew."""

        def change(session: Session) -> None:
            session.desired_state = DesiredState.DESIRED_STATE_RUNNING
            session.restarts += 1

        shown, repeated = await self._change(call, "RestartSession", request.session_id, request, change)
        return pb.RestartSessionResponse(session=shown, repeated_request=repeated)

    async def logout(self, call: Call, request: pb.LogoutSessionRequest) -> pb.LogoutSessionResponse:
        """Want no link."""

        def change(session: Session) -> None:
            if not session.account_id:
                raise SessionNeverPaired(session_id=session.session_id)
            session.desired_state = DesiredState.DESIRED_STATE_STOPPED
            session.logout_wanted = session.device is not None

        shown, repeated = await self._change(call, "LogoutSession", request.session_id, request, change)
        return pb.LogoutSessionResponse(session=shown, repeated_request=repeated)

    async def delete(self, call: Call, request: pb.DeleteSessionRequest) -> pb.DeleteSessionResponse:
        """Remove a session and end what waits in its outbox."""
        repeat = Repeat(call, "DeleteSession", request.session_id, request.request_id, request)

        async def work(uow: UnitOfWork) -> pb.DeleteSessionResponse:
            if await repeat.earlier(uow):
                return pb.DeleteSessionResponse(repeated_request=True)
            session = await find_session(uow, call.tenant_id, request.session_id)
            _check_etag(session, request.etag, "etag")
            if session.state not in DELETABLE and not request.force:
                state = State.Name(session.state)
                raise SessionNotStopped(session_id=session.session_id, state=state)
            await end_outbox(uow, session, reasons.ERROR_REASON_SESSION_DELETED)
            session.deleted_time = uow.now
            session.desired_state = DesiredState.DESIRED_STATE_STOPPED
            await uow.sessions.save(session)
            await repeat.remember(uow, session.uid)
            deleted = event_pb2.SessionDeleted(session=await self._views.session(uow, session))
            await tell(uow, session, event_pb2.Event(session_deleted=deleted), cause=_cause(call, request.request_id))
            uow.ring(wish_bell(session.uid))
            return pb.DeleteSessionResponse()

        return await self._store.write(work, repeat.needs())

    async def _change(
        self,
        call: Call,
        rpc: str,
        session_id: str,
        request: _Change,
        change: Callable[[Session], None],
        *,
        field: str = "session_id",
        dry: bool = False,
    ) -> tuple[resource.Session, bool]:
        repeat = Repeat(call, rpc, session_id, request.request_id, request)

        async def work(uow: UnitOfWork) -> tuple[resource.Session, bool]:
            if record := await repeat.earlier(uow):
                return await self._views.session(uow, await self._by_uid(uow, record.resource_id)), True
            session = await find_session(uow, call.tenant_id, session_id, field=field)
            previous = session.copy()
            change(session)
            is_news = _WRITTEN_BY_CALLERS(session) != _WRITTEN_BY_CALLERS(previous)
            if is_news and not dry:
                session.etag = make_etag()
                session.update_time = uow.now
            shown = await self._views.session(uow, session)
            if dry:
                return shown, False
            await uow.sessions.save(session)
            await repeat.remember(uow, session.uid)
            if is_news:
                event = event_pb2.Event(session_updated=event_pb2.SessionUpdated(session=shown))
                await tell(uow, session, event, cause=_cause(call, request.request_id))
            uow.ring(FLEET)
            uow.ring(wish_bell(session.uid))
            return shown, False

        if dry:
            return await self._store.read(work)
        return await self._store.write(work, repeat.needs())

    @staticmethod
    async def _by_uid(uow: UnitOfWork, session_uid: str) -> Session:
        session = await uow.sessions.get_by_uid(session_uid)
        if session is None:
            raise LookupError(f"session {session_uid} was remembered and is gone")
        return session


_Change = (
    pb.UpdateSessionRequest
    | pb.StartSessionRequest
    | pb.StopSessionRequest
    | pb.RestartSessionRequest
    | pb.LogoutSessionRequest
)


async def find_session(uow: UnitOfWork, tenant_id: str, session_id: str, *, field: str = "session_id") -> Session:
    """The session of this id.

    Raises:
        SessionNotFound: there is none in the tenant.
    """
    session = await uow.sessions.get(tenant_id, session_id)
    if session is None:
        raise SessionNotFound(field=field, session_id=session_id)
    return session


async def read_session(store: Store, tenant_id: str, session_id: str) -> Session:
    """The session of this id, read by itself.

    Raises:
        SessionNotFound: there is none in the tenant.
    """
    return await store.read(lambda uow: find_session(uow, tenant_id, session_id))


def _check_etag(session: Session, etag: str, field: str) -> None:
    if etag and etag != session.etag:
        raise EtagMismatch(field=field, etag=session.etag)


def _cause(call: Call, request_id: str) -> Cause:
    return Cause(request_id, call.correlation_id)
