"""How an account is named."""

from __future__ import annotations

from tests.foreign.client import ForeignClient
from tests.stage.persons import Person
from tests.stage.shop import Shop


def jids(of: ForeignClient | Person | Shop) -> set[str]:
    """All JIDs of an account."""
    return {of.account.lid, f"{of.phone_number.removeprefix('+')}@s.whatsapp.net"}
