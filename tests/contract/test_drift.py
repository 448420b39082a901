"""What is generated is what the contract says, and nobody's own edit."""

import pytest

from tests.contract.checkout import Checkout


def test_generated_code_is_what_the_contract_says(checkout: Checkout) -> None:
    outcome = checkout.make("drift")
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("path", ["gen/python/wagate/v1/content_pb2.py", "gen/go/wagate/v1/content.pb.go"])
def test_an_edited_generated_file_is_noticed_and_named(checkout: Checkout, path: str) -> None:
    with (checkout.root / path).open("a") as file:
        file.write("\n")
    outcome = checkout.make("drift")
    assert outcome.returncode != 0
    assert path in outcome.stdout


def test_a_generated_file_without_a_source_is_noticed_and_named(checkout: Checkout) -> None:
    (checkout.root / "gen/python/wagate/v1/ghost_pb2.py").write_text("")
    outcome = checkout.make("drift")
    assert outcome.returncode != 0
    assert "ghost_pb2.py" in outcome.stdout


def test_a_contract_that_moved_on_is_noticed(checkout: Checkout) -> None:
    checkout.replace("proto/public/wagate/v1/content.proto", "Text text = 1;", "Text words = 1;")
    outcome = checkout.make("drift")
    assert outcome.returncode != 0
    assert "content_pb2.py" in outcome.stdout
