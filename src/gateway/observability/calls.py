"""The line of a call: there is one for each, so it takes a shorter way than other lines, and reads the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Protocol

import orjson
import structlog

from gateway.observability.logs import lines_of_json
from gateway.observability.redaction import redact

_SENTENCE: Final = "Answered a call"


class CallLog(Protocol):
    """Where the line of a call goes."""

    def __call__(self, *, method: str, code: str, ms: float, tenant: str, correlation_id: str) -> None:
        """Write the line of one call, which took so many milliseconds."""


def call_log() -> CallLog:
    """What writes the lines of calls as `start_logging` wants it. Only the correlation id may be a caller's words, and
    is redacted.
    """
    lines = lines_of_json()
    if lines is None:
        return _in_other_ways
    write = lines.msg

    def written(*, method: str, code: str, ms: float, tenant: str, correlation_id: str) -> None:
        fields = {
            "time": datetime.now(UTC),
            "level": "info",
            "message": _SENTENCE,
            "method": method,
            "code": code,
            "ms": ms,
            "tenant": tenant,
            "correlation_id": redact(correlation_id),
        }
        write(orjson.dumps(fields, option=orjson.OPT_UTC_Z))

    return written


def _in_other_ways(*, method: str, code: str, ms: float, tenant: str, correlation_id: str) -> None:
    log = structlog.get_logger()
    log.info(_SENTENCE, method=method, code=code, ms=ms, tenant=tenant, correlation_id=correlation_id)
