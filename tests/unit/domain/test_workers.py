"""How many sessions each worker ought to own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.workers import Roll, State, Worker, fair_share, to_claim, to_release

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAPACITIES = st.lists(st.integers(0, 50), min_size=1, max_size=8)


def worker(name: str, session_count: int, capacity: int = 1000) -> Worker:
    """A worker that is alive."""
    return Worker(name, "", "", NOW, capacity, session_count=session_count, alive_until=NOW + timedelta(seconds=15))


def roll(*workers: Worker) -> Roll:
    """These workers, who own all sessions that there are."""
    return Roll(NOW, workers, sum(one.session_count for one in workers))


@pytest.mark.parametrize(
    ("wanted", "capacities", "share"),
    [(10, [100, 100], 5), (11, [100, 100], 6), (10, [2, 100, 100], 4), (10, [2, 3], 3), (10, [], 0), (0, [5], 0)],
)
def test_a_fair_share_is_the_same_for_all_who_have_room_for_it(wanted: int, capacities: list[int], share: int) -> None:
    assert fair_share(wanted, capacities) == share


@given(wanted=st.integers(0, 300), capacities=CAPACITIES)
def test_shares_are_enough_for_all_sessions_and_no_larger(wanted: int, capacities: list[int]) -> None:
    share = fair_share(wanted, capacities)
    assert sum(min(share, one) for one in capacities) >= min(wanted, sum(capacities))
    assert share == 0 or sum(min(share - 1, one) for one in capacities) < wanted


def test_a_worker_claims_up_to_its_share_and_then_only_what_is_left_over() -> None:
    seen = Roll(NOW, (worker("a", 1, 10), worker("b", 4, 10)), wanted=8)
    assert to_claim(worker("a", 1, 10), seen) == (3, False)
    assert to_claim(worker("b", 4, 10), seen) == (6, True)
    assert to_claim(worker("c", 10, 10), seen) == (0, True)


def test_above_its_share_a_worker_gives_back_a_twentieth_at_a_time() -> None:
    assert to_release(worker("a", 1000), roll(worker("a", 1000), worker("b", 0))) == 50
    assert to_release(worker("a", 6), roll(worker("a", 6), worker("b", 0))) == 1
    assert to_release(worker("a", 6), roll(worker("a", 6), worker("b", 5))) == 0


def test_nothing_is_given_back_that_nobody_has_room_for() -> None:
    full = roll(worker("a", 100), worker("b", 2, 2))
    assert to_release(worker("a", 100), full) == 0
    assert to_release(worker("a", 100), roll(worker("a", 100))) == 0


def test_a_worker_says_what_it_is_doing() -> None:
    states = [
        worker("a", 1),
        Worker("a", "", "", NOW, 1, session_count=1, drain_wanted=True, alive_until=NOW + timedelta(seconds=1)),
        Worker("a", "", "", NOW, 1, is_draining=True, alive_until=NOW + timedelta(seconds=1)),
        Worker("a", "", "", NOW, 1, alive_until=NOW),
    ]
    assert [State.Name(one.state(NOW)).removeprefix("STATE_") for one in states] == [
        "SERVING",
        "DRAINING",
        "DRAINED",
        "LOST",
    ]
