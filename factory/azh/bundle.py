"""Writing the events of A → Zh: one Parquet file, and a manifest that says how it was made."""

from __future__ import annotations

import json
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh.bundle import FILE
from azh.events import LUMINOSITY, MEASURED, SIGNAL_CROSS_SECTION
from factory import generator
from factory.azh import recipes
from labcourse import samples
from labcourse.files import atomic_write, sha256

if TYPE_CHECKING:
    import pandas as pd


def write(events: pd.DataFrame, folder: Path, *, seed: int, scale: float, code: str) -> Path:
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
    content = json.dumps(_manifest(events, folder / FILE, seed, scale, code), indent=1, ensure_ascii=False) + "\n"
    atomic_write(folder / samples.MANIFEST, lambda temporary: temporary.write_text(content, "utf-8"))
    return folder / samples.MANIFEST


def _manifest(events: pd.DataFrame, path: Path, seed: int, scale: float, code: str) -> dict[str, Any]:
    made = []
    for recipe in recipes.RECIPES.values():
        rows = events[events["run"] == recipe.number]
        weight = rows["weight"].to_numpy(np.float64)
        made.append(
            {
                "sample": recipe.name,
                "run": recipe.number,
                "rows": len(rows),
                "events": int(rows["event"].nunique()),
                "expected": round(float(weight.sum()), 3),
                "negative": int((weight < 0).sum()),
                "pythia": [*generator.COMMON, *recipe.settings],
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
        "code": code,
        "generator": f"Pythia {generator.version()}",
        "software": {name: package_version(name) for name in ("pythia8mc", "fastjet", "numpy", "pyarrow")},
        "approximations": list(recipes.APPROXIMATIONS),
        "licence": "CC0-1.0",
        "samples": made,
    }
