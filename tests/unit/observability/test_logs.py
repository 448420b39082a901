"""Logs are lines of JSON that tell no secret and nobody's number."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
import structlog

from gateway.observability import redact, rendered, start_logging
from gateway.observability.calls import call_log
from gateway.observability.lines import Lines
from gateway.settings.tree import Log
from wagate.v1 import contact_service_pb2, message_service_pb2, pairing_service_pb2
from wagate.v1.content_pb2 import Content, Text


class Written:
    """What reaches the descriptor."""

    def __init__(self) -> None:
        self._read, self.descriptor = os.pipe()
        os.set_blocking(self._read, False)
        self.lines = Lines(self.descriptor)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let the descriptor take nothing, as a file on a full disk."""
        before, full = os.dup(self.descriptor), os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, self.descriptor)
        yield
        os.dup2(before, self.descriptor)
        os.close(before)
        os.close(full)

    def text(self) -> str:
        try:
            return os.read(self._read, 1 << 20).decode()
        except BlockingIOError:
            return ""

    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


def written_as(level: str, form: Literal["json", "pretty"]) -> Iterator[Written]:
    written = Written()
    before = structlog.get_config()
    start_logging(Log(level=level, format=form), written.lines)
    yield written
    structlog.configure(**before)


@pytest.fixture
def written() -> Iterator[Written]:
    yield from written_as("info", "json")


@pytest.fixture
def pretty() -> Iterator[Written]:
    yield from written_as("info", "pretty")


def test_a_line_is_one_json_object_with_sentence_level_and_time(written: Written) -> None:
    structlog.get_logger().info("Sent a message", session="shop", tries=2)
    [line] = written.json()
    assert line.pop("time").endswith("Z")
    assert line == {"message": "Sent a message", "level": "info", "session": "shop", "tries": 2}


def test_what_is_below_the_level_is_not_written(written: Written) -> None:
    structlog.get_logger().debug("Whisper")
    assert written.text() == ""


def test_the_line_of_a_call_reads_like_any_other(written: Written) -> None:
    fields: dict[str, Any] = {"method": "SessionService/GetSession", "code": "OK", "ms": 1.5, "tenant": "default"}
    fields["correlation_id"] = "order-447700900001"
    call_log()(**fields)
    structlog.get_logger().info("Answered a call", **fields)
    short, usual = written.json()
    assert list(short) == list(usual)
    assert short | {"time": ""} == usual | {"time": ""}
    assert short["correlation_id"] == "order-…0001"


def test_the_line_of_a_call_is_written_in_the_form_that_is_wanted(pretty: Written) -> None:
    call_log()(method="SessionService/GetSession", code="OK", ms=1.5, tenant="default", correlation_id="c-1")
    assert "Answered a call" in pretty.text()


async def test_lines_of_one_turn_of_the_loop_leave_together(written: Written) -> None:
    structlog.get_logger().info("one")
    structlog.get_logger().info("two")
    assert written.text() == ""
    await asyncio.sleep(0)
    assert [line["message"] for line in written.json()] == ["one", "two"]


async def test_what_a_full_disk_does_not_take_is_lost_and_stops_nobody(written: Written) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
    with written.full():
        structlog.get_logger().info("lost")
        await asyncio.sleep(0)
    structlog.get_logger().info("kept")
    await asyncio.sleep(0)
    assert [line["message"] for line in written.json()] == ["kept"]
    assert faults == []


def test_a_line_that_was_cut_short_does_not_spoil_the_next(written: Written) -> None:
    os.set_blocking(written.descriptor, False)
    written.lines.msg(b"x" * (1 << 20))
    cut = written.text()
    written.lines.msg(b"next")
    assert 0 < len(cut) < 1 << 20
    assert written.text() == "\nnext\n"


def test_what_is_bound_is_on_each_line_until_it_is_cleared(written: Written) -> None:
    with structlog.contextvars.bound_contextvars(correlation_id="c1", session="shop"):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    inside, outside = written.json()
    assert (inside["correlation_id"], inside["session"]) == ("c1", "shop")
    assert "correlation_id" not in outside


def test_what_libraries_log_is_written_and_redacted_alike(written: Written) -> None:
    logging.getLogger("some.library").warning("Lost %s", "+4915112345678")
    [line] = written.json()
    assert (line["message"], line["logger"], line["level"]) == ("Lost …5678", "some.library", "warning")


def test_pretty_lines_are_redacted_too(pretty: Written) -> None:
    structlog.get_logger().info("Asked +4915112345678", key="hush")
    text = pretty.text()
    assert "…5678" in text
    assert "hush" not in text
    assert "15112345678" not in text


def test_canaries_do_not_reach_the_log(written: Written) -> None:
    logger = structlog.get_logger()
    number, secret = "4915112345678", "s3cr3t-canary"
    request = message_service_pb2.SendMessageRequest(
        session_id="a", to="+" + number, content=Content(text=Text(text=f"my words {secret}"))
    )
    sentence, header = f"Asked +{number}", f"authorization: Bearer {secret}"
    logger.info(sentence, by=f"{number}@s.whatsapp.net", to=f"{number}:12@s.whatsapp.net")
    logger.info("Nested", people=[{"jid": f"{number}@s.whatsapp.net"}], by_number={"+" + number: 1}, among=(number,))
    logger.info("Keys", key=secret, root_key_hex=secret, api_key=secret, authorization=secret, password=secret)
    logger.info(header, url=f"postgresql://user:{secret}@localhost/db")
    logger.info("Proto", request=request, raw=secret.encode())
    logger.info("Object", error=ValueError(f"no +{number}"))
    try:
        raise ValueError(f"+{number} Bearer {secret}")
    except ValueError:
        logger.exception("Failed")
    text = written.text()
    assert len(text.splitlines()) == 7
    assert number[:-4] not in text
    assert "5678" in text
    assert secret not in text


@pytest.mark.parametrize(
    "harmless",
    [
        "0190163d-8694-739b-aea5-966c26f8ad91",
        "12345678-1234-7123-8123-123456789012",
        "m_01h9zk3v5xqk2t8r7w6y4n0pbc",
        "127.0.0.1:50051",
        "2026-11-20T09:00:00.123456Z",
        "took 1234567 ms",
    ],
)
def test_ids_addresses_and_times_stay_readable(harmless: str) -> None:
    assert redact(harmless) == harmless


def test_a_rendered_proto_masks_what_the_contract_marks() -> None:
    request = message_service_pb2.SendMessageRequest(
        session_id="a",
        to="+4915112345678",
        content=Content(text=Text(text="words")),
        metadata={"order": "1"},
        wait_for=message_service_pb2.SendMessageRequest.WAIT_FOR_SENT,
    )
    assert rendered(request) == {
        "session_id": "a",
        "to": "***",
        "content": {"text": {"text": "***"}},
        "metadata": {"order": "1"},
        "wait_for": "WAIT_FOR_SENT",
    }
    assert rendered(contact_service_pb2.CheckContactsRequest(phone_numbers=["+4915112345678"])) == {
        "phone_numbers": "***"
    }
    code = pairing_service_pb2.PairSessionResponse(code=pairing_service_pb2.PairingCode(text="ABCD-EFGH", codes_left=3))
    assert rendered(code) == {"code": {"text": "***", "codes_left": 3}}
