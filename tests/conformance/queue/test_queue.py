from __future__ import annotations

import asyncio
import time

import pytest

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.ports.queue import AnswerOverdue, NobodyAnswers, Queue

QUEUES = {"embedded": EmbeddedQueue}


@pytest.fixture(params=sorted(QUEUES))
def queue(request: pytest.FixtureRequest) -> Queue:
    """A queue with nobody on it."""
    return QUEUES[request.param]()


async def echo(question: bytes) -> bytes:
    return b"re: " + question


async def test_everyone_who_listens_hears_a_bell(queue: Queue) -> None:
    with queue.listen("a", "b") as one, queue.listen("b") as two:
        queue.ring("b", "c")
        assert await one.heard(5)
        assert await two.heard(5)


async def test_a_bell_is_heard_by_those_who_listen_to_it_alone(queue: Queue) -> None:
    with queue.listen("a") as ears:
        queue.ring("b")
        assert not await ears.heard(0.01)


async def test_a_bell_that_rang_before_is_heard_once(queue: Queue) -> None:
    with queue.listen("a") as ears:
        queue.ring("a")
        queue.ring("a")
        assert await ears.heard(5)
        assert not await ears.heard(0)


async def test_a_bell_wakes_who_waits_for_it(queue: Queue) -> None:
    with queue.listen("a") as ears:
        waiting = asyncio.create_task(ears.heard(5))
        await asyncio.sleep(0)
        queue.ring("a")
        assert await waiting


async def test_a_bell_from_before_is_not_heard(queue: Queue) -> None:
    queue.ring("a")
    with queue.listen("a") as ears:
        assert not await ears.heard(0)


async def test_a_question_is_answered(queue: Queue) -> None:
    async with queue.serve("owner", echo):
        assert await queue.ask("owner", b"hello", timeout=5) == b"re: hello"


async def test_a_question_to_nobody_is_refused(queue: Queue) -> None:
    with pytest.raises(NobodyAnswers):
        await queue.ask("owner", b"hello", timeout=5)
    async with queue.serve("owner", echo):
        pass
    with pytest.raises(NobodyAnswers):
        await queue.ask("owner", b"hello", timeout=5)


async def test_an_answer_that_does_not_come_in_time_is_overdue_and_goes_on(queue: Queue) -> None:
    let_go, done = asyncio.Event(), asyncio.Event()

    async def slow(question: bytes) -> bytes:
        await let_go.wait()
        done.set()
        return question

    async with queue.serve("owner", slow):
        with pytest.raises(AnswerOverdue):
            await queue.ask("owner", b"hello", timeout=0.01)
        let_go.set()
        async with asyncio.timeout(5):
            await done.wait()


async def test_questions_are_answered_several_at_a_time(queue: Queue) -> None:
    both = asyncio.Barrier(2)

    async def meet(question: bytes) -> bytes:
        await both.wait()
        return question

    async with queue.serve("owner", meet):
        answers = await asyncio.gather(queue.ask("owner", b"1", timeout=5), queue.ask("owner", b"2", timeout=5))
    assert list(answers) == [b"1", b"2"]


async def test_a_second_server_takes_over_and_outlives_the_first(queue: Queue) -> None:
    async def second(_question: bytes) -> bytes:
        return b"second"

    first_context = queue.serve("owner", echo)
    await first_context.__aenter__()
    async with queue.serve("owner", second):
        assert await queue.ask("owner", b"", timeout=5) == b"second"
        await first_context.__aexit__(None, None, None)
        assert await queue.ask("owner", b"", timeout=5) == b"second"


async def test_answers_under_way_are_cancelled_at_the_end(queue: Queue) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def never(_question: bytes) -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    async with queue.serve("owner", never):
        asking = asyncio.create_task(queue.ask("owner", b"", timeout=60))
        await begun.wait()
    assert cancelled.is_set()
    began = time.monotonic()
    with pytest.raises(AnswerOverdue):
        await asking
    assert time.monotonic() - began < 5


async def test_an_asker_that_is_cancelled_does_not_stop_the_answer(queue: Queue) -> None:
    begun, let_go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(question: bytes) -> bytes:
        begun.set()
        await let_go.wait()
        done.set()
        return question

    async with queue.serve("owner", slow):
        asking = asyncio.create_task(queue.ask("owner", b"", timeout=60))
        await begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        let_go.set()
        async with asyncio.timeout(5):
            await done.wait()
