"""One port for several processes: the kernel spreads connections over all that listen on it with SO_REUSEPORT."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.settings.listening import CannotListen, split_address


@contextmanager
def shared_port(option: str, listen: str) -> Iterator[str]:
    """Keep a port for our processes while the context lasts, and tell the address; port 0 takes any. Nobody is served
    here: those who listen on it get all connections.

    Raises:
        CannotListen: somebody else has it.
    """
    host, port = split_address(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        _check_free(family, address)
        keeping = socket.socket(family, kind, protocol)
        keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeping.bind(address)
    except OSError:
        raise CannotListen(option, listen) from None
    with keeping:
        yield f"{listen.rpartition(':')[0]}:{keeping.getsockname()[1]}"


def _check_free(family: int, address: tuple[object, ...]) -> None:
    """Another gateway of this user would share its port with us, and half of its callers would reach us."""
    with socket.socket(family, socket.SOCK_STREAM) as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        alone.bind(address)
