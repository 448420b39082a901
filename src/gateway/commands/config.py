"""`wagate config`: what can be set."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from gateway.commands.options import File, Options
from gateway.commands.refusals import told
from gateway.settings import Tree, as_toml, load


@told()
def config(
    *,
    effective: Annotated[
        bool, Parameter(negative="", help="Print the values in force instead of the defaults.")
    ] = False,
    config: File = None,
    **options: Options,
) -> None:
    """Print every option with its sentence and its default, as TOML; secrets are masked."""
    sys.stdout.write(as_toml(load(file=config, flags=options) if effective else Tree()))
