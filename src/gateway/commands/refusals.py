"""Refusals: what a command cannot do is a sentence and an exit status, never a traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from gateway.adapters.embedded.folder import FolderTaken
from gateway.domain.errors import GatewayError
from gateway.programs import ProgramMissing
from gateway.providers.web.failures import EngineFailed, EngineMissing
from gateway.settings import SettingsError
from gateway.settings.listening import CannotListen
from gateway.transport.rpcs import ContractIncomplete

P = ParamSpec("P")

_CANNOT = (FolderTaken, ProgramMissing, GatewayError, EngineFailed, EngineMissing, ContractIncomplete, CannotListen)


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Run a command; exit with 2 if its settings are wrong, with 1 if it cannot be done."""

    @functools.wraps(command)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            command(*arguments, **named)
        except SettingsError as error:
            _end(error, 2)
        except _CANNOT as error:
            _end(error, 1)
        except BaseExceptionGroup as group:
            if len(group.exceptions) != 1 or not isinstance(group.exceptions[0], _CANNOT):
                raise
            _end(group.exceptions[0], 1)

    return run


def _end(error: BaseException, status: int) -> None:
    for sentence in str(error).splitlines():
        print(f"wagate: {sentence}", file=sys.stderr)
    sys.exit(status)
