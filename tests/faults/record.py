"""The record of a run: what was asked, said, broken, and what each party knows of it afterwards. The judge reads
nothing else, so a record that is kept can be judged again. Moments are seconds since 1970, by the machine's one clock.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from tests.faults.plan import Kind, Terms


@dataclass(frozen=True, slots=True)
class Call:
    """An answer to SendMessage: OK, hence a promise."""

    request_id: str
    session_id: str
    to: str
    text: str
    message_id: str
    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said, in the order in which the person said it; `group` is empty if it was to the session alone."""

    person: str
    session_id: str
    text: str
    provider_message_id: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Got:
    """What a person received."""

    person: str
    text: str
    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was injected, and the sessions that it concerned; all if none is named."""

    kind: Kind
    begun: float
    ended: float
    session_id: str = ""
    between: bool = False
    session_ids: tuple[str, ...] = ()

    def concerns(self, session_id: str) -> bool:
        """Whether it concerned a session."""
        named = self.session_ids or (self.session_id,)
        return named == ("",) or session_id in named


@dataclass(frozen=True, slots=True)
class Session:
    """A session, and its state at the end; `device` is its number among its account's."""

    session_id: str
    uid: str
    phone_number: str
    device: int
    state: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the lab knows: an entry of the oracle."""

    time: float
    kind: str
    account: str
    device: int
    peer: str
    provider_message_id: str
    connection: int
    to_jid: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the gateway shows it, in the order of acceptance; `reach` is how far it got, as receipts tell."""

    message_id: str
    session_id: str
    chat_id: str
    sender: str
    provider_message_id: str
    request_id: str
    outbound: bool
    state: str
    reason: str
    reach: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the log, in its order. `state` is what it tells of a message or a session."""

    event_id: str
    kind: str
    session_id: str
    uid: str
    sequence: int
    time: float
    message_id: str = ""
    state: str = ""


@dataclass(slots=True)
class Record:
    """Everything about a run. `stored` is each message's state as the database has it, `damage` what SQLite finds wrong
    with that database, `readings` what each reader of the log was told, and `lease_seconds` how long a lease lasts.
    """

    terms: Terms
    lease_seconds: float
    sessions: list[Session] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    faults: list[Injected] = field(default_factory=list)
    oracle: list[Entry] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)
    damage: str = ""
    events: list[Event] = field(default_factory=list)
    readings: list[list[str]] = field(default_factory=list)


_RECORDS = TypeAdapter(Record)


def keep(record: Record, file: Path) -> None:
    """Write a record, packed."""
    file.write_bytes(gzip.compress(_RECORDS.dump_json(record), mtime=0))


def kept(file: Path) -> Record:
    """Read a record that was kept."""
    return _RECORDS.validate_json(gzip.decompress(file.read_bytes()))
