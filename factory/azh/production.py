"""All events of the search: chunks, then one Parquet file and a manifest; a killed run goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh.events import FILE, LUMINOSITY, MEASURED, SIGNAL_CROSS_SECTION
from factory import bundle, campaign, generator
from factory.azh import assembly
from factory.azh.generation import SEARCH, make_chunk
from factory.azh.processes import APPROXIMATIONS, PROCESSES, Process
from factory.chunks import Chunk, fingerprint
from factory.store import Store
from labcourse.files import atomic_write, sha256

if TYPE_CHECKING:
    import pandas as pd


def simulate(out: Path | str, *, scale: float = 1.0, seed: int, **options: Any) -> Path:
    """Simulate the events of the search into a folder, and return its manifest's path.

    Parameters
    ----------
    scale : float
        Number of events relative to the bundle's; expected yields stay the same. At least one chunk per sample is
        made (together a twentieth of the bundle).
    out, seed, options
        As in `factory.simulate`, and the errors as well.
    """
    campaign.check(PROCESSES, scale, seed, options.get("workers"))
    demands = {
        process.name: campaign.Demand(
            Chunk(process.name, 0, seed, SEARCH, process.chunk),
            wanted=max(round(scale * process.events / process.chunk), 1),
            foreseen=1,
            cost=process.chunk * process.cost,
            count=lambda *_: 1,
        )
        for process in PROCESSES.values()
    }

    def finish(folder: Path, store: Store) -> None:
        made = {name: [(chunk, store.load(chunk)) for chunk in demand.chunks] for name, demand in demands.items()}
        write(assembly.assemble(made, seed=seed), folder, seed=seed, scale=scale)

    return campaign.run(out, make_chunk, list(demands.values()), [FILE], finish, scale=scale, seed=seed, **options)


def write(events: pd.DataFrame, folder: Path, *, seed: int, scale: float) -> Path:
    """Write events and manifest, each whole or not at all; return the manifest's path. Raises StorageError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = pa.Table.from_pandas(events, preserve_index=False).replace_schema_metadata(None)
    # Bytes of equal significance side by side compress best; the process and the masses are few different values.
    encodings = dict.fromkeys((*MEASURED, "weight"), "BYTE_STREAM_SPLIT") | {"event": "DELTA_BINARY_PACKED"}
    atomic_write(
        folder / FILE,
        lambda temporary: pq.write_table(
            columns,
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=["process", "m_a_true", "run"],
            column_encoding=encodings,
        ),
    )
    return bundle.write_about(
        folder,
        "Events simulated for this course after the selection of the search for A → Zh → ℓℓbb.",
        f"--search azh --seed {seed} --scale {scale:g}",
        writer="pyarrow",
        file=FILE,
        size=(folder / FILE).stat().st_size,
        sha256=sha256(folder / FILE),
        luminosity=LUMINOSITY,
        signal_cross_section=SIGNAL_CROSS_SECTION,
        seed=seed,
        scale=scale,
        code=fingerprint(),
        approximations=APPROXIMATIONS,
        samples=[_made(process, events[events["run"] == process.number]) for process in PROCESSES.values()],
    )


def _made(process: Process, rows: pd.DataFrame) -> dict[str, Any]:
    weight = rows["weight"].to_numpy(np.float64)
    return {
        "sample": process.name,
        "run": process.number,
        "rows": len(rows),
        "events": int(rows["event"].nunique()),
        "expected": round(float(weight.sum()), 3),
        "negative": int((weight < 0).sum()),
        "pythia": [*generator.COMMON, *process.settings],
    }
