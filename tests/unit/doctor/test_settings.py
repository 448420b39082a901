"""Settings: what means nothing, is dangerous, or contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.doctor.findings import Level
from gateway.doctor.settings import readable, refused, settings, unheard
from gateway.settings import SettingsError, load
from tests.unit.doctor.conftest import With

KEY = "k" * 20
HEX = "ab" * 32

FOUND: list[tuple[str, dict[str, dict[str, str]]]] = [
    ("settings.open_road", {"grpc": {"listen": "0.0.0.0:1"}, "access": {"key": KEY}}),
    ("settings.store.url", {"store": {"url": "postgresql+asyncpg://me:topsecret@db/wagate"}}),
    ("settings.queue.url", {"queue": {"url": "redis://:topsecret@10.0.0.7:6379"}}),
    ("settings.scopes", {"access": {"scopes": "messages:read"}}),
    ("settings.simulator", {"providers": {"enabled": "web,simulator"}}),
    ("settings.default_provider", {"providers": {"enabled": "simulator,web"}}),
    ("settings.lab", {"lab": {"address": "127.0.0.1:1", "root_key_hex": HEX, "ca_file": "ca.pem"}}),
    (
        "settings.lab_unused",
        {
            "lab": {"address": "127.0.0.1:1", "root_key_hex": HEX, "ca_file": "ca.pem"},
            "providers": {"enabled": "simulator"},
        },
    ),
    ("settings.grace", {"shutdown": {"grace": "5s"}}),
    ("settings.give_up_after", {"outbox": {"give_up_after": "30s"}}),
    ("settings.metrics", {"metrics": {"listen": ""}}),
    ("settings.log", {"log": {"level": "debug"}}),
]


async def test_the_defaults_are_sound(settings_with: With) -> None:
    (finding,) = await settings(settings_with())
    assert (finding.check, finding.level) == ("settings.sound", Level.OK)


@pytest.mark.parametrize(("check", "options"), FOUND, ids=[check for check, _ in FOUND])
async def test_what_is_dangerous_or_contradicts_itself_is_found(
    settings_with: With, check: str, options: dict[str, dict[str, str]]
) -> None:
    found = {finding.check: finding for finding in await settings(settings_with(**options))}
    assert found[check].level is not Level.OK
    assert found[check].advice
    assert KEY not in repr(found)
    assert "topsecret" not in repr(found)


@pytest.mark.parametrize(
    "options",
    [
        {"store": {"url": "postgresql+asyncpg://me@db/wagate?ssl=require"}, "queue": {"url": "rediss://cache:6379"}},
        {"store": {"url": "postgresql+asyncpg://me@localhost/wagate"}, "queue": {"url": "redis://127.0.0.1"}},
        {
            "store": {"url": "postgresql+asyncpg://me@/wagate?host=/run/postgresql"},
            "queue": {"url": "unix:///run/redis"},
        },
        {"store": {"url": "postgresql+asyncpg://me@[::1]/wagate"}, "queue": {"url": "redis://[::1]:6379"}},
    ],
)
async def test_what_is_near_or_behind_tls_is_no_danger(settings_with: With, options: dict[str, dict[str, str]]) -> None:
    assert [finding.check for finding in await settings(settings_with(**options))] == ["settings.sound"]


async def test_a_file_of_settings_with_a_password_that_others_may_read_is_found(
    settings_with: With, tmp_path: Path
) -> None:
    file = tmp_path / "wagate.toml"
    file.write_text(f'[access]\nkey = "{KEY}"\n')
    file.chmod(0o640)
    (finding,) = await settings(settings_with())
    assert (finding.check, finding.advice) == ("settings.readable", "Take the rights away: chmod 600 wagate.toml")
    file.chmod(0o600)
    assert [finding.check for finding in await settings(settings_with())] == ["settings.sound"]


def test_each_setting_that_cannot_be_used_is_a_problem() -> None:
    with pytest.raises(SettingsError) as error:
        load(flags={"grpc": {"listen": "0.0.0.0:1"}, "log": {"level": "loud"}})
    findings = refused(error.value)
    assert {finding.level for finding in findings} == {Level.PROBLEM}
    assert any("log.level" in finding.said for finding in findings)


def test_a_listener_beyond_loopback_without_a_key_is_a_problem() -> None:
    with pytest.raises(SettingsError) as error:
        load(flags={"grpc": {"listen": "0.0.0.0:1"}})
    (finding,) = refused(error.value)
    assert finding.said == "grpc.listen should be a loopback address, or access.key should be set."


def test_a_name_in_the_environment_that_nobody_reads_is_found() -> None:
    one, other = unheard(["WAGATE_COLOUR", "WAGATE_GRPC_LISTEN", "PATH", "WAGATE_LOG__LEVEL"])
    assert one.said.startswith("WAGATE_COLOUR is in the environment, and is no option")
    assert other.advice.endswith("two underscores: WAGATE_GRPC__LISTEN")


def test_options_in_the_environment_are_heard() -> None:
    assert list(unheard(["WAGATE_GRPC__LISTEN", "HOME", "MY_WAGATE_COLOUR"])) == []


async def test_a_key_that_others_may_read_is_found(settings_with: With, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o644)
    (finding,) = await settings(settings_with(access={"key_file": str(key)}))
    assert (finding.check, finding.advice) == ("settings.readable", f"Take the rights away: chmod 600 {key}")
    key.chmod(0o600)
    assert list(readable({"access.key_file": key})) == []
