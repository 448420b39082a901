"""A seed is a plan."""

from __future__ import annotations

from collections import Counter

from tests.faults.plan import KILLS, OF_ONE_SESSION, Kind, Terms, plan


def test_a_seed_yields_the_same_plan_and_another_seed_another() -> None:
    assert plan(Terms(seed=7)) == plan(Terms(seed=7))
    assert plan(Terms(seed=7)) != plan(Terms(seed=8))


def test_kills_are_spread_evenly_and_nothing_that_can_go_wrong_is_left_out() -> None:
    kinds = Counter(fault.kind for fault in plan(Terms(seed=7, kills=30)))
    assert [kinds[kind] for kind in KILLS] == [10, 10, 10]
    assert kinds.keys() == set(Kind)


def test_only_kills_wait_for_a_message_between_send_and_ack() -> None:
    waiting = [fault for fault in plan(Terms(seed=7, kills=30)) if fault.between]
    assert len(waiting) == 9
    assert {fault.kind for fault in waiting} == set(KILLS)
    assert not OF_ONE_SESSION & set(KILLS)
