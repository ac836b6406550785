"""Campaigns on Dask: the same events whatever happens to workers, scheduler, client and disk."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory import campaign, cluster, forecast, store, tables
from factory.chunks import Chunk, Table
from factory.demand import Demand
from labcourse import ntuple, samples, settings
from labcourse.errors import BadFile, SimulationError, StorageError

pytest.importorskip("distributed", reason="Dask is not installed (pip install -e '.[simulate]')")
pytest.importorskip("pythia8mc", reason="Pythia 8 is not installed (pip install -e '.[simulate]')")

NAME = "llll"
FILE = samples.get(NAME).files[0]
CHUNKS = 6
EVENTS = 30
"""Events of the made-up chunks."""
OPTIONS: dict[str, Any] = {"scale": (CHUNKS - 0.5) * EVENTS / 554279, "samples": [NAME], "seed": 5, "progress": False}


def make(chunk: Chunk, n: int = EVENTS) -> Table:
    """A chunk without Pythia; a line in the log says that it was made."""
    log, pause = os.environ.get("CAMPAIGN_LOG"), float(os.environ.get("CAMPAIGN_PAUSE", "0"))
    if log:
        with open(log, "a") as stream:
            stream.write(f"{chunk.index} {os.getpid()}\n")
    time.sleep(pause)
    if os.environ.get("CAMPAIGN_DEADLY") == str(chunk.index):
        os._exit(1)
    rng = np.random.default_rng([chunk.seed, chunk.purpose, chunk.index])
    jets = rng.integers(0, 3, n)
    return {
        "eventNumber": chunk.index * chunk.events + np.arange(n) + 1,
        **{f"scaleFactor_{kind}": rng.uniform(0.9, 1.1, n) for kind in ("PILEUP", "ELE", "MUON", "LepTRIGGER")},
        "trigE": np.ones(n, bool),
        "met_et": rng.exponential(20e3, n),
        "lep_n": np.full(n, 4),
        "lep_pt": -np.sort(-rng.exponential(2e4, (n, 4)) - 8e3, axis=1).ravel(),
        "lep_eta": rng.uniform(-2.4, 2.4, 4 * n),
        "lep_phi": rng.uniform(-3, 3, 4 * n),
        "lep_charge": np.tile([1, -1, 1, -1], n),
        "lep_type": np.tile([11, 11, 13, 13], n),
        "lep_isTightID": rng.random(4 * n) < 0.9,
        "jet_n": jets,
        "jet_pt": rng.exponential(3e4, jets.sum()) + 2e4,
        "jet_MV2c10": rng.uniform(-1, 1, jets.sum()),
    }


@pytest.fixture(autouse=True)
def _made_up_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "simulate_chunk", make)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A Dask cluster within this process, which is quick to start."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as local:
        yield local.scheduler_address


@pytest.fixture(scope="module")
def undisturbed(address: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that every campaign of these tests must end with."""
    out = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaign, "simulate_chunk", make)
        campaign.simulate(out, address=address, **OPTIONS)
    assert sorted(path.name for path in out.iterdir()) == [samples.MANIFEST, FILE], "no chunks are left behind"
    return (out / FILE).read_bytes()


# --- which chunks ---------------------------------------------------------------------------------------------


def test_demand_asks_for_chunks_until_they_promise_enough() -> None:
    demand = Demand(Chunk(NAME, 0, 1, events=400), 250, lambda _, table: len(table["lep_n"]))
    # The recipe foresees a quarter of the events.
    for index in range(3):
        chunk = demand.next()
        assert chunk == Chunk(NAME, index, 1, events=400)
        demand.running.add(index)
    assert demand.next() is None
    assert demand.chunks is None
    for index in (2, 0):
        demand.add(demand.first.at(index), make(demand.first, 60), 2.0)
    assert demand.chunks is None, "chunk 1 is missing"
    assert demand.work_left == pytest.approx(6.0)
    demand.add(demand.first.at(1), make(demand.first, 60), 2.0)
    for index in (3, 4):
        assert demand.next() == demand.first.at(index)
        demand.add(demand.first.at(index), make(demand.first, 60), 2.0)
    assert [chunk.index for chunk in demand.chunks or ()] == [0, 1, 2, 3, 4]
    assert demand.work_left == 0


def test_a_sample_that_nothing_passes_is_given_up() -> None:
    demand = Demand(Chunk(NAME, 0, 1, events=400), 100, lambda *_: 0)

    def simulate_in_vain() -> None:
        while (chunk := demand.next()) is not None:
            demand.add(chunk, {})

    with pytest.raises(SimulationError, match="hardly any"):
        simulate_in_vain()


