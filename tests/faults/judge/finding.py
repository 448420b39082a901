"""What the judge finds of one promise."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Finding:
    """How often a promise was checked, and what broke it."""

    promise: str
    checks: int = 0
    violations: list[str] = field(default_factory=list)

    def check(self, kept: object, otherwise: str) -> None:
        """Check once; say what is the case if the promise was not kept."""
        self.checks += 1
        if not kept:
            self.violations.append(otherwise)
