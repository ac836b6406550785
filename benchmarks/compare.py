"""`labcourse compare` of a class: sixty students with eight chapters each against the promised half minute."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from benchmarks.made_up import FULL, Sizes
from benchmarks.timing import Result, seconds

PROMISED_S = 30.0


def run(sizes: Sizes) -> dict[str, Result]:
    """Time the comparison with its report; each student's notebooks have the solution's figures."""
    from course.outputs import CHAPTERS
    from tests.workshop import synthetic_class as made_up
    from workshop.cli.compare import compare

    students = 60 if sizes == FULL else 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with contextlib.redirect_stdout(io.StringIO()):
            maker = made_up.Maker()
            plans = made_up.plans(maker, students)
        for student, chapters in plans.items():
            (path / "class" / student).mkdir(parents=True)
            for chapter, plan in chapters.items():
                whole = plan or dict.fromkeys((e.number for e in maker.reference[chapter].exercises), "right")
                notebook = maker.notebook(chapter, whole)
                made_up.save(path / "class" / student / f"{CHAPTERS[chapter]}.ipynb", notebook)
        report = path / "report.html"
        with contextlib.redirect_stdout(io.StringIO()):
            taken = seconds(lambda: compare(path / "class", html=report))
        note = f"{students} students × 8 chapters; plain: the promised {PROMISED_S:.0f} s"
        note += f"; the report has {report.stat().st_size / 1e6:.1f} MB"
    return {"compare": Result(PROMISED_S / taken, 0.0, taken, PROMISED_S, note)}
