"""`wagate lab`: a WhatsApp on localhost, run and controlled. Numbers are E.164 with `+`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import App, Parameter

from gateway.commands import lab_accounts, lab_faults, lab_groups, lab_persons, lab_records
from gateway.commands.lab_control import telling
from gateway.programs import ProgramMissing, find_program

lab = App(name="lab", help="A WhatsApp on localhost: run one, and control one that runs.")


@lab.command
def serve(*flags: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> None:
    """Run a lab; its flags are those that `wagate-lab -help` tells."""
    try:
        program = find_program(None, "wagate-lab")
    except ProgramMissing as error:
        sys.exit(f"wagate lab: {error}")
    os.execv(program, [str(program), *flags])  # noqa: S606 the lab itself, with its own flags


for command in (
    *lab_accounts.COMMANDS,
    *lab_persons.COMMANDS,
    *lab_groups.COMMANDS,
    *lab_faults.COMMANDS,
    *lab_records.COMMANDS,
):
    lab.command(telling(command))
