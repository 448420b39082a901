"""Everything that a caller can be told went wrong.

    GatewayError
    ├── NotFound              SessionNotFound  MessageNotFound  IdentityNotFound  WorkerNotFound
    ├── InvalidRequest        ValidationFailed  AddressInvalid  RecipientNotSupported  ProviderUnknown
    │                         CursorInvalid  PageTokenInvalid  CursorExpired
    ├── Conflict              SessionExists  RequestIdReused  EtagMismatch
    ├── NotNow                SessionNotConnected  SessionNeverPaired  SessionLoggedOut  SessionNotStopped
    │                         SessionAlreadyPaired  PairingNotUnderWay  NoSuchChallenge
    │                         MessageNotCancelable  MessageNotRetryable
    ├── AccessRefused         KeyMissing  KeyInvalid  ScopeMissing
    ├── TooMuch               TooManyWatchers  ConsumerTooSlow
    ├── TryAgain              OwnerUnavailable  OutcomeOpen  StoreUnavailable (StoreFull)  ShuttingDown
    └── WorkFailed            whatever else a `Failure` can say

    LeaseLost                 never leaves the gateway: the owner that meets it stops

Each class's docstring is the message that the caller reads; its keywords are facts, and travel as metadata. How the
reason maps to a gRPC code stands beside the reason, in `error_reason.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from wagate.v1 import error_reason_pb2 as reasons

ErrorReason = reasons.ErrorReason


class GatewayError(Exception):
    """Something went wrong."""

    reason: ErrorReason.ValueType

    def __init__(
        self, message: str = "", *, field: str = "", retry_after: timedelta | None = None, **facts: str
    ) -> None:
        """Say what is the case.

        `message` replaces the class's own sentence, `field` is the path of the request's field that is wrong, and
        `facts` are the metadata keys that the reason's comment in the contract names.
        """
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.field = field
        self.retry_after = retry_after
        self.facts = facts

    @property
    def message(self) -> str:
        """One sentence for people, without personal data."""
        return str(self.args[0])


class FieldViolation:
    """One field that breaks a rule of the contract: its path, the rule's name, a sentence."""

    __slots__ = ("description", "field", "rule")

    def __init__(self, field: str, rule: str, description: str) -> None:
        self.field = field
        self.rule = rule
        self.description = description


class NotFound(GatewayError):
    """There is no such thing."""


class SessionNotFound(NotFound):
    """There is no such session."""

    reason = ErrorReason.ERROR_REASON_SESSION_NOT_FOUND


class MessageNotFound(NotFound):
    """There is no such message here."""

    reason = ErrorReason.ERROR_REASON_MESSAGE_NOT_FOUND


class IdentityNotFound(NotFound):
    """The address is well made and names nobody known."""

    reason = ErrorReason.ERROR_REASON_IDENTITY_NOT_FOUND


class WorkerNotFound(NotFound):
    """There is no such worker."""

    reason = ErrorReason.ERROR_REASON_WORKER_NOT_FOUND


class InvalidRequest(GatewayError):
    """The request is not valid."""


class ValidationFailed(InvalidRequest):
    """The request breaks a rule of the contract; see the field violations."""

    reason = ErrorReason.ERROR_REASON_VALIDATION_FAILED

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__()
        self.violations = violations

    @classmethod
    def of(cls, field: str, description: str) -> ValidationFailed:
        """Make one for a single field."""
        return cls(FieldViolation(field, "RULE", description))


class AddressInvalid(InvalidRequest):
    """This is no address: write a number as +4915112345678, or use an id or JID as the contract lists them."""

    reason = ErrorReason.ERROR_REASON_ADDRESS_INVALID


class RecipientNotSupported(InvalidRequest):
    """Messages cannot be sent to this kind of recipient."""

    reason = ErrorReason.ERROR_REASON_RECIPIENT_NOT_SUPPORTED


class ProviderUnknown(InvalidRequest):
    """There is no provider of that name."""

    reason = ErrorReason.ERROR_REASON_PROVIDER_UNKNOWN


class CursorInvalid(InvalidRequest):
    """The cursor is not one of this log."""

    reason = ErrorReason.ERROR_REASON_CURSOR_INVALID


class PageTokenInvalid(InvalidRequest):
    """The page token is not one of this list and filter."""

    reason = ErrorReason.ERROR_REASON_PAGE_TOKEN_INVALID


class CursorExpired(InvalidRequest):
    """The cursor is older than the oldest event still kept."""

    reason = ErrorReason.ERROR_REASON_CURSOR_EXPIRED


class Conflict(GatewayError):
    """Another call was first."""


class SessionExists(Conflict):
    """There is a session of this id already."""

    reason = ErrorReason.ERROR_REASON_SESSION_EXISTS


class RequestIdReused(Conflict):
    """This request_id was used before with another body."""

    reason = ErrorReason.ERROR_REASON_REQUEST_ID_REUSED


