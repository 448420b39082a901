"""Refusals: what a command cannot do is a sentence and an exit status, never a traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Never, ParamSpec

from gateway.settings import SettingsError

P = ParamSpec("P")


def told(*cannot: type[Exception]) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Run a command; exit with 2 if its settings are wrong, with 1 if it meets one of these."""

    def around(command: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(command)
        def run(*arguments: P.args, **named: P.kwargs) -> None:
            try:
                command(*arguments, **named)
            except SettingsError as error:
                _end(error, 2)
            except cannot as error:
                _end(error, 1)
            except BaseExceptionGroup as group:
                if len(group.exceptions) != 1 or not isinstance(group.exceptions[0], cannot):
                    raise
                _end(group.exceptions[0], 1)

        return run

    return around


def _end(error: BaseException, status: int) -> Never:
    for sentence in str(error).splitlines():
        print(f"wagate: {sentence}", file=sys.stderr)
    sys.exit(status)
