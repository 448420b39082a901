"""Settings as TOML: every option under its sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ByteSize, SecretStr

from gateway.settings.spans import write_span
from gateway.settings.tree import Tree

_KIB = 1024


def as_toml(tree: Tree) -> str:
    """Every option with its sentence and its value in `tree`. Secrets that are set are masked."""
    sections = (_section(name, getattr(tree, name)) for name in Tree.model_fields)
    return "\n".join("\n".join(lines) + "\n" for lines in sections)


def _section(name: str, section: BaseModel) -> Iterator[str]:
    yield f"# {type(section).__doc__}"
    yield f"[{name}]"
    for option, field in type(section).model_fields.items():
        yield f"# {field.description}"
        yield f"{option} = {_value(getattr(section, option))}"


def _value(value: object) -> str:
    match value:
        case None:
            return '""'
        case timedelta():
            return f'"{write_span(value)}"'
        case ByteSize():
            return f'"{value // _KIB}KiB"'
        case Path() | SecretStr():
            return json.dumps(str(value))
        case _:
            return json.dumps(value)
