"""The engine's log lines become ours, sentence by sentence."""

import asyncio

from structlog.testing import capture_logs

from gateway.providers.web.engine_log import LONGEST_LINE, EngineLog


async def handed_on(*lines: bytes) -> tuple[EngineLog, list[dict[str, object]]]:
    """What becomes of lines that the engine writes."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    reader.feed_data(b"\n".join(lines) + b"\n")
    reader.feed_eof()
    log = EngineLog()
    with capture_logs() as captured:
        await log.hand_on(reader)
    return log, [dict(entry) for entry in captured]


async def test_a_line_keeps_its_sentence_its_level_and_its_fields() -> None:
    _, (entry,) = await handed_on(b'{"time":"2026-11-20T09:00:00Z","level":"WARN","msg":"slow","session_id":"s_1"}')
    assert entry == {"event": "slow", "log_level": "warning", "session_id": "s_1"}


async def test_fields_that_are_called_like_ours_hide_nothing() -> None:
    _, (entry,) = await handed_on(b'{"level":"INFO","msg":"the line changed","message":"lost","event":"x"}')
    assert entry == {
        "event": "the line changed",
        "log_level": "info",
        "engine_message": "lost",
        "engine_event": "x",
    }


async def test_what_is_no_log_line_is_told_and_remembered() -> None:
    log, entries = await handed_on(b"panic: out of luck", b"[1, 2]", b'{"level":"LOUD","msg":"?"}', b"goroutine 1")
    assert [entry["log_level"] for entry in entries] == ["warning"] * 4
    assert log.last_words == "goroutine 1"


async def test_a_line_without_end_is_left_out_and_the_next_one_is_told() -> None:
    _, entries = await handed_on(b"x" * (LONGEST_LINE + 1), b'{"level":"INFO","msg":"and on"}')
    assert entries[-1]["event"] == "and on"
