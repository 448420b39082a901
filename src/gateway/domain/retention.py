"""How long things are kept."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """Each is kept for at least so long; None means for ever. A message that is not at an end is kept until it is."""

    events: timedelta | None = None
    messages: timedelta | None = None


FOR_EVER = Retention()
