"""The numbers of a gateway, as Prometheus would read them."""

from __future__ import annotations

import asyncio
import urllib.request
from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families

from tests.stage.waiting import SECONDS, eventually


class Numbers:
    """What /metrics shows."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def now(self) -> dict[str, float]:
        """Each number by its name, with its labels as in `name{value}`; what is not shown is 0."""
        text = await asyncio.to_thread(self._get)
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return defaultdict(float, {f"{sample.name}{_labels(sample.labels)}": sample.value for sample in samples})

    async def until(self, name: str, number: float, *, within: float = SECONDS) -> dict[str, float]:
        """All numbers, once one is as it should be."""

        async def shown() -> bool:
            return (await self.now())[name] == number

        await eventually(shown, within)
        return await self.now()

    def _get(self) -> str:
        with urllib.request.urlopen(self._url, timeout=5) as response:
            return str(response.read().decode())


def _labels(labels: dict[str, str]) -> str:
    return f"{{{','.join(labels.values())}}}" if labels else ""
