"""Processes that are killed and stopped: ours, and proven to be before anything is done to them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.stage.processes import gone
from tests.stage.waiting import eventually

_UNTIL_GONE: Final = 30.0


class NotOurs(AssertionError):
    """A process is not, or no longer, the one that was meant."""


@dataclass(frozen=True, slots=True)
class Target:
    """A process, known by its id, the moment of its start, its parent and its program: an id alone may by now be
    another's.
    """

    process_id: int
    parent_id: int
    started: str
    program: str

    @contextmanager
    def held(self) -> Iterator[int]:
        """A handle that means this process and no later one with its id."""
        handle = os.pidfd_open(self.process_id)
        try:
            if self != target(self.process_id):
                raise NotOurs(f"process {self.process_id} is another by now")
            yield handle
        finally:
            os.close(handle)

    async def stop(self) -> None:
        """Stop it, and wait until the kernel says so."""
        with self.held() as handle:
            signal.pidfd_send_signal(handle, signal.SIGSTOP)
        await eventually(lambda: _status(self.process_id)[0] == "T")

    def go_on(self) -> None:
        """Let it go on."""
        with self.held() as handle:
            signal.pidfd_send_signal(handle, signal.SIGCONT)


async def kill(*targets: Target) -> None:
    """End processes without a chance to do anything, at the same moment, and wait until they are gone."""
    with ExitStack() as held:
        handles = [held.enter_context(meant.held()) for meant in targets]
        for handle in handles:
            with suppress(ProcessLookupError):  # the one before took it along
                signal.pidfd_send_signal(handle, signal.SIGKILL)
    for meant in targets:
        await gone(meant.process_id, within=_UNTIL_GONE)


def target(process_id: int) -> Target:
    """The process that has this id now."""
    try:
        status = _status(process_id)
        program = Path(f"/proc/{process_id}/exe").readlink()
    except FileNotFoundError:
        raise NotOurs(f"process {process_id} is gone") from None
    return Target(process_id, int(status[1]), status[19], str(program))


def child_of(parent_id: int, process_id: int, program: Path) -> Target:
    """A process that must be this one's child, and run this program itself or with its interpreter."""
    found = target(process_id)
    command = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
    if found.parent_id != parent_id or os.fsencode(program) not in command:
        raise NotOurs(f"process {process_id} is no child of {parent_id} that runs {program}: {command}")
    return found


def _status(process_id: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, …, and at 19 the moment of its start."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
