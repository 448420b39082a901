"""A file that is no scenario is refused before anything happens, with the step and field that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.scenarios.errors import ScenarioInvalid
from gateway.scenarios.faults import Faults
from gateway.scenarios.scenario import read, understand
from wagate.lab.v1 import lab_service_pb2 as pb

SHOP = {"account": {"name": "shop"}}
ADA = {"person": {"name": "ada"}}
ALL = {"group": {"name": "all", "of": "ada"}}


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([SHOP, {"ban": {"of": "shop", "lasting": 30}}], "step 2: ban.lasting should be a span with its unit"),
        ([SHOP, {"ban": {"of": "shop"}}], "step 2: ban.lasting is missing"),
        ([SHOP, {"fault": {"of": "shop", "frosen": True}}], "step 2: fault.frosen is not known here"),
        ([SHOP, {"fault": {"of": "shop", "refuse_code": -1}}], "step 2: fault.refuse_code should be greater than"),
        ([SHOP, {"bann": {"of": "shop"}}], "step 2: bann is not known here"),
        ([SHOP, {}], "step 2: should be one of account, person, group"),
        ([SHOP, {"pause": {"lasting": "1s"}, "clear": {}}], "step 2: should be one of account, person, group"),
        ([SHOP, {"wait": {"until": "rich", "of": "shop"}}], "step 2: wait.until should be 'linked', 'online'"),
        (
            [{"clear": {"of": "shop"}}],
            "step 1: clear.of should name an account or person of a step before; shop is nobody",
        ),
        (
            [SHOP, ADA, {"say": {"by": "shop", "to": "ada", "text": "Hi"}}],
            "step 3: say.by should name a person of a step before; shop is account",
        ),
        ([SHOP, {"person": {"name": "shop"}}], "step 2: person.name should be new; shop is there already"),
        (
            [ADA, ALL, {"ban": {"of": "all", "lasting": "1s"}}],
            "step 3: ban.of should name an account or person of a step",
        ),
        (
            [{"group": {"name": "all", "of": "+15550100", "members": ["ada"]}}],
            "step 1: group.members should name an acc",
        ),
        ([], "steps should be one at least"),
    ],
)
def test_what_is_wrong_is_named_with_its_step_and_field(steps: list[object], problem: str) -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        understand({"name": "Wrong", "steps": steps})
    (told, *_) = refused.value.problems
    assert str(told).startswith(problem)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        understand({"steps": [{"ban": {"of": "shop", "lasting": "soon"}}, {"lock": {}}]})
    fields = [(problem.step, problem.field) for problem in refused.value.problems]
    assert fields == [(0, "name"), (1, "ban.lasting"), (2, "lock.of")]


@pytest.mark.parametrize("text", ["steps: [", "just words", ""])
def test_what_is_no_yaml_or_no_scenario_at_all_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioInvalid):
        read(file)
    with pytest.raises(ScenarioInvalid, match="cannot be read"):
        read(tmp_path / "missing.yaml")


def test_a_number_is_somebody_without_a_step_before() -> None:
    understand({"name": "Right", "steps": [{"clear": {"of": "+447700900000"}}]})


def test_all_faults_of_the_lab_can_be_told_and_only_they() -> None:
    assert set(Faults.model_fields) == set(pb.SetFaultRequest.Fault.DESCRIPTOR.fields_by_name)
