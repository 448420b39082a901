"""`wagate demo`: the story, played in the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated, Final

import uvloop
from cyclopts import Parameter

from gateway.demo.broken import StoryBroken
from gateway.demo.cast import cast
from gateway.demo.pasting import lines_to_paste
from gateway.demo.screen import Screen
from gateway.demo.stage import USUAL, Places, Stage, stage
from gateway.demo.story import Ending, play
from gateway.programs import ProgramMissing

_WHOLE_STORY: Final = 60.0


_INTERRUPTED: Final = 130


def demo(
    *, stay: Annotated[bool, Parameter(negative="", help="Keep running afterwards, on the default ports.")] = False
) -> None:
    """Play the story: pair by QR, a message out, its answer in, every event as it comes."""
    try:
        ended = uvloop.run(_until_told(stay=stay))
    except (StoryBroken, ProgramMissing) as broken:
        sys.exit(f"wagate demo: {broken}")
    print("\nThat was all; nothing was left running." if ended else "\nStopped; nothing was left running.")
    sys.exit(0 if ended or stay else _INTERRUPTED)


async def _until_told(*, stay: bool) -> bool:
    """Play to the end, or until a signal; tell whether it was the end."""
    playing = asyncio.create_task(_demo(stay=stay), name="demo")
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    await asyncio.wait([playing])
    if not playing.cancelled():
        playing.result()
    return not playing.cancelled()


async def _demo(*, stay: bool) -> None:
    screen = Screen()
    screen.step("A lab and a gateway start")
    async with stage(USUAL if stay else Places()) as where:
        screen.say(f"the gateway serves gRPC on {where.grpc}")
        ending = await _story(where, screen)
        if stay:
            print(lines_to_paste(where, ending), flush=True)
            await asyncio.Event().wait()


async def _story(where: Stage, screen: Screen) -> Ending:
    try:
        async with asyncio.timeout(_WHOLE_STORY), cast(where) as everyone:
            return await play(everyone, screen)
    except TimeoutError:
        raise StoryBroken(f"the story took longer than {_WHOLE_STORY:.0f} s") from None
