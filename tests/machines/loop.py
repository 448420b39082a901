"""Machines of hypothesis, whose rules are plain functions, on services that are asynchronous: one loop drives both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from itertools import count
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.unit.services.house import House

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound="Machine")

_LENIENT: Final = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
SHORT: Final = settings(_LENIENT, max_examples=30, stateful_step_count=30, derandomize=True)
"""The same examples each time: what runs with all tests."""
LONG: Final = settings(_LENIENT, max_examples=500, stateful_step_count=60)
"""Other examples each time: what runs when it is asked for."""


class Ground:
    """What machines stand on, one after the other: a house whose clock stands still until it is moved."""

    def __init__(self, runner: asyncio.Runner, house: House) -> None:
        self.runner = runner
        self.house = house
        self.numbers = count(1)


class Machine(RuleBasedStateMachine):
    """A machine on a ground."""

    ground: Ground

    @property
    def house(self) -> House:
        """The services."""
        return self.ground.house


def driven(rule: Callable[Concatenate[M, P], Coroutine[Any, Any, R]]) -> Callable[Concatenate[M, P], R]:
    """A rule that is asynchronous, as hypothesis wants it."""

    def run(self: M, *arguments: P.args, **options: P.kwargs) -> R:
        return self.ground.runner.run(rule(self, *arguments, **options))

    return cast(Callable[Concatenate[M, P], R], update_wrapper(run, rule))


def check(machine: type[Machine], ground: Ground, how: settings) -> None:
    """Let a machine do what it can, and see that all that must be true is true."""
    run_state_machine_as_test(type(machine.__name__, (machine,), {"ground": ground}), settings=how)
