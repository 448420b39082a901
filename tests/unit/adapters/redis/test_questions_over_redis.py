from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.adapters.sql.store import SqlStore
from gateway.ports.queue import AnswerOverdue, NobodyAnswers
from tests.stage.redis import RedisServer
from tests.stage.waiting import eventually
from tests.unit.adapters.redis.processes import KEYS, Process, database_in, echo, process_on


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with database_in(tmp_path) as opened:
        yield opened


async def answered(asker: Process, name: str = "owner") -> bool:
    try:
        return await asker.queue.ask(name, b"well?", timeout=5) == b"well?"
    except (NobodyAnswers, AnswerOverdue):
        return False


async def test_questions_are_answered_while_redis_is_away(redis: RedisServer, store: SqlStore) -> None:
    async with process_on(redis, store) as one, process_on(redis, store) as two, two.queue.serve("owner", echo):
        await redis.kill()
        await one.down()
        assert await one.queue.ask("owner", b"a", timeout=10) == b"a"
        with pytest.raises(NobodyAnswers):
            await one.queue.ask("nobody", b"a", timeout=10)
        async with two.queue.serve("later", echo):
            assert await one.queue.ask("later", b"b", timeout=10) == b"b"
            await redis.start()
            await one.up()
            await two.up()
            assert await one.queue.ask("later", b"c", timeout=10) == b"c"


async def test_no_question_is_refused_because_redis_forgot_everything(redis: RedisServer, store: SqlStore) -> None:
    async with process_on(redis, store) as one, process_on(redis, store) as two, two.queue.serve("owner", echo):
        for _ in range(3):
            await redis.flush()
            assert await one.queue.ask("owner", b"a", timeout=10) == b"a"


async def test_questions_are_answered_over_redis_again_once_names_were_told_anew(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two, two.queue.serve("owner", echo):
        await redis.flush()
        await eventually(lambda: answered(one))


async def test_a_question_to_a_process_that_hangs_is_overdue_at_its_deadline(redis: RedisServer) -> None:
    async with process_on(redis) as one:
        async with redis.client() as client:
            await client.set(KEYS.server("owner"), "1 ghost")
            await client.set(KEYS.presence("ghost"), "1")
        began = asyncio.get_running_loop().time()
        with pytest.raises(AnswerOverdue):
            await one.queue.ask("owner", b"a", timeout=1)
        assert asyncio.get_running_loop().time() - began < 2


async def test_a_question_to_a_process_that_is_gone_reaches_nobody(redis: RedisServer) -> None:
    async with process_on(redis) as one:
        async with redis.client() as client:
            await client.set(KEYS.server("owner"), "1 ghost")
        with pytest.raises(NobodyAnswers):
            await one.queue.ask("owner", b"a", timeout=5)


async def test_a_server_that_comes_later_takes_over_even_from_one_whose_clock_is_ahead(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        async with redis.client() as client:
            await client.set(KEYS.server("owner"), "9000000000000000 ghost")
            await client.set(KEYS.presence("ghost"), "1")
        async with two.queue.serve("owner", echo):
            assert await answered(one)


async def test_a_server_that_was_overtaken_does_not_take_its_name_back(redis: RedisServer) -> None:
    async def second(_question: bytes) -> bytes:
        return b"second"

    async with process_on(redis) as one, process_on(redis) as two:

        async def second_answers() -> bool:
            try:
                return await one.queue.ask("owner", b"", timeout=5) == b"second"
            except NobodyAnswers:
                return False

        async with one.queue.serve("owner", echo), two.queue.serve("owner", second):
            await redis.flush()
            await eventually(second_answers)
            await asyncio.sleep(2.5)  # both tell their names again meanwhile, in any order
            assert await second_answers()


async def test_a_name_that_redis_was_not_told_while_it_was_away_is_told_when_it_is_back(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        async with redis.client() as client:
            await client.persist(KEYS.presence(two.name))
        await redis.kill()
        await two.down()
        async with two.queue.serve("owner", echo):
            await redis.start()
            await two.up()
            await eventually(lambda: answered(one))


async def test_an_answer_is_told_when_redis_is_back(redis: RedisServer) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def slow(question: bytes) -> bytes:
        begun.set()
        await let_go.wait()
        return question

    async with process_on(redis) as one, process_on(redis) as two, two.queue.serve("owner", slow):
        asking = asyncio.create_task(one.queue.ask("owner", b"a", timeout=30))
        await begun.wait()
        await redis.kill()
        await two.down()
        let_go.set()
        await redis.start()
        assert await asking == b"a"


async def test_a_question_that_redis_may_have_been_told_is_overdue_at_its_deadline(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two, two.queue.serve("owner", echo):
        await redis.freeze()
        outcomes = await asyncio.gather(
            *(one.queue.ask("owner", b"a", timeout=3.5) for _ in range(5)), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} <= {AnswerOverdue, NobodyAnswers}
        redis.thaw()
        await eventually(lambda: answered(one))


async def test_inboxes_are_emptied_once_they_are_read(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two, two.queue.serve("owner", echo):
        for _ in range(20):
            assert await answered(one)
        async with redis.client() as client:

            async def are_empty() -> bool:
                return max([await client.xlen(KEYS.inbox(name)) for name in (one.name, two.name)]) <= 1

            await eventually(are_empty)
