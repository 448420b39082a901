"""Settings come from four places, and are refused by name."""

from __future__ import annotations

import pickle
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.settings import Flags, SettingsError, Tree, as_toml, load

HEX = "ab" * 32


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_flags_beat_the_environment_which_beats_the_file_which_beats_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ttl(**flags: str) -> timedelta:
        return load(flags={"leases": flags} if flags else None).leases.ttl

    assert ttl() == timedelta(seconds=15)
    (tmp_path / "wagate.toml").write_text('[leases]\nttl = "20s"\nrenew_every = "2s"\n')
    assert ttl() == timedelta(seconds=20)
    monkeypatch.setenv("WAGATE_LEASES__TTL", "25s")
    assert ttl() == timedelta(seconds=25)
    assert ttl(ttl="30s") == timedelta(seconds=30)
    assert load(flags={"leases": {"ttl": "30s"}}).leases.renew_every == timedelta(seconds=2)


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('[log]\nlevel = "debug"\n')
    assert load(file=tmp_path / "other.toml").log.level == "debug"


REFUSED: list[tuple[Flags, str]] = [
    ({"grpc": {"listen": "here"}}, "grpc.listen should be an address with a port"),
    ({"grpc": {"listen": "127.0.0.1:99999"}}, "grpc.listen should be an address with a port"),
    ({"grpc": {"listn": "127.0.0.1:1"}}, "grpc.listn names no option"),
    ({"gprc": {"listen": "127.0.0.1:1"}}, "gprc names no option"),
    ({"grpc": {"listen": "0.0.0.0:50051"}}, "grpc.listen should be a loopback address, or access.key should be set"),
    ({"grpc": {"listen": "example.org:50051"}}, "grpc.listen should be a loopback address"),
    ({"metrics": {"listen": "[::]:9464"}}, "metrics.listen should be a loopback address, or access.key should be set"),
    ({"metrics": {"listen": "unix:/tmp/x"}}, "metrics.listen should be an address with a port"),
    ({"grpc": {"max_receive_bytes": "much"}}, "grpc.max_receive_bytes "),
    ({"queue": {"url": "http://localhost"}}, "queue.url should begin with redis://, rediss:// or unix://"),
    ({"queue": {"url": "redis://localhost:none"}}, "queue.url should name a port as a number"),
    ({"queue": {"prefix": "a b"}}, "queue.prefix should match"),
    ({"queue": {"shards": "0"}}, "queue.shards should be greater than or equal to 1"),
    ({"leases": {"ttl": "15"}}, "leases.ttl should be a span with its unit, such as 15s"),
    ({"leases": {"ttl": "1s"}}, "leases.ttl should be greater than or equal to"),
    ({"leases": {"renew_every": "6s"}}, "leases.renew_every should be at most a third of ttl"),
    ({"engine": {"key_connections": "1"}}, "engine.key_connections should be greater than or equal to 2"),
    ({"worker": {"sessions_per_engine": "0"}}, "worker.sessions_per_engine should be greater than or equal to 1"),
    ({"worker": {"listen": "0.0.0.0:50052"}}, "worker.listen should be a loopback address"),
    ({"engine": {"connect_rate": "0"}}, "engine.connect_rate should be greater than 0"),
    ({"engine": {"ping_every": "10ms"}}, "engine.ping_every should be greater than or equal to"),
    ({"providers": {"enabled": "telegram"}}, "providers.enabled.0 should be 'web' or 'simulator'"),
    ({"log": {"level": "loud"}}, "log.level should be 'debug', 'info', 'warning' or 'error'"),
    ({"lab": {"address": "127.0.0.1:8443"}}, "lab.address, root_key_hex and ca_file should be set together"),
    ({"lab": {"root_key_hex": "xyz"}}, "lab.root_key_hex should match"),
    (
        {"lab": {"address": "192.0.2.1:8443", "root_key_hex": HEX, "ca_file": "ca.pem"}},
        "lab.address should be a loopback address",
    ),
    ({"access": {"key": "short"}}, "access.key should have at least 16 characters"),
    ({"access": {"key_file": "missing"}}, "access.key_file should name a file that can be read"),
    ({"access": {"key": "x" * 20, "key_file": "k"}}, "access.key or key_file should be set, not both"),
    ({"retention": {"events": "59m"}}, "retention.events should be from 1h to 36500d, or empty"),
    ({"retention": {"messages": "6d"}}, "retention.messages should be from 7d to 36500d, or empty"),
    ({"retention": {"messages": "long"}}, "retention.messages should be a span with its unit"),
    ({"feeds": {"checkpoint_interval": "2m"}}, "feeds.checkpoint_interval should be less than or equal to"),
]


