"""A house whose parts fail when they are told to, with an owner at work in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from gateway.domain.leases import Lease
from gateway.ports.provider import Providers
from gateway.workers.owner_tools import OwnerTools
from tests.stage.faulty.provider import FaultyProvider
from tests.stage.faulty.queue import FaultyQueue
from tests.stage.faulty.store import FaultyStore
from tests.unit.services.house import House
from tests.unit.workers.crew import another_owner_takes, connected, tools_of
from tests.unit.workers.scripted_provider import ScriptedLine


@dataclass
class FaultyHouse:
    """`calm` is the house without faults, through which a test looks; `busy` is the one in which services work."""

    calm: House
    store: FaultyStore = field(init=False)
    queue: FaultyQueue = field(init=False)
    provider: FaultyProvider = field(init=False)
    busy: House = field(init=False)

    def __post_init__(self) -> None:
        self.store = FaultyStore(self.calm.store)
        self.queue = FaultyQueue(self.calm.queue)
        self.provider = FaultyProvider(self.calm.provider)
        self.busy = replace(self.calm, store=self.store)

    def tools(self) -> OwnerTools:
        """What owners work with."""
        providers = Providers({self.provider.name: self.provider}, self.provider.name)
        return replace(tools_of(self.busy), providers=providers, queue=self.queue)

    @asynccontextmanager
    async def connected(self, lease: Lease) -> AsyncIterator[ScriptedLine]:
        """An owner at work on a session whose line is up."""
        async with connected(self.calm, lease, self.tools()) as line:
            yield line

    async def come_up_again(self, number: int) -> ScriptedLine:
        """The line of this number, up once the owner has opened it."""
        line = await self.calm.provider.line(number)
        await line.come_up()
        return line

    @asynccontextmanager
    async def taken_over(self, lease: Lease) -> AsyncIterator[ScriptedLine]:
        """Another owner at work on a session that was another's."""
        async with self.connected(await another_owner_takes(self.calm, lease)) as line:
            yield line

    def copies(self) -> list[str]:
        """Which texts were handed over, in order."""
        return self.calm.provider.texts()

    def provider_ids(self) -> set[str]:
        """Under which ids messages were handed over."""
        return {message.provider_message_id for message in self.calm.provider.handed}
