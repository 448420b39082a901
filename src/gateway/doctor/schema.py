"""The schema: whether the database is migrated to where this version works."""

from __future__ import annotations

from gateway.adapters.sql.schema import Fit, Schema, wanted
from gateway.doctor.findings import Finding, fine, problem, warning
from gateway.version import VERSION


def schema(known: Schema, *, migrates_itself: bool) -> Finding:
    """Judge a database's schema; one that `migrates_itself` is migrated by the next start of `wagate serve`."""
    check, wants = "database.schema", f"wagate {VERSION} wants {wanted()}"
    match known.fit:
        case Fit.EXACT:
            return fine(check, f"It is migrated to {known.at}, as wagate {VERSION} wants it.")
        case Fit.NOT_TIDY:
            said = f"It is at {known.at}, which is enough, and {wants}."
            return warning(check, said, "Run `wagate migrate` once no older version runs.")
        case Fit.AHEAD:
            said = f"It is at {known.at}, ahead of what {wants}, and lacks nothing that is needed."
            return warning(check, said, "End the update: run the newer version everywhere.")
        case Fit.TOO_NEW:
            said = f"It is at {known.at}, which takes a version that knows {known.oldest}, and {wants}."
            return problem(check, said, "Use the newer wagate that migrated it, or a backup from before.")
        case Fit.BEHIND:
            said = f"It is at {known.at or 'no schema yet'}, and {wants}."
            if migrates_itself:
                return warning(check, said, "The next start of `wagate serve` migrates it; so does `wagate migrate`.")
            return problem(check, said, "Run `wagate migrate`.")
