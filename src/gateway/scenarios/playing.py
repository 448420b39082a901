"""Scenarios, played."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from grpc.aio import AioRpcError

from gateway.scenarios.errors import StepFailed
from gateway.scenarios.scenario import Scenario, Step
from gateway.scenarios.stage import Stage
from wagate.lab.v1 import lab_service_pb2 as pb

if TYPE_CHECKING:
    from wagate.lab.v1.lab_service_pb2_grpc import LabServiceAsyncStub


async def play(
    scenario: Scenario,
    lab: LabServiceAsyncStub,
    *,
    given: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Let a scenario happen in a lab, telling each step. What is wrong at its end stays so.

    `given` are the numbers of accounts that are there already, by their names in the scenario.

    Raises:
        StepFailed: what a step wanted did not happen; the sentence names the step.
    """
    newest = 0
    async for told in lab.WatchOracle(pb.WatchOracleRequest(until_now=True)):
        newest = told.entry.position
    stage = Stage(lab, newest, given or {})
    for place, step in enumerate(scenario.steps, start=1):
        outcome = await _played(place, step, stage)
        tell(f"{place:3}  {_sentence(step)}{outcome and f': {outcome}'}")


async def _played(place: int, step: Step, stage: Stage) -> str:
    try:
        return await step.verb.play(stage)
    except StepFailed as failed:
        raise StepFailed(f"step {place}, {_sentence(step)}: {failed}") from None
    except AioRpcError as error:
        raise StepFailed(f"step {place}, {_sentence(step)}: {error.code().name}: {error.details()}") from None


def _sentence(step: Step) -> str:
    """A step in a line, much as its file says it."""
    said = step.verb.model_dump(mode="json", exclude_unset=True)
    return f"{step.name} " + " ".join(
        f"{name}={value!r}" if " " in str(value) else f"{name}={value}" for name, value in said.items()
    )
