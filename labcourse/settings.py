"""Where things are: the project's home, the sample search path, the outputs and the workspace.

Six environment variables and one file change it:

``LABCOURSE_DATA``
    Folders with sample files, searched first (separated like ``PATH``).
``LABCOURSE_OUTPUTS``
    Where chapters write, instead of ``data/outputs``.
``LABCOURSE_WORKSPACE``
    The workspace, instead of the one that goes with the current folder.
``LABCOURSE_INPUTS``
    The workspace from which a chapter reads what earlier ones made, instead of its own: for grading one chapter alone.
``LABCOURSE_MIRROR``
    Addresses to download official files from, instead of CERN's (see `labcourse.opendata.mirrors`).
``LABCOURSE_PROGRESS``
    ``off`` keeps the checks from noting what is solved: for runs that are nobody's work.
``data/settings.json``
    ``{"data": ["/some/folder"]}``: folders searched after ``LABCOURSE_DATA``; ``labcourse data use`` writes it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from labcourse.errors import BadInput
from labcourse.files import atomic_write

_CHOOSE_ANOTHER = (
    "Correct or unset LABCOURSE_DATA; a folder given to `labcourse data use` is replaced by giving another "
    "(`labcourse data use data`: the bundled samples)."
)


def home() -> Path:
    """Return the folder that holds ``course/``, ``data/`` and this package."""
    return Path(__file__).resolve().parents[1]


def data_folder() -> Path:
    """Return the folder of the bundled samples."""
    return home() / "data"


def official_folder() -> Path:
    """Return the folder to which official files are downloaded; it is searched before the bundle."""
    return data_folder() / "official"


def settings_file() -> Path:
    """Return the file that keeps the folders given to ``labcourse data use``."""
    return data_folder() / "settings.json"


def search_path() -> list[Path]:
    """Return the folders in which samples are looked for, the first one first.

    Raises
    ------
    BadInput
        If a folder of ``LABCOURSE_DATA`` or of the settings file does not exist or may not be read, or the file is
        damaged.
    """
    named = [(Path(part), "LABCOURSE_DATA") for part in os.environ.get("LABCOURSE_DATA", "").split(os.pathsep) if part]
    named += [(Path(part), str(settings_file())) for part in _saved_folders()]
    folders = []
    for folder, origin in named:
        # A relative folder is meant from where the user typed it or from the project's home:
        # notebooks run in a folder of their own.
        absolute = next((p for p in (folder.absolute(), home() / folder) if os.path.isdir(p)), None)
        if absolute is None:
            raise BadInput(
                f"The sample folder {folder} does not exist.",
                where=origin,
                next_step=_CHOOSE_ANOTHER,
            )
        if not os.access(absolute, os.R_OK | os.X_OK):
            raise BadInput(
                f"The sample folder {folder} may not be read by this user.",
                where=origin,
                next_step=f"Ask its owner for the right to read it. Or: {_CHOOSE_ANOTHER}",
            )
        folders.append(absolute.resolve())
    if official_folder().is_dir():
        folders.append(official_folder())
    return [*dict.fromkeys([*folders, data_folder()])]


def use_folder(folder: Path | str) -> Path:
    """Search ``folder`` first from now on, and return it as an absolute path.

    Folders given before come after it, but for those that are gone.

    Raises
    ------
    BadInput
        If it is not a folder.
    StorageError
        If the setting cannot be written.
    """
    absolute = Path(folder).expanduser().resolve()
    if not absolute.is_dir():
        raise BadInput(f"{folder} is not a folder.", next_step="Give a folder that holds ROOT files.")
    folders = [str(absolute), *(f for f in _saved_folders() if f != str(absolute) and os.path.isdir(f))]
    atomic_write(settings_file(), lambda path: path.write_text(json.dumps({"data": folders}, indent=1) + "\n"))
    return absolute


def outputs_folder() -> Path:
    """Return the folder under which chapters write."""
    chosen = os.environ.get("LABCOURSE_OUTPUTS")
    return Path(chosen).expanduser().absolute() if chosen else data_folder() / "outputs"


def workspace() -> str:
    """Return ``solutions`` in the solutions folder, else ``notebooks``.

    An instructor's run of the solutions so never touches what a student made.
    """
    chosen = os.environ.get("LABCOURSE_WORKSPACE")
    if chosen:
        return chosen
    return "solutions" if Path.cwd().resolve() == home() / "solutions" else "notebooks"


def inputs_workspace() -> str:
    """Return the workspace whose outputs of earlier chapters are read: the present one, unless another is named."""
    return os.environ.get("LABCOURSE_INPUTS") or workspace()


def tool() -> str:
    """Return how the command ``labcourse`` is called in a terminal in the project's home."""
    own = Path(sys.executable).parent / "labcourse"
    if shutil.which("labcourse") or not own.is_file():
        return "labcourse"
    return str(own.relative_to(home()) if own.is_relative_to(home()) else own)


def notes_progress() -> bool:
    """Return whether the checks note which exercises are solved."""
    return os.environ.get("LABCOURSE_PROGRESS") != "off"


def _saved_folders() -> list[str]:
    if not settings_file().is_file():
        return []
    try:
        folders = json.loads(settings_file().read_text())["data"]
        if not all(isinstance(folder, str) for folder in folders):
            raise TypeError("folders must be strings")
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "The settings file is damaged.",
            where=str(settings_file()),
            next_step="Delete it, and give the folder again with `labcourse data use DIR`.",
        ) from error
    return list(folders)
