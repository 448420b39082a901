"""What a caller may change of a session, by update mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.domain.errors import ValidationFailed
from gateway.domain.sessions import OnAmbiguous, Session
from wagate.v1 import session_pb2 as resource


def _display_name(session: Session, wish: resource.Session) -> None:
    session.display_name = wish.display_name


def _metadata(session: Session, wish: resource.Session) -> None:
    session.metadata = dict(wish.metadata)


def _expected_phone_number(session: Session, wish: resource.Session) -> None:
    session.expected_phone_number = wish.spec.expected_phone_number


def _on_ambiguous(session: Session, wish: resource.Session) -> None:
    session.on_ambiguous = wish.spec.on_ambiguous or OnAmbiguous.ON_AMBIGUOUS_REPEAT


_CHANGEABLE: Final[dict[str, Callable[[Session, resource.Session], None]]] = {
    "display_name": _display_name,
    "metadata": _metadata,
    "spec.expected_phone_number": _expected_phone_number,
    "spec.on_ambiguous": _on_ambiguous,
}


def apply_changes(session: Session, wish: resource.Session, paths: Sequence[str]) -> None:
    """Change what the mask names; without a mask, all that is set in the wish.

    Raises:
        ValidationFailed: a path of the mask names nothing that can be changed.
    """
    for path in paths:
        if path not in _CHANGEABLE:
            allowed = ", ".join(_CHANGEABLE)
            raise ValidationFailed.of("update_mask", f"cannot be changed: write one of {allowed}")
    for path in paths or _set_in(wish):
        _CHANGEABLE[path](session, wish)


def _set_in(wish: resource.Session) -> list[str]:
    found = {
        "display_name": bool(wish.display_name),
        "metadata": bool(wish.metadata),
        "spec.expected_phone_number": bool(wish.spec.expected_phone_number),
        "spec.on_ambiguous": bool(wish.spec.on_ambiguous),
    }
    return [path for path, is_set in found.items() if is_set]
