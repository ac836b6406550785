"""The folders in which samples are looked for: commands set and show them, `labcourse.settings` reads what is set."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from labcourse import samples, settings
from labcourse.errors import BadInput, MissingSample
from labcourse.files import atomic_write


def use_folder(folder: Path | str) -> Path:
    """Search ``folder`` first from now on, and return it as an absolute path.

    Folders given before come after it, but for those that are gone.

    Raises
    ------
    BadInput
        If it is not a folder, or mixes files of two releases.
    StorageError
        If the setting cannot be written.
    """
    absolute = settings.absolute(str(folder))
    if not absolute.is_dir():
        raise BadInput(f"{folder} is not a folder.", next_step="Give a folder that holds ROOT files.")
    samples.check_one_release(absolute)
    _save([str(absolute), *(f for f in settings.saved_folders() if f != str(absolute) and os.path.isdir(f))])
    return absolute


def forget_folders() -> None:
    """Search none of the folders given to `use_folder` any more, even if the file that names them is damaged."""
    _save([])


def fix_paths() -> None:
    """Make relative folders in the environment absolute, so that kernels, which run elsewhere, take them as typed."""
    parts = os.environ.get("LABCOURSE_DATA", "").split(os.pathsep)
    if any(parts):
        os.environ["LABCOURSE_DATA"] = os.pathsep.join(str(settings.absolute(part)) for part in parts if part)
    if chosen := os.environ.get("LABCOURSE_OUTPUTS"):
        os.environ["LABCOURSE_OUTPUTS"] = os.path.abspath(os.path.expanduser(chosen))


def by_source(release: str = "2020") -> dict[str, list[str]]:
    """Return a release's samples by what they are (see `samples.source`); those that are nowhere are ``missing``."""
    found: dict[str, list[str]] = {}
    for sample in (sample for sample in samples.CATALOGUE if sample.release == release):
        try:
            found.setdefault(samples.locate(sample.name).source, []).append(sample.name)
        except MissingSample:
            if not sample.optional:
                found.setdefault("missing", []).append(sample.name)
    return found


def _save(folders: list[str]) -> None:
    atomic_write(settings.settings_file(), lambda path: path.write_text(json.dumps({"data": folders}, indent=1) + "\n"))
    with contextlib.suppress(OSError):  # everybody who uses this clone has to read it, whatever the umask
        settings.settings_file().chmod(0o644)
