"""The tree of all settings: each option with its default, its bounds, and a sentence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from gateway.domain.requests import KEPT_FOR
from gateway.settings.listening import Listen, ListenPort, is_loopback
from gateway.settings.spans import OptionalSpan, Span, write_span

SHORTEST_KEY: Final = 16
_LONGEST_KEPT: Final = timedelta(days=36_500)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty)]


def _words(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
"""A list; in the environment and on the command line, parted by commas."""


class Grpc(_Section):
    """Where and how the contract is served."""

    listen: Listen = Field("127.0.0.1:50051", description="Where to serve: HOST:PORT or unix:/PATH; port 0 takes any.")
    max_receive_bytes: ByteSize = Field(
        ByteSize(8 * 1024 * 1024), ge=64 * 1024, description="The largest request; a larger one is RESOURCE_EXHAUSTED."
    )
    streams_per_connection: int = Field(
        1000, ge=1, description="How many calls and streams one connection has at a time; further ones wait."
    )


class Metrics(_Section):
    """Numbers for Prometheus, at /metrics. From beyond this machine they need the key, as a bearer token."""

    listen: ListenPort = Field("127.0.0.1:9464", description="Where to serve: HOST:PORT, or empty for nowhere.")


class Data(_Section):
    """What lies on this machine's disk."""

    folder: Path = Field(Path("data"), description="The folder for the database, keys and sockets; made if need be.")


class Store(_Section):
    """The database."""

    url: SecretStr = Field(SecretStr(""), description="Its SQLAlchemy URL; empty means SQLite in the data folder.")
    readers: int = Field(
        4, ge=1, le=100, description="PostgreSQL: how many connections a process reads over; it writes over one more."
    )
    connect_timeout: Span = Field(
        timedelta(seconds=5),
        ge=timedelta(milliseconds=100),
        description="PostgreSQL: a connection is made in this time.",
    )
    statement_timeout: Span = Field(
        timedelta(seconds=15), ge=timedelta(seconds=1), description="PostgreSQL: no statement takes longer than this."
    )
    lock_timeout: Span = Field(
        timedelta(milliseconds=200),
        ge=timedelta(milliseconds=10),
        le=timedelta(seconds=10),
        description="PostgreSQL: rows that another process holds are awaited this long, before all that does not need "
        "them goes ahead.",
    )
    idle_in_transaction_timeout: Span = Field(
        timedelta(seconds=15),
        ge=timedelta(seconds=1),
        description="PostgreSQL: a process that hangs holds rows for this long at most.",
    )


