"""A copy of the contract to damage, and the checks that must notice."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Checkout:
    """As much of the repository as the contract's checks look at, in a folder of its own."""

    root: Path

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """Runs `make TARGET` with the tools of this environment; stderr is folded into stdout."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            ["make", target],
            cwd=self.root,
            env={**os.environ, "PATH": path, "MAKEFLAGS": ""},
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def replace(self, path: str, old: str, new: str) -> None:
        """Edits one file; `old` must be there, else the test would damage nothing."""
        file = self.root / path
        text = file.read_text()
        assert old in text, f"{path} no longer says {old!r}"
        file.write_text(text.replace(old, new, 1))