@pytest.mark.parametrize(("flags", "sentence"), REFUSED, ids=lambda case: str(case)[:60])
def test_a_wrong_value_is_refused_with_the_options_name_and_what_it_should_be(flags: Flags, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(flags=flags)
    assert str(refused.value).startswith(sentence)


def test_all_wrong_options_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(flags={"log": {"level": "loud"}, "leases": {"ttl": "x"}})
    assert len(str(refused.value).splitlines()) == 2


def test_a_refused_secret_is_not_told() -> None:
    with pytest.raises(SettingsError) as refused:
        load(flags={"access": {"key": "hush-hush"}})
    assert "hush" not in str(refused.value)


def test_a_section_in_the_environment_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAGATE_LEASE__TTL", "20s")
    with pytest.raises(SettingsError, match="WAGATE_LEASE__TTL names no option"):
        load()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [("missing.toml", None, "--config should name a file"), ("bad.toml", "[grpc", "bad.toml is not TOML")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        load(file=Path(name))


def test_beyond_loopback_is_served_with_a_key() -> None:
    settings = load(flags={"grpc": {"listen": "0.0.0.0:50051"}, "access": {"key": "k" * 20}})
    assert settings.grpc.listen == "0.0.0.0:50051"


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 20 + "\n")
    settings = load(flags={"access": {"key-file": "key"}, "grpc": {"listen": "0.0.0.0:1"}})
    assert settings.access.key.get_secret_value() == "k" * 20


def test_settings_do_not_change() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.leases.__setattr__("ttl", timedelta(0))


def test_every_option_says_in_a_sentence_what_it_is() -> None:
    for name, section in Tree.model_fields.items():
        assert section.annotation is not None
        for option, field in section.annotation.model_fields.items():
            assert (field.description or "").endswith("."), f"{name}.{option}"


def test_printed_settings_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "printed.toml").write_text(as_toml(Tree()))
    assert load(file=tmp_path / "printed.toml").model_dump() == load().model_dump()


def test_printed_settings_mask_secrets() -> None:
    settings = load(flags={"access": {"key": "hush" * 5}, "store": {"url": "postgresql://u:hush@localhost/db"}})
    printed = as_toml(settings)
    assert "hush" not in printed
    assert set(tomllib.loads(printed)["access"]["key"]) == {"*"}


@pytest.mark.parametrize("text", ["250ms", "15s", "1m30s", "1h", "1d", "0s"])
def test_spans_are_read_as_they_are_written(text: str) -> None:
    settings = load(flags={"outbox": {"give_up_after": text}}) if text != "0s" else None
    assert settings is None or f'give_up_after = "{text}"' in as_toml(settings)


def test_settings_reach_another_process_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("a key of more than sixteen letters")
    settings = load(flags={"access": {"key_file": str(key_file)}, "leases": {"ttl": "20s"}})
    sent = pickle.dumps(settings)
    monkeypatch.setenv("WAGATE_LEASES__TTL", "25s")
    arrived = pickle.loads(sent)
    assert arrived.model_dump() == settings.model_dump()
    assert arrived.access.key.get_secret_value() == "a key of more than sixteen letters"


def test_an_empty_span_means_that_things_are_kept_for_ever() -> None:
    settings = load(flags={"retention": {"events": "", "messages": "90d"}})
    assert (settings.retention.events, settings.retention.messages) == (None, timedelta(days=90))
