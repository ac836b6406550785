"""Campaigns: the same events whatever happens to workers, cluster, this process and the disk."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import psutil
import pytest
import uproot

from factory import bundle, campaign, production, recipes, tables, workers
from factory.campaign import FOLDER, Demand, Store
from factory.chunks import Chunk
from factory.generator import SimulationError
from factory.tables import Table
from labcourse import ntuple, samples, settings
from labcourse.errors import StorageError
from tests.factory.made_up import EVENTS, in_a_thread, make, needs_pythia

pytestmark = needs_pythia  # Dask comes with it

NAME = "llll"
FILE = samples.get(NAME).files[0]
CHUNKS = 20
OPTIONS: dict[str, Any] = {"scale": (CHUNKS - 0.5) * EVENTS / 554279, "samples": [NAME], "seed": 5}
FIRST = Chunk(NAME, 0, 5, events=150)


def small(name: str) -> recipes.Recipe:
    """A recipe whose chunks are as small as those of `make`."""
    return replace(recipes.RECIPES[name], chunk=FIRST.events)


@pytest.fixture(autouse=True)
def _made_up_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "simulate_chunk", make)
    monkeypatch.setitem(recipes.RECIPES, NAME, small(NAME))


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "connect", in_a_thread)


def arrays(folder: Path) -> dict[str, str]:
    """What the files of a folder hold: equal digests for equal events."""
    entries = {entry["file"]: entry for entry in samples.read_manifest(folder)}
    assert {path.name for path in folder.iterdir()} == {samples.MANIFEST, *entries}, "nothing else is left behind"
    digests = {}
    for file in entries:
        with uproot.open(folder / file) as opened:
            events = opened["mini"].arrays()
        assert len(events) == entries[file]["events"]
        digests[file] = hashlib.sha256(b"".join(ak.to_numpy(ak.flatten(events[n], None)).data for n in events.fields))
    return {file: digest.hexdigest() for file, digest in digests.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every campaign of these tests must end with: the first chunks, but for half of the last."""
    out = tmp_path_factory.mktemp("undisturbed")
    events = tables.join([make(FIRST.at(index)) for index in range(CHUNKS)])
    first = tables.take(events, slice(EVENTS * CHUNKS - EVENTS // 2))
    entry = bundle.write(out / FILE, bundle.normalise(first, NAME), NAME, seed=5)
    bundle.write_manifest(out, "", "", files=[entry])
    return arrays(out)


# --- which chunks ---------------------------------------------------------------------------------------------


def test_demand_asks_for_chunks_until_it_has_enough() -> None:
    wanted, asked = Demand(FIRST, 80, production.count), []
    while chunks := wanted.next():
        asked.append([chunk.index for chunk in chunks])
        wanted.counts += [10 if chunk.index == 2 else 20 for chunk in chunks]
    assert asked == [[0], [1, 2, 3], [4]]
    assert [chunk.index for chunk in wanted.chunks] == [0, 1, 2, 3, 4]
    wanted = Demand(FIRST, 80, production.count, [0] * 19)
    assert len(wanted.next()) == 1
    wanted.counts += [0]
    with pytest.raises(SimulationError, match="no event passes"):
        wanted.next()


def test_only_the_very_chunk_is_read_back(tmp_path: Path) -> None:
    kept = Store(tmp_path, 5)
    kept.save(FIRST, make(FIRST))
    for name, values in make(FIRST).items():
        np.testing.assert_array_equal(kept.load(FIRST)[name], values)
    assert FIRST in kept
    assert FIRST not in Store(tmp_path, 6)
    assert not [chunk for chunk in (FIRST.at(1), Chunk(NAME, 0, 5, events=151)) if chunk in kept]


def test_a_small_campaign_is_the_beginning_of_a_larger_one(tmp_path: Path, threads: None) -> None:
    production.simulate(tmp_path, **OPTIONS | {"scale": OPTIONS["scale"] / 4})
    few = ntuple.read(tmp_path / FILE)
    production.simulate(tmp_path, **OPTIONS | {"scale": OPTIONS["scale"] / 2})
    many = ntuple.read(tmp_path / FILE)
    assert len(many) == 2 * len(few)
    assert (many["lep1_pt"][: len(few)] == few["lep1_pt"]).all()
    assert many["weight"].sum() == pytest.approx(few["weight"].sum(), rel=1e-5)


def test_pseudo_data_do_not_depend_on_the_chunks_that_are_there(tmp_path: Path, threads: None) -> None:
    options = {"samples": ["data"], "seed": 3}
    production.simulate(tmp_path / "one", **options)
    third = Chunk(NAME, 2, 3, 1, production.PSEUDO_DATA_CHUNK)
    Store(tmp_path / "two", 3).save(third, make(third))
    production.simulate(tmp_path / "two", **options)
    assert tuple(arrays(tmp_path / "one")) == samples.get("data").files
    assert arrays(tmp_path / "one") == arrays(tmp_path / "two")


# --- faults ---------------------------------------------------------------------------------------------------


def test_full_disk_is_one_error_and_finished_chunks_stay(
    tmp_path: Path, threads: None, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    fsync = os.fsync

    def full(handle: int) -> None:
        nonlocal written
        written += 1
        if written > 3:
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr("labcourse.files.os.fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            production.simulate(tmp_path, **OPTIONS)
    assert len(list(Store(tmp_path, 5).folder.iterdir())) == 3, "three whole chunks and nothing else"
    with monkeypatch.context() as patch:
        patch.setattr(bundle.mini, "write", lambda *_, **__: full(written))
        with pytest.raises(OSError, match="No space left"):
            production.simulate(tmp_path, **OPTIONS)
    monkeypatch.setattr(production, "simulate_chunk", None)
    production.simulate(tmp_path, **OPTIONS)
    assert arrays(tmp_path) == undisturbed


def test_workers_with_other_code_are_refused(tmp_path: Path, threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "fingerprint", iter(map(str, range(99))).__next__)
    with pytest.raises(SimulationError, match="another version"):
        production.simulate(tmp_path, **OPTIONS)


def test_nobody_at_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(SimulationError, match="no Dask cluster"):
        production.simulate(tmp_path, address="tcp://127.0.0.1:9", **OPTIONS)


class Run:
    """A campaign in a process of its own, which can be killed."""

    def __init__(self, folder: Path) -> None:
        script = (
            "import sys\n"
            "if __name__ == '__main__':\n"
            "    import tests.factory.test_campaign as t; from factory import production, recipes\n"
            "    production.simulate_chunk, recipes.RECIPES[t.NAME] = t.make, t.small(t.NAME)\n"
            "    try: production.simulate(sys.argv[1], workers=2, **t.OPTIONS)\n"
            "    except KeyboardInterrupt: sys.exit('interrupted')\n"
        )
        (folder / "run.py").write_text(script)
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "run.py"), str(folder / "out")],
            env=os.environ | {"PYTHONPATH": str(settings.home())},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def disturbed(self, folder: Path, number: signal.Signals, kept: int) -> str:
        """Send a signal to the campaign, and if it is Ctrl-C to its workers, once so many chunks are kept."""
        end = time.monotonic() + 60
        while len(kept_in(folder)) < kept:
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.02)
        of_run = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        assert not any(process.net_connections() for process in of_run), "no socket is opened"
        (os.killpg if number == signal.SIGINT else os.kill)(self.process.pid, number)
        _, errors = self.process.communicate(timeout=90)
        assert not psutil.wait_procs(of_run, timeout=10)[1], "workers end with the campaign"
        assert self.process.returncode != 0
        return errors


def made_in(folder: Path) -> list[tuple[int, int]]:
    """Index and process of the chunks that were begun."""
    return [(int(index), int(pid)) for index, pid in map(str.split, (folder / "log").read_text().splitlines())]


def kept_in(folder: Path) -> set[int]:
    """Chunks in the store."""
    return {int(path.stem.rsplit("-", 1)[1]) for path in (folder / "out" / FOLDER).glob("*/[!.]*.npz")}


def test_whatever_disturbs_it_the_same_command_goes_on(
    tmp_path: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One campaign; each run goes on with what those before have finished."""
    monkeypatch.setenv("CAMPAIGN_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("CAMPAIGN_PAUSE", "0.3")
    save, kept, before = Store.save, set[int](), 0

    def is_resumed() -> None:
        nonlocal kept, before
        assert not kept & {index for index, _ in made_in(tmp_path)[before:]}, "finished chunks are not made again"
        kept, before = kept_in(tmp_path), len(made_in(tmp_path))

    # The second worker begins with the second chunk; it needs a second until it leaves Ctrl-C to its parent.
    for number, says, more in ((signal.SIGINT, "interrupted\n", 8), (signal.SIGKILL, "", 2)):
        errors = Run(tmp_path).disturbed(tmp_path, number, len(kept) + more)
        assert (errors.startswith(says), "Traceback" in errors) == (True, False)
        is_resumed()

    def save_and_kill(store: Store, chunk: Chunk, table: Table) -> None:
        save(store, chunk, table)
        if len(kept_in(tmp_path)) == len(kept) + 2:
            os.kill(made_in(tmp_path)[-1][1], signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save", save_and_kill)
        with pytest.raises(SimulationError, match=rf"terminated abruptly(.|\n)*{NAME}"):
            production.simulate(tmp_path / "out", workers=2, **OPTIONS)
    is_resumed()
    out = tmp_path / "out"
    (next((out / FOLDER).iterdir()) / f".{NAME}-0-150-00099-half.npz").write_bytes(b"half a chunk")
    monkeypatch.setenv("CAMPAIGN_PAUSE", "0")
    production.simulate(out, workers=1, **OPTIONS)
    assert arrays(out) == undisturbed
    assert not kept & {index for index, _ in made_in(tmp_path)[before:]}


def test_a_cluster_makes_the_same_events_and_a_dead_one_is_an_error(
    tmp_path: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask
    from distributed import LocalCluster

    def simulate_with(disturb: Callable[[Any], None]) -> None:
        def save_and_disturb(store: Store, chunk: Chunk, table: Table) -> None:
            save(store, chunk, table)
            disturb(cluster)

        with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
            monkeypatch.setattr(Store, "save", save_and_disturb)
            production.simulate(tmp_path, address=cluster.scheduler_address, **OPTIONS)

    save = Store.save
    monkeypatch.setenv("CAMPAIGN_PAUSE", "0.1")
    monkeypatch.setattr(workers, "SECONDS_WITHOUT_WORKERS", 1)
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        with pytest.raises(SimulationError, match="NoWorker"):
            simulate_with(lambda cluster: cluster.scale(0))
        with pytest.raises(SimulationError, match="Cancelled"):
            simulate_with(lambda cluster: cluster.sync(cluster.scheduler.close))
    simulate_with(lambda cluster: None)
    assert arrays(tmp_path) == undisturbed
