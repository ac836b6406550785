"""What is written of a comparison: an HTML file for the class, and a table for spreadsheets.

Whatever comes from a submission is text and is escaped by the template engine. A page has no script, its content
policy would not let one run, and it asks nobody for anything.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from labcourse.files import atomic_write
from workshop.comparison.states import STATES
from workshop.comparison.survey import Survey

SYMBOLS = dict(zip(STATES, "✓✎✗?○–", strict=True))
"""State by sign, so that it can be read without colours."""


def render(survey: Survey, note: str = "") -> str:
    """Return the report for the class as HTML; ``note`` says how the submissions were looked at."""
    import jinja2

    here = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here), autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible
    )
    return environment.get_template("page.html.j2").render(
        survey=survey,
        titles=survey.titles,
        tally=Counter(found.state for student in survey.students for found in student.exercises),
        note=note,
        symbols=SYMBOLS,
        style=(here / "page.css").read_text(encoding="utf-8"),
    )


def write_csv(path: Path, survey: Survey) -> None:
    """Write one row per student and exercise.

    Exercises are named in full: a spreadsheet takes 1.10 for 1.1. Nor does it take a name for a formula.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    import pandas as pd

    table = pd.DataFrame(survey.rows(), columns=["student", "chapter", "exercise", "state", "points", "of"])
    table["student"] = table["student"].str.replace("^(?=[=+@-])", "'", regex=True)
    table["exercise"] = table["exercise"].map(survey.titles)
    table["points"] = table["points"].astype("Int64")
    text = table.to_csv(index=False, lineterminator="\r\n")
    atomic_write(path, partial(Path.write_bytes, data=text.encode("utf-8-sig")))


def _visible(value: Any) -> Any:
    """Write out characters that are not seen, but turn or hide what stands beside them."""
    if type(value) is not str:
        return value
    return "".join(c if c.isprintable() or c in "\n\t\xa0" else f"[U+{ord(c):04X}]" for c in value)
