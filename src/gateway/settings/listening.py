"""Where to listen: `HOST:PORT`, `[IPv6]:PORT`, or `unix:/PATH`."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator


class CannotListen(Exception):
    """An address to listen on is not free, or not this machine's."""

    def __init__(self, option: str, address: str) -> None:
        super().__init__(f"{option}: nobody can listen on {address}; is a gateway running there?")


def split_address(address: str) -> tuple[str, int]:
    """The host, without brackets, and the port; raises ValueError, with a sentence, for anything else."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise ValueError("should be an address with a port, such as 127.0.0.1:50051")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address. A name other than localhost could mean anything: no."""
    if address.startswith("unix:"):
        return True
    try:
        host, _ = split_address(address)
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port_or_nothing(address: str) -> str:
    if address:
        split_address(address)
    return address


def _port_or_socket(address: str) -> str:
    if not address.startswith("unix:/"):
        split_address(address)
    return address


Listen = Annotated[str, AfterValidator(_port_or_socket)]
"""HOST:PORT or unix:/PATH."""
ListenPort = Annotated[str, AfterValidator(_port_or_nothing)]
"""HOST:PORT, or empty for nowhere."""
