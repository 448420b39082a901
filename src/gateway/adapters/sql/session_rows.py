"""Sessions between what lives and what is stored."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.adapters.sql.moments import micros_if_any, moment_if_any
from gateway.adapters.sql.shelf import Row
from gateway.domain.clocks import from_micros, to_micros
from gateway.domain.sessions import LinkedDevice, Restriction, Session
from wagate.v1.error_reason_pb2 import Failure


def session_row(session: Session) -> dict[str, Any]:
    """A session as its row; what only the store counts is left out."""
    device = session.device or LinkedDevice("")
    return {
        "uid": session.uid,
        "tenant_id": session.tenant_id,
        "session_id": session.session_id,
        "provider": session.provider,
        "create_time": to_micros(session.create_time),
        "update_time": to_micros(session.update_time),
        "since_time": to_micros(session.since_time),
        "etag": session.etag,
        "display_name": session.display_name,
        "metadata": orjson.dumps(session.metadata).decode(),
        "expected_phone_number": session.expected_phone_number,
        "desired_state": session.desired_state,
        "on_ambiguous": session.on_ambiguous,
        "restarts": session.restarts,
        "logout_wanted": session.logout_wanted,
        "state": session.state,
        "failure": None if session.failure is None else session.failure.SerializeToString(),
        "next_attempt_time": micros_if_any(session.next_attempt_time),
        "restrictions": _restrictions_row(session.restrictions),
        "restrictions_end_time": micros_if_any(session.restrictions_end_time),
        "fault_count": session.fault_count,
        "suspend_time": micros_if_any(session.suspend_time),
        "rest_until_time": micros_if_any(session.rest_until_time),
        "device_jid": device.jid,
        "device_lid": device.lid,
        "device_phone_number": device.phone_number,
        "account_id": session.account_id,
        "revision": session.revision,
        "deleted_time": micros_if_any(session.deleted_time),
    }


def session_of(row: Row) -> Session:
    """The session of a row."""
    return Session(
        tenant_id=row["tenant_id"],
        session_id=row["session_id"],
        uid=row["uid"],
        provider=row["provider"],
        create_time=from_micros(row["create_time"]),
        update_time=from_micros(row["update_time"]),
        since_time=from_micros(row["since_time"]),
        etag=row["etag"],
        display_name=row["display_name"],
        metadata=orjson.loads(row["metadata"]),
        expected_phone_number=row["expected_phone_number"],
        desired_state=row["desired_state"],
        on_ambiguous=row["on_ambiguous"],
        restarts=row["restarts"],
        logout_wanted=bool(row["logout_wanted"]),
        state=row["state"],
        failure=None if row["failure"] is None else Failure.FromString(row["failure"]),
        next_attempt_time=moment_if_any(row["next_attempt_time"]),
        restrictions=_restrictions_of(row),
        fault_count=row["fault_count"],
        suspend_time=moment_if_any(row["suspend_time"]),
        rest_until_time=moment_if_any(row["rest_until_time"]),
        device=_device_of(row),
        account_id=row["account_id"],
        revision=row["revision"],
        deleted_time=moment_if_any(row["deleted_time"]),
    )


def _device_of(row: Row) -> LinkedDevice | None:
    if not row["device_jid"]:
        return None
    return LinkedDevice(row["device_jid"], row["device_lid"], row["device_phone_number"])


def _restrictions_row(restrictions: tuple[Restriction, ...]) -> str:
    listed = [[one.kind, micros_if_any(one.until_time), micros_if_any(one.end_time)] for one in restrictions]
    return orjson.dumps(listed).decode()


def _restrictions_of(row: Row) -> tuple[Restriction, ...]:
    if row["restrictions"] == "[]":
        return ()
    return tuple(
        Restriction(kind, moment_if_any(until), moment_if_any(end))
        for kind, until, end in orjson.loads(row["restrictions"])
    )
