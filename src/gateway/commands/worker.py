"""`wagate worker`: owns sessions of a fleet, until it is told to stop."""

from __future__ import annotations

import uvloop

from gateway.bootstrap import RunningWorker, check_for_a_fleet, running_worker
from gateway.commands.options import File, Options
from gateway.commands.refusals import told
from gateway.commands.running import CANNOT, prepare, run_until, say_ready, stop_signal
from gateway.settings import Settings, load


@told(*CANNOT)
def worker(*, config: File = None, **options: Options) -> None:
    """Own sessions of a fleet until SIGTERM or SIGINT; the contract is served by `wagate api`.

    Once it works, one line of JSON on stdout says who it is and where its numbers are. When it is told to stop, it
    hands its sessions over; a second signal ends it at once. `wagate migrate` comes first.
    """
    settings = load(file=config, flags=options)
    check_for_a_fleet(settings, "worker")
    prepare(settings)
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    await run_until(stop_signal(), running_worker(settings), _say, settings)


def _say(worker: RunningWorker) -> None:
    say_ready(worker=worker.worker_id, health=worker.health_address, metrics=worker.metrics_address)
