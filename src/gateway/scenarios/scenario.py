"""A scenario as its file says it, and what is wrong with one that cannot be played."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from gateway.scenarios.blows import Ban, Clock, Drain, Drop, Lock, Outdate, Unlink
from gateway.scenarios.errors import Problem, ScenarioInvalid
from gateway.scenarios.faults import Clear, Fault
from gateway.scenarios.people import Account, Forget, Group, Offline, Online, Person, Say
from gateway.scenarios.verbs import Kind, Verb
from gateway.scenarios.waits import Hear, Pause, Wait

_PLACE_OF_A_STEP: Final = 2
_KINDS: Final[dict[type[Verb], Kind]] = {Account: "account", Person: "person", Group: "group"}


class Step(BaseModel):
    """One thing that happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Account | None = None
    person: Person | None = None
    group: Group | None = None
    say: Say | None = None
    online: Online | None = None
    offline: Offline | None = None
    forget: Forget | None = None
    fault: Fault | None = None
    clear: Clear | None = None
    drop: Drop | None = None
    outdate: Outdate | None = None
    unlink: Unlink | None = None
    ban: Ban | None = None
    lock: Lock | None = None
    drain: Drain | None = None
    clock: Clock | None = None
    wait: Wait | None = None
    hear: Hear | None = None
    pause: Pause | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if len(self.model_fields_set) != 1 or getattr(self, self.name) is None:
            raise ValueError(f"should be one of {', '.join(Step.model_fields)}, with its fields")
        return self

    @property
    def name(self) -> str:
        """What it is called."""
        return next(iter(self.model_fields_set))

    @property
    def verb(self) -> Verb:
        """What happens."""
        verb: Verb = getattr(self, self.name)
        return verb


def _some(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps:
        raise ValueError("should be one at least")
    return steps


class Scenario(BaseModel):
    """A name, and what happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    steps: Annotated[tuple[Step, ...], AfterValidator(_some)]


def read(file: Path) -> Scenario:
    """Read a scenario.

    Raises:
        ScenarioInvalid: the file cannot be read, is not YAML, or is no scenario; each problem names its step and field.
    """
    try:
        said = yaml.safe_load(file.read_text())
    except OSError as error:
        raise ScenarioInvalid((Problem(0, str(file), f"cannot be read: {error.strerror}"),)) from None
    except yaml.YAMLError as error:
        raise ScenarioInvalid((Problem(0, str(file), f"is not YAML: {error}"),)) from None
    return understand(said)


def understand(said: object) -> Scenario:
    """Make a scenario of what YAML says.

    Raises:
        ScenarioInvalid: it is none.
    """
    try:
        scenario = Scenario.model_validate(said)
    except ValidationError as error:
        raise ScenarioInvalid(tuple(_problem(problem) for problem in error.errors())) from None
    if strangers := tuple(_strangers(scenario)):
        raise ScenarioInvalid(strangers)
    return scenario


def _problem(problem: Any) -> Problem:
    place = problem["loc"]
    step = place[1] + 1 if len(place) >= _PLACE_OF_A_STEP and place[0] == "steps" else 0
    field = ".".join(str(part) for part in (place[_PLACE_OF_A_STEP:] if step else place))
    said = {"missing": "is missing", "extra_forbidden": "is not known here"}.get(problem["type"])
    return Problem(step, field, said or problem["msg"].removeprefix("Value error, ").removeprefix("Input "))


def _strangers(scenario: Scenario) -> Iterator[Problem]:
    """Names that nobody has when they are used, or one of another kind, and names that are given twice."""
    known: dict[str, Kind] = {}
    for place, step in enumerate(scenario.steps, start=1):
        for field, name, role in step.verb.named():
            is_number = name.startswith("+") and "account" in role.kinds
            if not is_number and known.get(name) not in role.kinds:
                said = f"should name {role.title} of a step before; {name} is {known.get(name) or 'nobody'}"
                yield Problem(place, f"{step.name}.{field}", said)
        if isinstance(step.verb, Account | Person | Group):
            if step.verb.name in known:
                yield Problem(place, f"{step.name}.name", f"should be new; {step.verb.name} is there already")
            known[step.verb.name] = _KINDS[type(step.verb)]