class EtagMismatch(Conflict):
    """The etag is not the present one: somebody changed the resource first."""

    reason = ErrorReason.ERROR_REASON_ETAG_MISMATCH


class NotNow(GatewayError):
    """The thing is not in the state that this needs."""


class SessionNotConnected(NotNow):
    """The call needs WhatsApp now, and the session is not connected."""

    reason = ErrorReason.ERROR_REASON_SESSION_NOT_CONNECTED


class SessionNeverPaired(NotNow):
    """The session was never linked to an account."""

    reason = ErrorReason.ERROR_REASON_SESSION_NEVER_PAIRED


class SessionLoggedOut(NotNow):
    """The session is logged out: pair it again."""

    reason = ErrorReason.ERROR_REASON_SESSION_LOGGED_OUT


class SessionNotStopped(NotNow):
    """The session runs: stop it or log it out first, or set force."""

    reason = ErrorReason.ERROR_REASON_SESSION_NOT_STOPPED


class SessionAlreadyPaired(NotNow):
    """The session is linked already."""

    reason = ErrorReason.ERROR_REASON_SESSION_ALREADY_PAIRED


class PairingNotUnderWay(NotNow):
    """No pairing attempt of that sort is under way."""

    reason = ErrorReason.ERROR_REASON_PAIRING_NOT_UNDER_WAY


class NoSuchChallenge(NotNow):
    """The pairing attempt does not wait for that answer."""

    reason = ErrorReason.ERROR_REASON_NO_SUCH_CHALLENGE


class MessageNotCancelable(NotNow):
    """The message is past cancelling."""

    reason = ErrorReason.ERROR_REASON_MESSAGE_NOT_CANCELABLE


class MessageNotRetryable(NotNow):
    """Only an outbound message that is FAILED, EXPIRED or CANCELED can be sent anew."""

    reason = ErrorReason.ERROR_REASON_MESSAGE_NOT_RETRYABLE


class AccessRefused(GatewayError):
    """The caller may not do this."""


class KeyMissing(AccessRefused):
    """The call carries no key: send `authorization: Bearer KEY` as metadata."""

    reason = ErrorReason.ERROR_REASON_KEY_MISSING


class KeyInvalid(AccessRefused):
    """The key is not one of ours."""

    reason = ErrorReason.ERROR_REASON_KEY_INVALID


class ScopeMissing(AccessRefused):
    """The key does not hold the scope that this call needs."""

    reason = ErrorReason.ERROR_REASON_SCOPE_MISSING


class TooMuch(GatewayError):
    """There is too much of it."""


class TooManyWatchers(TooMuch):
    """The pairing attempt has 8 watchers already."""

    reason = ErrorReason.ERROR_REASON_TOO_MANY_WATCHERS


class ConsumerTooSlow(TooMuch):
    """The stream was not read for too long; nothing is lost: resume from the cursor."""

    reason = ErrorReason.ERROR_REASON_CONSUMER_TOO_SLOW


class TryAgain(GatewayError):
    """Not now; the same call may succeed later."""


class OwnerUnavailable(TryAgain):
    """No worker answers for the session just now."""

    reason = ErrorReason.ERROR_REASON_OWNER_UNAVAILABLE


class OutcomeOpen(TryAgain):
    """The deadline passed after WhatsApp was asked: whether it was done is open."""

    reason = ErrorReason.ERROR_REASON_OUTCOME_OPEN


class StoreUnavailable(TryAgain):
    """The database does not take or answer just now; nothing was accepted."""

    reason = ErrorReason.ERROR_REASON_STORE_UNAVAILABLE


class StoreFull(StoreUnavailable):
    """The disk of the database is full; nothing was accepted."""

    reason = ErrorReason.ERROR_REASON_STORE_FULL


class ShuttingDown(TryAgain):
    """The server is being stopped."""

    reason = ErrorReason.ERROR_REASON_SHUTTING_DOWN


class WorkFailed(GatewayError):
    """What was asked for failed later."""

    def __init__(self, failure: reasons.Failure) -> None:
        super().__init__(failure.message)
        self.facts = dict(failure.metadata)
        self.reason = failure.reason


def failure_of(error: GatewayError) -> reasons.Failure:
    """An error as accepted work tells it."""
    return reasons.Failure(reason=error.reason, message=error.message, metadata=error.facts)


def error_of(failure: reasons.Failure) -> GatewayError:
    """The error that a failure stands for."""
    for kind in error_kinds():
        if kind.reason == failure.reason and kind is not ValidationFailed:
            error = kind(failure.message)
            error.facts = dict(failure.metadata)
            return error
    return WorkFailed(failure)


def error_kinds(family: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """Every class of a family that has a reason of its own."""
    for kind in family.__subclasses__():
        if "reason" in vars(kind):
            yield kind
        yield from error_kinds(kind)


class LeaseLost(Exception):
    """The session has another owner by now: whoever meets this stops at once."""
