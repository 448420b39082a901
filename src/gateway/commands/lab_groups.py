"""Groups of a lab: chats of many, in which persons speak like everywhere: `wagate lab say PERSON GROUP TEXT`."""

from __future__ import annotations

from typing import Final, Literal

from gateway.commands.lab_control import DEFAULT, At, lab_at
from wagate.lab.v1 import group_pb2

Addressing = Literal["lid", "phone"]
_ADDRESSINGS: Final = {
    "lid": group_pb2.Group.ADDRESSING_UNSPECIFIED,
    "phone": group_pb2.Group.ADDRESSING_PHONE,
}


async def group(
    creator: str,
    subject: str,
    *members: str,
    addressing: Addressing = "lid",
    keys_once: bool = False,
    at: At = DEFAULT,
) -> None:
    """Make a group on an account's phone, with other accounts. `--addressing` is how members see each other named, with
    `--keys-once` each device gets a sender's key with the first message alone, as phones send it.
    """
    request = group_pb2.CreateGroupRequest(
        creator=creator,
        subject=subject,
        members=members,
        addressing=_ADDRESSINGS[addressing],
        keys_once=keys_once,
    )
    async with lab_at(at) as stub:
        print(_described((await stub.CreateGroup(request)).group))


async def groups(*, at: At = DEFAULT) -> None:
    """Print all groups and who is in them."""
    async with lab_at(at) as stub:
        for one in (await stub.ListGroups(group_pb2.ListGroupsRequest())).groups:
            print(_described(one))


async def members(group_jid: str, *, join: tuple[str, ...] = (), leave: tuple[str, ...] = (), at: At = DEFAULT) -> None:
    """Add accounts to a group, and take others out of it."""
    request = group_pb2.ChangeGroupMembersRequest(group_jid=group_jid, join=join, leave=leave)
    async with lab_at(at) as stub:
        print(_described((await stub.ChangeGroupMembers(request)).group))


def _described(one: group_pb2.Group) -> str:
    return f"{one.jid}  {one.subject!r}  {' '.join(one.members)}"


COMMANDS: Final = (group, groups, members)
