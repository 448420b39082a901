from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.domain.clocks import to_timestamp
from gateway.domain.retention import FOR_EVER, Retention
from gateway.services.views import Views
from tests.unit.workers.scripted_provider import ScriptedProvider, alone
from wagate.v1 import message_pb2

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_message_is_shown_with_the_moment_at_which_it_expires() -> None:
    kept = Retention(messages=timedelta(days=365))
    shown = Views(alone(ScriptedProvider()), kept).dated(message_pb2.Message(create_time=to_timestamp(NOON)))
    assert shown.expire_time.ToDatetime(UTC) == NOON + timedelta(days=365)


def test_what_is_kept_for_ever_does_not_expire() -> None:
    shown = Views(alone(ScriptedProvider()), FOR_EVER).dated(message_pb2.Message(create_time=to_timestamp(NOON)))
    assert not shown.HasField("expire_time")
