"""A line lives by its lease, and by what its provider leans on; its end is heard at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import stamina

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import LineState, Outgoing, Sent
from gateway.ports.provider import Line, LineDown, LineGone
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import Operator, new_lease, operating, take
from tests.conformance.provider.whatsapp import Contact
from wagate.v1 import content_pb2

HELLO = content_pb2.Content(text=content_pb2.Text(text="hello"))


def after(lease: Lease) -> Lease:
    """The lease of the next owner."""
    return Lease(lease.tenant_id, lease.session_uid, "another", lease.fence + 1)


async def write(world: World, line: Line, to: Contact) -> object:
    message = Outgoing(world.provider.new_message_id(), Names(phone_number=to.phone_number), HELLO)
    return await line.send(message, timeout=10)


async def test_a_lease_that_has_run_out_opens_nothing(world: World) -> None:
    with pytest.raises(LineDown):
        await take(world.provider, new_lease(), remaining=timedelta(0))


async def test_a_lease_that_runs_out_ends_the_line_and_nothing_is_written_any_more(world: World, shop: Shop) -> None:
    ada, line = await world.whatsapp.person("Ada"), shop.operator.line
    assert isinstance(await write(world, line, ada), Sent)
    await line.renew(timedelta(milliseconds=300))
    await shop.operator.gone()
    with pytest.raises(LineGone):
        await write(world, line, ada)
    with pytest.raises(LineGone):
        await line.renew(timedelta(seconds=10))


async def test_a_lease_that_is_renewed_does_not_run_out(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.renew(timedelta(milliseconds=600))
        await shop.line.renew(timedelta(minutes=1))
        going = asyncio.create_task(shop.gone())
        done, _ = await asyncio.wait({going}, timeout=0.9)
        assert not done
        await shop.line.close()
        await going


async def test_the_next_owner_takes_a_session_over_and_the_one_before_writes_no_more(world: World, shop: Shop) -> None:
    ada, old = await world.whatsapp.person("Ada"), shop.operator
    shop.operator = new = await take(world.provider, after(old.lease))
    for call in (old.line.renew(timedelta(minutes=1)), old.line.start_pairing("a_1", ""), write(world, old.line, ada)):
        with pytest.raises(LineGone):
            await call
    await old.gone()
    await old.line.close()
    await new.until(LineState.CONNECTED)
    await new.line.renew(timedelta(minutes=1))
    assert isinstance(await write(world, new.line, ada), Sent)


async def test_an_owner_of_earlier_opens_nothing_and_disturbs_nobody(world: World) -> None:
    lease = new_lease()
    async with operating(world.provider, after(lease)) as new:
        await new.until(LineState.UNLINKED)
        with pytest.raises(LineDown):
            await take(world.provider, lease)
        await new.line.renew(timedelta(minutes=1))


async def test_a_crash_ends_all_lines_at_once_and_they_are_opened_again(world: World, shop: Shop) -> None:
    async with operating(world.provider) as other:
        await world.whatsapp.crash()
        async with asyncio.timeout(5):
            await shop.operator.gone()
            await other.gone()
    again = shop.operator = await opened_again(world, shop.operator.lease)
    assert again.line.device is not None
    await again.until(LineState.CONNECTED)
    assert world.provider.health().serving


@stamina.retry(on=LineDown, attempts=None, timeout=15, wait_initial=0.05, wait_max=0.2)
async def opened_again(world: World, lease: Lease) -> Operator:
    """Open a line as soon as that can be done."""
    return await take(world.provider, lease)
