import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cursors import Signer
from gateway.domain.errors import CursorInvalid, PageTokenInvalid

SIGNER = Signer(b"the secret of this installation", "log-1")
FOREIGN = [Signer(b"another secret", "log-1"), Signer(b"the secret of this installation", "log-2")]
POSITIONS = st.integers(0, 2**63 - 1)


@given(POSITIONS, st.text(max_size=20))
def test_a_cursor_stands_for_its_position(position: int, tenant_id: str) -> None:
    assert SIGNER.position(tenant_id, SIGNER.cursor(tenant_id, position)) == position


@given(POSITIONS)
def test_a_cursor_of_another_tenant_log_or_secret_is_refused(position: int) -> None:
    for cursor in (SIGNER.cursor("other", position), *(signer.cursor("default", position) for signer in FOREIGN)):
        with pytest.raises(CursorInvalid):
            SIGNER.position("default", cursor)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_was_not_made_here_is_refused(garbage: str) -> None:
    with pytest.raises(CursorInvalid) as caught:
        SIGNER.position("default", garbage, field="after_cursor")
    assert caught.value.field == "after_cursor"
    if garbage:
        with pytest.raises(PageTokenInvalid):
            SIGNER.page_after("default", "ListMessages:0", garbage)


@given(POSITIONS, st.integers(0, 16), st.integers(1, 255))
def test_a_cursor_with_one_byte_changed_is_refused(position: int, place: int, by: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(SIGNER.cursor("default", position) + "="))
    raw[place] ^= by
    with pytest.raises(CursorInvalid):
        SIGNER.position("default", base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


@given(st.text(max_size=80).filter(bool), st.text(max_size=40))
def test_a_page_token_stands_for_where_its_page_begins(after: str, listing: str) -> None:
    assert SIGNER.page_after("default", listing, SIGNER.page_token("default", listing, after)) == after


@given(st.text(max_size=40))
def test_a_page_token_of_another_tenant_listing_or_secret_is_refused(after: str) -> None:
    tokens = [
        SIGNER.page_token("other", "ListMessages:0", after),
        SIGNER.page_token("default", "ListMessages:1", after),
        SIGNER.page_token("default", "ListSessions:0", after),
        *(signer.page_token("default", "ListMessages:0", after) for signer in FOREIGN),
    ]
    for token in tokens:
        with pytest.raises(PageTokenInvalid):
            SIGNER.page_after("default", "ListMessages:0", token)


def test_no_token_means_the_first_page() -> None:
    assert SIGNER.page_after("default", "ListMessages:0", "") == ""


@given(POSITIONS)
def test_a_cursor_is_no_page_token_and_a_page_token_no_cursor(position: int) -> None:
    with pytest.raises(PageTokenInvalid):
        SIGNER.page_after("default", "ListMessages:0", SIGNER.cursor("default", position))
    with pytest.raises(CursorInvalid):
        SIGNER.position("default", SIGNER.page_token("default", "ListMessages:0", str(position)))
