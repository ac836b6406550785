"""Where things are: the project's home and the sample search path (for the outputs see `course.workspaces`).

``LABCOURSE_DATA``
    Folders with sample files, searched first (separated like ``PATH``).
``data/settings.json``
    ``{"data": ["/some/folder"]}``: folders searched after ``LABCOURSE_DATA``; ``labcourse data use`` writes it.

``~`` is the user's home in both. A relative folder is meant from where a command is typed (`workshop.folders`);
in a notebook, which runs in a folder of its own, from the project's home.
"""

from __future__ import annotations

import os
from pathlib import Path

from labcourse.errors import BadInput
from labcourse.files import read_json


def home() -> Path:
    """Return the folder that holds ``course/``, ``data/`` and this package."""
    return Path(__file__).resolve().parents[1]


def data_folder() -> Path:
    """Return the folder of the bundled samples."""
    return home() / "data"


def bundle_folder(release: str = "2020") -> Path:
    """Return the folder of the bundled samples in the form of a release (see `labcourse.samples`)."""
    return data_folder() if release == "2020" else data_folder() / release


def official_folder(release: str = "2020") -> Path:
    """Return the folder to which official files are downloaded; it is searched before the bundle."""
    return data_folder() / ("official" if release == "2020" else f"official-{release}")


def settings_file() -> Path:
    """Return the file that keeps the folders given to ``labcourse data use``."""
    return data_folder() / "settings.json"


def search_path(release: str = "2020") -> list[Path]:
    """Return the folders in which samples of a release are looked for, the first one first.

    Of a folder with ``Data`` and ``MC``, as the collection is unzipped, these two are searched.

    Raises BadInput if a folder of ``LABCOURSE_DATA`` or of the settings file does not exist or may not be read, or the
    file is damaged.
    """
    named = [*os.environ.get("LABCOURSE_DATA", "").split(os.pathsep), *saved_folders()]
    folders: list[Path] = []
    for name in filter(None, named):
        folder = absolute(name)
        if not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
            raise BadInput(
                f"The sample folder {name} does not exist, or may not be read by this user.",
                where=f"LABCOURSE_DATA or {settings_file()}",
                next_step="Correct or unset LABCOURSE_DATA, or give `labcourse data use --forget`.",
            )
        unzipped = [folder / part for part in ("Data", "MC") if (folder / part).is_dir()]
        folders += unzipped if unzipped and not any(folder.glob("*.root")) else [folder, *unzipped]
    if official_folder(release).is_dir():
        folders.append(official_folder(release))
    return [*dict.fromkeys([*folders, bundle_folder(release)])]


def get_back(path: str) -> str:
    """Say how to get back what belongs to the course's folder, such as ``data``."""
    if (home() / ".git").exists():
        return f"Restore it with `git checkout -- {path}` in the course's folder."
    return f"Get {path} again from where you have the course's folder; there, `python -m pip install --no-deps -e .`."


def saved_folders() -> list[str]:
    """Return the folders given to ``labcourse data use``; raises BadInput if their file is damaged or unreadable."""
    try:
        folders = read_json(settings_file())["data"]
        if not isinstance(folders, list) or not all(isinstance(f, str) and "\0" not in f for f in folders):
            raise TypeError("folders must be strings")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"The settings file is damaged, or may not be read: {error}.",
            where=str(settings_file()),
            next_step="Give `labcourse data use --forget`, and then the folder again with `labcourse data use DIR`.",
        ) from error
    return folders


def absolute(name: str) -> Path:
    """Return a folder as it was meant: from where it was typed, or else from the project's home."""
    folder = Path(os.path.expanduser(name))  # which leaves the name of an unknown user as it is
    return (folder if folder.is_dir() else home() / folder).resolve()