def test_the_log_of_a_batch_job_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 1000, 50))
    monkeypatch.setattr(forecast.time, "monotonic", lambda: float(next(clock)))
    shown = forecast.Forecast()
    for work_left in (180.0, 160.0, 140.0):
        shown.show(work_left, 20.0, 1000, "llll")
    # After 50, 100 and 150 seconds; the first and the third come less than a minute after the line before.
    assert capsys.readouterr().err == "llll: 20% done after 1 min 40 s, 6 min 40 s left, 20 events/s\n"
    forecast.Forecast(visible=False).show(10.0, 20.0, 1000, "llll")
    assert capsys.readouterr() == ("", "")


# --- what is kept ---------------------------------------------------------------------------------------------


def test_only_the_very_chunk_is_read_back(tmp_path: Path) -> None:
    kept = store.Store(tmp_path, 5, "abc")
    chunk = Chunk(NAME, 3, 5, events=400)
    kept.save(chunk, make(chunk))
    loaded = kept.load(chunk)
    assert loaded is not None
    for name, values in make(chunk).items():
        np.testing.assert_array_equal(loaded[name], values)
    path = next(kept.folder.iterdir())
    path.with_name(f"{NAME}-0-00004.npz").write_bytes(path.read_bytes())
    path.with_name(f"{NAME}-0-00005.npz").write_bytes(path.read_bytes()[:2000])
    path.with_name(f"{NAME}-0-00006.npz").write_bytes(b"not a chunk")
    path.with_name(f"{NAME}-0-mine.npz").write_bytes(b"not a chunk")
    np.savez(path.with_name(f"{NAME}-0-00007.npz"), chunk=np.array([{"a": 1}], object), allow_pickle=True)
    assert [found.index for found, _ in kept.finished(chunk.at(0))] == [3]
    assert kept.load(Chunk(NAME, 3, 5, events=401)) is None
    assert store.Store(tmp_path, 6, "abc").load(chunk) is None
    assert store.Store(tmp_path, 5, "abd").load(chunk) is None


def test_a_small_campaign_is_the_beginning_of_a_larger_one(tmp_path: Path, address: str) -> None:
    campaign.simulate(tmp_path, address=address, keep_chunks=True, **OPTIONS)
    small = ntuple.read(tmp_path / FILE)
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / store.FOLDER).glob("*/*")}
    assert len(made) >= CHUNKS
    campaign.simulate(tmp_path, address=address, **OPTIONS | {"scale": 2 * OPTIONS["scale"]})
    large = ntuple.read(tmp_path / FILE)
    assert len(large) == 2 * len(small)
    assert (large["lep1_pt"][: len(small)] == small["lep1_pt"]).all()
    assert large["weight"].sum() == pytest.approx(small["weight"].sum(), rel=1e-5)
    assert not (tmp_path / store.FOLDER).exists()


