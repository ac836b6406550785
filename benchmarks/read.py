"""`ntuple.read` and `ntuple.iterate` against uproot that only decompresses the same branches; memory of the latter."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import awkward as ak
import numpy as np

from benchmarks.made_up import Sizes
from benchmarks.timing import Result, compare

JAGGED = ("lep_pt", "lep_eta", "lep_phi", "lep_E", "lep_charge", "lep_type")
FLAT = (
    "channelNumber",
    "eventNumber",
    "jet_n",
    "met_et",
    "mcWeight",
    "scaleFactor_PILEUP",
    "scaleFactor_ELE",
    "scaleFactor_MUON",
    "scaleFactor_LepTRIGGER",
    "XSection",
    "SumWeights",
)


def run(sizes: Sizes) -> dict[str, Result]:
    """Time reading a file into an event table: everything on top of decompressing is ours."""
    import uproot

    from factory import mini
    from labcourse import ntuple

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mc_363490.llll.4lep.root"
        mini.write(path, branches(sizes.read))

        def plain() -> None:
            with uproot.open(path) as file:
                file["mini"].arrays([*JAGGED, *FLAT], library="ak")

        assert len(ntuple.read(path)) == sizes.read
        timing = compare(lambda: ntuple.read(path), plain, rounds=2 * sizes.rounds + 1)
    read = timing._replace(note=f"{sizes.read} events; plain: uproot, decompressing only")
    return {"read": read, "stream": stream(sizes), "stream_2025": stream_2025(sizes)}


def stream(sizes: Sizes) -> Result:
    """Time going through the largest sample that the course finds, 50 000 events at a time.

    LABCOURSE_DATA names other samples than the bundled ones, such as those of scale 1.
    """
    import uproot

    from labcourse import ntuple, samples

    (path,) = samples.locate("llll").paths

    def ours() -> int:
        return sum(len(table) for table in ntuple.iterate(path))

    def plain() -> int:
        with uproot.open(path) as file:
            return sum(map(len, file["mini"].iterate([*JAGGED, *FLAT], step_size=50_000, library="ak")))

    assert ours() == plain()
    note = f"{ours()} events of llll in pieces, {memory(path)} above Python; plain: uproot.iterate"
    return compare(ours, plain, rounds=2 * sizes.rounds + 1, note=note)


def stream_2025(sizes: Sizes) -> Result:
    """Time going through collision data of the release of 2025: the bundle's events, drawn with replacement."""
    import uproot

    from factory import mini
    from labcourse import ntuple, samples

    branches = list(ntuple.SCHEMAS[1].branches("data").values())
    bundled = uproot.concatenate([f"{path}:analysis" for path in samples.locate("data_36fb").paths], branches)
    drawn = bundled[np.random.default_rng(1).integers(0, len(bundled), sizes.read)]
    columns = {name: drawn[name] if name.startswith("lep_") else drawn[name].to_numpy() for name in branches}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.root"
        mini.write(path, columns, tree="analysis")

        def ours() -> int:
            return sum(len(table) for table in ntuple.iterate(path, sample="data_36fb"))

        def plain() -> int:
            with uproot.open(path) as file:
                return sum(map(len, file["analysis"].iterate(branches, step_size=50_000, library="ak")))

        assert ours() == plain() == sizes.read
        note = f"{sizes.read} events of data_36fb in pieces; plain: uproot.iterate"
        return compare(ours, plain, rounds=2 * sizes.rounds + 1, note=note)


MEMORY = """
import sys
from pathlib import Path

def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

before = most()
from labcourse import ntuple
for table in ntuple.iterate(sys.argv[1]):
    pass
print(round((most() - before) * 1024 / 1e6))
"""


def memory(path: Path) -> str:
    """Return the largest memory of a process that only reads, libraries included, without the interpreter's.

    Linux tells it of the process itself; `resource.getrusage` would count what its parent held when it was started.
    """
    run = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=False)
    return f"{run.stdout.strip()} MB" if run.returncode == 0 else "an unknown amount"


def branches(n_events: int) -> dict[str, object]:
    """Make up the branches of a `mini` tree, energies in MeV."""
    rng = np.random.default_rng(1)
    n_leptons = rng.choice([4, 5], n_events, p=[0.98, 0.02])
    total = int(n_leptons.sum())
    pt = (7000 + rng.exponential(25_000, total)).astype(np.float32)
    # By falling momentum, as in the release.
    pt = pt[np.lexsort((-pt, np.repeat(np.arange(n_events), n_leptons)))]
    eta = rng.uniform(-2.4, 2.4, total).astype(np.float32)
    leptons = {
        "lep_pt": pt,
        "lep_eta": eta,
        "lep_phi": rng.uniform(-np.pi, np.pi, total).astype(np.float32),
        "lep_E": pt * np.cosh(eta),
        "lep_charge": rng.choice([-1, 1], total).astype(np.int32),
        "lep_type": rng.choice([11, 13], total).astype(np.uint32),
    }
    made: dict[str, object] = {name: ak.unflatten(values, n_leptons) for name, values in leptons.items()}
    made |= {name: rng.uniform(0.9, 1.1, n_events).astype(np.float32) for name in FLAT}
    made |= {
        "channelNumber": np.full(n_events, 363490, np.int32),
        "eventNumber": np.arange(n_events, dtype=np.int32),
        # The counter of a jagged branch: written along with it.
        "jet_pt": ak.unflatten(rng.exponential(5e4, n_events).astype(np.float32), np.ones(n_events, int)),
    }
    del made["jet_n"]
    return made
