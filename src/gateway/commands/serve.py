"""`wagate serve`: the gateway, until it is told to stop."""

from __future__ import annotations

import uvloop

from gateway.adapters.embedded.folder import locked_folder
from gateway.adapters.sql.migrating import migrate
from gateway.bootstrap import RunningGateway, is_sqlite, running_gateway, store_url
from gateway.commands.options import File, Options
from gateway.commands.refusals import told
from gateway.commands.running import CANNOT, prepare, run_until, say_ready, stop_signal
from gateway.settings import Settings, load


@told(*CANNOT)
def serve(*, config: File = None, **options: Options) -> None:
    """Run the gateway, all in one process, until SIGTERM or SIGINT.

    Once it serves, one line of JSON on stdout says where. A second signal ends it at once. A database of SQLite is
    migrated first; on PostgreSQL, `wagate migrate` does that.
    """
    settings = load(file=config, flags=options)
    prepare(settings)
    with locked_folder(settings.data.folder):
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopped = stop_signal()
    if is_sqlite(url := store_url(settings)):
        await migrate(url)
    await run_until(stopped, running_gateway(settings), _say, settings)


def _say(gateway: RunningGateway) -> None:
    say_ready(grpc=gateway.grpc_address, metrics=gateway.metrics_address)
