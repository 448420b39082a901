"""Numbers for Prometheus: the meter's, and how calls were answered."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_LAGS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 3600)


class PrometheusMeter:
    """The meter of one process; its numbers are in `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        place = self.registry
        self._accepted = Counter("wagate_messages_accepted", "Messages accepted for sending.", registry=place)
        self._sent = Counter("wagate_send_attempts", "Attempts at sending, by result.", ["result"], registry=place)
        self._outbox = Gauge("wagate_outbox_messages", "Messages that wait to be sent.", registry=place)
        self._outbox_age = Gauge("wagate_outbox_age_seconds", "How long the oldest has been due.", registry=place)
        self._inbound = Histogram(
            "wagate_inbound_commit_seconds", "From WhatsApp's word to its commit.", buckets=_FAST, registry=place
        )
        self._refused = Counter("wagate_inbound_refused", "Items that could not be stored at once.", registry=place)
        self._sessions = Gauge("wagate_sessions", "Sessions, by state.", ["state"], registry=place)
        self._owned = Gauge("wagate_owned_sessions", "Sessions that this worker owns.", registry=place)
        self._share = Gauge("wagate_fair_share_sessions", "Sessions that are this worker's fair share.", registry=place)
        self._unowned = Gauge("wagate_unowned_sessions", "Wanted sessions that no worker owns.", registry=place)
        self._claimed = Counter("wagate_sessions_claimed", "Sessions that this worker claimed.", registry=place)
        self._given = Counter("wagate_sessions_given_away", "Sessions that it gave to others.", registry=place)
        self._streams = Gauge("wagate_streams", "Feeds that are open.", registry=place)
        self._lag = Histogram("wagate_stream_lag_seconds", "How far behind feeds are.", buckets=_LAGS, registry=place)
        self._queue = Gauge("wagate_queue_up", "Whether bells ring in other processes.", registry=place)
        self._groups = Histogram("wagate_group_size", "Units of work in one commit.", buckets=_SIZES, registry=place)
        self._forgotten = Counter("wagate_forgotten", "Rows removed for their age.", ["sort"], registry=place)
        engine = ["engine"]
        self._engine_up = Gauge("wagate_engine_up", "Whether an engine answers.", engine, registry=place)
        self._engine_lines = Gauge("wagate_engine_sessions", "Sessions that an engine has.", engine, registry=place)
        self._restarts = Counter("wagate_engine_restarts", "Starts of an engine anew.", engine, registry=place)
        self._answered = Counter("wagate_calls", "Calls answered.", ["method", "code"], registry=place)
        self._seconds = Histogram("wagate_call_seconds", "Unary calls.", ["method"], buckets=_FAST, registry=place)
        self._call_children: dict[tuple[str, str], Counter] = {}
        self._second_children: dict[str, Histogram] = {}

    def message_accepted(self) -> None:
        self._accepted.inc()

    def message_sent(self, result: str) -> None:
        self._sent.labels(result).inc()

    def outbox_seen(self, count: int, oldest_seconds: float) -> None:
        self._outbox.set(count)
        self._outbox_age.set(oldest_seconds)

    def inbound_committed(self, seconds: float) -> None:
        self._inbound.observe(seconds)

    def inbound_refused(self) -> None:
        self._refused.inc()

    def sessions_seen(self, by_state: Mapping[str, int]) -> None:
        self._sessions.clear()
        for state, count in by_state.items():
            self._sessions.labels(state).set(count)

    def fleet_seen(self, owned: int, share: int, unowned: int) -> None:
        self._owned.set(owned)
        self._share.set(share)
        self._unowned.set(unowned)

    def sessions_claimed(self, count: int) -> None:
        self._claimed.inc(count)

    def session_given_away(self) -> None:
        self._given.inc()

    def stream_opened(self) -> None:
        self._streams.inc()

    def stream_closed(self) -> None:
        self._streams.dec()

    def stream_lagged(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def queue_up(self, up: bool) -> None:
        """Whether other processes hear the bells of this one at once."""
        self._queue.set(up)

    def group_committed(self, size: int) -> None:
        self._groups.observe(size)

    def forgotten(self, sort: str, count: int) -> None:
        self._forgotten.labels(sort).inc(count)

    def engine_up(self, number: int, *, up: bool) -> None:
        self._engine_up.labels(number).set(up)
        self._restarts.labels(number)

    def engine_lines(self, number: int, count: int) -> None:
        self._engine_lines.labels(number).set(count)

    def engine_restarted(self, number: int) -> None:
        self._restarts.labels(number).inc()

    def engine_ended(self, number: int) -> None:
        for series in (self._engine_up, self._engine_lines):
            with suppress(KeyError):
                series.remove(number)

    def call_answered(self, method: str, code: str) -> None:
        """A call was answered with this code."""
        child = self._call_children.get((method, code))
        if child is None:
            child = self._call_children[method, code] = self._answered.labels(method, code)
        child.inc()

    def call_took(self, method: str, seconds: float) -> None:
        """A unary call took so long."""
        child = self._second_children.get(method)
        if child is None:
            child = self._second_children[method] = self._seconds.labels(method)
        child.observe(seconds)
