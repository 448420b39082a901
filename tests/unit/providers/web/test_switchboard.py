"""One stream for all lines: in order for each, none held up by another, and every say brought back."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.domain.identities import Names
from gateway.domain.lines import LineChanged, LineState, NamesLearned
from gateway.ports.provider import Incoming, LineGone
from gateway.providers.web.engine import RunningEngine
from gateway.providers.web.switchboard import ROOM
from gateway.providers.web.web_line import WebLine
from tests.stage.waiting import eventually
from tests.unit.providers.web.conftest import open_line
from tests.unit.providers.web.scripted_engine import ScriptedEngine
from wagate.engine.v1 import item_pb2 as pb


def learned(number: int, session_id: str = "s_1", fence: int = 1, *, ack: bool = False, run: int = 0) -> pb.Item:
    names = pb.NamesLearned(names=pb.PersonNames(lid=f"{number}@lid"))
    return pb.Item(session_id=session_id, fence=fence, ack_required=ack, run=run, names_learned=names)


async def following(told: AsyncIterator[Incoming]) -> Incoming:
    async with asyncio.timeout(5):
        return await anext(told)


async def test_what_happens_is_told_in_order(line: WebLine, scripted: ScriptedEngine) -> None:
    for number in (1, 2, 3):
        scripted.tell(learned(number))
    told = line.incoming()
    facts = [(await following(told)).fact for _ in range(3)]
    assert facts == [NamesLearned(Names(lid=f"{number}@lid")) for number in (1, 2, 3)]


async def test_what_is_settled_and_what_is_refused_is_brought_back(line: WebLine, scripted: ScriptedEngine) -> None:
    told = line.incoming()
    first, second = scripted.tell(learned(1, ack=True)), scripted.tell(learned(2, ack=True))
    await (await following(told)).settle()
    assert await scripted.settled() == (first, False)
    await (await following(told)).refuse()
    assert await scripted.settled() == (second, True)


async def test_what_follows_a_refusal_in_the_same_run_is_refused_and_not_told(
    line: WebLine, scripted: ScriptedEngine
) -> None:
    told = line.incoming()
    items = [scripted.tell(learned(number, ack=True, run=run)) for number, run in ((1, 1), (2, 1), (3, 2))]
    await (await following(told)).refuse()
    last = await following(told)
    assert last.fact == NamesLearned(Names(lid="3@lid"))
    await last.settle()
    assert [await scripted.settled() for _ in items] == [(items[0], True), (items[1], True), (items[2], False)]


async def test_what_needs_no_say_gets_none(line: WebLine, scripted: ScriptedEngine) -> None:
    told = line.incoming()
    scripted.tell(learned(1))
    wanted = scripted.tell(learned(2, ack=True))
    await (await following(told)).settle()
    await (await following(told)).settle()
    assert await scripted.settled() == (wanted, False)


async def test_a_line_that_does_not_read_delays_no_other(running: RunningEngine, scripted: ScriptedEngine) -> None:
    open_line(running, "s_slow", 1)
    quick = open_line(running, "s_quick", 1)
    for number in range(100):
        scripted.tell(learned(number, "s_slow"))
    scripted.tell(learned(7, "s_quick"))
    assert (await following(quick.incoming())).fact == NamesLearned(Names(lid="7@lid"))


async def test_a_line_without_room_ends_after_what_it_has(line: WebLine, scripted: ScriptedEngine) -> None:
    for number in range(ROOM):
        scripted.tell(learned(number))
    beyond = scripted.tell(learned(ROOM))
    refused = scripted.tell(learned(ROOM + 1, ack=True))
    assert beyond < refused
    assert await scripted.settled() == (refused, True)
    told = line.incoming()
    for _ in range(ROOM):
        await following(told)
    with pytest.raises(LineGone, match="did not keep up"):
        await following(told)


@pytest.mark.parametrize(("session_id", "fence"), [("s_1", 0), ("s_1", 2), ("s_other", 1)])
async def test_what_belongs_to_no_open_line_is_refused(
    session_id: str, fence: int, line: WebLine, scripted: ScriptedEngine
) -> None:
    stray = scripted.tell(learned(1, session_id, fence, ack=True))
    assert await scripted.settled() == (stray, True)
    scripted.tell(learned(2))
    assert (await following(line.incoming())).fact == NamesLearned(Names(lid="2@lid"))


async def test_what_is_not_known_is_refused_and_what_follows_is_told(line: WebLine, scripted: ScriptedEngine) -> None:
    strange = scripted.tell(pb.Item(session_id="s_1", fence=1, ack_required=True))
    scripted.tell(learned(2))
    assert (await following(line.incoming())).fact == NamesLearned(Names(lid="2@lid"))
    assert await scripted.settled() == (strange, True)


async def test_when_the_engine_goes_every_line_hears_what_waited_and_then_that_it_is_gone(
    running: RunningEngine, scripted: ScriptedEngine
) -> None:
    lines = [open_line(running, f"s_{number}", 1) for number in range(3)]
    for number in range(3):
        scripted.tell(learned(number, f"s_{number}"))
    scripted.stop_telling()
    for line in lines:
        told = line.incoming()
        await following(told)
        with pytest.raises(LineGone):
            await following(told)


async def test_when_the_engine_goes_nothing_is_left_that_would_tell_it_more(
    line: WebLine, scripted: ScriptedEngine
) -> None:
    assert frames_are_waited_for()
    scripted.stop_telling()
    with pytest.raises(LineGone):
        await following(line.incoming())
    await eventually(lambda: not frames_are_waited_for())


def frames_are_waited_for() -> bool:
    """Whether gRPC waits for a frame that it could write."""
    return any("_consume_request_iterator" in repr(task) for task in asyncio.all_tasks())


async def test_a_line_that_the_engine_closed_is_gone_after_it_said_so(line: WebLine, scripted: ScriptedEngine) -> None:
    closed = pb.LineChanged(state=pb.LineChanged.STATE_CLOSED)
    scripted.tell(pb.Item(session_id="s_1", fence=1, line_changed=closed))
    told = line.incoming()
    assert (await following(told)).fact == LineChanged(LineState.CLOSED)
    with pytest.raises(LineGone):
        await following(told)


async def test_a_line_opened_anew_ends_the_one_before(running: RunningEngine, scripted: ScriptedEngine) -> None:
    old, new = open_line(running, "s_1", 1), open_line(running, "s_1", 1)
    with pytest.raises(LineGone):
        await following(old.incoming())
    scripted.tell(learned(1))
    assert (await following(new.incoming())).fact == NamesLearned(Names(lid="1@lid"))
