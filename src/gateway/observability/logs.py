"""Logs: a sentence for people, fields for machines, one JSON object a line.

Code asks structlog for its logger and says a sentence in the present or past tense; what belongs to a call or a session
(correlation id, tenant, session) is bound by whoever begins it, with `structlog.contextvars`.
"""

from __future__ import annotations

import atexit
import logging
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import structlog
from structlog.typing import Processor

from gateway.observability.lines import Lines
from gateway.observability.redaction import redact_fields
from gateway.settings.tree import Log

_STDERR: Final = 2
_LEVELS: Final = {"exception": "error", "warn": "warning"}
"""Methods of loggers that are not called as the level that they log at."""


def start_logging(wanted: Log, lines: Lines | None = None) -> None:
    """Make structlog, and Python's own logging from warnings on, write what is wanted to `lines` (stderr)."""
    lines = lines or Lines(_STDERR)
    structlog.configure(
        processors=_processors(wanted),
        wrapper_class=structlog.make_filtering_bound_logger(wanted.level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)
    atexit.register(lines.flush)


def lines_of_json() -> Lines | None:
    """Where lines of information go, if they are written, and as JSON."""
    wanted = structlog.get_config()
    written = wanted["wrapper_class"] in [structlog.make_filtering_bound_logger(level) for level in ("debug", "info")]
    if not written or wanted["processors"][-1] is not _to_json:
        return None
    lines: Lines = wanted["logger_factory"]()
    return lines


def _processors(wanted: Log) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        redact_fields,
    ]
    if wanted.format == "pretty":
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        return [*shared, structlog.processors.add_log_level, stamp, structlog.dev.ConsoleRenderer()]
    return [*shared, _to_json]


def _to_json(_logger: object, method: str, fields: Any) -> bytes:
    first = {"time": datetime.now(UTC), "level": _LEVELS.get(method, method), "message": fields.pop("event")}
    return orjson.dumps(first | fields, default=str, option=orjson.OPT_UTC_Z)


class _Bridge(logging.Handler):
    """Hands what libraries log on to structlog, so that it is redacted and formatted like all else."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        logger.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
