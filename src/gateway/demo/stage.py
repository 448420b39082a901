"""The stage: a lab, a gateway that speaks to it, and a temporary folder for both."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.demo.children import child
from gateway.programs import find_program


@dataclass(frozen=True, slots=True)
class Places:
    """Where to listen; port 0 takes any."""

    lab: str = "127.0.0.1:0"
    lab_control: str = "127.0.0.1:0"
    grpc: str = "127.0.0.1:0"
    metrics: str = ""


USUAL = Places(lab="127.0.0.1:8443", lab_control="127.0.0.1:50060", grpc="127.0.0.1:50051", metrics="127.0.0.1:9464")
"""The default ports."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that is set: where gateway and lab are spoken to, and the folder with their logs."""

    grpc: str
    lab_control: str
    metrics: str
    folder: Path


@asynccontextmanager
async def stage(places: Places) -> AsyncIterator[Stage]:
    """Start a lab and a gateway; both end with the context, and nothing of them stays.

    Raises:
        StoryBroken: one of them does not become ready.
        ProgramMissing: one of them has not been built.
    """
    lab_program, engine = find_program(None, "wagate-lab"), find_program(None, "wagate-engine")
    lab_command = [str(lab_program), "--exit-with-parent", "--listen", places.lab, "--control", places.lab_control]
    with tempfile.TemporaryDirectory(prefix="wagate-demo-") as name:
        folder = Path(name)
        async with child([*lab_command, "--data", f"{folder}/lab"], folder, {}) as lab:
            settings = {
                "WAGATE_GRPC__LISTEN": places.grpc,
                "WAGATE_METRICS__LISTEN": places.metrics,
                "WAGATE_DATA__FOLDER": str(folder / "data"),
                "WAGATE_ENGINE__BINARY": str(engine),
                "WAGATE_LAB__ADDRESS": lab["address"],
                "WAGATE_LAB__ROOT_KEY_HEX": lab["root_key_hex"],
                "WAGATE_LAB__CA_FILE": lab["ca_pem_file"],
            }
            command = [sys.executable, "-m", "gateway", "serve"]
            async with child(command, folder, settings) as gateway:
                yield Stage(gateway["grpc"], lab["control"], gateway["metrics"], folder)
