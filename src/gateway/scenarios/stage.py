"""Who is there while a scenario is played, and how the lab is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wagate.lab.v1 import lab_service_pb2 as pb

if TYPE_CHECKING:
    from wagate.lab.v1.lab_service_pb2_grpc import LabServiceAsyncStub


class Stage:
    """A lab, the names that a scenario has given, and since when it is played.

    `given` are accounts that have another number than the scenario would give them, by their names in it.
    """

    def __init__(self, lab: LabServiceAsyncStub, since: int, given: Mapping[str, str]) -> None:
        self.lab = lab
        self.since = since
        self.given = given
        self._numbers: dict[str, str] = {}
        self._persons: dict[str, str] = {}
        self._groups: dict[str, str] = {}

    def add_account(self, name: str, phone_number: str) -> None:
        """Remember an account by the name that it has in the scenario."""
        self._numbers[name] = phone_number

    def add_person(self, name: str, created: pb.CreatePersonResponse) -> None:
        """Remember a person, whose account goes by the same name."""
        self._persons[name] = created.person_id
        self._numbers[name] = created.account.phone_number

    def add_group(self, name: str, jid: str) -> None:
        """Remember a group by the name that it has in the scenario."""
        self._groups[name] = jid

    def chat(self, name: str) -> str:
        """Where a text goes that is for somebody, or for a group."""
        return self._groups.get(name) or self.number(name)

    def number(self, name: str) -> str:
        """The number of an account; a number is its own."""
        return self._numbers.get(name, name)

    def numbers(self) -> list[str]:
        """The numbers of all who have been named."""
        return list(dict.fromkeys(self._numbers.values()))

    def person(self, name: str) -> str:
        """The id of a person."""
        return self._persons[name]

    async def account(self, phone_number: str) -> pb.Account | None:
        """An account as it is now; None if there is none with that number."""
        listed = await self.lab.ListAccounts(pb.ListAccountsRequest())
        return next((one for one in listed.accounts if one.phone_number == phone_number), None)
