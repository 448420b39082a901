"""Groups: chats of many inside the lab. Persons speak there by saying something to the group's JID."""

from __future__ import annotations

from enum import Enum

from tests.stage.lab import Lab
from wagate.lab.v1 import group_pb2 as pb


class Addressing(Enum):
    """By which names members of a group see each other."""

    LID = pb.Group.ADDRESSING_UNSPECIFIED
    PHONE = pb.Group.ADDRESSING_PHONE


async def new_group(
    lab: Lab, creator: str, *members: str, addressing: Addressing = Addressing.LID, keys_once: bool = False
) -> str:
    """A group of these phone numbers, made on the first one's phone; its JID. Where keys come once, each device gets a
    member's key with their first message alone.
    """
    request = pb.CreateGroupRequest(
        creator=creator, subject="Friends", members=members, addressing=addressing.value, keys_once=keys_once
    )
    return (await lab.stub.CreateGroup(request)).group.jid


async def change_members(lab: Lab, group_jid: str, *, join: tuple[str, ...] = (), leave: tuple[str, ...] = ()) -> None:
    """Let phone numbers come into a group, and others go."""
    request = pb.ChangeGroupMembersRequest(group_jid=group_jid, join=join, leave=leave)
    await lab.stub.ChangeGroupMembers(request)
