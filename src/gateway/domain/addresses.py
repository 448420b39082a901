"""Addresses: the strings by which requests name people and places, as tabled at `Identity` in the contract."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.errors import AddressInvalid
from gateway.domain.ids import is_identity_id

STORY_FEED: Final = "status@broadcast"


class Form(StrEnum):
    """What an address is made of. Strings are found in dicts many times as fast as members of other enums."""

    IDENTITY_ID = "identity id"
    PHONE_NUMBER = "phone number"
    LID = "lid"
    USERNAME = "username"
    BUSINESS_USER_ID = "business user id"
    GROUP = "group"
    CHANNEL = "channel"
    STORY_FEED = "story feed"


@dataclass(frozen=True, slots=True)
class Address:
    """A well-made address in its canonical form: numbers as E.164 with `+`, LIDs and places as JIDs."""

    form: Form
    value: str

    @property
    def is_place(self) -> bool:
        """Whether it names a group, a channel or the story feed: then `value` is the identity's id."""
        return self.form in _PLACES


_PLACES: Final = frozenset({Form.GROUP, Form.CHANNEL, Form.STORY_FEED})
_PHONE: Final = re.compile(r"\+?([1-9][0-9]{5,14})", re.ASCII)
_JID: Final = re.compile(r"([0-9][0-9-]{0,39})@(s\.whatsapp\.net|lid|g\.us|newsletter)", re.ASCII)
_USERNAME: Final = re.compile(r"@[A-Za-z0-9._]{3,35}", re.ASCII)
_BUSINESS: Final = re.compile(r"[A-Z]{2}\.[0-9A-Za-z.]{6,126}", re.ASCII)
_FORM_OF_SERVER: Final = {"lid": Form.LID, "g.us": Form.GROUP, "newsletter": Form.CHANNEL}


def parse_address(text: str, *, field: str = "") -> Address:
    """Read an address.

    Raises:
        AddressInvalid: it has none of the forms; the error names `field`.
    """
    if text == STORY_FEED:
        return Address(Form.STORY_FEED, text)
    if match := _PHONE.fullmatch(text):
        return Address(Form.PHONE_NUMBER, "+" + match[1])
    if match := _JID.fullmatch(text):
        return _from_jid(text, match[1], match[2], field)
    if is_identity_id(text):
        return Address(Form.IDENTITY_ID, text)
    if _USERNAME.fullmatch(text):
        return Address(Form.USERNAME, text[1:])
    if _BUSINESS.fullmatch(text):
        return Address(Form.BUSINESS_USER_ID, text)
    raise AddressInvalid(field=field)


def _from_jid(text: str, user: str, server: str, field: str) -> Address:
    if server == "s.whatsapp.net":
        if not _PHONE.fullmatch(user):
            raise AddressInvalid(field=field)
        return Address(Form.PHONE_NUMBER, "+" + user)
    if server != "g.us" and not user.isdigit():
        raise AddressInvalid(field=field)
    return Address(_FORM_OF_SERVER[server], text)
