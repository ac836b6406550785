"""The project after the course: ``simulate --search`` makes its events, ``tune`` searches for a better network."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from labcourse import settings
from labcourse.errors import BadInput
from labcourse.files import atomic_write
from workshop.cli.printing import Json, print_rows

EXAMPLES = (
    "Examples: labcourse tune · labcourse tune my.db --trials 200 --workers 4 --plot search.png · "
    "labcourse tune /shared/my.db --cluster tcp://10.0.0.5:8786"
)
_ROUND = 40
"""Trials after which a process is begun anew: TensorFlow keeps some 50 MB of each network that it has compiled."""
_ROWS = 15


def simulate_search(
    search: str,
    scale: float | None,
    samples: str,
    out: Path | None,
    seed: int,
    workers: int,
    cluster: str,
    keep_chunks: bool,
) -> None:
    """Make the events of a search; the arguments are those of the command line."""
    from azh import events
    from factory.azh import production

    folder = out or settings.data_folder() / events.FOLDER
    if search != events.FOLDER or samples:
        raise BadInput(
            f"--search {search} --samples {samples or '(all)'} asks for what there is not.",
            next_step="The only search is azh, and all its samples are made together: --search azh.",
        )
    if out is None and scale not in (None, 1.0):
        raise BadInput(
            "Events of another number would replace the bundled ones.",
            where=str(folder),
            next_step="Say where they should go: --out DIR.",
        )
    manifest = production.simulate(
        folder,
        scale=1.0 if scale is None else scale,
        seed=seed,
        workers=workers or None,
        address=cluster,
        keep_chunks=keep_chunks,
    )
    print(f"complete: {manifest}")


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
    plot: Annotated[Path | None, typer.Option(help="Draw the trials in parallel coordinates to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Search for better settings of the project's network with Optuna, and show the best ones.

    Layers, width, activation, conditioning, optimizer, rate, decay, and how much the signal weighs. Hopeless trials end
    early. Killed or interrupted, the same command goes on where it was; only trials under way are lost.
    """
    if plot:
        _require_drawable(plot)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # here and in the workers: TensorFlow talks a lot
    import azh
    from azh import figures, search
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
    if plot:
        fig, _ = figures.parallel_coordinates(table)
        atomic_write(plot, lambda temporary: fig.savefig(temporary, bbox_inches="tight"))
        print(f"drawn: {plot}", file=sys.stderr if as_json else sys.stdout)


def _require_drawable(plot: Path) -> None:
    """Raise BadInput if no figure can be saved under this name: better now than after hours of searching."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = sorted(FigureCanvasBase.get_supported_filetypes().keys() - {"pgf"})  # that one needs LaTeX
    if plot.suffix.lower().removeprefix(".") not in known:
        raise BadInput(
            f"{plot.name} has no ending that says how to draw it.",
            where=f"--plot {plot}",
            next_step=f"Let it end with .png or .pdf; known are {', '.join(known)}.",
        )
    if plot.is_dir():
        raise BadInput(f"{plot.name} is a folder.", where=f"--plot {plot}", next_step="Give the name of a file in it.")
    if not (plot.parent.is_dir() and os.access(plot.parent, os.W_OK | os.X_OK)):
        raise BadInput(
            f"There is no folder {plot.parent} that you may write to.",
            where=f"--plot {plot}",
            next_step="Make it, or choose another one.",
        )
