"""What a step of a scenario is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal

from google.protobuf.duration_pb2 import Duration
from pydantic import BaseModel, ConfigDict, StringConstraints

from gateway.scenarios.stage import Stage

NEW_NAME: Final = r"^[a-z][a-z0-9_-]*$"


Kind = Literal["account", "person", "group"]


@dataclass(frozen=True)
class Role:
    """What one has to be whom a field names: one of these kinds, and what such are called."""

    kinds: frozenset[Kind]
    title: str


SPEAKER: Final = Role(frozenset({"person"}), "a person")
SOMEBODY: Final = Role(frozenset({"person", "account"}), "an account or person")
CHAT: Final = Role(frozenset({"person", "account", "group"}), "an account, person or group")

NewName = Annotated[str, StringConstraints(pattern=NEW_NAME)]
"""A name that a step gives."""
Somebody = Annotated[str, SOMEBODY]
"""The name of an account or person from a step before, or a number in E.164 with `+`."""
Speaker = Annotated[str, SPEAKER]
"""The name of a person from a step before."""
Chat = Annotated[str, CHAT]
"""The name of whom a text may be for: a group from a step before, too."""


class Verb(BaseModel, ABC):
    """Something that can happen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    async def play(self, stage: Stage) -> str:
        """Let it happen, and say what came of it.

        Raises:
            StepFailed: what should have happened did not.
            AioRpcError: the lab refuses it.
        """

    def named(self) -> Iterator[tuple[str, str, Role]]:
        """The fields that name somebody, each with the name and the role."""
        for field, about in type(self).model_fields.items():
            for role in about.metadata:
                if isinstance(role, Role) and (said := getattr(self, field)):
                    yield from ((field, name, role) for name in ((said,) if isinstance(said, str) else said))


def lasting(span: timedelta) -> Duration:
    """A span as the lab is told it."""
    told = Duration()
    told.FromTimedelta(span)
    return told
