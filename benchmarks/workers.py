"""Chunks on two workers against one."""

from __future__ import annotations

from benchmarks.made_up import Sizes
from benchmarks.timing import Result, seconds

N_CHUNKS = 6


def run(sizes: Sizes) -> dict[str, Result]:
    """Time the same chunks on both; starting the processes is not counted."""
    from factory import Chunk, cluster, generator, simulate_chunk

    generator.version()

    def on(workers: int) -> list[float]:
        def make(first: int, number: int, events: int) -> None:
            chunks = (Chunk("ggH125_ZZ4lep", first + i, 1, events=events) for i in range(number))
            made = cluster.run(client, simulate_chunk, lambda: next(chunks, None))
            assert len(list(made)) == number

        with cluster.connect(workers=workers) as client:
            make(1000, 2 * workers, 50)  # imports
            return [seconds(lambda: make(0, N_CHUNKS, sizes.generated)) for _ in range(sizes.rounds)]

    return {"workers": Result.of(on(2), on(1), note=f"{N_CHUNKS} chunks on two workers; plain: on one")}
