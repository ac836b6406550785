"""The command `labcourse`, called in the tests' own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

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
