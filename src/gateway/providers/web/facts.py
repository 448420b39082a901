"""Facts: what the engine tells, in the words of the domain."""

from collections.abc import Callable, Mapping
from typing import Final

from gateway.domain.clocks import from_timestamp
from gateway.domain.identities import Names
from gateway.domain.lines import (
    CodeShown,
    DeviceLinked,
    Fact,
    LineChanged,
    LineState,
    MessageArrived,
    MessageUndecryptable,
    NamesLearned,
    OfflineSync,
    PairingFailed,
    PasskeyWanted,
    Place,
    ReachoutRestricted,
    ReceiptArrived,
    ReceiptKind,
)
from gateway.providers.web.names import device_of, names_of, party_of
from wagate.engine.v1 import item_pb2 as pb


class ItemUnknown(Exception):
    """The engine tells something that this gateway does not know."""


def fact_of(item: pb.Item) -> Fact:
    """What an item tells.

    Raises:
        ItemUnknown: it is of a kind, or in a state, that is not known here.
    """
    told = item.WhichOneof("what")
    if told is None:
        raise ItemUnknown(f"item {item.item_id} tells nothing that is known")
    try:
        return _FACTS[told](item)
    except KeyError as error:
        raise ItemUnknown(f"item {item.item_id} ({told}) holds what is not known: {error}") from error


def _line_changed(item: pb.Item) -> Fact:
    told = item.line_changed
    return LineChanged(
        state=_LINE_STATES[told.state],
        failure=told.failure if told.HasField("failure") else None,
        next_attempt_time=from_timestamp(told.next_attempt_time) if told.HasField("next_attempt_time") else None,
        banned_until_time=from_timestamp(told.banned_until_time) if told.HasField("banned_until_time") else None,
        device=device_of(told.device) if told.HasField("device") else None,
        push_name=told.device.push_name,
    )


def _pairing_step(item: pb.Item) -> Fact:
    told = item.pairing_step
    match told.WhichOneof("step"):
        case "code":
            shown = told.code
            return CodeShown(told.attempt_id, shown.text, from_timestamp(shown.expire_time), shown.codes_left)
        case "passkey":
            wanted = told.passkey
            return PasskeyWanted(told.attempt_id, wanted.public_key_options_json, wanted.confirmation_code)
        case "linked":
            return DeviceLinked(told.attempt_id, device_of(told.linked), told.linked.push_name)
        case "failed":
            return PairingFailed(told.attempt_id, told.failed)
        case None:
            raise KeyError("step")


def _message_arrived(item: pb.Item) -> Fact:
    told = item.message_arrived
    mentions = [names_of(jid) for jid in told.mention_jids]
    return MessageArrived(
        place=_place(told.place),
        content=told.content,
        quoted_provider_message_id=told.quoted_provider_message_id,
        quoted_author=names_of(told.quoted_author_jid),
        quoted_preview=told.quoted_preview,
        mentions=tuple(person for person in mentions if person is not None),
    )


def _message_undecryptable(item: pb.Item) -> Fact:
    told = item.message_undecryptable
    return MessageUndecryptable(_place(told.place), told.requested_again)


def _receipt_arrived(item: pb.Item) -> Fact:
    told = item.receipt_arrived
    return ReceiptArrived(
        chat=party_of(told.chat_jid, told.chat_alternate_jid),
        sender=party_of(told.sender_jid, told.sender_alternate_jid),
        provider_message_ids=tuple(told.provider_message_ids),
        kind=_RECEIPT_KINDS[told.kind],
        receipt_time=from_timestamp(told.receipt_time),
    )


def _names_learned(item: pb.Item) -> Fact:
    told = item.names_learned.names
    return NamesLearned(Names(told.lid, told.phone_number, told.push_name))


def _offline_sync(item: pb.Item) -> Fact:
    told = item.offline_sync
    return OfflineSync(_SYNC_COMPLETED[told.phase], told.item_count)


def _reachout_restricted(item: pb.Item) -> Fact:
    told = item.reachout_restricted
    return ReachoutRestricted(told.active, from_timestamp(told.until_time) if told.HasField("until_time") else None)


def _place(told: pb.MessagePlace) -> Place:
    return Place(
        provider_message_id=told.provider_message_id,
        chat=party_of(told.chat_jid, told.chat_alternate_jid),
        sender=party_of(told.sender_jid, told.sender_alternate_jid, push_name=told.push_name),
        from_me=told.from_me,
        send_time=from_timestamp(told.send_time),
        offline=told.offline,
        edit=told.edit,
    )


_FACTS: Final[Mapping[str, Callable[[pb.Item], Fact]]] = {
    "line_changed": _line_changed,
    "pairing_step": _pairing_step,
    "message_arrived": _message_arrived,
    "message_undecryptable": _message_undecryptable,
    "receipt_arrived": _receipt_arrived,
    "names_learned": _names_learned,
    "offline_sync": _offline_sync,
    "reachout_restricted": _reachout_restricted,
}

_LINE_STATES: Final = {
    pb.LineChanged.STATE_OPENING: LineState.OPENING,
    pb.LineChanged.STATE_UNLINKED: LineState.UNLINKED,
    pb.LineChanged.STATE_CONNECTED: LineState.CONNECTED,
    pb.LineChanged.STATE_DEGRADED: LineState.DEGRADED,
    pb.LineChanged.STATE_RECONNECTING: LineState.RECONNECTING,
    pb.LineChanged.STATE_LOGGED_OUT: LineState.LOGGED_OUT,
    pb.LineChanged.STATE_BLOCKED: LineState.BLOCKED,
    pb.LineChanged.STATE_CLOSED: LineState.CLOSED,
}

_RECEIPT_KINDS: Final = {
    pb.ReceiptArrived.KIND_DELIVERED: ReceiptKind.DELIVERED,
    pb.ReceiptArrived.KIND_READ: ReceiptKind.READ,
    pb.ReceiptArrived.KIND_PLAYED: ReceiptKind.PLAYED,
    pb.ReceiptArrived.KIND_OWN_DEVICE: ReceiptKind.OWN_DEVICE,
    pb.ReceiptArrived.KIND_READ_BY_SELF: ReceiptKind.READ_BY_SELF,
}

_SYNC_COMPLETED: Final = {pb.OfflineSync.PHASE_STARTED: False, pb.OfflineSync.PHASE_COMPLETED: True}
