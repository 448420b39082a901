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
    fleet = Counter(fault.kind for fault in plan(Terms(seed=7, kills=25, fleet=True)))
    assert kinds.keys() | fleet.keys() == set(Kind)


def test_all_that_may_befall_a_fleet_does_and_twenty_times_as_often_in_a_run_twenty_times_as_long() -> None:
    short = Counter(fault.kind for fault in plan(Terms(seed=7, kills=25, fleet=True)))
    assert sum(count for kind, count in short.items() if kind not in OF_ONE_SESSION) == 25
    assert min(short.values()) >= 1
    long = Counter(fault.kind for fault in plan(Terms(seed=7, kills=500, fleet=True)))
    assert long == Counter({kind: 20 * count for kind, count in short.items()})


def test_only_kills_wait_for_a_message_between_send_and_ack() -> None:
    waiting = [fault for fault in plan(Terms(seed=7, kills=30)) if fault.between]
    assert len(waiting) == 9
    assert {fault.kind for fault in waiting} == set(KILLS)
    assert not OF_ONE_SESSION & set(KILLS)
