"""A port is kept for several processes of ours, and for nobody else's."""

from __future__ import annotations

import socket

import pytest

from gateway.processes.port import shared_port
from gateway.settings.listening import CannotListen


def listener(address: str) -> socket.socket:
    """One of those who listen on a shared port."""
    host, _, port = address.rpartition(":")
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, int(port)))
    listening.listen()
    return listening


def test_several_listen_on_a_port_that_is_kept_and_get_all_connections() -> None:
    with shared_port("grpc.listen", "127.0.0.1:0") as address:
        host, _, port = address.rpartition(":")
        with listener(address) as first, listener(address) as second:
            for listening in (first, second):
                listening.setblocking(False)
            reached = 0
            for _ in range(20):
                with socket.create_connection((host, int(port)), timeout=5):
                    reached += accepted(first) + accepted(second)
            assert reached == 20


def accepted(listening: socket.socket) -> int:
    """How many connections wait here; they are taken."""
    try:
        connection, _ = listening.accept()
    except BlockingIOError:
        return 0
    connection.close()
    return 1


def test_a_port_that_others_share_already_is_refused() -> None:
    with (
        shared_port("grpc.listen", "127.0.0.1:0") as address,
        listener(address),
        pytest.raises(CannotListen, match=rf"grpc\.listen: nobody can listen on {address}"),
        shared_port("grpc.listen", address),
    ):
        pass
