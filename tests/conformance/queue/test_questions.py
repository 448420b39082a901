from __future__ import annotations

import asyncio
import time

import pytest

from gateway.ports.queue import LONGEST_LETTER, AnswerOverdue, LetterTooLong, NobodyAnswers
from tests.conformance.queue.houses import House


async def echo(question: bytes) -> bytes:
    return b"re: " + question


class Slow:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go, self.done, self.cancelled = (asyncio.Event() for _ in range(4))

    async def answer(self, question: bytes) -> bytes:
        self.begun.set()
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.done.set()
        return question


async def test_a_question_is_answered(house: House) -> None:
    async with house.there.serve("owner", echo):
        assert await house.here.ask("owner", b"hello", timeout=5) == b"re: hello"


async def test_a_question_within_a_process_is_answered(house: House) -> None:
    async with house.here.serve("owner", echo):
        assert await house.here.ask("owner", b"hello", timeout=5) == b"re: hello"


async def test_any_bytes_are_asked_and_answered(house: House) -> None:
    question = bytes(range(256)) * 1000
    async with house.there.serve("owner", echo):
        assert await house.here.ask("owner", question, timeout=10) == b"re: " + question
        assert await house.here.ask("owner", b"", timeout=5) == b"re: "


async def test_a_question_to_nobody_is_refused(house: House) -> None:
    with pytest.raises(NobodyAnswers):
        await house.here.ask("owner", b"hello", timeout=5)
    async with house.there.serve("owner", echo):
        pass
    with pytest.raises(NobodyAnswers):
        await house.here.ask("owner", b"hello", timeout=5)


async def test_a_question_that_is_too_long_is_refused(house: House) -> None:
    async with house.there.serve("owner", echo):
        with pytest.raises(LetterTooLong):
            await house.here.ask("owner", b"x" * (LONGEST_LETTER + 1), timeout=5)


async def test_an_answer_that_is_too_long_is_none(house: House) -> None:
    async def verbose(_question: bytes) -> bytes:
        return b"x" * (LONGEST_LETTER + 1)

    async with house.there.serve("owner", verbose):
        with pytest.raises(AnswerOverdue):
            await house.here.ask("owner", b"", timeout=5)


async def test_an_answer_that_does_not_come_in_time_is_overdue_and_goes_on(house: House) -> None:
    slow = Slow()
    async with house.there.serve("owner", slow.answer):
        with pytest.raises(AnswerOverdue):
            await house.here.ask("owner", b"hello", timeout=1)
        assert slow.begun.is_set()
        slow.let_go.set()
        async with asyncio.timeout(5):
            await slow.done.wait()


async def test_questions_are_answered_several_at_a_time(house: House) -> None:
    both = asyncio.Barrier(2)

    async def meet(question: bytes) -> bytes:
        await both.wait()
        return question

    async with house.there.serve("owner", meet):
        asked = (house.here.ask("owner", question, timeout=5) for question in (b"1", b"2"))
        assert await asyncio.gather(*asked) == [b"1", b"2"]


async def test_a_second_server_takes_over_and_outlives_the_first(house: House) -> None:
    async def second(_question: bytes) -> bytes:
        return b"second"

    first_context = house.here.serve("owner", echo)
    await first_context.__aenter__()
    async with house.there.serve("owner", second):
        assert await house.here.ask("owner", b"", timeout=5) == b"second"
        await first_context.__aexit__(None, None, None)
        assert await house.here.ask("owner", b"", timeout=5) == b"second"


async def test_answers_under_way_are_cancelled_at_the_end(house: House) -> None:
    slow = Slow()
    async with house.there.serve("owner", slow.answer):
        asking = asyncio.create_task(house.here.ask("owner", b"", timeout=60))
        await slow.begun.wait()
    assert slow.cancelled.is_set()
    began = time.monotonic()
    with pytest.raises(AnswerOverdue):
        await asking
    assert time.monotonic() - began < 5


async def test_an_asker_that_is_cancelled_does_not_stop_the_answer(house: House) -> None:
    slow = Slow()
    async with house.there.serve("owner", slow.answer):
        asking = asyncio.create_task(house.here.ask("owner", b"", timeout=60))
        await slow.begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        slow.let_go.set()
        async with asyncio.timeout(5):
            await slow.done.wait()


async def test_askers_that_are_cancelled_leave_no_answer_to_others(house: House) -> None:
    async with house.there.serve("owner", echo):
        for number in range(20):
            asking = asyncio.create_task(house.here.ask("owner", b"no", timeout=5))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            asking.cancel()
        numbers = [b"%d" % number for number in range(20)]
        answers = await asyncio.gather(*(house.here.ask("owner", number, timeout=5) for number in numbers))
    assert answers == [b"re: " + number for number in numbers]
