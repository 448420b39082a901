"""Numbers mean what the documentation says."""

from __future__ import annotations

import re

from gateway.domain.lines import Refused
from gateway.providers.simulator.people import BY_ENDING, Person, names_of, number_of, person_of
from tests.stage.programs import ROOT


def test_the_documentation_tells_of_every_ending_and_of_no_other() -> None:
    written = re.findall(r"^\| `\+999…(\d{3})` \|", (ROOT / "docs" / "simulator.md").read_text(), re.MULTILINE)
    assert written == sorted(BY_ENDING)


def test_an_ending_means_something_behind_999_alone() -> None:
    assert person_of("+999000463").outcome == Refused("463")
    assert person_of("+999123463").outcome == Refused("463")
    assert person_of("+447700900463") == person_of("+999000001") == Person()


def test_a_number_is_known_by_its_lid() -> None:
    names = names_of("+447700900001")
    assert number_of(names) == "+447700900001"
    assert number_of(type(names)(lid=names.lid)) == "+447700900001"
