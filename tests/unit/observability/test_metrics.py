"""Numbers are counted, and shown to whoever may see them."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

from gateway.observability import PrometheusMeter
from gateway.observability.exposition import _guarded, exposed


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def test_what_is_counted_is_shown_under_metrics() -> None:
    meter = PrometheusMeter()
    meter.message_accepted()
    meter.message_sent("sent")
    meter.outbox_seen(3, 1.5)
    meter.inbound_committed(0.003)
    meter.inbound_refused()
    meter.sessions_seen({"CONNECTED": 2})
    meter.sessions_seen({"STOPPED": 1})
    meter.fleet_seen(owned=5, share=4, unowned=1)
    meter.sessions_claimed(5)
    meter.session_given_away()
    meter.stream_opened()
    meter.stream_lagged(0.2)
    meter.group_committed(8)
    meter.queue_up(True)
    for engine in (1, 2):
        meter.engine_up(engine, up=engine == 1)
        meter.engine_lines(engine, 40)
    meter.engine_restarted(1)
    meter.engine_ended(2)
    meter.call_answered("MessageService/GetMessage", "OK")
    meter.call_took("MessageService/GetMessage", 0.001)
    async with exposed(meter.registry, "127.0.0.1:0", "") as address:
        status, text = await asyncio.to_thread(get, f"http://{address}/metrics")
        missing = await asyncio.to_thread(get, f"http://{address}/")
    lines = text.splitlines()
    assert status == 200
    assert missing[0] == 404
    for line in (
        "wagate_messages_accepted_total 1.0",
        'wagate_send_attempts_total{result="sent"} 1.0',
        "wagate_outbox_messages 3.0",
        "wagate_outbox_age_seconds 1.5",
        "wagate_inbound_commit_seconds_count 1.0",
        "wagate_inbound_refused_total 1.0",
        'wagate_sessions{state="STOPPED"} 1.0',
        "wagate_owned_sessions 5.0",
        "wagate_fair_share_sessions 4.0",
        "wagate_unowned_sessions 1.0",
        "wagate_sessions_claimed_total 5.0",
        "wagate_sessions_given_away_total 1.0",
        "wagate_streams 1.0",
        "wagate_stream_lag_seconds_count 1.0",
        "wagate_group_size_sum 8.0",
        "wagate_queue_up 1.0",
        'wagate_engine_restarts_total{engine="1"} 1.0',
        'wagate_engine_up{engine="1"} 1.0',
        'wagate_engine_sessions{engine="1"} 40.0',
        'wagate_calls_total{code="OK",method="MessageService/GetMessage"} 1.0',
    ):
        assert line in lines
    assert 'wagate_sessions{state="CONNECTED"} 2.0' not in lines
    assert not any(line.startswith('wagate_engine_up{engine="2"}') for line in lines)


async def test_an_empty_address_shows_nothing() -> None:
    async with exposed(PrometheusMeter().registry, "", "") as address:
        assert address == ""


def test_other_machines_need_the_key() -> None:
    statuses: list[str] = []

    def ask(key: str, **headers: str) -> str:
        answer = _guarded(lambda _environ, start: start("200 OK", []) or [b""], key)
        list(answer({"PATH_INFO": "/metrics", **headers}, lambda status, _: statuses.append(status)))
        return statuses[-1]

    near, far = {"REMOTE_ADDR": "127.0.0.1"}, {"REMOTE_ADDR": "192.0.2.7"}
    assert ask("k" * 20, **near) == "200 OK"
    assert ask("k" * 20, **far) == "401 Unauthorized"
    assert ask("k" * 20, **far, HTTP_AUTHORIZATION="Bearer no") == "401 Unauthorized"
    assert ask("k" * 20, **far, HTTP_AUTHORIZATION="Bearer " + "k" * 20) == "200 OK"
    assert ask("", **far, HTTP_AUTHORIZATION="Bearer ") == "401 Unauthorized"
