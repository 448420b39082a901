import pytest

from gateway.domain import errors
from gateway.domain.errors import (
    ErrorReason,
    GatewayError,
    SessionNotFound,
    ValidationFailed,
    WorkFailed,
    error_kinds,
    error_of,
    failure_of,
)
from wagate.v1 import error_reason_pb2 as reasons

KINDS = sorted(error_kinds(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_is_a_sentence_with_a_reason_of_its_own(kind: type[GatewayError]) -> None:
    assert kind.reason != ErrorReason.ERROR_REASON_UNSPECIFIED
    assert [other for other in KINDS if other.reason == kind.reason] == [kind]
    assert kind.__doc__
    assert kind().message == kind.__doc__.strip()
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not ValidationFailed])
def test_an_error_told_by_an_owner_reaches_the_caller_as_itself(kind: type[GatewayError]) -> None:
    error = error_of(failure_of(kind("Not this time.", session_id="sales")))
    assert type(error) is kind
    assert (error.message, error.facts, error.reason) == ("Not this time.", {"session_id": "sales"}, kind.reason)


def test_a_failure_that_no_call_raises_is_told_with_its_own_reason() -> None:
    failure = reasons.Failure(
        reason=reasons.ERROR_REASON_PAIRING_TIMED_OUT, message="Nobody came.", metadata={"a": "b"}
    )
    error = error_of(failure)
    assert isinstance(error, WorkFailed)
    assert failure_of(error) == failure


def test_facts_and_the_field_travel_beside_the_sentence() -> None:
    error = SessionNotFound(field="session_id", session_id="sales")
    assert (error.message, error.field, error.facts) == (
        "There is no such session.",
        "session_id",
        {"session_id": "sales"},
    )


def test_a_broken_rule_is_told_with_its_field() -> None:
    error = ValidationFailed.of("give_up_time", "must lie in the future")
    assert [(one.field, one.description) for one in error.violations] == [("give_up_time", "must lie in the future")]
