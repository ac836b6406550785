"""All events of the search: chunks, one table of them, its Parquet file and manifest; a killed run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh.events import COLUMNS, FILE, LUMINOSITY, MEASURED, PROCESSES, REGIONS, SIGNAL_CROSS_SECTION
from factory import bundle, campaign, generator
from factory.azh import processes
from factory.azh.generation import INDEPENDENT, PASS, SEARCH, TIMES, make_chunk
from factory.chunks import Chunk
from factory.tables import Table, rounded
from labcourse import splitting
from labcourse.files import atomic_write, sha256

if TYPE_CHECKING:
    import pandas as pd

INDEPENDENT_FILE = "independent.parquet"
LIGHTEST = 0.1
"""Rows of less than this share of the weight that an expected event has on average are thinned, the rest made heavier
for it: most are of events whose tags are false."""


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
        for name, process in processes.PROCESSES.items()
        if not (independent and process.kind == "signal")
    }
    with campaign.run(out, make_chunk, list(demands.values()), seed=seed, **options) as load:
        chunks = {name: [load(chunk) for chunk in demand.chunks] for name, demand in demands.items()}
        events = assemble(chunks, seed=seed, independent=independent)
        generated = {name: np.sum([table["generated"] for table in own], 0).tolist() for name, own in chunks.items()}
        return write(events, Path(out), file=file, generated=generated, seed=seed, scale=scale)


def assemble(chunks: Mapping[str, Sequence[Table]], *, seed: int, independent: bool = False) -> pd.DataFrame:
    """Return the event table of all samples (columns: see `azh.events`).

    Parameters
    ----------
    chunks : mapping
        By sample: what came of its chunks.
    seed : int
        Of the signs and of the thinning.
    independent : bool
        All weights are positive, and the column ``pass`` says which pass through the detector a row is of.
    """
    import pandas as pd

    tables = []
    for name, parts in chunks.items():
        process = processes.get(name)
        number = sum(int(table["generated"][0]) for table in parts)
        columns = {column: np.concatenate([table[column] for table in parts]) for column in parts[0]}
        table = pd.DataFrame({column: columns[column] for column in (*MEASURED, PASS)}).assign(
            process=pd.Categorical([process.kind] * len(columns[PASS]), PROCESSES),
            region=pd.Categorical(np.array(REGIONS)[columns["region"]], REGIONS),
            m_a_true=np.float32(process.mass),
            run=np.int32(process.number),
            event=columns["event"].astype(np.int64),
            weight=columns["factor"] * process.cross_section * 1000 * LUMINOSITY / number,
        )
        table = _thinned(table, [seed, process.number])
        tables.append(table if independent else _signed(table, process.negative, seed))
    events = pd.concat(tables, ignore_index=True)
    events["weight"] = rounded(events["weight"].to_numpy(), 10)
    return events[[*COLUMNS, *([PASS] if independent else [])]]


def _thinned(table: pd.DataFrame, seed: Sequence[int]) -> pd.DataFrame:
    """Drop light entries at random, and let those that stay count for them: sums stay what they are on average."""
    least = LIGHTEST * (table["weight"] ** 2).sum() / table["weight"].sum() if len(table) else 0.0
    kept = table["weight"] >= least * np.random.default_rng(seed).random(len(table))
    return table[kept].assign(weight=table["weight"][kept].clip(lower=least))


def _signed(table: pd.DataFrame, negative: float, seed: int) -> pd.DataFrame:
    """Make some weights negative, as in a calculation at next-to-leading order, and keep the sum on average."""
    sign = np.where(splitting.uniform(table, seed=seed, salt="sign") < negative, -1, 1)
    return table.assign(weight=table["weight"] * sign / (1 - 2 * negative))


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
    return bundle.write_manifest(
        folder,
        "Events simulated for this course after the selection of the search for A → Zh → ℓℓbb.",
        f"azh {'--independent ' if file != FILE else ''}--seed {seed} --scale {scale:g}",
        file=file,
        size=(folder / file).stat().st_size,
        sha256=sha256(folder / file),
        luminosity=LUMINOSITY,
        signal_cross_section=SIGNAL_CROSS_SECTION,
        seed=seed,
        scale=scale,
        shared_settings=generator.COMMON,
        samples=[
            {
                "sample": name,
                "run": processes.PROCESSES[name].number,
                "generated": number,
                "near_b_quarks": near,
                "pythia": processes.PROCESSES[name].settings,
            }
            for name, (number, near) in generated.items()
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
