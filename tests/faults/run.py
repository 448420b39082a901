"""A run: traffic, faults in the midst of it, rest, and what is known afterwards."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Final

from tests.faults.gathering import gathered
from tests.faults.injecting import Injector, Victims
from tests.faults.many_processes import ManyProcesses
from tests.faults.notes import Notes
from tests.faults.one_process import OneProcess
from tests.faults.plan import Terms, plan
from tests.faults.players import Caller, Speaker, keep_acting
from tests.faults.record import Record
from tests.faults.resting import rest
from tests.faults.scene import Scene, a_scene

_UNTIL_BUSY: Final = 120.0
"""Seconds within which traffic must go on after a fault."""
_BEYOND_THE_LEASE: Final = 1.0


async def run(terms: Terms, folder: Path, *, patience: float = 120.0) -> Record:
    """Do what the terms say, in an empty folder; the record of it. In the end all must come to rest: see `rest`."""
    async with a_scene(terms, folder) as scene:
        notes = Notes()
        await _play(scene, notes, terms)
        await rest(scene, patience=patience)
        return await gathered(scene, terms, notes.injected)


async def _play(scene: Scene, notes: Notes, terms: Terms) -> None:
    """Let everybody act, and break things meanwhile."""
    players: list[Caller | Speaker] = [*(caller for callers in scene.callers for caller in callers), *scene.speakers]
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number, player in enumerate(players):
            dice = random.Random(f"{terms.seed} {number}")
            group.create_task(keep_acting(player, dice, terms.rate / len(players), enough))
        async with asyncio.TaskGroup() as troubles:
            injector = Injector(scene, _victims(scene, notes, terms, troubles), notes, troubles)
            for number, fault in enumerate(plan(terms)):
                await scene.traffic.grows(fault.after_messages, within=_UNTIL_BUSY)
                sys.stderr.write(f"{number + 1}: {fault.kind}{' between send and ack' if fault.between else ''}\n")
                await injector.inject(fault)
        await scene.traffic.reaches(terms.messages)
        enough.set()


def _victims(scene: Scene, notes: Notes, terms: Terms, troubles: asyncio.TaskGroup) -> Victims:
    standing = terms.lease + _BEYOND_THE_LEASE
    if scene.parts:
        return ManyProcesses(scene.parts, notes, standing, terms.away, troubles)
    return OneProcess(scene.gateways[0], notes, standing)
