"""Every statement of the store: found where modules keep them, so that a new one cannot be left out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import chain, combinations
from types import ModuleType
from typing import Any, Final

from sqlalchemy import CompoundSelect, Delete, Executable, Select, Update

import gateway.adapters.sql
from gateway.adapters.sql import events, messages

_SORTS: Final = (Select, CompoundSelect, Update, Delete)
CONDITIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "events._after": events._CONDITIONS,  # noqa: SLF001  # statements are looked at where they lie
    "messages._page": messages._CONDITIONS,  # noqa: SLF001
}
"""What makes statements of some conditions, and the conditions that there are."""
_PARTS: Final = {"events._PLACED", "joining._of_tenant", "messages._PAGE"}
"""What is never run by itself."""


@cache
def statements() -> Mapping[str, Executable]:
    """All that reads, changes or removes rows, by `module.name`; most parts of others among them."""
    found: dict[str, Executable] = {}
    for module in _modules():
        for name, value in vars(module).items():
            for key, one in _named(f"{module.__name__.rpartition('.')[2]}.{name}", value):
                if isinstance(one, _SORTS) and not any(one is other for other in found.values()):
                    found[key] = one
        for name, make in _makers(module):
            found |= {f"{name}({', '.join(sorted(shape))})": make(shape) for shape in _shapes(CONDITIONS[name])}
    return {name: one for name, one in found.items() if name not in _PARTS}


def makers() -> set[str]:
    """All that makes statements when it is called."""
    return {name for module in _modules() for name, _ in _makers(module)}


def _modules() -> Iterator[ModuleType]:
    package = gateway.adapters.sql
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def _named(name: str, value: object) -> Iterator[tuple[str, object]]:
    yield name, value
    if isinstance(value, dict):
        yield from ((f"{name}[{key}]", one) for key, one in value.items())


def _makers(module: ModuleType) -> Iterator[tuple[str, Callable[[frozenset[str]], Executable]]]:
    for name, value in vars(module).items():
        kept = inspect.unwrap(value) if callable(value) and hasattr(value, "cache_info") else None
        if kept is not None and kept.__module__ == module.__name__ and "Select" in str(kept.__annotations__["return"]):
            yield f"{module.__name__.rpartition('.')[2]}.{name}", value


def _shapes(conditions: Mapping[str, Any]) -> Iterator[frozenset[str]]:
    names = sorted(conditions)
    for some in chain.from_iterable(combinations(names, count) for count in range(len(names) + 1)):
        yield frozenset(some)
