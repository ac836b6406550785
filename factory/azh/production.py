"""All events of the search: chunks, then one Parquet file and a manifest; a killed run goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh.events import FILE, LUMINOSITY, MEASURED, SIGNAL_CROSS_SECTION
from factory import bundle, campaign, generator
from factory.azh import assembly
from factory.azh.generation import INDEPENDENT, SEARCH, TIMES, make_chunk
from factory.azh.processes import PROCESSES, Process
from factory.chunks import Chunk
from labcourse.files import atomic_write, sha256

if TYPE_CHECKING:
    import pandas as pd

INDEPENDENT_FILE = "independent.parquet"


def simulate(out: Path | str, *, scale: float = 1.0, seed: int, independent: bool = False, **options: Any) -> Path:
    """Simulate the events of the search into a folder, and return its manifest's path.

    Parameters
    ----------
    scale : float
        Number of events relative to the bundle's; expected yields stay the same. At least one chunk per sample is
        made (together a thirteenth of the bundle).
    independent : bool
        Make the backgrounds that pseudo-data are drawn from (`factory.azh.sealed`), four times as many: none of these
        events is among the others, whatever the seed.
    out, seed, options
        As in `factory.simulate`, and the errors as well.
    """
    purpose, file = (INDEPENDENT, INDEPENDENT_FILE) if independent else (SEARCH, FILE)
    demands = {
        name: campaign.Demand(
            Chunk(name, 0, seed, purpose, process.chunk),
            wanted=max(round(scale * (TIMES if independent else 1) * process.events / process.chunk), 1),
            count=lambda *_: 1,
        )
        for name, process in PROCESSES.items()
        if not (independent and process.kind == "signal")
    }
    with campaign.run(out, make_chunk, list(demands.values()), seed=seed, **options) as load:
        parts = {name: [load(chunk) for chunk in demand.chunks] for name, demand in demands.items()}
        events = assembly.assemble(parts, seed=seed, independent=independent)
        generated = {name: assembly.generated(of_sample) for name, of_sample in parts.items()}
        return write(events, Path(out), file=file, generated=generated, seed=seed, scale=scale)


def write(
    events: pd.DataFrame,
    folder: Path,
    *,
    file: str = FILE,
    generated: dict[str, tuple[int, int]],
    seed: int,
    scale: float,
) -> Path:
    """Write events and manifest, each whole or not at all; return the manifest's path. Raises StorageError.

    ``generated`` says of each sample how many events were generated, and in how many of them the b quarks are nearer
    than ΔR = 0.4, so that their jets merge.
    """
    write_table(events, folder / file)
    return bundle.write_about(
        folder,
        "Events simulated for this course after the selection of the search for A → Zh → ℓℓbb.",
        f"azh {'--independent ' if file != FILE else ''}--seed {seed} --scale {scale:g}",
        writer="pyarrow",
        file=file,
        size=(folder / file).stat().st_size,
        sha256=sha256(folder / file),
        luminosity=LUMINOSITY,
        signal_cross_section=SIGNAL_CROSS_SECTION,
        seed=seed,
        scale=scale,
        shared_settings=generator.COMMON,
        samples=[
            _made(PROCESSES[name], number, events[events["run"] == PROCESSES[name].number])
            for name, number in generated.items()
        ],
    )


def write_table(events: pd.DataFrame, path: Path) -> None:
    """Write a table to a small Parquet file, whole or not at all. Raises StorageError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = pa.Table.from_pandas(events, preserve_index=False).replace_schema_metadata(None)
    # Bytes of equal significance side by side compress best; the other columns hold few different values.
    split = {name for name in (*MEASURED, "weight") if name in events}
    encodings = dict.fromkeys(split, "BYTE_STREAM_SPLIT") | {"event": "DELTA_BINARY_PACKED"}
    atomic_write(
        path,
        lambda temporary: pq.write_table(
            columns,
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=[name for name in events if name not in encodings],
            column_encoding=encodings,
        ),
    )


def _made(process: Process, generated: tuple[int, int], rows: pd.DataFrame) -> dict[str, Any]:
    weight = rows["weight"].to_numpy(np.float64)
    near = {"near_b_quarks": generated[1]} if process.kind == "signal" else {}
    return {
        "sample": process.name,
        "run": process.number,
        "generated": generated[0],
        **near,
        "rows": len(rows),
        "events": int(rows["event"].nunique()),
        "expected": rows.groupby("region", observed=True)["weight"].sum().astype(float).round(3).to_dict(),
        "negative": int((weight < 0).sum()),
        "pythia": process.settings,
    }
