"""The benchmarks run, compare like with like, and write what was promised; how fast is for `make bench` to say."""

from __future__ import annotations

import importlib
import json
import re
import sys

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import made_up, timing
from labcourse import settings

TINY = made_up.Sizes(train=300, validation=150, all=1000, read=200, cuts=20, generated=20, rounds=2)


@pytest.mark.parametrize("path", sorted(settings.home().glob("benchmarks/[a-z]*.py")), ids=lambda path: path.stem)
def test_those_that_take_long_can_be_imported_at_least(path):
    importlib.import_module(f"benchmarks.{path.stem}")


def test_ratio_is_the_median_over_interleaved_rounds():
    result = timing.Result.of([1.0, 2.0, 1.0], [10.0, 40.0, 60.0])
    assert result[:4] == (20.0, 50.0, 1.0, 40.0)


def test_both_ways_take_turns():
    turns = []
    timing.compare(lambda: turns.append("ours"), lambda: turns.append("plain"), rounds=2, ours_times=2)
    assert turns == ["plain", "ours", "ours"] * 2


def test_made_up_events_overlap_and_are_sorted():
    x, y, weight = made_up.transverse_momenta(2000, seed=1)
    assert x.shape == (2000, 4)
    assert (np.diff(x, axis=1) <= 0).all()
    assert 0.4 < y.mean() < 0.6
    assert weight.mean() == pytest.approx(1, abs=0.02)


def test_numbers_are_printed_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(made_up, "QUICK", TINY)
    monkeypatch.setenv("BENCH_JSON", str(tmp_path / "bench.json"))
    benchmarks.main(["--quick", "scan", "preselect", "read", "predict", "interactive"])
    written = json.loads((tmp_path / "bench.json").read_text())
    assert list(written) == ["scan", "preselect", "read", "stream", "stream_2025", "predict", "interactive"]
    for numbers in written.values():
        assert list(numbers) == ["ratio", "spread", "ours_s", "plain_s"]
        assert all(isinstance(value, float) and value >= 0 for value in numbers.values())
    printed = capsys.readouterr().out
    if sys.platform == "linux":
        memory = re.search(r"in pieces,\s+(\d+)\s+MB\s+above", re.sub(r"[│┃]|\n", " ", printed))
        assert memory
        assert 20 < int(memory[1]) < 500, "libraries and tables, not nothing"
    assert all(name in printed for name in written)


def test_lines_that_are_opened_are_counted():
    from benchmarks import imports

    found = imports.run(TINY)
    assert list(found) == ["imports_chapter1", "imports_project", "imports_seconds"]
    assert found["imports_project"].ratio == 1, "nothing of factory"
    assert found["imports_seconds"].ours_s < imports.MOST_SECONDS
    assert int(found["imports_chapter1"].note.split()[1]) > 500


def test_without_pythia_its_benchmarks_are_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(made_up, "QUICK", TINY)
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    monkeypatch.setenv("BENCH_JSON", str(tmp_path / "bench.json"))
    benchmarks.main(["--quick", "simulate", "scan", "workers"])
    assert list(json.loads((tmp_path / "bench.json").read_text())) == ["scan"]
    assert "simulate is left out: Pythia 8 is not installed." in capsys.readouterr().out


def test_simulation_is_timed():
    pytest.importorskip("pythia8mc", reason="Pythia 8 is not installed")
    pytest.importorskip("fastjet", reason="fastjet is not installed")
    from benchmarks import simulate

    assert list(simulate.run(TINY)) == ["simulate_ggH", "simulate_llll"]


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        benchmarks.main(["fitt"])
    assert "no benchmark fitt" in capsys.readouterr().err


def test_the_search_is_timed_with_and_without_torch(monkeypatch):
    from benchmarks import parameterised

    monkeypatch.setattr(parameterised, "TRAIN", 3_600_000)
    monkeypatch.setattr(parameterised, "VALIDATION", 1_200_000)
    found = parameterised.run(TINY)
    has_torch = parameterised.importlib.util.find_spec("torch") is not None
    assert list(found) == ["parameterised"] * has_torch + ["parameterised_products"]
    assert all(result.ratio > 0 for result in found.values())
