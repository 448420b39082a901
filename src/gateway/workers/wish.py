"""What is wanted of a session."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.domain.sessions import DesiredState, Session


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a session, as far as its owner's line depends on it."""

    running: bool
    logout: bool
    restarts: int
    expected_phone_number: str

    @classmethod
    def of(cls, session: Session) -> Wish:
        """What is wanted of this session."""
        running = session.desired_state == DesiredState.DESIRED_STATE_RUNNING
        return cls(running, session.logout_wanted, session.restarts, session.expected_phone_number)

    @property
    def wants_line(self) -> bool:
        """Whether there is to be a line that stays, rather than an end."""
        return self.running and not self.logout

    def holds_for(self, session: Session) -> bool:
        """Whether this is still what is wanted; which number is expected matters only until one is linked."""
        now = Wish.of(session)
        return self == (
            now if session.device is None else replace(now, expected_phone_number=self.expected_phone_number)
        )
