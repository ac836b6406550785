"""The benchmarks run, compare like with like, and write what was promised; how fast is for `make bench` to say."""

import importlib
import json
import re
import sys

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import imports, made_up, parameterised, timing
from labcourse import settings

TINY = made_up.Sizes(train=300, validation=150, all=1000, read=200, cuts=20, generated=20, rounds=1)


@pytest.mark.parametrize("path", sorted(settings.home().glob("benchmarks/[a-z]*.py")), ids=lambda path: path.stem)
def test_those_that_take_long_can_be_imported_at_least(path):
    importlib.import_module(f"benchmarks.{path.stem}")


def test_ratio_is_the_median_over_interleaved_rounds():
    result = timing.Result.of([1.0, 2.0, 1.0], [10.0, 40.0, 60.0])
    assert result[:4] == (20.0, 50.0, 1.0, 40.0)


def test_numbers_are_printed_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(made_up, "QUICK", TINY)
    monkeypatch.setattr(parameterised, "TRAIN", 3_600_000)
    monkeypatch.setattr(parameterised, "VALIDATION", 1_200_000)
    monkeypatch.setenv("BENCH_JSON", str(tmp_path / "bench.json"))
    names = ["scan", "preselect", "read", "predict", "imports", "parameterised", "simulate"]
    benchmarks.main(["--quick", *names])
    written, printed = json.loads((tmp_path / "bench.json").read_text()), capsys.readouterr().out
    for name in names:
        assert any(key.startswith(name) for key in written) or f"{name} is left out: Pythia 8 is not" in printed
    for name, numbers in written.items():
        assert name in printed
        assert list(numbers) == ["ratio", "spread", "ours_s", "plain_s"]
        assert all(isinstance(value, float) and value >= 0 for value in numbers.values())
    assert written["imports_project"]["ratio"] == 1, "nothing of factory"
    assert written["imports_seconds"]["ours_s"] < imports.MOST_SECONDS
    if sys.platform == "linux":
        memory = re.search(r"in pieces,\s+(\d+)\s+MB\s+above", re.sub(r"[│┃]|\n", " ", printed))
        assert memory
        assert 20 < int(memory[1]) < 500, "libraries and tables, not nothing"
