"""A course of a few cells, for tests of tools."""

from collections.abc import Callable
from pathlib import Path

import pytest

from course import outputs


@pytest.fixture
def make_course(tmp_path: Path) -> Callable[[dict[int, str]], Path]:
    """Return a maker of a course's folder: the code of each chapter, in a cell that knows it as ``chapter``."""

    def make(code: dict[int, str]) -> Path:
        for name in ("course", "tests", "solutions"):
            (tmp_path / "home" / name).mkdir(parents=True)
        for number, text in code.items():
            opened = f"from course import outputs\n\nchapter = outputs.Chapter({number}, sources=[])"
            (tmp_path / "home" / "course" / f"{outputs.CHAPTERS[number]}.py").write_text(f"# %%\n{opened}\n{text}\n")
        (tmp_path / "home" / "tests" / "expected.json").write_text('{"bundle": {}, "official": {}}')
        return tmp_path / "home"

    return make
