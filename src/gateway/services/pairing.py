"""Pairing, as callers see it: the attempt lives with the session's owner, and is asked for step by step."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Final

import segno

from gateway.domain.access import Call
from gateway.domain.clocks import to_duration
from gateway.domain.errors import (
    GatewayError,
    NoSuchChallenge,
    OutcomeOpen,
    OwnerUnavailable,
    PairingNotUnderWay,
    SessionAlreadyPaired,
    error_of,
)
from gateway.domain.events import Cause
from gateway.domain.ids import make_etag
from gateway.domain.pairing import LAST_FRAMES
from gateway.domain.sessions import DesiredState, Session
from gateway.ports.queue import FLEET, wish_bell
from gateway.ports.unit_of_work import Prefetch, Store, UnitOfWork
from gateway.services.asking import TELL_BEFORE_DEADLINE_SECONDS, Owners
from gateway.services.log import tell
from gateway.services.sessions import find_session, read_session
from gateway.services.stopping import unless_stopped
from gateway.services.views import Views
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2
from wagate.v1 import pairing_service_pb2 as pb
from wagate.worker.v1 import owner_pb2

_OWNER_WITHIN_SECONDS: Final = 10.0
_FRAME_WITHIN: Final = timedelta(seconds=20)


class Pairing:
    """The use cases of PairingService."""

    def __init__(self, store: Store, owners: Owners, views: Views, stopping: asyncio.Event) -> None:
        self._store = store
        self._owners = owners
        self._views = views
        self._stopping = stopping

    async def pair(self, call: Call, request: pb.PairSessionRequest) -> AsyncGenerator[pb.PairSessionResponse]:
        """Start or join an attempt, and show its steps until it ends."""
        session = await self._want(call, request.session_id)
        watcher_id = secrets.token_hex(8)
        begin = owner_pb2.BeginPairing(watcher_id=watcher_id, phone_number=request.phone_number)
        asked = owner_pb2.OwnerRequest(begin_pairing=begin)
        frames = await self._frames(call, session, asked, repeatable=True)
        while True:
            for frame in frames.frames:
                yield frame
                if frame.WhichOneof("frame") in LAST_FRAMES:
                    return
            following = owner_pb2.NextPairingFrame(
                watcher_id=watcher_id,
                attempt_id=frames.attempt_id,
                after_frame=frames.last_frame,
                patience=to_duration(_FRAME_WITHIN),
            )
            try:
                frames = await self._frames(call, session, owner_pb2.OwnerRequest(next_pairing_frame=following))
            except (OutcomeOpen, OwnerUnavailable, PairingNotUnderWay):
                if asyncio.get_running_loop().time() >= call.deadline - TELL_BEFORE_DEADLINE_SECONDS:
                    raise
                yield pb.PairSessionResponse(attempt_id=frames.attempt_id, failed=await self._lost(session))
                return

    async def _lost(self, session: Session) -> reasons.Failure:
        """Why an attempt is no more that had no end: it lived with the session's owner, and that is gone."""
        now = await self._store.read(lambda uow: uow.sessions.get_by_uid(session.uid))
        if now is None or now.deleted_time is not None:
            return reasons.Failure(reason=reasons.ERROR_REASON_PAIRING_CANCELED, message="The session was deleted.")
        return reasons.Failure(reason=reasons.ERROR_REASON_PAIRING_FAILED, message="The attempt's worker was lost.")

    async def request_code(self, call: Call, request: pb.RequestPairingCodeRequest) -> pb.RequestPairingCodeResponse:
        """Start or join an attempt by code, and show the code."""
        if (await read_session(self._store, call.tenant_id, request.session_id)).device is not None:
            raise SessionAlreadyPaired(session_id=request.session_id)
        asked = pb.PairSessionRequest(session_id=request.session_id, phone_number=request.phone_number)
        async with aclosing(self.pair(call, asked)) as frames:
            async for frame in frames:
                match frame.WhichOneof("frame"):
                    case "code":
                        return pb.RequestPairingCodeResponse(attempt_id=frame.attempt_id, code=frame.code)
                    case "failed":
                        raise error_of(frame.failed)
                    case "linked" | "connected":
                        raise SessionAlreadyPaired(session_id=request.session_id)
        raise OutcomeOpen

    async def qr(self, call: Call, request: pb.GetPairingQrRequest) -> pb.GetPairingQrResponse:
        """Show the QR of the attempt under way."""
        question = owner_pb2.OwnerRequest(shown_pairing_code=owner_pb2.ShownPairingCode())
        reply = await self._ask(call, request.session_id, question, PairingNotUnderWay)
        frame = reply.shown_pairing_code
        if not frame.HasField("code"):
            raise PairingNotUnderWay
        drawing = draw_qr(frame.code.text, request.format)
        return pb.GetPairingQrResponse(attempt_id=frame.attempt_id, code=frame.code, drawing=drawing)

    async def answer(self, call: Call, request: pb.AnswerPairingChallengeRequest) -> pb.AnswerPairingChallengeResponse:
        """Hand on the answer to a challenge."""
        question = owner_pb2.OwnerRequest(answer_pairing_challenge=owner_pb2.AnswerPairingChallenge(answer=request))
        await self._ask(call, request.session_id, question, NoSuchChallenge)
        return pb.AnswerPairingChallengeResponse()

    async def cancel(self, call: Call, request: pb.CancelPairingRequest) -> pb.CancelPairingResponse:
        """End the attempt under way."""
        question = owner_pb2.OwnerRequest(cancel_pairing=owner_pb2.CancelPairing())
        await self._ask(call, request.session_id, question, PairingNotUnderWay)
        return pb.CancelPairingResponse()

    async def _want(self, call: Call, session_id: str) -> Session:
        """The session, which is wanted from now on."""

        async def work(uow: UnitOfWork) -> Session:
            session = await find_session(uow, call.tenant_id, session_id)
            if session.desired_state == DesiredState.DESIRED_STATE_RUNNING:
                return session
            session.desired_state = DesiredState.DESIRED_STATE_RUNNING
            session.etag = make_etag()
            session.update_time = uow.now
            await uow.sessions.save(session)
            updated = event_pb2.SessionUpdated(session=await self._views.session(uow, session))
            cause = Cause(correlation_id=call.correlation_id)
            await tell(uow, session, event_pb2.Event(session_updated=updated), cause=cause)
            uow.ring(FLEET)
            uow.ring(wish_bell(session.uid))
            return session

        session = await read_session(self._store, call.tenant_id, session_id)
        if session.desired_state == DesiredState.DESIRED_STATE_RUNNING:
            return session
        return await self._store.write(work, Prefetch(sessions=((call.tenant_id, session_id),)))

    async def _ask(
        self, call: Call, session_id: str, question: owner_pb2.OwnerRequest, otherwise: type[GatewayError]
    ) -> owner_pb2.OwnerReply:
        """Ask about the attempt under way. A session that is not wanted has none, and no owner to ask."""
        session = await read_session(self._store, call.tenant_id, session_id)
        if session.desired_state != DesiredState.DESIRED_STATE_RUNNING:
            raise otherwise
        return await self._owners.ask(call, session, question)

    async def _frames(
        self, call: Call, session: Session, question: owner_pb2.OwnerRequest, *, repeatable: bool = False
    ) -> owner_pb2.PairingFrames:
        asking = self._owners.ask(call, session, question, patience=_OWNER_WITHIN_SECONDS, repeatable=repeatable)
        reply = await unless_stopped(self._stopping, asking)
        return reply.pairing_frames


def draw_qr(text: str, how: pb.GetPairingQrRequest.Format.ValueType) -> bytes:
    """Draw a QR as asked; nothing for text alone."""
    formats = pb.GetPairingQrRequest
    if how == formats.FORMAT_UNSPECIFIED:
        return b""
    code = segno.make(text, error="l", micro=False)
    if how == formats.FORMAT_PNG:
        picture = io.BytesIO()
        code.save(picture, kind="png", scale=6)
        return picture.getvalue()
    letters = io.StringIO()
    code.terminal(letters, compact=True)
    return letters.getvalue().encode()
