"""``labcourse simulate --search``: the events of the project after the course."""

from __future__ import annotations

from pathlib import Path

from labcourse import settings
from labcourse.errors import BadInput


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
    from labcourse.parameterised import bundle, production

    folder = out or settings.data_folder() / bundle.FOLDER
    if search != bundle.FOLDER or samples:
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
