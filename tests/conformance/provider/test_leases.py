"""A line lives by its lease, and by its engine; its end is heard at once."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest
import stamina

from gateway.domain.leases import Lease
from gateway.domain.lines import LineState
from gateway.ports.provider import LineDown, LineGone
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import Operator, new_lease, operating, take
from tests.stage.processes import engine_of


async def gone(operator: Operator) -> None:
    """Wait until the line says that it is gone."""
    with pytest.raises(LineGone):
        await operator.until(LineState.UNLINKED)


async def test_a_lease_that_runs_out_ends_the_line(world: World) -> None:
    shop = await take(world.provider, new_lease(), remaining=timedelta(milliseconds=300))
    await shop.until(LineState.UNLINKED)
    await gone(shop)
    with pytest.raises(LineGone):
        await shop.line.renew(timedelta(seconds=10))


async def test_a_lease_that_is_renewed_does_not_run_out(world: World) -> None:
    shop = await take(world.provider, new_lease(), remaining=timedelta(seconds=1))
    await shop.until(LineState.UNLINKED)
    await shop.line.renew(timedelta(minutes=1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await gone(shop)
    await shop.line.renew(timedelta(minutes=1))
    await shop.line.close()


async def test_the_next_owner_takes_a_session_over(world: World) -> None:
    old = await take(world.provider, new_lease())
    await old.until(LineState.UNLINKED)
    lease = Lease("default", old.lease.session_uid, "another", old.lease.fence + 1)
    async with operating(world.provider, lease) as new:
        with pytest.raises(LineGone):
            await old.line.renew(timedelta(minutes=1))
        with pytest.raises(LineGone):
            await old.line.start_pairing("a_1", "")
        await old.line.close()
        await new.line.renew(timedelta(minutes=1))


async def test_a_line_that_is_closed_is_gone(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.close()
        await gone(shop)


async def test_a_logout_forgets_the_link(world: World, shop: Shop) -> None:
    await shop.operator.line.logout()
    lease = shop.operator.lease
    await shop.operator.line.close()
    async with operating(world.provider, lease) as again:
        assert again.line.device is None
        await again.until(LineState.UNLINKED)


async def test_an_engine_that_is_killed_ends_all_lines_at_once_and_comes_back(world: World, shop: Shop) -> None:
    restarts = len(world.restarts)
    os.kill(engine_of(os.getpid()), signal.SIGKILL)
    began = asyncio.get_running_loop().time()
    await gone(shop.operator)
    assert asyncio.get_running_loop().time() - began < 1
    lease = shop.operator.lease
    again = await opened_again(world, lease)
    assert again.line.device is not None
    await again.until(LineState.CONNECTED)
    shop.operator = again
    assert len(world.restarts) == restarts + 1
    assert world.provider.health().serving


@stamina.retry(on=LineDown, attempts=None, timeout=15, wait_initial=0.05, wait_max=0.2)
async def opened_again(world: World, lease: Lease) -> Operator:
    """Open a line as soon as there is an engine for it."""
    return await take(world.provider, lease)
