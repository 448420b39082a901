"""What was accepted leaves, once, in order, or ends with a reason."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise

from tests.faults.judge.attempts import Attempt, attempts_of
from tests.faults.judge.finding import Finding
from tests.faults.plan import OF_NO_SENDER
from tests.faults.record import Entry, Record, Row

_ENDED = frozenset({"FAILED", "EXPIRED"})
_REACHED = frozenset({"DELIVERED", "READ", "PLAYED"})
_OF_A_DEVICE = re.compile(r":\d+@")


def copies_of(record: Record) -> dict[str, list[Entry]]:
    """Each copy of a message that WhatsApp took from a session, by its id, in order. Answers to a device that asked for
    a message again are none.
    """
    ours = {session.phone_number for session in record.sessions}
    copies: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in record.oracle:
        taken = entry.kind == "ACCEPTED" and entry.account in ours and entry.peer != entry.account
        if taken and not _OF_A_DEVICE.search(entry.to_jid):
            copies[entry.provider_message_id].append(entry)
    return copies


def accepted_is_sent_or_ended(record: Record) -> Finding:
    """Accepted means: sent, and readable by whom it was for, or ended with a reason."""
    finding = Finding("accepted ⇒ sent, or ended with a reason")
    rows = {row.message_id: row for row in record.rows}
    copies = copies_of(record)
    got = {(got.person, got.provider_message_id, got.text) for got in record.got}
    for call in record.calls:
        row = rows.get(call.message_id)
        state = row.state if row else "nowhere"
        if row and state == "SENT":
            finding.check(copies[row.provider_message_id], f"{call.text!r} is SENT, and WhatsApp never had it")
            read = (call.to, row.provider_message_id, call.text) in got
            finding.check(read, f"{call.text!r} is SENT, and could not be read")
        else:
            ended = row and state in _ENDED and row.reason
            finding.check(ended, f"{call.text!r} was accepted, and is {state} without a reason")
    return finding


def receipts_are_told(record: Record) -> Finding:
    """What its recipient received is shown as delivered at least: the receipt waits at WhatsApp until it is stored."""
    finding = Finding("what was received is shown as delivered")
    received = {got.provider_message_id for got in record.got}
    for row in record.rows:
        if row.outbound and row.provider_message_id in received:
            finding.check(row.reach in _REACHED, f"{row.text!r} was received, and its reach is {row.reach}")
    return finding


def one_request_is_one_message(record: Record) -> Finding:
    """A request has one message and one id of WhatsApp's, however often it was made."""
    finding = Finding("never two provider ids for one request")
    answers: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for call in record.calls:
        answers[call.session_id, call.request_id].add((call.message_id, call.provider_message_id))
        ids[call.text].add(call.provider_message_id)
    made = Counter((row.session_id, row.request_id) for row in record.rows if row.outbound)
    for (session_id, request_id), named in answers.items():
        finding.check(len(named) == 1, f"{session_id}: request {request_id} was answered with {sorted(named)}")
        count = made[session_id, request_id]
        finding.check(count == 1, f"{session_id}: request {request_id} made {count} messages")
    for got in record.got:
        ids[got.text].add(got.provider_message_id)
    for text, known in ids.items():
        finding.check(len(known) == 1, f"{text!r} went out as {sorted(known)}")
    known_ids = {row.provider_message_id for row in record.rows}
    for provider_message_id in copies_of(record):
        finding.check(provider_message_id in known_ids, f"WhatsApp took {provider_message_id}, which nobody asked for")
    return finding


def second_copies_are_of_faults(record: Record) -> Finding:
    """A second copy, under the same id, only if a fault fell between an attempt's begin and its answer."""
    finding = Finding("a second copy only if a fault fell between begin and reply")
    rows = {row.provider_message_id: row for row in record.rows if row.outbound}
    attempts = attempts_of(record)
    for provider_message_id, copies in copies_of(record).items():
        if row := rows.get(provider_message_id):
            made = attempts[row.message_id]
            for earlier, later in pairwise(copies):
                why = _unexcused(record, row, made, earlier, later)
                finding.check(not why, f"{row.text!r} was sent again: {why}")
            finding.checks += len(copies) == 1
    return finding


def _unexcused(record: Record, row: Row, made: list[Attempt], earlier: Entry, later: Entry) -> str:
    """Why a second copy has no excuse; empty if it has one."""
    first, second = _behind(made, earlier), _behind(made, later)
    if first is None or second is None:
        return "WhatsApp has a copy from before any attempt"
    if first is second:
        return "one attempt made two copies"
    faults = [fault for fault in record.faults if fault.kind not in OF_NO_SENDER]
    if not any(fault.concerns(row.session_id) and first.met(fault) for fault in faults):
        return f"no fault fell between {first.begun:.3f} and {first.ended:.3f}"
    return ""


def _behind(made: list[Attempt], copy: Entry) -> Attempt | None:
    before = [attempt for attempt in made if attempt.begun <= copy.time]
    return before[-1] if before else None


def chats_keep_their_order(record: Record) -> Finding:
    """Within a session and chat, first copies reach WhatsApp in the order of acceptance."""
    finding = Finding("order per session and chat, by first copy")
    first = {provider_message_id: copies[0] for provider_message_id, copies in copies_of(record).items()}
    place = {id(entry): number for number, entry in enumerate(record.oracle)}
    latest: dict[tuple[str, str], tuple[int, Row]] = {}
    for row in record.rows:
        copy = first.get(row.provider_message_id) if row.outbound else None
        if copy is None:
            continue
        chat, position = (row.session_id, row.chat_id), place[id(copy)]
        before = latest.get(chat)
        finding.check(before is None or before[0] < position, f"{row.text!r} overtook {before and before[1].text!r}")
        if before is None or before[0] < position:
            latest[chat] = position, row
    return finding
