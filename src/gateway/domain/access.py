"""Access: who calls, and what a call may do."""

from dataclasses import dataclass
from typing import Final

DEFAULT_TENANT: Final = "default"
EVERY_SCOPE: Final = "*"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the tenant follows from the key and from nothing else."""

    tenant_id: str
    scopes: frozenset[str]

    def holds(self, scope: str) -> bool:
        """Whether the key holds this scope."""
        return EVERY_SCOPE in self.scopes or scope in self.scopes


@dataclass(frozen=True, slots=True)
class Call:
    """One call under way: who makes it, its id, and when its answer is no longer wanted (the loop's clock)."""

    caller: Caller
    correlation_id: str
    deadline: float

    @property
    def tenant_id(self) -> str:
        """The caller's tenant."""
        return self.caller.tenant_id
