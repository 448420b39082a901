"""Names: WhatsApp's JIDs as people and places, and back.

A JID is `user[.agent][:device]@server`. Accounts that a business keeps at a hosting partner are people like others.
"""

import re
from typing import Final

from gateway.domain.identities import Names
from gateway.domain.lines import Party
from gateway.domain.sessions import LinkedDevice
from wagate.engine.v1 import item_pb2

_PHONE_SERVERS: Final = frozenset({"s.whatsapp.net", "c.us", "hosted"})
_LID_SERVERS: Final = frozenset({"lid", "hosted.lid"})
_PHONE: Final = re.compile(r"[1-9][0-9]{5,14}", re.ASCII)
_LID: Final = re.compile(r"[0-9]+", re.ASCII)
_DEVICE: Final = re.compile(r"(\.[0-9]+)?(:[0-9]+)?$", re.ASCII)


def names_of(*jids: str, push_name: str = "") -> Names | None:
    """The names of a person from all JIDs that are known; None if none of them is a person's."""
    lid = phone_number = ""
    for jid in jids:
        user, _, server = jid.partition("@")
        bare = _DEVICE.sub("", user)
        if server in _LID_SERVERS and _LID.fullmatch(bare):
            lid = lid or f"{bare}@lid"
        elif server in _PHONE_SERVERS and _PHONE.fullmatch(bare):
            phone_number = phone_number or f"+{bare}"
    return Names(lid, phone_number, push_name) if lid or phone_number else None


def party_of(*jids: str, push_name: str = "") -> Party:
    """The person of these JIDs; or else the place of the first: a group, a channel, the story feed, or whatever is no
    person.
    """
    names = names_of(*jids, push_name=push_name)
    return Party(names=names) if names else Party(place_jid=jids[0])


def device_of(device: item_pb2.Device) -> LinkedDevice:
    """A linked device."""
    lid = names_of(device.lid)
    return LinkedDevice(device.jid, lid.lid if lid else "", device.phone_number)


def device_proto(device: LinkedDevice) -> item_pb2.Device:
    """A linked device, as the engine is told."""
    return item_pb2.Device(jid=device.jid, lid=device.lid, phone_number=device.phone_number)
