"""Idempotency: what was done under a caller's `request_id`."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.message import Message as Proto

KEPT_FOR: Final = timedelta(days=7)
"""A request_id is remembered for at least this long."""

_NOT_COMPARED: Final = ("request_id", "wait_for", "wait_timeout")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The scope of a request_id: one tenant, one RPC, one session (empty where an RPC has none)."""

    tenant_id: str
    rpc: str
    session_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What was done: the fingerprint of the body, the id of what it made or changed, and, for what asked WhatsApp, the
    answer's bytes.
    """

    key: RequestKey
    fingerprint: bytes
    resource_id: str
    create_time: datetime
    answer: bytes = b""


def fingerprint(request: Proto) -> bytes:
    """The same for two bodies exactly when all fields but request_id, wait_for and wait_timeout are equal."""
    compared = type(request)()
    compared.CopyFrom(request)
    names = request.DESCRIPTOR.fields_by_name
    for name in _NOT_COMPARED:
        if name in names:
            compared.ClearField(name)
    return hashlib.sha256(compared.SerializeToString(deterministic=True)).digest()
