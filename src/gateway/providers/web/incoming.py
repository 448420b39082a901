"""Incoming: a fact, and the say of whoever stores it."""

from dataclasses import dataclass

from gateway.domain.lines import Fact
from gateway.providers.web.switchboard import Switchboard
from wagate.engine.v1 import item_pb2


@dataclass(slots=True)
class Told:
    """One thing that the engine told. What is said of it is on its way when the call returns; an engine that is gone by
    then has told WhatsApp nothing, and WhatsApp tells it again.
    """

    fact: Fact
    item: item_pb2.Item
    switchboard: Switchboard

    async def settle(self) -> None:
        self.switchboard.settle(self.item)

    async def refuse(self) -> None:
        self.switchboard.settle(self.item, refused=True)
