"""A commit may take its time on PostgreSQL: no cursor passes over what it tells."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.conformance.store.making import stored_session
from tests.conformance.store.test_several_writers import hint, log, several, tell_of
from tests.stage.postgres import PostgresServer
from tests.stage.waiting import eventually

SLOW_COMMITS: Final = """
    CREATE SEQUENCE slow_commits;
    CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.session_id = 'sales' THEN PERFORM nextval('slow_commits'), pg_sleep(0.5); END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER takes_time AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION take_time();
"""


async def test_what_is_committed_slowly_is_passed_over_by_nothing_that_came_later(
    postgres: PostgresServer, postgres_url: str
) -> None:
    beside = await postgres.connect(postgres_url)
    try:
        async with several(postgres_url, 2) as (slow, quick):
            sales, desk = await stored_session(slow, "sales"), await stored_session(slow, "desk")
            await beside.execute(SLOW_COMMITS)

            async def commits() -> bool:
                return bool(await beside.fetchval("SELECT is_called FROM slow_commits"))

            slowly = asyncio.create_task(slow.write(lambda unit: tell_of(unit, "sales"), hint(sales)))
            await eventually(commits)
            await quick.write(lambda unit: tell_of(unit, "desk"), hint(desk))
            assert [one.session_id for one in await log(quick)] == ["sales", "desk"]
            await slowly
    finally:
        await beside.close()
