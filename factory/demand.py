"""Which chunks a sample needs: they are added one after the other until there are events enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from factory import recipes
from factory.chunks import Chunk, Table
from labcourse.errors import SimulationError

FEWEST_CHUNKS = 20
TOO_MANY = 10
"""A sample that needs so many times the chunks that its recipe foresees does not simulate what it should."""


@dataclass
class Demand:
    """The events of one process for one purpose: the first ``wanted`` of its chunks, in the order of their index.

    ``first`` is the chunk of index 0; ``count`` says how many of a chunk's events count.
    """

    first: Chunk
    wanted: int
    count: Callable[[Chunk, Table], int]
    counts: dict[int, int] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)

    def add(self, chunk: Chunk, table: Table, seconds: float | None = None) -> None:
        """Take note of a finished chunk, and how long it took if it was made just now."""
        self.counts[chunk.index] = self.count(chunk, table)
        self.running.discard(chunk.index)
        if seconds is not None:
            self.seconds.append(seconds)

    def next(self) -> Chunk | None:
        """Return the next chunk to make; None if those that are done and under way promise enough.

        Raises
        ------
        SimulationError
            If hardly any event passes the selection.
        """
        index, promised = 0, 0.0
        while promised < self.wanted:
            if index not in self.counts and index not in self.running:
                self._check(index)
                return self.first.at(index)
            promised += self.counts.get(index, self.a_chunk)
            index += 1
        return None

    @property
    def chunks(self) -> list[Chunk] | None:
        """The chunks that hold the wanted events, or None as long as one of them is missing."""
        index = total = 0
        while total < self.wanted:
            if index not in self.counts:
                return None
            total += self.counts[index]
            index += 1
        return [self.first.at(i) for i in range(index)]

    @property
    def a_chunk(self) -> float:
        """How many events of a chunk count: as found, else as the recipe foresees."""
        found = float(np.mean(list(self.counts.values()))) if self.counts else self._foreseen
        return max(found, 1e-3)

    @property
    def _foreseen(self) -> float:
        return recipes.get(self.first.sample).efficiency * self.first.events

    @property
    def work_left(self) -> float:
        """Seconds of one core that the missing chunks will take."""
        done = sum(self.counts.values())
        a_chunk = np.mean(self.seconds) if self.seconds else recipes.get(self.first.sample).cost * self._foreseen / 1e3
        return float(np.ceil(max(self.wanted - done, 0) / self.a_chunk) * a_chunk)

    def _check(self, index: int) -> None:
        if index > FEWEST_CHUNKS + TOO_MANY * self.wanted / self._foreseen:
            raise SimulationError(
                f"{self.first.sample}: hardly any event passes the selection.",
                where=f"{sum(self.counts.values())} of {index * self.first.events} generated events",
                next_step="Look at the settings of its recipe (factory.recipes).",
            )
