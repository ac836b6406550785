"""Whether an output can be trusted: present, undamaged, made from the samples and inputs of today; else what to run."""

from __future__ import annotations

import hashlib
from pathlib import Path

from course import outputs
from labcourse import samples
from labcourse.errors import DamagedOutput, LabCourseError


class MissingOutput(LabCourseError):
    """An output of an earlier chapter that does not exist yet."""


class StaleOutput(LabCourseError):
    """An output that was made from other samples or from an input since remade."""


def check(chapter: int, file: str, workspace: str) -> tuple[Path, str]:
    """Return an output and its checksum once it is sure: present, undamaged, of the samples and inputs of today."""
    path = outputs.folder(chapter, workspace) / file
    kind: type[LabCourseError] = DamagedOutput
    name, chapters = f"{file} of chapter {chapter}", [chapter]
    if not path.is_file():
        there = sorted(other.name for other in path.parent.glob("[a-z]*") if other.name != outputs.NOTE)
        only = f" (only {', '.join(there)})" if there else ""
        kind, problem = MissingOutput, f"Chapter {chapter} has not made {file} yet{only}"
    elif (made := outputs.read_note(path.parent).get(file)) is None:
        problem = f"{name} is not to be trusted: {outputs.NOTE} beside it is missing or damaged"
    elif made.sha256 != outputs.digest(path):
        problem = f"{name} is damaged: it is not what the chapter wrote"
    elif stale := _why_stale(chapter, made, workspace):
        kind, problem, chapters = StaleOutput, f"{name} no longer fits: {stale[0]}", stale[1]
    else:
        return path, made.sha256
    raise kind(f"{problem}.", where=str(path), next_step=_run(chapters, workspace))


def _why_stale(chapter: int, made: outputs.Made, workspace: str) -> tuple[str, list[int]] | None:
    """Say why an output is stale and which chapters to run again, in order; None if it is not.

    The earliest cause counts: whatever is wrong with an input is wrong with what was made from it. An input that was
    deleted or damaged since is no sign that what was made from it is wrong.
    """
    reason = ""
    for item, sha256 in made.inputs.items():
        number, file = int(item.partition("/")[0]), item.partition("/")[2]
        now = outputs.read_note(outputs.folder(number, workspace)).get(file)
        if now is None or number >= chapter:
            continue
        if stale := _why_stale(number, now, workspace):
            return stale[0], sorted({*stale[1], chapter})
        if now.sha256 != sha256:
            reason = reason or f"chapter {number} has written {file} anew since"
    if reason:
        return reason, [chapter]
    today = {name: samples.fingerprint(name) for name in made.sources}
    changed = [name for name, then in made.sources.items() if today[name] != then]
    if changed:
        named = "; ".join(f"{n} was {_source(made.sources[n])}, now {_source(today[n])}" for n in changed[:2])
        more = f" and {len(changed) - 2} more" if len(changed) > 2 else ""
        return f"it was made from other samples ({named}{more})", [chapter]
    return None


def _source(fingerprint: str) -> str:
    """The source of a sample, and six digits that tell other files of the same source apart."""
    source, _, files = fingerprint.partition(" ")
    return f"{source} ({hashlib.sha256(files.encode()).hexdigest()[:6]})" if files else source


def _run(chapters: list[int], workspace: str) -> str:
    notebooks = ", then ".join(f"{workspace}/{outputs.CHAPTERS[chapter]}.ipynb" for chapter in chapters)
    solve = " and ".join(f"`labcourse solve {chapter}`" for chapter in chapters)
    return f"Run {notebooks} to its end, or {'`make course`' if workspace == 'solutions' else solve}."
