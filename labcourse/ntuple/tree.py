"""The tree `mini` of a file, in chunks of whole branches; whatever is wrong with it is one error."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from labcourse import samples, settings
from labcourse.errors import BadFile, ForeignFile, LabCourseError
from labcourse.files import sha256

_COPIES = 3
"""Memory that reading takes, in units of what is read at a time: baskets, arrays, the event table."""


def chunks(
    path: Path, branches: Collection[str], optional: Collection[str] | None = (), *, step_size: int | None = 50_000
) -> Iterator[dict[str, Any]]:
    """Read branches of the tree `mini` in chunks of at most ``step_size`` events (all at once for None).

    Parameters
    ----------
    path : Path
        A ROOT file.
    branches, optional : collection of str
        Those that must be there, and those that are read as well where they are (all others for None).
    step_size : int, optional
        Events at a time.

    Yields
    ------
    dict
        An Awkward Array, shape (n_events, …), of each branch.

    Raises
    ------
    ForeignFile
        If the tree or a branch is missing, or a branch holds numbers instead of lists or lists instead of numbers.
    BadFile
        If the file is damaged, truncated, no ROOT file, or other than its manifest says.
    LabCourseError
        If there is not enough memory.
    """
    import uproot

    with one_error(path), uproot.open(path, handler=uproot.MemmapSource) as file:
        tree = _tree(file, path)
        _check_bytes(path)
        missing = [name for name in branches if name not in tree]
        if missing:
            raise _foreign(path, f"the tree 'mini' lacks the branch {', '.join(missing)}")
        others = (branch.name for branch in tree.branches if branch.name not in branches)
        names = [*branches, *(name for name in others if optional is None or name in optional)]
        total, done = tree.num_entries, 0
        # A decompressor that gets no memory ends the process: the memory for what is read at a time is asked for here.
        basket = max(total / max(tree[name].num_baskets, 1) for name in names)
        share = min(1.0, ((step_size or total) + basket) / max(total, 1))
        np.empty(int(_COPIES * share * sum(tree[name].uncompressed_bytes for name in names)), np.uint8)
        for chunk in tree.iterate(names, step_size=step_size or max(total, 1), library="ak", how=dict):
            for name in (branches if optional is None else names) if done == 0 else ():
                _check_form(name, chunk[name], path)
            done += len(chunk[names[0]])
            yield chunk
        if done != total:
            raise BadFile(
                f"{path.name} ends after {done} of {total} events.", where=str(path), next_step=samples.get_again(path)
            )


def _tree(file: Any, path: Path) -> Any:
    if "mini" not in file:
        names = file.keys()
        if not names:  # a foreign file holds something
            raise BadFile(f"{path.name} holds nothing.", where=str(path), next_step=samples.get_again(path))
        listed = ", ".join(name[:60] for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        raise _foreign(path, "the tree 'mini' is missing", f"{path} holds {listed}")
    if not hasattr(file["mini"], "branches"):
        raise _foreign(path, "'mini' is no tree")
    return file["mini"]


def _check_form(name: str, values: Any, path: Path) -> None:
    """Raise ForeignFile unless a branch holds one number per event or, of leptons and jets, a list of numbers."""
    held, number, of_lists = str(values.type.content), r"(u?int|float)\d+|bool", re.match(r"(lep|jet)_(?!n$)", name)
    is_number, is_list = re.fullmatch(number, held), re.fullmatch(rf"(var|\d+) \* ({number})", held)
    if not (is_list if of_lists else is_number):
        what = "one number per event" if is_number else "lists" if is_list else held
        wanted = "lists are needed" if of_lists else "one number per event is needed"
        raise _foreign(path, f"{name} holds {what}, where {wanted}")


def _foreign(path: Path, what: str, where: str = "") -> ForeignFile:
    return ForeignFile(
        f"{path.name}: {what}.",
        where=where or str(path),
        next_step="This is not a file of the 4-lepton collection. " + samples.get_again(path),
    )


def recorded_sha256(path: Path) -> str | None:
    """Return the sha256 that the manifest beside a file has of it, or for a copy of a bundled file the bundle's.

    None if there is no manifest, or nothing about this file in it. Raises as `samples.read_manifest`.
    """
    bundle = settings.data_folder()
    folder = bundle if samples.same_file(path, bundle / path.name) else path.absolute().parent
    listed = samples.read_manifest(folder) if (folder / samples.MANIFEST).is_file() else []
    return next((entry.get("sha256") for entry in listed if entry["file"] == path.name), None)


def _check_bytes(path: Path) -> None:
    """Compare a simulated file with the sha256 of its manifest, once a process as long as it does not change.

    What gets no smaller by compression is stored without, and thus without a checksum: a flipped bit there is another
    number. The release's files need no such check: they are compressed throughout, and so have checksums.

    Raises
    ------
    BadFile
        If it has other bytes.
    """
    there = path.stat()
    recorded = recorded_sha256(path)
    if recorded is not None and recorded != _sha256(path.absolute(), there.st_size, there.st_mtime_ns):
        raise BadFile(
            f"{path.name} has other bytes than {samples.MANIFEST} says: it is damaged, or was replaced.",
            where=str(path),
            next_step=f"{samples.get_again(path)} Your own files belong elsewhere: `labcourse data use FOLDER`.",
        )


@functools.cache
def _sha256(path: Path, size: int, changed: int) -> str:
    """The sha256 of a file, kept as long as it has this size and this time of change."""
    return sha256(path)


@contextmanager
def one_error(path: Path) -> Iterator[None]:
    """Raise as `BadFile` whatever goes wrong while a file is read.

    Only where the memory is not enough, it is an error of the course that does not blame the file.
    """
    try:
        yield
    except LabCourseError:
        raise
    except FileNotFoundError as error:
        raise BadFile(f"{path.name} does not exist.", where=str(path), next_step=samples.get_again(path)) from error
    except PermissionError as error:
        raise BadFile(
            f"{path.name} may not be read by this user.",
            where=str(path),
            next_step="Ask its owner for the right to read it.",
        ) from error
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # decompressors in Rust panic outside of Exception
        if isinstance(error, MemoryError) or "not enough memory" in str(error):
            raise LabCourseError(
                f"There is not enough memory to read {path.name}.",
                where=f"{path} ({error})" if str(error) else str(path),
                next_step="Close other programs and restart the kernel, or read fewer events at a time with "
                "`ntuple.iterate`; `labcourse data verify` says whether the file is whole.",
            ) from error
        # Damaged bytes surface as many kinds of exception from uproot and the decompressors below it.
        raise BadFile(
            f"{path.name} cannot be read as a ROOT file: it is damaged, truncated or of another kind.",
            where=f"{path} ({type(error).__name__})",
            next_step=samples.get_again(path),
        ) from error
