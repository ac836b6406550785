"""The report: one HTML file that holds everything, runs nothing and asks nobody for anything.

Whatever comes from a submission is text and is escaped by the template engine; pictures are drawn anew
(`pictures`). The page has no script, and its content policy would not let one run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from functools import partial
from itertools import chain, count, zip_longest
from pathlib import Path
from typing import Any

from labcourse.files import atomic_write
from labcourse.progress import seconds
from workshop.comparison.changes import Change
from workshop.comparison.overview import hurdles
from workshop.comparison.pictures import Pair, Picture
from workshop.comparison.reference import Exercise
from workshop.comparison.states import STATES
from workshop.comparison.survey import ChapterWork, Student, Survey

__all__ = ["PICTURE_BYTES", "SYMBOLS", "render", "write", "write_pages"]

SYMBOLS = {
    "solved": "✓",
    "answered": "✎",
    "wrong": "✗",
    "unchecked": "?",
    "open": "○",
    "missing": "–",
    "damaged": "!",
}
"""State by sign, so that it can be read without colours."""

PICTURE_BYTES = 12_000_000
"""All pictures of students together; a class of sixty stays well within what a browser opens at once."""
_HIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_LONGEST_ANSWER = 2500
_MOST_LINES = 40


def write(
    path: Path,
    survey: Survey,
    pictures: dict[tuple[str, int], Picture],
    *,
    note: str = "",
) -> None:
    """Write the report whole or not at all; an older one is kept if that fails.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    content = render(survey, pictures, note=note)
    atomic_write(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))


def render(survey: Survey, pictures: dict[tuple[str, int], Picture], *, note: str = "") -> str:
    """Return the report as HTML.

    Parameters
    ----------
    survey : Survey
        The comparison.
    pictures : dict
        Thumbnails of the solution by cell id and position.
    note : str
        How the submissions were looked at, for instance that they were run.
    """
    differing = [_differing(student) for student in survey.students]
    shown = _shown(differing)
    return _fill(
        "page.html.j2",
        survey=survey,
        hurdles=hurdles(survey),
        tallies={id(student): Counter(found.state for found in student.exercises) for student in survey.students},
        tally=Counter(found.state for student in survey.students for found in student.exercises),
        exercises=_exercises(survey),
        solution=_used(pictures, shown),
        shown={id(pair) for pair in shown},
        left_out=sum(map(len, differing)) - len(shown),
        clipped=_clipped,
        note=note,
        time=_time,
        doubtful=_doubtful,
    )


def write_pages(folder: Path, survey: Survey) -> None:
    """Write a page for each student that can be handed to them: nothing of others, and no answers of the course.

    Raises
    ------
    StorageError
        If a page cannot be written.
    """
    taken: set[str] = set()
    for student in survey.students:
        stem = name = re.sub(r"[^\w-]+", "_", student.name).strip("_") or "student"
        for number in count(2):
            if name.casefold() not in taken:
                break
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        content = _fill("student.html.j2", student=student, exercises=_exercises(survey)).encode()
        atomic_write(folder / f"{name}.html", partial(Path.write_bytes, data=content))


def _exercises(survey: Survey) -> dict[str, Exercise]:
    return {e.number: e for chapter in survey.reference.values() for e in chapter.exercises}


def _fill(template: str, **content: Any) -> str:
    import jinja2

    here = Path(__file__).parent
    style = (here / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here), autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible
    )
    environment.filters |= {"number": _number, "duration": seconds, "cut": _cut, "ident": id}
    return environment.get_template(template).render(
        **content,
        symbols=SYMBOLS,
        states=STATES,
        done=_done,
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
    )


def _visible(value: Any) -> Any:
    """Write out characters that are not seen, but turn or hide what stands beside them."""
    return _HIDDEN.sub(lambda c: f"[U+{ord(c[0]):04X}]", value) if type(value) is str else value


def _used(pictures: dict[tuple[str, int], Picture], pairs: list[Pair]) -> dict[str, Picture]:
    """Return the solution's pictures that stand beside one of a student, by their name in the page."""
    used = {(pair.cell, pair.index) for pair in pairs}
    return {f"{cell}-{index}": picture for (cell, index), picture in pictures.items() if (cell, index) in used}


def _shown(differing: list[list[Pair]]) -> list[Pair]:
    """Return which of the students' pictures are shown, until the bytes are used up.

    One of each student in turn; of the pictures of one student one a cell, before any cell's second.
    """
    shown = []
    left = PICTURE_BYTES
    for pair in chain.from_iterable(zip_longest(*(sorted(pairs, key=lambda pair: pair.index) for pairs in differing))):
        if pair and pair.picture and len(pair.picture.png) <= left:
            left -= len(pair.picture.png)
            shown.append(pair)
    return shown


def _differing(student: Student) -> list[Pair]:
    return [pair for work in student.chapters for pair in work.pairs if pair.picture]


def _doubtful(student: Student) -> int:
    return sum(bool(f.doubts) for f in student.exercises if f.state not in ("missing", "damaged"))


def _done(work: ChapterWork) -> int:
    return sum(found.is_done for found in work.exercises)


def _time(student: Student) -> tuple[float | None, str]:
    """Return the seconds recorded in all chapters, and when something was changed last."""
    known = [work.seconds for work in student.chapters if work.seconds is not None]
    return (sum(known) if known else None), max((work.last for work in student.chapters), default="")


def _clipped(change: Change) -> list[str]:
    lines = [line[:200] for line in change.lines[:_MOST_LINES]]
    return lines + ([f" … and {len(change.lines) - _MOST_LINES} more lines"] if len(change.lines) > _MOST_LINES else [])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ANSWER else text[:_LONGEST_ANSWER] + "\n… (cut)"


def _number(value: Any) -> str:
    if value is None:
        return "not there"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
