"""Settings: what was said and means nothing, what is dangerous, and what contradicts itself."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.doctor.findings import Finding, fine, problem, warning
from gateway.settings import Settings, SettingsError, Tree
from gateway.settings.listening import is_loopback
from gateway.settings.sources import DEFAULT_FILE

_PREFIX: Final = "WAGATE_"
_DELIMITER: Final = "__"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def refused(error: SettingsError) -> list[Finding]:
    """What is wrong with settings that cannot be used at all."""
    advice = "Correct it, or see `wagate config` for every option and what it should be."
    return [problem("settings.usable", f"{sentence}.", advice) for sentence in str(error).splitlines()]


async def settings(settings: Settings) -> list[Finding]:
    """Look at settings that are in force."""
    found = [finding for rule in RULES if (finding := rule(settings))]
    found += unheard(os.environ)
    found += readable(_secret_files(settings))
    return found or [fine("settings.sound", "Nothing contradicts itself, and nothing is dangerous.")]


def unheard(environment: Iterable[str]) -> Iterator[Finding]:
    """Names that begin as ours do and are no option's."""
    for name in sorted(environment):
        section, delimiter, _ = name.removeprefix(_PREFIX).lower().partition(_DELIMITER)
        if name.startswith(_PREFIX) and not (delimiter and section in Tree.model_fields):
            said = f"{name} is in the environment, and is no option: nobody reads it."
            yield warning("settings.unheard", said, _meant(name))


def _meant(name: str) -> str:
    section, _, option = name.removeprefix(_PREFIX).partition("_")
    if section.lower() in Tree.model_fields and option.strip("_"):
        return f"Between section and option there are two underscores: {_PREFIX}{section}{_DELIMITER}{option}"
    return "Remove it; `wagate config` prints every option."


def readable(files: Mapping[str, Path]) -> Iterator[Finding]:
    """Files of secrets that others may read, by what names them."""
    for option, file in files.items():
        if file.is_file() and file.stat().st_mode & _OTHERS:
            said = f"{file} ({option}) may hold a secret, and other users of this machine may read or write it."
            yield warning("settings.readable", said, f"Take the rights away: chmod 600 {file}")


def _secret_files(settings: Settings) -> dict[str, Path]:
    files = {"access.key_file": settings.access.key_file} if settings.access.key_file else {}
    secrets = (settings.access.key, settings.store.url, settings.queue.url)
    return {**files, "the settings": DEFAULT_FILE} if any(secret.get_secret_value() for secret in secrets) else files


def _open_road(settings: Settings) -> Finding | None:
    if is_loopback(settings.grpc.listen):
        return None
    said = f"grpc.listen is {settings.grpc.listen}: whoever listens on the way reads the key and all messages."
    return warning("settings.open_road", said, "Listen on loopback behind a proxy that speaks TLS.")


def _bare_database(settings: Settings) -> Finding | None:
    try:
        url = make_url(settings.store.url.get_secret_value() or "sqlite://")
    except ArgumentError:  # the database's own check says so
        return None
    asks_for_tls = {"ssl", "sslmode"} & url.query.keys() and url.query.get("ssl") not in ("disable", "false")
    if is_near(url.host) or asks_for_tls:
        return None
    return _bare("store.url", "add ?ssl=require to it")


def _bare_queue(settings: Settings) -> Finding | None:
    url = urlsplit(settings.queue.url.get_secret_value())
    return None if url.scheme != "redis" or is_near(url.hostname) else _bare("queue.url", "let it begin with rediss://")


def _bare(option: str, how: str) -> Finding:
    said = f"{option} leads to another machine without TLS: whoever listens on the way reads its password and all data."
    return warning(f"settings.{option}", said, f"On a network that is not yours alone, {how}.")


def is_near(host: str | None) -> bool:
    """Whether a host of a URL is this machine; none is a socket of its."""
    return not host or is_loopback(f"[{host}]:1" if ":" in host else f"{host}:1")


def _nobody_to_limit(settings: Settings) -> Finding | None:
    if settings.access.has_key or settings.access.scopes == ("*",):
        return None
    said = "access.scopes limits a key, and there is no key: whoever is on this machine may do everything."
    return problem("settings.scopes", said, "Set access.key or access.key_file, or leave access.scopes out.")


def _simulated(settings: Settings) -> Finding | None:
    if "simulator" not in settings.providers.enabled:
        return None
    said = "The provider simulator is enabled: its sessions reach nobody, and say that they do."
    return warning("settings.simulator", said, "Leave it out of providers.enabled where messages should arrive.")


def _simulated_unless_said(settings: Settings) -> Finding | None:
    first, *others = settings.providers.enabled
    if first != "simulator" or "web" not in others:
        return None
    said = "A session that names no provider is simulated, although web is enabled as well."
    return warning("settings.default_provider", said, "Name web first in providers.enabled.")


def _lab_in_earnest(settings: Settings) -> Finding | None:
    if not settings.lab.is_wanted:
        return None
    said = f"A lab at {settings.lab.address} is spoken to instead of WhatsApp: no message leaves this machine."
    return warning("settings.lab", said, "Remove the section [lab] where messages should arrive.")


def _lab_for_nobody(settings: Settings) -> Finding | None:
    if not settings.lab.is_wanted or "web" in settings.providers.enabled:
        return None
    said = "A lab is set, and nobody speaks to it: the provider web is not enabled."
    return problem("settings.lab_unused", said, "Add web to providers.enabled, or remove the section [lab].")


def _stopped_too_soon(settings: Settings) -> Finding | None:
    grace, needed = settings.shutdown.grace, settings.outbox.send_timeout
    if grace >= needed:
        return None
    said = (
        f"shutdown.grace ({grace.total_seconds():g} s) is less than outbox.send_timeout ({needed.total_seconds():g} s)."
    )
    advice = "Give the grace that long, or messages that are on their way at a stop end UNCONFIRMED for a while."
    return warning("settings.grace", said, advice)


def _unseen(settings: Settings) -> Finding | None:
    if settings.metrics.listen:
        return None
    said = "metrics.listen is empty: nobody can see how the gateway fares."
    return warning("settings.metrics", said, "Set it to a loopback address, and let Prometheus ask there.")


def _talkative(settings: Settings) -> Finding | None:
    if settings.log.level != "debug":
        return None
    return warning("settings.log", "log.level is debug: every step is written.", "Set it to info when all is found.")


def _given_up_early(settings: Settings) -> Finding | None:
    if settings.outbox.give_up_after > settings.outbox.send_timeout * 2:
        return None
    said = "outbox.give_up_after is hardly longer than outbox.send_timeout: messages are given up rather than repeated."
    return warning(
        "settings.give_up_after", said, "Give messages hours: a phone's network, or ours, may be away that long."
    )


RULES: Final[tuple[Callable[[Settings], Finding | None], ...]] = (
    _open_road,
    _bare_database,
    _bare_queue,
    _nobody_to_limit,
    _simulated,
    _simulated_unless_said,
    _lab_in_earnest,
    _lab_for_nobody,
    _stopped_too_soon,
    _given_up_early,
    _unseen,
    _talkative,
)
"""Each says what it finds, or nothing."""
