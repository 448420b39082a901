"""The command `wagate`. The module of a command is imported when it is asked for."""

from __future__ import annotations

import os
from typing import Final

from cyclopts import App

from gateway.version import VERSION

_COMMANDS: Final = {
    "serve": "Run the gateway, all in one process, until it is told to stop.",
    "api": "Serve the contract for a fleet, in several processes on one port.",
    "worker": "Own sessions of a fleet, whose contract others serve.",
    "config": "Print every option with its sentence and its default.",
    "migrate": "Bring the database to what this version wants.",
    "doctor": "Look at all that a gateway stands on, and say what to do.",
    "lab": "A WhatsApp on localhost: run one, and control one that runs.",
    "demo": "Play the story in the terminal: pair, send, be answered.",
}


def main() -> None:
    """Do what the command line says."""
    # gRPC's own lines are not ours to read, and nothing of ours forks without starting another program.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    app = App(name="wagate", help="A WhatsApp gateway whose product is its contract.", version=VERSION)
    for name, sentence in _COMMANDS.items():
        app.command(f"gateway.commands.{name}:{name}", name=name, help=sentence)
    app()


if __name__ == "__main__":
    main()
