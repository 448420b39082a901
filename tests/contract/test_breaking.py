"""The contract as agreed is guarded: a break is noticed, and stored bytes can never be broken at all."""

from tests.contract.checkout import Checkout

MESSAGE_SERVICE = "proto/public/wagate/v1/message_service.proto"
CONTENT = "proto/public/wagate/v1/content.proto"


def test_the_contract_as_agreed_is_no_break(checkout: Checkout) -> None:
    assert checkout.make("breaking").returncode == 0
    assert checkout.make("stored").returncode == 0


def test_a_renamed_field_is_named_as_a_break(checkout: Checkout) -> None:
    checkout.replace(MESSAGE_SERVICE, " validate_only = ", " only_validate = ")
    outcome = checkout.make("breaking")
    assert outcome.returncode != 0
    assert "message_service.proto" in outcome.stdout
    assert 'from "validate_only" to "only_validate"' in outcome.stdout


def test_a_break_can_be_agreed_to_and_is_then_listed_for_the_changes(checkout: Checkout) -> None:
    checkout.replace(MESSAGE_SERVICE, " validate_only = ", " only_validate = ")
    outcome = checkout.make("contract")
    assert outcome.returncode == 0
    assert 'from "validate_only" to "only_validate"' in outcome.stdout
    assert "CHANGES.md" in outcome.stdout
    assert checkout.make("breaking").returncode == 0


def test_a_break_of_stored_content_cannot_be_agreed_to(checkout: Checkout) -> None:
    checkout.replace(CONTENT, "Text text = 1;", "Text text = 31;")
    agreed = (checkout.root / "proto/contract.binpb").read_bytes()
    outcome = checkout.make("contract")
    assert outcome.returncode != 0
    assert "content.proto" in outcome.stdout
    assert (checkout.root / "proto/contract.binpb").read_bytes() == agreed


def test_a_new_field_in_stored_content_is_no_break(checkout: Checkout) -> None:
    checkout.replace(CONTENT, "Text text = 1;", "Text text = 1;\n    // New.\n    Text news = 31;")
    assert checkout.make("breaking").returncode == 0
    assert checkout.make("stored").returncode == 0
