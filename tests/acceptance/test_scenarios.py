"""The scenarios of the docs happen as they say, to a real gateway, and by the command line too."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.scenarios.errors import StepFailed
from gateway.scenarios.playing import play
from gateway.scenarios.scenario import Scenario, read, understand
from tests.acceptance.conftest import World
from tests.acceptance.test_commands import told
from tests.stage.lab import Lab

FOLDER = Path(__file__).parents[2] / "docs" / "scenarios"


def scenario(name: str) -> Scenario:
    """One of the docs'."""
    return read(FOLDER / f"{name}.yaml")


def test_there_are_no_scenarios_but_those_that_are_played_here() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{name}.yaml" for name in (*GATEWAYS, "new-people")}


GATEWAYS = ("ban", "bad-line", "backlog")


@pytest.mark.parametrize("name", GATEWAYS)
async def test_a_gateway_comes_through_a_scenario_of_the_docs(name: str, world: World) -> None:
    shop = await world.shop()
    await play(scenario(name), world.lab.stub, given={"shop": shop.phone_number})


async def test_a_scenario_of_persons_alone_is_played_by_the_command(lab: Lab, tmp_path: Path) -> None:
    file = str(FOLDER / "new-people.yaml")
    status, said, complaint = await told("lab", "play", file, "--at", lab.control, folder=tmp_path, within=40)
    assert (status, complaint) == (0, "")
    assert said.splitlines()[0] == scenario("new-people").name
    assert len(said.splitlines()) == 1 + len(scenario("new-people").steps)


async def test_a_step_that_fails_ends_the_scenario_with_a_sentence(lab: Lab) -> None:
    steps = [{"account": {"name": "shop"}}, {"wait": {"until": "linked", "of": "shop", "within": "200ms"}}]
    with pytest.raises(
        StepFailed, match="step 2, wait until=linked of=shop within=200ms: that was not so within 200ms"
    ):
        await play(understand({"name": "Nobody comes", "steps": steps}), lab.stub)
    refused = [*steps[:1], {"person": {"name": "ada"}}, {"say": {"by": "ada", "to": "+15550100", "text": "Hello"}}]
    with pytest.raises(StepFailed, match=r"step 3, say .*: NOT_FOUND: "):
        await play(understand({"name": "Nobody is there", "steps": refused}), lab.stub)
