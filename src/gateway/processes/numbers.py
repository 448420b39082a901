"""The numbers of several processes at one address: each series with the number of the process that counted it."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_PATIENCE: Final = 2.0
_DIRECTLY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GatheredNumbers(Collector):
    """Asks all processes for their numbers whenever it is asked. One that does not answer within 2 s is left out, as
    Prometheus knows from its series' absence.
    """

    def __init__(self, addresses: Callable[[], Mapping[int, str]]) -> None:
        self._addresses = addresses

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is, is known only when it is asked for."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All numbers of all processes, under a label `process`."""
        families: dict[str, Metric] = {}
        for number, address in sorted(self._addresses().items()):
            for family in _numbers_of(address):
                gathered = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    gathered.samples.append(sample._replace(labels={**sample.labels, "process": str(number)}))
        return families.values()


def _numbers_of(address: str) -> Iterator[Metric]:
    try:
        with _DIRECTLY.open(f"http://{address}/metrics", timeout=_PATIENCE) as answer:
            yield from text_string_to_metric_families(answer.read().decode())
    except OSError:
        return
