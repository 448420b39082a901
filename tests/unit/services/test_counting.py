from __future__ import annotations

from datetime import timedelta

from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.services.counting import Counting
from tests.unit.services.house import House


async def test_sessions_and_what_waits_are_counted(house: House, lease: Lease) -> None:
    await house.create("new")
    for _ in range(3):
        await house.send()
    house.clock.ahead = timedelta(minutes=1)
    await Counting(house.store, house.meter).count()
    numbers = house.meter.registry
    assert numbers.get_sample_value("wagate_sessions", {"state": "STATE_CONNECTED"}) == 1
    assert numbers.get_sample_value("wagate_sessions", {"state": "STATE_STARTING"}) == 1
    assert numbers.get_sample_value("wagate_outbox_messages") == 3
    age = numbers.get_sample_value("wagate_outbox_age_seconds")
    assert age is not None
    assert 60 <= age < 120
    await house.lines.changed(lease, LineChanged(LineState.LOGGED_OUT))
    await Counting(house.store, house.meter).count()
    assert not numbers.get_sample_value("wagate_sessions", {"state": "STATE_CONNECTED"})
    assert numbers.get_sample_value("wagate_outbox_messages") == 0
