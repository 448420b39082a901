"""Numbers mean what the documentation says."""

from __future__ import annotations

import re

import pytest

from gateway.domain.lines import Refused
from gateway.providers.simulator.numbers import BREAKS, ECHOES, OUTCOMES, READS, SWITCHED_OFF, ending_of
from gateway.providers.simulator.simulation import Simulation
from tests.stage.programs import ROOT


def test_the_documentation_tells_of_every_ending_and_of_no_other() -> None:
    written = re.findall(r"^\| `\+999…(\d{3})` \|", (ROOT / "docs" / "simulator.md").read_text(), re.MULTILINE)
    assert written == sorted({*BREAKS, *ECHOES, *OUTCOMES, *READS, *SWITCHED_OFF})


@pytest.mark.parametrize(
    ("phone_number", "ending"), [("+999000463", "463"), ("+999123463", "463"), ("+447700900463", "")]
)
def test_an_ending_means_something_behind_999_alone(phone_number: str, ending: str) -> None:
    assert ending_of(phone_number) == ending
    assert Simulation().outcome_of(phone_number) == (Refused("463") if ending else None)


def test_a_script_is_believed_more_than_a_number() -> None:
    simulation = Simulation()
    simulation.outcomes["+999000463"] = Refused("400")
    assert simulation.outcome_of("+999000463") == Refused("400")