def _has_a_port_if_any(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


class Queue(_Section):
    """How processes wake and ask each other. Nothing is lost without it, or while it is away: all takes longer."""

    url: SecretStr = Field(
        SecretStr(""),
        description="A Redis: redis://, rediss:// or unix:// and where it is. Empty means none: processes look at the "
        "database instead, about once a second.",
    )
    prefix: str = Field(
        "wagate",
        pattern="^[a-z0-9:._-]{1,64}$",
        description="Keys begin with it: installations that share a Redis differ.",
    )
    shards: int = Field(
        16, ge=1, le=256, description="Over so many streams bells are spread; the same in all processes."
    )

    @model_validator(mode="after")
    def _url_leads_to_a_redis(self) -> Self:
        url = self.url.get_secret_value()
        if url and urlsplit(url).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("url should begin with redis://, rediss:// or unix://")
        if url and not _has_a_port_if_any(url):
            raise ValueError("url should name a port as a number, such as redis://localhost:6379")
        return self


class Access(_Section):
    """Who may call."""

    key: SecretStr = Field(
        SecretStr(""),
        description="What callers send as `authorization: Bearer KEY`; empty means that only this machine is served.",
    )
    key_file: OptionalPath = Field(None, description="A file that holds the key instead.")
    scopes: Words = Field(("*",), min_length=1, description="What the key may do: noun:verb, or * for all.")

    @property
    def has_key(self) -> bool:
        """Whether callers must show a key."""
        return bool(self.key.get_secret_value() or self.key_file)

    @model_validator(mode="after")
    def _key_is_one_and_long(self) -> Self:
        key = self.key.get_secret_value()
        if key and self.key_file:
            raise ValueError("key or key_file should be set, not both")
        if key and len(key) < SHORTEST_KEY:
            raise ValueError(f"key should have at least {SHORTEST_KEY} characters")
        return self


class Providers(_Section):
    """How WhatsApp is spoken."""

    enabled: Annotated[tuple[Literal["web", "simulator"], ...], NoDecode, BeforeValidator(_words)] = Field(
        ("web",),
        min_length=1,
        description="web, simulator (a WhatsApp in memory), or both; the first is taken where a session names none.",
    )


class Leases(_Section):
    """How long a worker owns a session without saying so again."""

    ttl: Span = Field(timedelta(seconds=15), ge=timedelta(seconds=2), description="A lease runs out after this.")
    renew_every: Span = Field(
        timedelta(seconds=3), gt=timedelta(0), description="An owner renews this often; at most a third of the ttl."
    )

    @model_validator(mode="after")
    def _renewals_may_fail_twice(self) -> Self:
        if self.renew_every * 3 > self.ttl:
            raise ValueError("renew_every should be at most a third of ttl")
        return self


class Worker(_Section):
    """What owns sessions: `wagate worker`, or that part of `wagate serve`."""

    name: str = Field("", max_length=63, description="What operators call it; empty means the machine's name.")
    capacity: int = Field(10_000, ge=1, description="At most this many sessions are owned by one worker.")
    sessions_per_engine: int = Field(
        100, ge=1, description="An engine has at most this many; another one is started when those that run are full."
    )
    listen: ListenPort = Field(
        "", description="Where `wagate worker` serves grpc.health.v1: HOST:PORT, or empty for nowhere."
    )


class Fleet(_Section):
    """How workers share the sessions."""

    connect_rate: float = Field(
        100,
        ge=0,
        le=10_000,
        description="At most this many lines are opened in a second by all workers, and lost ones made again; 0: any.",
    )
    left_over: Span = Field(
        timedelta(seconds=5), description="Beyond its fair share a worker takes sessions that nobody took for so long."
    )
    drain_within: Span = Field(
        timedelta(seconds=5),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="A worker that drains or ends finishes messages under way for three fifths of this.",
    )


class Engine(_Section):
    """The program that speaks WhatsApp Web."""

    binary: OptionalPath = Field(None, description="The wagate-engine program; empty means in build/, or on the PATH.")
    connect_rate: float = Field(
        40, gt=0, le=1000, description="At most this many sessions of one engine connect in a second."
    )
    key_connections: int = Field(
        8,
        ge=2,
        le=100,
        description="PostgreSQL: how many connections an engine has at most for the keys of all its sessions.",
    )
    ping_every: Span = Field(
        timedelta(seconds=22),
        ge=timedelta(milliseconds=100),
        le=timedelta(seconds=60),
        description="Each line is pinged at least this often.",
    )
    ping_patience: Span = Field(
        timedelta(seconds=10),
        ge=timedelta(milliseconds=100),
        le=timedelta(seconds=60),
        description="A ping unanswered for this long makes a session DEGRADED, a second one RECONNECTING.",
    )
    start_timeout: Span = Field(
        timedelta(seconds=15),
        gt=timedelta(0),
        description="It must answer this soon after its start, or is started anew.",
    )


class Lab(_Section):
    """A lab on this machine to speak to instead of WhatsApp: all three, or none."""

    address: str = Field("", description="Where the lab is, HOST:PORT; a loopback address.")
    root_key_hex: str = Field("", pattern="^([0-9a-f]{64})?$", description="Its root key, as 64 hexadecimal digits.")
    ca_file: OptionalPath = Field(None, description="The certificate authority of its TLS certificate, a PEM file.")

    @property
    def is_wanted(self) -> bool:
        """Whether a lab is spoken to instead of WhatsApp."""
        return bool(self.address)

    @model_validator(mode="after")
    def _all_or_none_and_near(self) -> Self:
        if len({bool(self.address), bool(self.root_key_hex), bool(self.ca_file)}) > 1:
            raise ValueError("address, root_key_hex and ca_file should be set together, or not at all")
        if self.address and not is_loopback(self.address):
            raise ValueError("address should be a loopback address with a port, such as 127.0.0.1:8443")
        return self


class Outbox(_Section):
    """How messages are sent."""

    send_timeout: Span = Field(
        timedelta(seconds=20), gt=timedelta(0), description="WhatsApp's answer to a message is awaited this long."
    )
    give_up_after: Span = Field(
        timedelta(hours=24),
        gt=timedelta(0),
        description="A message without give_up_time is tried this long after it is due.",
    )


class Feeds(_Section):
    """How events are streamed."""

    checkpoint_interval: Span = Field(
        timedelta(seconds=15),
        ge=timedelta(seconds=1),
        le=timedelta(seconds=60),
        description="A frame comes at least this often, unless the caller asks for another interval.",
    )
    slow_after: Span = Field(
        timedelta(seconds=60), gt=timedelta(0), description="A stream that is not read for this long is closed."
    )


class Retention(_Section):
    """How long things are kept. What is not at an end, such as a message that waits, is kept until it is."""

    events: OptionalSpan = Field(
        timedelta(days=30),
        description="Events are kept at least this long; empty means for ever. A cursor from before is refused.",
    )
    messages: OptionalSpan = Field(
        timedelta(days=365),
        description="Messages and receipts are kept at least this long after acceptance; empty means for ever.",
    )

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        for option, least in (("events", timedelta(hours=1)), ("messages", KEPT_FOR)):
            kept_for = getattr(self, option)
            if kept_for is not None and not least <= kept_for <= _LONGEST_KEPT:
                raise ValueError(
                    f"{option} should be from {write_span(least)} to {write_span(_LONGEST_KEPT)}, or empty"
                )
        return self


class Log(_Section):
    """What is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    format: Literal["json", "pretty"] = Field("json", description="json for machines, pretty for people.")


class Shutdown(_Section):
    """How the server stops."""

    grace: Span = Field(
        timedelta(seconds=30), gt=timedelta(0), description="Whatever is under way is ended after this."
    )


class Tree(BaseModel):
    """All sections."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grpc: Grpc = Grpc()
    metrics: Metrics = Metrics()
    data: Data = Data()
    store: Store = Store()
    queue: Queue = Queue()
    access: Access = Access()
    providers: Providers = Providers()
    leases: Leases = Leases()
    worker: Worker = Worker()
    fleet: Fleet = Fleet()
    engine: Engine = Engine()
    lab: Lab = Lab()
    outbox: Outbox = Outbox()
    feeds: Feeds = Feeds()
    retention: Retention = Retention()
    log: Log = Log()
    shutdown: Shutdown = Shutdown()
