"""Addresses to listen on: read, refused, and told apart by who can reach them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings.listening import is_loopback, split_address

HOSTS = ("127.0.0.1", "[::1]", "localhost", "0.0.0.0", "[::]", "example.org", "127.0.0.1.example.org", "", "[", "::1%1")
NEARLY = st.one_of(
    st.text(max_size=30),
    st.builds("{}:{}".format, st.sampled_from(HOSTS), st.from_regex(r"[0-9٣+-]{0,7}", fullmatch=True)),
)


@given(NEARLY)
def test_whatever_is_written_is_an_address_with_a_port_or_refused_as_none(text: str) -> None:
    try:
        host, port = split_address(text)
    except ValueError:
        return
    assert host or text.startswith("[")
    assert 0 <= port <= 65535


@given(NEARLY)
def test_only_what_this_machine_alone_can_reach_is_loopback(text: str) -> None:
    if is_loopback(text):
        assert text.startswith("unix:") or split_address(text)[0].startswith(("127.", "::1", "localhost"))


@pytest.mark.parametrize("text", ["127.9.9.9:1", "[::1]:1", "localhost:0", "unix:/tmp/s"])
def test_loopback_is_known_by_each_of_its_names(text: str) -> None:
    assert is_loopback(text)
