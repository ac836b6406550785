"""``labcourse tune``: a search for a better network of the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from workshop.cli.printing import Json, print_rows

_ROUND = 40
"""Trials after which a process is begun anew: TensorFlow keeps some 50 MB of each network that it has compiled."""
_ROWS = 15


def tune(
    study: Annotated[
        Path | None, typer.Argument(help="SQLite file of the search; by default the project notebook's own.")
    ] = None,
    trials: Annotated[int, typer.Option(help="Go on until there are so many.", min=1)] = 40,
    epochs: Annotated[int, typer.Option(help="Epochs of each trial.", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the search.", min=0)] = 1,
    workers: Annotated[int, typer.Option(help="Trials at a time, each in a process of this machine.", min=1)] = 1,
    address: Annotated[
        str,
        typer.Option(
            "--cluster", help="Or the address of a Dask scheduler that you trust; its workers need this disk."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Search for better settings of the project's network with Optuna, and show the best ones.

    Layers, width, activation, conditioning, optimizer, rate, decay, and how much the signal weighs. Hopeless trials end
    early. Killed or interrupted, the same command goes on where it was; only trials under way are lost.

    Examples: labcourse tune · labcourse tune my.db --trials 200 --workers 4 ·
    labcourse tune /shared/my.db --cluster tcp://10.0.0.5:8786
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # here and in the workers: TensorFlow talks a lot
    import azh
    from azh import search
    from factory.workers import LOCAL, connect

    parts = azh.split(azh.read())
    for goal in (*range(_ROUND * workers, trials, _ROUND * workers), trials):
        with connect(address or LOCAL, workers) as pool:
            found = search.run(parts, study, trials=goal, epochs=epochs, seed=seed, each=pool.each)
    table = search.table(found)
    shown = table if as_json else table.head(_ROWS).round(4)
    tidy = shown.astype(object).where(shown.notna(), None)
    rows = [{str(name): value for name, value in row.items()} for row in tidy.to_dict("records")]
    print_rows(rows, f"The best of {len(table)} trials", as_json=as_json)
