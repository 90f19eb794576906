"""The figures of all API processes of one `bmn serve`, told by whichever of them is asked.

Each puts its own into a file every few seconds; each series says in a label which process it is of, so that Prometheus
sees where one began again at nothing.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bmn.settings.running import ProcessPlace

_PUT_SECONDS = 5.0  # figures are said to be ten seconds old at most


class Siblings(Collector):
    """own: this process's figures, without the label. place: has a folder, and so others beside it."""

    def __init__(self, own: CollectorRegistry, place: ProcessPlace) -> None:
        assert place.figures is not None
        self._own = own
        self._place = place
        self._folder = place.figures

    def collect(self) -> Iterator[Metric]:
        """The figures of all, this process's as they are now."""
        found: dict[str, Metric] = {}
        for number in range(1, self._place.of + 1):
            for family in self._of(number):
                whole = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    whole.samples.append(sample._replace(labels={**sample.labels, "process": str(number)}))
        yield from found.values()

    def _of(self, number: int) -> Iterator[Metric]:
        if number == self._place.number:
            yield from self._own.collect()
            return
        with contextlib.suppress(FileNotFoundError):  # it has not begun yet
            yield from text_string_to_metric_families(self._file(number).read_text())

    def put(self) -> None:
        """Writes this process's figures for the others, whole or not at all."""
        file = self._file(self._place.number)
        half = file.with_suffix(".half")
        half.write_bytes(generate_latest(self._own))
        half.replace(file)

    async def run(self) -> None:
        """Does so every few seconds."""
        while True:
            await asyncio.to_thread(self.put)
            await asyncio.sleep(_PUT_SECONDS)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.prom"
