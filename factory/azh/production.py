"""All events of the search: chunks, then one Parquet file and a manifest; a killed run goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh.events import FILE, LUMINOSITY, MEASURED, SIGNAL_CROSS_SECTION
from factory import generator
from factory.azh import assembly
from factory.azh.generation import SEARCH, make_chunk
from factory.azh.processes import APPROXIMATIONS, PROCESSES
from factory.campaign import COMPLETE, check, left
from factory.chunks import Chunk, fingerprint
from factory.store import Store, is_complete
from factory.workers import LOCAL, Workers, connect
from labcourse import samples
from labcourse.errors import BadFile
from labcourse.files import alone_in, atomic_write, sha256
from labcourse.progress import Line

if TYPE_CHECKING:
    import pandas as pd


def simulate(
    out: Path | str,
    *,
    scale: float = 1.0,
    seed: int,
    workers: int | None = None,
    address: str = LOCAL,
    keep_chunks: bool = False,
    progress: bool = True,
) -> Path:
    """Simulate the events of the search into a folder, and return its manifest's path.

    Parameters
    ----------
    scale : float
        Number of events relative to the bundle's; expected yields stay the same. At least one chunk per sample is
        made (together a twentieth of the bundle).
    out, seed, workers, address, keep_chunks, progress
        As in `factory.simulate`, and the errors as well.
    """
    check(scale, seed, workers, PROCESSES)
    folder, store = Path(out), Store(Path(out), seed)
    # A little of everything first, so that the time left is known soon.
    chunks = sorted(
        (
            Chunk(process.name, index, seed, SEARCH, process.chunk)
            for process in PROCESSES.values()
            for index in range(max(round(scale * process.events / process.chunk), 1))
        ),
        key=lambda chunk: (chunk.index, chunk.sample),
    )
    with alone_in(folder, "simulate"), Line(visible=progress) as line:
        if is_complete(folder, [FILE], seed=seed, scale=scale):
            line.show(COMPLETE)
        else:
            with connect(address, workers) as pool:
                _make(chunks, store, pool, line)
            made = {name: [(c, store.load(c)) for c in chunks if c.sample == name] for name in PROCESSES}
            write(assembly.assemble(made, seed=seed), folder, seed=seed, scale=scale)
        for name in [] if keep_chunks else PROCESSES:
            store.remove(name, SEARCH)
    return folder / samples.MANIFEST


def _make(chunks: Sequence[Chunk], store: Store, pool: Workers, line: Line) -> None:
    """Make the chunks that are missing."""
    missing = []
    for chunk in chunks:
        try:
            store.load(chunk)
        except BadFile:
            missing.append(chunk)
    begin, done, work = time.monotonic(), 0.0, sum(map(_work, missing))
    for chunk, table in pool.each(make_chunk, missing):
        store.save(chunk, table)
        done += _work(chunk)
        line.show(f"{chunk.sample}: {left(begin, done / work)}")


def _work(chunk: Chunk) -> float:
    return chunk.events * PROCESSES[chunk.sample].cost


def write(events: pd.DataFrame, folder: Path, *, seed: int, scale: float) -> Path:
    """Write events and manifest, each whole or not at all; return the manifest's path.

    Raises
    ------
    StorageError
        If the disk refuses.
    """
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
    content = json.dumps(_manifest(events, folder / FILE, seed, scale), indent=1, ensure_ascii=False) + "\n"
    atomic_write(folder / samples.MANIFEST, lambda temporary: temporary.write_text(content, "utf-8"))
    return folder / samples.MANIFEST


def _manifest(events: pd.DataFrame, path: Path, seed: int, scale: float) -> dict[str, Any]:
    made = []
    for process in PROCESSES.values():
        rows = events[events["run"] == process.number]
        weight = rows["weight"].to_numpy(np.float64)
        made.append(
            {
                "sample": process.name,
                "run": process.number,
                "rows": len(rows),
                "events": int(rows["event"].nunique()),
                "expected": round(float(weight.sum()), 3),
                "negative": int((weight < 0).sum()),
                "pythia": [*generator.COMMON, *process.settings],
            }
        )
    return {
        "simulated": True,
        "description": "Events simulated for this course after the selection of the search for A → Zh → ℓℓbb. "
        "No event of ATLAS is among them.",
        "file": path.name,
        "size": path.stat().st_size,
        "sha256": sha256(path),
        "luminosity": LUMINOSITY,
        "signal_cross_section": SIGNAL_CROSS_SECTION,
        "seed": seed,
        "scale": scale,
        "command": f"labcourse simulate --search azh --seed {seed} --scale {scale:g}",
        "code": fingerprint(),
        "generator": f"Pythia {generator.version()}",
        "software": {name: package_version(name) for name in ("pythia8mc", "fastjet", "numpy", "pyarrow")},
        "approximations": list(APPROXIMATIONS),
        "licence": "CC0-1.0",
        "samples": made,
    }
