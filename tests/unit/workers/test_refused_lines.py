"""Sessions that can have no line until a person helps."""

from __future__ import annotations

from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.sessions import State
from tests.stage.waiting import eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import in_state, never_paired, owned
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_service_pb2 as pb

NAMED = {"session_id": "sales"}
DAMAGED = reasons.Failure(reason=reasons.ERROR_REASON_KEYS_UNREADABLE, message="The keys are damaged.")


async def test_a_session_that_can_have_no_line_says_why_and_tries_again_when_it_is_restarted(
    house: House, lease: Lease
) -> None:
    house.provider.refusal = DAMAGED
    async with owned(house, lease):
        await in_state(house, State.STATE_BLOCKED)
        assert (await house.session()).failure == DAMAGED
        await house.sessions.restart(house.call(), pb.RestartSessionRequest(**NAMED))
        await eventually(lambda: house.provider.refused_openings == 2)
        house.provider.refusal = None
        await house.sessions.restart(house.call(), pb.RestartSessionRequest(**NAMED))
        await (await house.provider.line()).come_up()
        await in_state(house, State.STATE_CONNECTED)


async def test_a_session_that_can_have_no_line_can_be_logged_out_and_its_keys_are_forgotten(
    house: House, lease: Lease
) -> None:
    house.provider.refusal = DAMAGED
    house.provider.kept = [lease.session_uid]
    async with owned(house, lease):
        await in_state(house, State.STATE_BLOCKED)
        await house.sessions.logout(house.call(), pb.LogoutSessionRequest(**NAMED))
        await in_state(house, State.STATE_LOGGED_OUT)
    assert (house.provider.kept, (await house.session()).device) == ([], None)


async def test_keys_that_nobody_is_linked_with_are_forgotten_and_made_anew(house: House) -> None:
    lease = await never_paired(house)
    house.provider.refusal = DAMAGED
    house.provider.kept = [lease.session_uid]
    async with owned(house, lease):
        line = await house.provider.line()
        await line.tell(LineChanged(LineState.OPENING), LineChanged(LineState.UNLINKED))
        await in_state(house, State.STATE_PAIRING)
    assert house.provider.refused_openings == 1
