"""The commands of a fleet refuse settings of one process, each with a sentence that says what would do instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.commands.api import api
from gateway.commands.worker import worker

POSTGRESQL = {"url": "postgresql+asyncpg://wagate@127.0.0.1:9/wagate"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command that is to be refused: its exit status, and what it says."""

    def run(command: Callable[..., None], **options: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            command(**options)
        assert isinstance(end.value.code, int)
        return end.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(("command", "name"), [(api, "api"), (worker, "worker")])
def test_sqlite_is_for_one_process(
    refused: Callable[..., tuple[int, str]], command: Callable[..., None], name: str
) -> None:
    status, said = refused(command)
    assert status == 1
    assert said == (
        f"wagate: `wagate {name}` shares its database with other processes: store.url should name a PostgreSQL, such "
        "as postgresql+asyncpg://wagate@localhost/wagate. On SQLite, `wagate serve` is all in one process.\n"
    )
    assert not list(Path().iterdir()), "nothing was begun"


@pytest.mark.parametrize("command", [api, worker])
def test_the_simulator_lives_in_one_process(
    refused: Callable[..., tuple[int, str]], command: Callable[..., None]
) -> None:
    status, said = refused(command, store=POSTGRESQL, providers={"enabled": "web,simulator"})
    assert status == 1
    assert "the simulator lives in one: `wagate serve` runs it. providers.enabled should be web." in said


def test_several_processes_need_a_port_to_share(refused: Callable[..., tuple[int, str]]) -> None:
    status, said = refused(api, processes=2, store=POSTGRESQL, grpc={"listen": "unix:/tmp/gateway.sock"})
    assert status == 2
    assert said == "wagate: grpc.listen should be HOST:PORT: several processes cannot listen on one socket\n"
