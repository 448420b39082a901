"""Who may call what."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from google.rpc import error_details_pb2 as details

from gateway.domain.errors import KeyMissing
from gateway.transport.interceptors.access import Access
from gateway.transport.rpcs import Rpc
from tests.unit.transport.served import Served, refusal, serving

KEY = "a-key-for-tests-only"
BEARER = ("authorization", f"Bearer {KEY}")


async def outcome(served: Served, *metadata: tuple[str, str]) -> str:
    try:
        await served.get(metadata=metadata)
    except grpc.aio.AioRpcError:
        return (await refusal(served.get(metadata=metadata))).reason
    return "answered"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((), "KEY_MISSING"),
        ((("authorization", ""),), "KEY_MISSING"),
        ((("authorization", KEY),), "KEY_INVALID"),
        ((("authorization", f"Basic {KEY}"),), "KEY_INVALID"),
        ((("authorization", "Bearer "),), "KEY_INVALID"),
        ((("authorization", f"Bearer {KEY[:-1]}"),), "KEY_INVALID"),
        ((("authorization", f"Bearer {KEY}x"),), "KEY_INVALID"),
        ((BEARER,), "answered"),
        ((("authorization", f"bearer  {KEY} "),), "answered"),
    ],
)
async def test_a_key_is_asked_for(tmp_path: Path, metadata: tuple[tuple[str, str], ...], expected: str) -> None:
    async with serving(tmp_path, access={"key": KEY}) as served:
        assert await outcome(served, *metadata) == expected


async def test_a_key_in_a_file_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    async with serving(tmp_path, access={"key_file": str(tmp_path / "key")}) as served:
        assert await outcome(served) == "KEY_MISSING"
        assert await outcome(served, BEARER) == "answered"


async def test_a_scope_that_the_key_lacks_is_named(tmp_path: Path) -> None:
    async with serving(tmp_path, access={"key": KEY, "scopes": "messages:send"}) as served:
        refused = await refusal(served.get(metadata=(BEARER,)))
    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert dict(refused.detail(details.ErrorInfo).metadata) == {"scope": "messages:read"}


async def test_strangers_learn_nothing_of_their_request(tmp_path: Path) -> None:
    async with serving(tmp_path, access={"key": KEY}) as served:
        call = served.channel.unary_unary("/wagate.v1.MessageService/GetMessage")
        assert (await refusal(call(b"\xff"))).reason == "KEY_MISSING"


async def test_without_a_key_this_machine_is_served(tmp_path: Path) -> None:
    for listen in ("127.0.0.1:0", "[::1]:0", f"unix:{tmp_path}/near.sock"):
        if "::1" in listen and not socket.has_ipv6:
            continue
        async with serving(tmp_path, listen) as served:
            assert await outcome(served) == "answered"


@pytest.mark.parametrize("peer", ["ipv4:10.0.0.7:1234", "ipv6:[2001:db8::1]:1234", "ipv4:1127.0.0.1:1", "unknown", ""])
async def test_without_a_key_no_other_machine_is_served(peer: str) -> None:
    async def proceed(*_: object) -> None:
        raise AssertionError("let in")

    rpc = Rpc("/s/m", serve=proceed, streams=False, scope="messages:read")
    exchange = SimpleNamespace(context=SimpleNamespace(peer=lambda: peer), authorization="")
    with pytest.raises(KeyMissing):
        await Access("", ("*",)).around(rpc, proceed)(exchange)  # type: ignore[arg-type]
