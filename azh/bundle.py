"""The events on disk: one Parquet file and its manifest, in ``data/azh`` and wherever else samples are looked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from azh import events as table
from labcourse import samples, settings
from labcourse.errors import BadFile, MissingSample
from labcourse.files import sha256

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "azh"
FILE = "events.parquet"
_NEXT = "Restore the file from the repository, or make it anew with `labcourse simulate --search azh`."


def read(folder: Path | str | None = None) -> pd.DataFrame:
    """Read the event table of the search (columns: see `azh.events`).

    Parameters
    ----------
    folder : path, optional
        Where the file lies; by default the first folder ``azh`` on the search path of the samples
        (`labcourse.settings`), which ends with the bundle's.

    Raises
    ------
    MissingSample
        If there is no such file.
    BadFile
        If it cannot be read, or is not the one that its manifest describes.
    BadInput
        If a column is missing, a number is not finite, or a mass is unknown.
    """
    import pandas as pd

    folders = [Path(folder)] if folder is not None else [place / FOLDER for place in settings.search_path()]
    path = next((place / FILE for place in folders if (place / FILE).is_file()), None)
    if path is None:
        raise MissingSample("The events of the search are not there.", where=str(folders[-1] / FILE), next_step=_NEXT)
    manifest = path.with_name(samples.MANIFEST)
    try:
        if manifest.is_file() and json.loads(manifest.read_text("utf-8"))["sha256"] != sha256(path):
            raise BadFile("The file is not the one that its manifest describes.", where=str(path), next_step=_NEXT)
        events = pd.read_parquet(path)
    except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's errors are of these kinds
        raise BadFile(f"The file is damaged: {error}.", where=str(path), next_step=_NEXT) from error
    table.check(events, str(path))
    return events
