"""The network on which foreign clients run has loopback alone, and notices who would leave it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.stage.children import child
from tests.stage.island import island

DIALLING = "import socket, sys; s = socket.socket(int(sys.argv[1]), int(sys.argv[2])); s.connect((sys.argv[3], 443))"
"""Connects a socket of a family and a kind to an address."""


@pytest.mark.parametrize(
    ("family", "kind", "address"),
    [("2", "1", "192.0.2.1"), ("2", "2", "192.0.2.1"), ("10", "1", "2001:db8::1"), ("10", "2", "2001:db8::1")],
    ids=["TCP", "UDP", "TCP-6", "UDP-6"],
)
async def test_who_would_leave_cannot_and_is_noticed(tmp_path: Path, family: str, kind: str, address: str) -> None:
    log = tmp_path / "island.log"
    async with island(log) as alone:
        assert alone.attempts_to_leave() == 0
        command = (*alone.entering, sys.executable, "-c", DIALLING, family, kind, address)
        async with child(*command, log=log) as dialling:
            assert await dialling.ended() != 0
        assert "Network is unreachable" in dialling.last_words()
        assert alone.attempts_to_leave() == 1


async def test_who_stays_is_not_noticed(tmp_path: Path) -> None:
    log = tmp_path / "island.log"
    async with island(log) as alone:
        command = (*alone.entering, sys.executable, "-c", DIALLING, "2", "2", "127.0.0.1")
        async with child(*command, log=log) as dialling:
            assert await dialling.ended() == 0
        assert alone.attempts_to_leave() == 0
