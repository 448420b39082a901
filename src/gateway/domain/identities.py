"""Identities: who a person is, or which place a chat is, in every form that is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from gateway.domain.addresses import Address, Form
from gateway.domain.ids import IDENTITY, make_id
from wagate.v1 import identity_pb2 as pb

Kind = pb.Identity.Kind

_ALIASES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Names:
    """What WhatsApp calls one person, as far as one fact tells it. Empty means: says nothing about it."""

    lid: str = ""
    phone_number: str = ""
    push_name: str = ""

    def jid(self) -> str:
        """The strongest name as a JID: the LID, else the phone's."""
        return self.lid or self.phone_number.removeprefix("+") + "@s.whatsapp.net"


@dataclass(slots=True)
class Identity:
    """A person or a place, known to one tenant. The older of two that turn out to be one stays; see `Identity` in the
    contract for what each field promises.
    """

    identity_id: str
    kind: Kind.ValueType
    create_time: datetime
    lid: str = ""
    phone_number: str = ""
    username: str = ""
    business_user_id: str = ""
    display_name: str = ""
    alias_ids: list[str] = field(default_factory=list)

    def copy(self) -> Identity:
        """A copy that can be changed without changing this one."""
        return replace(self, alias_ids=list(self.alias_ids))

    def names(self) -> Names:
        """What WhatsApp calls this person."""
        return Names(self.lid, self.phone_number, self.display_name)

    def to_proto(self) -> pb.Identity:
        """As the contract shows it."""
        return pb.Identity(
            id=self.identity_id,
            kind=self.kind,
            lid=self.lid,
            phone_number=self.phone_number,
            username=self.username,
            business_user_id=self.business_user_id,
            display_name=self.display_name,
            alias_ids=self.alias_ids[:_ALIASES_SHOWN] if self.alias_ids else None,
        )


_KIND_OF_PLACE = {
    Form.GROUP: Kind.KIND_GROUP,
    Form.CHANNEL: Kind.KIND_CHANNEL,
    Form.STORY_FEED: Kind.KIND_STORY_FEED,
}


def new_person(names: Names, now: datetime) -> Identity:
    """A person not known before."""
    return Identity(
        make_id(IDENTITY),
        Kind.KIND_PERSON,
        now,
        lid=names.lid,
        phone_number=names.phone_number,
        display_name=names.push_name,
    )


def new_place(address: Address, now: datetime) -> Identity:
    """A place not known before: its id is its JID."""
    return Identity(address.value, _KIND_OF_PLACE[address.form], now)
