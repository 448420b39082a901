"""How a gRPC server takes its address."""

from __future__ import annotations

import os

import grpc

from gateway.settings.listening import CannotListen


def listen_at(server: grpc.aio.Server, option: str, listen: str) -> str:
    """Take the address that an option names, and tell it with the port that was got. A socket is the user's alone.

    Raises:
        CannotListen: nobody can listen there.
    """
    before = os.umask(0o177)
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        raise CannotListen(option, listen) from None
    finally:
        os.umask(before)
    return listen if listen.startswith("unix:") else f"{listen.rpartition(':')[0]}:{port}"
