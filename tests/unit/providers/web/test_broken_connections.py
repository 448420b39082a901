"""A connection to the engine that breaks: what was perhaps done is never taken for done, nor for not done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from grpc import aio

from gateway.domain.identities import Names
from gateway.domain.lines import OutcomeUnknown, Outgoing
from gateway.ports.provider import Line, LineDown, LineGone
from gateway.providers.web.engine import RunningEngine
from gateway.providers.web.web_line import WebLine
from tests.stage.faulty.calls import FaultyCalls
from tests.stage.faulty.plan import Fault
from tests.unit.providers.web.conftest import open_line
from tests.unit.providers.web.scripted_engine import ScriptedEngine, served
from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from wagate.v1 import content_pb2

ADA = Names("123@lid", "+4915100000001")
MESSAGE = Outgoing("3EB0A", ADA, content_pb2.Content(text=content_pb2.Text(text="hello")))
CALLS: dict[str, Callable[[Line], Awaitable[object]]] = {
    "RenewLeases": lambda line: line.renew(timedelta(seconds=9)),
    "CheckContacts": lambda line: line.check(["+4915100000001"], timeout=5),
    "StartPairing": lambda line: line.start_pairing("a_1", "+4915112345678"),
    "CancelPairing": lambda line: line.cancel_pairing(),
    "LogoutSession": lambda line: line.logout(),
}


@pytest.fixture
def calls() -> FaultyCalls:
    return FaultyCalls()


@pytest.fixture
async def line(scripted: ScriptedEngine, calls: FaultyCalls, tmp_path: Path) -> AsyncIterator[WebLine]:
    """A line over a connection that breaks when it is told to."""
    socket = tmp_path / "engine.sock"
    async with served(scripted, socket), aio.insecure_channel(f"unix:{socket}", interceptors=[calls]) as channel:
        yield open_line(RunningEngine.behind(EngineServiceStub(channel)), "s_1", 1)


@pytest.mark.parametrize("fault", Fault)
async def test_of_a_message_nobody_knows_whether_it_left(
    line: WebLine, calls: FaultyCalls, scripted: ScriptedEngine, fault: Fault
) -> None:
    calls.plan.strike("SendMessage", fault)
    assert isinstance(await line.send(MESSAGE, timeout=5), OutcomeUnknown)
    assert len(scripted.requests) == (1 if fault is Fault.ANSWER_LOST else 0)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", CALLS)
async def test_a_line_whose_engine_was_perhaps_asked_is_gone_or_down(
    line: WebLine, calls: FaultyCalls, name: str, fault: Fault
) -> None:
    calls.plan.strike(name, fault)
    with pytest.raises((LineGone, LineDown)):
        await CALLS[name](line)


@pytest.mark.parametrize("fault", Fault)
async def test_a_line_is_closed_also_when_nobody_hears_of_it(line: WebLine, calls: FaultyCalls, fault: Fault) -> None:
    calls.plan.strike("CloseSession", fault)
    await line.close()
    with pytest.raises(LineGone):
        await anext(line.incoming())
