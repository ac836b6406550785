"""The command `labcourse`, called in the tests' own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from course import outputs
from workshop import cli


class Result(NamedTuple):
    """Exit status, standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a caller of `labcourse …`."""

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["labcourse", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Result(code, *capsys.readouterr())

    return call


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
