"""The engine's log, line by line into our own."""

import asyncio
from typing import Final

import orjson
import structlog

_log = structlog.get_logger("gateway.engine")

LONGEST_LINE: Final = 256 * 1024
"""Longer lines of the engine's are left out."""

_LEVELS: Final = {"DEBUG": "debug", "INFO": "info", "WARN": "warning", "ERROR": "error"}


class EngineLog:
    """Hands on what an engine logs. `last_words` is the newest line that was no log line, such as the sentence that a
    program ends with.
    """

    def __init__(self) -> None:
        self.last_words = ""

    async def hand_on(self, lines: asyncio.StreamReader) -> None:
        """Hand on each line until the engine closes its end."""
        while True:
            try:
                line = await lines.readline()
            except ValueError:
                _log.warning("A line of the engine's log was too long", longest=LONGEST_LINE)
                continue
            if not line:
                return
            self._hand_on(line.strip())

    def _hand_on(self, line: bytes) -> None:
        try:
            fields = orjson.loads(line)
            level, sentence = _LEVELS[fields.pop("level")], fields.pop("msg")
            fields.pop("time", None)
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
            self.last_words = line.decode(errors="replace")
            _log.warning("The engine said something outside its log", words=self.last_words)
            return
        getattr(_log, level)(sentence, **{f"engine_{key}" if key in _OURS else key: fields[key] for key in fields})


_OURS: Final = frozenset({"event", "message", "level", "time", "logger"})
"""Fields that our own log lines have; the engine's of these names get another one."""
