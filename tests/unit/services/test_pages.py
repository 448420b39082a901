import pytest

from gateway.services.pages import page_size


@pytest.mark.parametrize(("asked", "size"), [(0, 50), (1, 1), (50, 50), (500, 500), (501, 500), (2**31 - 1, 500)])
def test_a_page_holds_what_is_asked_for_fifty_by_default_and_five_hundred_at_most(asked: int, size: int) -> None:
    assert page_size(asked) == size
