from __future__ import annotations

import asyncio

import pytest

from gateway.domain.errors import TooManyWatchers
from gateway.domain.pairing import MOST_WATCHERS
from gateway.workers.pairing_attempt import PairingAttempt
from tests.stage.waiting import SECONDS
from wagate.v1 import error_reason_pb2, identity_pb2
from wagate.v1 import pairing_service_pb2 as pb


def code(text: str) -> pb.PairSessionResponse:
    return pb.PairSessionResponse(code=pb.PairingCode(text=text))


def texts(frames: list[pb.PairSessionResponse]) -> list[str]:
    return [frame.code.text for frame in frames]


async def test_whoever_has_frames_gets_those_that_follow_and_whoever_has_none_the_current_one() -> None:
    attempt = PairingAttempt("a_1", "")
    for text in ("one", "two", "three"):
        await attempt.show(code(text))
    for number, expected in ((0, ["three"]), (1, ["two", "three"]), (2, ["three"])):
        frames, last = await attempt.after(number, SECONDS)
        assert (texts(frames), last) == (expected, 3)
    assert {frame.attempt_id for frame in attempt.frames} == {"a_1"}


async def test_a_wait_ends_with_the_next_frame_or_with_its_time() -> None:
    attempt = PairingAttempt("a_1", "")
    assert await attempt.after(0, 0.01) == ([], 0)
    assert await attempt.after(0, -1) == ([], 0)
    waiting = [asyncio.create_task(attempt.after(0, SECONDS)) for _ in range(3)]
    await asyncio.sleep(0)
    await attempt.show(code("one"))
    for frames, last in await asyncio.gather(*waiting):
        assert (texts(frames), last) == (["one"], 1)


async def test_eight_watch_and_one_of_them_may_come_again() -> None:
    attempt = PairingAttempt("a_1", "")
    for number in range(MOST_WATCHERS):
        attempt.watch(f"w_{number}")
    with pytest.raises(TooManyWatchers):
        attempt.watch("w_late")
    attempt.watch("w_0")


async def test_an_attempt_ends_with_connected_or_failed_and_nothing_else() -> None:
    attempt = PairingAttempt("a_1", "")
    assert not attempt.is_ended
    for frame, ended in (
        (code("one"), False),
        (pb.PairSessionResponse(passkey=pb.PasskeyChallenge()), False),
        (pb.PairSessionResponse(linked=identity_pb2.Identity()), False),
        (pb.PairSessionResponse(connected=identity_pb2.Identity()), True),
        (pb.PairSessionResponse(failed=error_reason_pb2.Failure()), True),
    ):
        await attempt.show(frame)
        assert attempt.is_ended == ended
        assert attempt.current is frame