def test_chunks_that_are_there_are_not_made_again(
    tmp_path: Path, address: str, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_LOG", str(tmp_path / "log"))
    kept = store.Store(tmp_path / "out", 5, store.fingerprint())
    first = Chunk(NAME, 0, 5, events=campaign.recipes.get(NAME).chunk)
    for index in (1, 4):
        kept.save(first.at(index), tables.finished(make(first.at(index))))
    (kept.folder / f"{NAME}-0-00002.npz").write_bytes(b"a foreign file")
    (kept.folder / "notes.txt").write_text("another foreign file")
    (tmp_path / "log").unlink()
    campaign.simulate(tmp_path / "out", address=address, **OPTIONS)
    made = [int(line.split()[0]) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(made) == len(set(made))
    assert {0, 2, 3, 5} <= set(made)
    assert not {1, 4} & set(made)
    assert (tmp_path / "out" / FILE).read_bytes() == undisturbed
    assert [path.name for path in kept.folder.iterdir()] == ["notes.txt"]
    (tmp_path / "log").unlink()
    campaign.simulate(tmp_path / "out", address=address, **OPTIONS)
    assert not (tmp_path / "log").exists(), "a complete sample is not made again"
    (tmp_path / "out" / FILE).write_bytes(b"damaged")
    campaign.simulate(tmp_path / "out", address=address, **OPTIONS)
    assert (tmp_path / "out" / FILE).read_bytes() == undisturbed


def test_stale_chunks_are_not_used_and_go(
    tmp_path: Path, address: str, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Chunk(NAME, 0, 5, events=campaign.recipes.get(NAME).chunk)
    wrong = make(first.at(9))
    store.Store(tmp_path, 5, "0123456789abcdef").save(first, wrong)
    other_seed = store.Store(tmp_path, 6, store.fingerprint())
    other_seed.save(Chunk(NAME, 0, 6, events=first.events), wrong)
    campaign.simulate(tmp_path, address=address, **OPTIONS)
    assert (tmp_path / FILE).read_bytes() == undisturbed
    assert [path.name for path in (tmp_path / store.FOLDER).iterdir()] == [other_seed.folder.name]


def test_pseudo_data_do_not_depend_on_the_order_of_chunks(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"scale": 1.0, "samples": ["data"], "seed": 3, "progress": False, "address": address}
    campaign.simulate(tmp_path / "one", **options)
    kept = store.Store(tmp_path / "two", 3, store.fingerprint())
    first = Chunk(NAME, 0, 3, 1, campaign.PSEUDO_DATA_CHUNK)
    kept.save(first.at(2), tables.finished(make(first.at(2))))
    campaign.simulate(tmp_path / "two", **options)
    for file in samples.get("data").files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


# --- faults ---------------------------------------------------------------------------------------------------


def test_full_disk_is_one_error_and_finished_chunks_stay(
    tmp_path: Path, address: str, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    fsync = os.fsync

    def full(handle: int) -> None:
        nonlocal written
        written += 1
        if written > 3:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr("labcourse.files.os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        campaign.simulate(tmp_path, address=address, **OPTIONS)
    kept = store.Store(tmp_path, 5, store.fingerprint()).folder
    assert len(list(kept.iterdir())) == 3, "three whole chunks and nothing else"
    monkeypatch.setattr("labcourse.files.os.fsync", fsync)
    campaign.simulate(tmp_path, address=address, **OPTIONS)
    assert (tmp_path / FILE).read_bytes() == undisturbed


def test_full_disk_while_the_file_is_written(
    tmp_path: Path, address: str, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr(ntuple, "write", full)
        with pytest.raises(StorageError):
            campaign.simulate(tmp_path, address=address, **OPTIONS)
    monkeypatch.setenv("CAMPAIGN_LOG", str(tmp_path / "log"))
    campaign.simulate(tmp_path, address=address, **OPTIONS)
    assert (tmp_path / FILE).read_bytes() == undisturbed
    assert not (tmp_path / "log").exists()


def test_a_chunk_that_vanishes_is_named(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.Store, "load", lambda *_: None)
    with pytest.raises(BadFile, match="vanished"):
        campaign.simulate(tmp_path, address=address, **OPTIONS)


def test_a_failing_chunk_is_named(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(chunk: Chunk) -> Table:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(campaign, "simulate_chunk", fail)
    with pytest.raises(SimulationError, match=r"No space left(.|\n)*llll, chunk 0"):
        campaign.simulate(tmp_path, address=address, **OPTIONS)


def test_workers_with_other_code_are_refused(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "fingerprint", lambda: "mine")
    monkeypatch.setattr(cluster, "fingerprint", iter(["mine"] + ["the worker's"] * 99).__next__)
    with pytest.raises(SimulationError, match="another version"):
        campaign.simulate(tmp_path, address=address, **OPTIONS)


def test_only_one_campaign_at_a_time_writes_into_a_folder(tmp_path: Path, address: str) -> None:
    """Two would lose each other's entries in the manifest."""
    hold = "import sys, time\nfrom pathlib import Path\nfrom labcourse.files import alone_in\n"
    hold += "with alone_in(Path(sys.argv[1]), 'simulate'):\n    print('held', flush=True)\n    time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="Another process is at work"):
            campaign.simulate(tmp_path, address=address, **OPTIONS)
        other.kill()
    campaign.simulate(tmp_path, address=address, **OPTIONS)
    assert not list(tmp_path.glob(".*lock"))


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:9", "not an address", "tcp://127.0.0.1"])
def test_nobody_at_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setattr(cluster, "_SECONDS_TO_CONNECT", 1)
    with pytest.raises(SimulationError, match="no Dask cluster"):
        campaign.simulate(tmp_path, address=wrong, **OPTIONS)


class Run:
    """A campaign in a process of its own, which can be killed."""

    def __init__(self, folder: Path, *arguments: str, pause: float = 0.3, **environment: str) -> None:
        self.out, self.log = folder / "out", folder / "log"
        script = (
            "import sys, tests.factory.test_campaign as t; from factory import campaign\n"
            "from labcourse.errors import LabCourseError\n"
            "campaign.simulate_chunk = t.make\n"
            "if __name__ == '__main__':\n"
            "    more = dict(argument.split('=') for argument in sys.argv[2:])\n"
            "    try: campaign.simulate(sys.argv[1], **{'workers': 2} | t.OPTIONS | more)\n"
            "    except LabCourseError as error: sys.exit(str(error))\n"
        )
        (folder / "run.py").write_text(script)
        variables = {"PYTHONPATH": str(settings.home()), "CAMPAIGN_LOG": str(self.log), "CAMPAIGN_PAUSE": str(pause)}
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "run.py"), str(self.out), *arguments],
            env=os.environ | variables | environment,
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def made(self) -> list[tuple[int, int]]:
        """Index and process of the chunks that were begun."""
        lines = self.log.read_text().splitlines() if self.log.is_file() else []
        return [(int(index), int(pid)) for index, pid in map(str.split, lines)]

    @property
    def kept(self) -> set[int]:
        """Chunks in the store."""
        paths = (self.out / store.FOLDER).glob("*/*.npz")
        return {int(path.stem.rsplit("-", 1)[1]) for path in paths if not path.name.startswith(".")}

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not true():
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.02)

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=90)
        return self.process.returncode, errors


def test_killed_worker(tmp_path: Path, undisturbed: bytes) -> None:
    run = Run(tmp_path)
    run.until(lambda: run.kept)
    os.kill(run.made[-1][1], signal.SIGKILL)
    kept, before = run.kept, len(run.made)
    code, errors = run.end()
    assert (code, errors) == (0, "")
    assert (run.out / FILE).read_bytes() == undisturbed
    begun = [index for index, _ in run.made]
    assert not kept & set(begun[before:]), "finished chunks are not made again"
    lost = len(begun) - len(set(begun))
    assert lost <= 2, "made twice is what the dead worker was making, and one that it had not handed over yet"


def test_killed_client(tmp_path: Path, undisturbed: bytes) -> None:
    run = Run(tmp_path)
    run.until(lambda: len(run.kept) >= 2)
    run.process.kill()
    run.end()
    kept, before = run.kept, len(run.made)
    folder = next((run.out / store.FOLDER).iterdir())
    (folder / f".{NAME}-0-00009-half.npz").write_bytes(b"half a chunk")
    (run.out / f".{Path(FILE).stem}-half.root").write_bytes(b"half a file")
    run = Run(tmp_path)
    assert run.end() == (0, "")
    assert (run.out / FILE).read_bytes() == undisturbed
    assert not kept & {index for index, _ in run.made[before:]}, "finished chunks are not made again"
    assert sorted(path.name for path in run.out.iterdir()) == [samples.MANIFEST, FILE]


def test_killed_scheduler(tmp_path: Path, undisturbed: bytes) -> None:
    def serve(name: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *arguments]
        variables = {"PYTHONPATH": str(settings.home()), "CAMPAIGN_LOG": str(tmp_path / "log"), "CAMPAIGN_PAUSE": "0.3"}
        return subprocess.Popen(
            command, env=os.environ | variables, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def start(file: Path) -> tuple[str, list[subprocess.Popen[str]]]:
        scheduler = serve(
            "scheduler",
            "--port",
            "0",
            "--dashboard-address",
            ":0",
            "--host",
            "127.0.0.1",
            "--scheduler-file",
            str(file),
        )
        worker = serve("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard", "--no-nanny")
        while not file.is_file() or not file.read_text():
            assert scheduler.poll() is None
            time.sleep(0.05)
        return json.loads(file.read_text())["address"], [scheduler, worker]

    served: list[subprocess.Popen[str]] = []
    try:
        address, served = start(tmp_path / "one.json")
        run = Run(tmp_path, f"address={address}")
        run.until(lambda: len(run.kept) >= 2)
        served[0].kill()
        code, errors = run.end()
        assert code == 1
        assert "same command again" in errors
        assert "Traceback" not in errors
        kept, before = run.kept, len(run.made)
        assert len(kept) >= 2
        address, more = start(tmp_path / "two.json")
        served += more
        run = Run(tmp_path, f"address={address}")
        assert run.end() == (0, "")
        assert not kept & {index for index, _ in run.made[before:]}
        assert (run.out / FILE).read_bytes() == undisturbed
    finally:
        for process in served:
            process.kill()
            process.wait()


def test_workers_that_keep_dying_end_the_campaign(tmp_path: Path) -> None:
    run = Run(tmp_path, pause=0.01, CAMPAIGN_DEADLY="1")
    code, errors = run.end()
    assert code == 1
    assert re.match(r"Workers died 4 times.*\n  where: llll, chunk 1\n", errors)
    assert "Traceback" not in errors
    assert [index for index, _ in run.made].count(1) == cluster.DEATHS + 1
    assert 0 in run.kept
