"""What is done around every call, in one order, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from protovalidate import Validator

from gateway.transport.exchange import Stage, Step
from gateway.transport.interceptors.access import Access
from gateway.transport.interceptors.context import Context
from gateway.transport.interceptors.deadline import Deadline
from gateway.transport.interceptors.doors import Doors
from gateway.transport.interceptors.errors import Errors
from gateway.transport.interceptors.logs import Logs
from gateway.transport.interceptors.metrics import CallMeter, Metrics
from gateway.transport.interceptors.validation import Validation
from gateway.transport.mapping.reasons import rulings
from gateway.transport.rpcs import Rpc

__all__ = ["CallMeter", "Doors", "compose", "stages"]


def stages(
    *,
    key: str,
    scopes: Sequence[str],
    meter: CallMeter,
    doors: Doors,
) -> tuple[Stage, ...]:
    """All stages, the outermost first. They run as plain functions inside one wrapper of each RPC, since every
    interceptor that gRPC itself calls costs a twentieth of the server's calls per second.
    """
    return (
        Context(),  # names the call, for all that follow
        Logs(),  # outside of Errors, to see the code that the caller sees
        Metrics(meter),  # likewise
        Errors(rulings()),  # around all that may refuse
        doors,  # before any work
        Deadline(),  # inside of Errors, which tells that it passed
        Access(key, scopes),  # before the request is read: strangers cost little and learn nothing
        Validation(Validator()),  # last: services meet requests that keep the contract's rules
    )


def compose(rpc: Rpc, around: Sequence[Stage], innermost: Step) -> Step:
    """The stages around the innermost step, for one RPC."""
    return reduce(lambda step, stage: stage.around(rpc, step), reversed(around), innermost)
