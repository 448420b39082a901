"""What WhatsApp delivers is taken in once, in order, and told without a gap."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.faults.judge.finding import Finding
from tests.faults.record import Record, Row

_TOLD = ("message.received", "message.undecryptable")


def delivered_is_one_row_and_one_event(record: Record) -> Finding:
    """Each message that was said and delivered is one row with its text, one event, and confirmed to WhatsApp."""
    finding = Finding("every message delivered is one row and one event")
    rows: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in record.rows:
        if not row.outbound:
            rows[row.session_id, row.sender, row.provider_message_id].append(row)
    told = Counter(event.message_id for event in record.events if event.kind in _TOLD)
    resolved = Counter(event.message_id for event in record.events if event.kind == "message.resolved")
    delivered, confirmed = _delivered(record, "DELIVERED"), _delivered(record, "CONFIRMED")
    for said in record.said:
        what = (said.session_id, said.person, said.provider_message_id)
        finding.check(what in delivered, f"{said.text!r} was never delivered")
        finding.check(what in confirmed, f"{said.text!r} was never confirmed")
        found = rows.pop(what, [])
        finding.check([row.text for row in found] == [said.text], f"{said.text!r} became {found}")
        for row in found:
            finding.check(said.group in ("", row.chat_id), f"{said.text!r} was taken in for chat {row.chat_id}")
            times = told[row.message_id]
            finding.check(times == 1 and resolved[row.message_id] <= 1, f"{said.text!r} was told {times} times")
    for row in (row for left in rows.values() for row in left):
        finding.check(False, f"{row.text!r} was taken in, and nobody said it")
    return finding


def _delivered(record: Record, kind: str) -> set[tuple[str, str, str]]:
    """Session, sender and id of each message that was delivered to, or confirmed by, a session's device."""
    sessions = {(session.phone_number, session.device): session.session_id for session in record.sessions}
    return {
        (sessions[entry.account, entry.device], entry.peer, entry.provider_message_id)
        for entry in record.oracle
        if entry.kind == kind and (entry.account, entry.device) in sessions
    }


def arrivals_keep_their_order(record: Record) -> Finding:
    """What one person says in one chat is taken in, in the order in which it was said; but for what could not be read,
    and was said again: WhatsApp takes word of that for a receipt, and a kill may lose the placeholder that keeps its
    place.
    """
    finding = Finding("order of arrival per session and person")
    place = {(row.session_id, row.provider_message_id): number for number, row in enumerate(record.rows)}
    times = Counter((entry.account, entry.provider_message_id) for entry in record.oracle if entry.kind == "ACCEPTED")
    latest: dict[tuple[str, str, str], int] = {}
    for said in record.said:
        at = place.get((said.session_id, said.provider_message_id))
        if at is not None and times[said.person, said.provider_message_id] <= 1:
            chat = (said.session_id, said.person, said.group)
            finding.check(latest.get(chat, -1) < at, f"{said.text!r} was overtaken")
            latest[chat] = max(latest.get(chat, -1), at)
    return finding


def sequences_have_no_gap(record: Record) -> Finding:
    """The events of a session, and of the tenant, count from 1 without a gap, and none is there twice."""
    finding = Finding("event sequences without a gap")
    counted: Counter[str] = Counter()
    for event in record.events:
        counted[event.uid] += 1
        right = event.sequence == counted[event.uid]
        finding.check(right, f"{event.event_id} of {event.uid} is number {event.sequence}, not {counted[event.uid]}")
        counted[event.uid] = event.sequence
    twice = [event_id for event_id, times in Counter(event.event_id for event in record.events).items() if times > 1]
    finding.check(not twice, f"events are there twice: {twice}")
    return finding


def readers_are_told_all_once(record: Record) -> Finding:
    """A reader that was killed and went on was told each event of the log once, in order."""
    finding = Finding("a reader killed at random resumes without loss or repeat")
    log = [event.event_id for event in record.events]
    for number, told in enumerate(record.readings):
        for place, (wanted, found) in enumerate(zip(log, told, strict=False)):
            finding.check(wanted == found, f"reader {number} was told {found} instead of {wanted}, at {place}")
        finding.check(len(told) == len(log), f"reader {number} was told {len(told)} of {len(log)} events")
    return finding


def shown_is_stored(record: Record) -> Finding:
    """What the gateway shows of messages is what the database has."""
    finding = Finding("what is shown is what is stored")
    finding.check(not record.damage, f"the database is damaged: {record.damage}")
    shown = {row.message_id: row.state for row in record.rows}
    finding.check(len(shown) == len(record.rows), "a message is shown twice")
    for message_id in shown.keys() | record.stored.keys():
        here, there = shown.get(message_id), record.stored.get(message_id)
        finding.check(here == there, f"{message_id} is shown as {here}, and stored as {there}")
    return finding
