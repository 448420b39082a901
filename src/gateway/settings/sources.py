"""Where settings come from, and how they are refused."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.settings.listening import is_loopback
from gateway.settings.tree import SHORTEST_KEY, Access, Tree

DEFAULT_FILE: Final = Path("wagate.toml")
_PREFIX: Final = "WAGATE_"
_DELIMITER: Final = "__"

Flags = Mapping[str, Mapping[str, str]]
"""What the command line says: section, option, value."""


class SettingsError(Exception):
    """Settings that cannot be used; the message names each option and says what it should be."""


class Settings(BaseSettings, Tree):
    """The tree, as it is in force."""

    model_config = SettingsConfigDict(frozen=True, env_prefix=_PREFIX, env_nested_delimiter=_DELIMITER)

    def __reduce__(self) -> tuple[Callable[..., Settings], tuple[dict[str, Any]]]:
        """Settings travel to other processes as they are, whatever their files and environment say by then."""
        return _as_sent, ({section: getattr(self, section) for section in Tree.model_fields},)

    @model_validator(mode="after")
    def _strangers_need_a_key(self) -> Settings:
        places = {"grpc": self.grpc.listen, "metrics": self.metrics.listen, "worker": self.worker.listen}
        for section, listen in places.items():
            if listen and not is_loopback(listen) and not self.access.has_key:
                raise ValueError(f"{section}.listen should be a loopback address, or access.key should be set")
        return self


def _as_sent(sections: dict[str, Any]) -> Settings:
    return Settings.model_construct(None, **sections)


def load(*, file: Path | None = None, flags: Flags | None = None) -> Settings:
    """Read the settings: defaults, below the file (`wagate.toml` if it is there), below the environment
    (`WAGATE_GRPC__LISTEN`), below the flags (`--grpc.listen`).

    Raises:
        SettingsError: a source cannot be read, or says what cannot be.
    """
    _refuse_unknown_sections()
    given: dict[str, Any] = {
        section: {name.replace("-", "_"): value for name, value in options.items()}
        for section, options in (flags or {}).items()
    }
    try:
        settings = _reader(_present(file))(**given)
        return settings.model_copy(update={"access": _with_key_of_file(settings.access)})
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file or DEFAULT_FILE} is not TOML: {error}") from None


def _present(file: Path | None) -> Path | None:
    if file is not None and not file.is_file():
        raise SettingsError(f"--config should name a file, and there is none at {file}")
    return file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)


def _reader(file: Path | None) -> type[Settings]:
    class Reader(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    return Reader


def _refuse_unknown_sections() -> None:
    for name in os.environ:
        section, delimiter, _ = name.removeprefix(_PREFIX).lower().partition(_DELIMITER)
        if name.startswith(_PREFIX) and delimiter and section not in Tree.model_fields:
            raise SettingsError(f"{name} names no option: there is no section {section}")


def _with_key_of_file(access: Access) -> Access:
    if access.key_file is None:
        return access
    try:
        key = access.key_file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"access.key_file should name a file that can be read: {error.strerror}") from None
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"access.key_file should hold a key of at least {SHORTEST_KEY} characters")
    return access.model_copy(update={"key": SecretStr(key)})


def _sentence(problem: Any) -> str:
    """One problem, without the value, which may be a secret."""
    option = ".".join(str(part) for part in problem["loc"])
    said = problem["msg"].removeprefix("Value error, ")
    said = re.sub("^(Input|String|List|Tuple|Value) ", "", said)
    if problem["type"] == "extra_forbidden":
        return f"{option} names no option"
    if problem["type"] == "value_error" and option and "." not in option:
        return f"{option}.{said}"
    return f"{option} {said}" if option else said
