"""What every command that reads settings takes on its command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

File = Annotated[Path | None, Parameter(name="--config", help="The settings' file; wagate.toml if that is there.")]
Options = Annotated[
    dict[str, str], Parameter(help="Any option as `wagate config` prints them, for example --grpc.listen 127.0.0.1:0.")
]
