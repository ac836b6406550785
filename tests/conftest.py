"""What many tests share: crafted events, tiny ROOT files, the real ATLAS files where they are present."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import hypothesis
import numpy as np
import pandas as pd
import pytest

from course import workspaces
from labcourse import compiled, samples, settings

os.environ.setdefault("MPLBACKEND", "agg")

# A shell lets what it starts in the background ignore Ctrl-C, and nohup a closed terminal; so would all processes that
# tests stop in that way.
for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_IGN:
        signal.signal(getattr(signal, name), handler)

# To compile takes longer than the trainings of tests; `tests/labcourse/test_training.py` has XLA where it matters.
compiled.XLA = False

# A deadline a test case says more about what else the machine is doing than about the code.
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")

REAL = Path(os.environ.get("LABCOURSE_REAL", settings.home().parent / "shared" / "data" / "atlas-open-data-2020"))


@pytest.fixture(autouse=True)
def _own_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from what a user's chapters wrote, and from the user's settings."""
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.delenv("LABCOURSE_WORKSPACE", raising=False)
    monkeypatch.delenv("LABCOURSE_DATA", raising=False)
    monkeypatch.setattr(workspaces, "is_solution", False)


@pytest.fixture(autouse=True)
def _new_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each test begin as a new kernel does: no cell has run, nothing was checked, shown or interrupted."""
    from course.checks import cells
    from course.checks import progress as progress_of_checks
    from labcourse import training

    monkeypatch.setattr(cells, "_depth", 0)
    for container in (cells.runs, training._trainings, progress_of_checks.verdicts, progress_of_checks._shown):
        container.clear()
    yield
    if "IPython.core.interactiveshell" in sys.modules:  # IPython makes a shell where something is displayed
        sys.modules["IPython.core.interactiveshell"].InteractiveShell.clear_instance()


@pytest.fixture(autouse=True)
def _no_figures_for_the_next_test() -> Iterator[None]:
    """Close what a test has drawn: which test comes next in the same process differs from run to run."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder: an empty one of the test's own, with a folder for samples."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    return tmp_path


class Result(NamedTuple):
    """Exit status, standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a caller of `labcourse …` in this process."""
    from workshop import cli

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


HAS_REAL_FILES = (REAL / "mc_361106.Zee.4lep.root").is_file()


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real ATLAS files; the test is skipped where it is absent."""
    if not HAS_REAL_FILES:
        pytest.skip("the real ATLAS files are not here (shared/data/atlas-open-data-2020)")
    return REAL


@pytest.fixture(scope="session")
def real_files_or_bundle() -> Path:
    """The folder of real ATLAS files, or where it is absent that of the bundle."""
    return REAL if HAS_REAL_FILES else settings.data_folder()


@pytest.fixture
def make_events() -> Callable[..., pd.DataFrame]:
    """Return a maker of event tables with all columns, from flavours and charges."""

    def make(n: int = 8, *, sample: str = "llll", seed: int = 0, **columns: object) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        table: dict[str, object] = {
            "sample": pd.Categorical([sample] * n, categories=list(samples.ALL)),
            "run": np.full(n, samples.get(sample).dsid or 298773, np.int64),
            "event": np.arange(n, dtype=np.int64) + 1000,
        }
        pt = -np.sort(-rng.exponential(20, (n, 4)), axis=1).astype(np.float32) + 8
        for i in range(4):
            eta = rng.uniform(-2.4, 2.4, n).astype(np.float32)
            table |= {
                f"lep{i + 1}_pt": pt[:, i],
                f"lep{i + 1}_eta": eta,
                f"lep{i + 1}_phi": rng.uniform(-np.pi, np.pi, n).astype(np.float32),
                f"lep{i + 1}_e": pt[:, i] * np.cosh(eta),
                f"lep{i + 1}_charge": np.full(n, 1 if i % 2 else -1, np.float32),
                f"lep{i + 1}_pdgid": np.full(n, 11 if i < 2 else 13, np.float32),
            }
        from labcourse.kinematics import pair_masses

        arrays = [np.column_stack([table[f"lep{i}_{q}"] for i in (1, 2, 3, 4)]) for q in ("pt", "eta", "phi", "e")]
        table |= pair_masses(*arrays)
        table |= {"jet_n": np.zeros(n, np.float32), "met": np.full(n, 10, np.float32)}
        table["weight"] = np.ones(n, np.float32)
        return pd.DataFrame(table | columns)

    return make


@pytest.fixture(scope="session")
def mini_branches() -> Callable[..., dict[str, object]]:
    """Return a maker of `mini` branches in MeV, as `factory.mini.write` takes them."""

    def make(n: int = 20, *, dsid: int = 363490, leptons: int = 4, seed: int = 0) -> dict[str, object]:
        import awkward as ak

        rng = np.random.default_rng(seed)
        counts = np.full(n, leptons)
        pt = -np.sort(-rng.exponential(20e3, (n, leptons)), axis=1).astype(np.float32) + 7000
        eta = rng.uniform(-2.4, 2.4, (n, leptons)).astype(np.float32)

        def jagged(values: np.ndarray) -> ak.Array:
            return ak.unflatten(values.reshape(-1), counts)

        ones = np.ones(n, np.float32)
        return {
            "runNumber": np.full(n, 284500, np.int32),
            "eventNumber": np.arange(n, dtype=np.int32),
            "channelNumber": np.full(n, dsid, np.int32),
            "mcWeight": ones,
            "scaleFactor_PILEUP": ones,
            "scaleFactor_ELE": ones,
            "scaleFactor_MUON": ones,
            "scaleFactor_LepTRIGGER": ones,
            "XSection": ones * np.float32(2.0),
            "SumWeights": ones * np.float32(20000.0),
            "met_et": ones * 15e3,
            "lep_pt": jagged(pt),
            "lep_eta": jagged(eta),
            "lep_phi": jagged(rng.uniform(-np.pi, np.pi, (n, leptons)).astype(np.float32)),
            "lep_E": jagged((pt * np.cosh(eta)).astype(np.float32)),
            "lep_charge": jagged(rng.choice(np.array([-1, 1], np.int32), (n, leptons))),
            "lep_type": jagged(rng.choice(np.array([11, 13], np.uint32), (n, leptons))),
            "jet_n": np.zeros(n, np.int32),
        }

    return make
