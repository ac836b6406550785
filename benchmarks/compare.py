"""`labcourse compare` of a class: sixty students with eight chapters each against the promised half minute."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.made_up import FULL, Sizes
from benchmarks.timing import Result, seconds

PROMISED_S = 30.0


def run(sizes: Sizes) -> dict[str, Result]:
    """Time the comparison with its report; the notebooks have pictures, and each student's are others."""
    from labcourse import settings
    from tests import synthetic_class as made_up
    from workshop.comparison.display import compare

    students = 60 if sizes == FULL else 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with contextlib.redirect_stdout(io.StringIO()):
            maker = made_up.Maker(pictures=True)
            plans = made_up.plans(maker, students)
        for number, (student, chapters) in enumerate(plans.items()):
            (path / "class" / student).mkdir(parents=True)
            for chapter, plan in chapters.items():
                whole = plan or dict.fromkeys((e.number for e in maker.reference[chapter].exercises), "right")
                notebook = maker.notebook(chapter, whole)
                replace_pictures(notebook, np.random.default_rng([number, chapter]))
                made_up.save(path / "class" / student / f"{maker.reference[chapter].name}.ipynb", notebook)
        report = path / "report.html"
        taken = seconds(lambda: compare(path / "class", settings.home(), html=report))
        note = f"{students} students × 8 chapters; plain: the promised {PROMISED_S:.0f} s"
        note += f"; the report has {report.stat().st_size / 1e6:.1f} MB"
    return {"compare": Result(PROMISED_S / taken, 0.0, taken, PROMISED_S, note)}


def replace_pictures(notebook: dict, rng: np.random.Generator) -> None:
    """Give each figure other pixels, in as many bytes as matplotlib writes, and change a cell beside it."""
    import base64

    from PIL import Image

    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            picture = output.get("data", {}).get("image/png")
            if picture:
                with Image.open(io.BytesIO(base64.b64decode(picture))) as opened:
                    image = opened.convert("RGBA")
                image.paste(tuple(rng.integers(0, 255, 3).tolist()), (50, 50, 150, 120))
                stream = io.BytesIO()
                image.save(stream, "PNG")
                output["data"]["image/png"] = base64.b64encode(stream.getvalue()).decode()
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and not cell["metadata"].get("tags")]
    code[int(rng.integers(len(code)))]["source"].insert(0, "print('looked at')\n")
