"""Chunks on two workers against one."""

from __future__ import annotations

from benchmarks.made_up import Sizes
from benchmarks.timing import Result, seconds

N_CHUNKS = 6


def run(sizes: Sizes) -> dict[str, Result]:
    """Time the same chunks on both; starting the processes is not counted."""
    from factory import Chunk, generator, simulate_chunk
    from factory.workers import connect

    generator.version()

    def on(number: int) -> list[float]:
        def make(first: int, chunks: int, events: int) -> None:
            wanted = [Chunk("ggH125_ZZ4lep", first + i, 1, events=events) for i in range(chunks)]
            assert len(list(executor.map(simulate_chunk, wanted))) == chunks

        with connect(number=number) as executor:
            make(1000, 4 * number, 50)  # imports
            return [seconds(lambda: make(0, N_CHUNKS, sizes.generated)) for _ in range(sizes.rounds)]

    return {"workers": Result.of(on(2), on(1), note=f"{N_CHUNKS} chunks on two workers; plain: on one")}
