"""The bundle of the encore: what it holds, how large it is, and that a seed makes it again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot

from factory import release_2025
from labcourse import ntuple, samples, selection, settings
from labcourse.files import sha256

BUNDLE = settings.bundle_folder("2025")


def test_the_bundle_is_whole_small_and_says_what_it_is() -> None:
    manifest = samples.read_manifest(BUNDLE)
    assert {said["file"] for said in manifest} == {path.name for path in BUNDLE.glob("*.root")}
    assert all(said["sha256"] == sha256(BUNDLE / said["file"]) for said in manifest)
    assert sum(path.stat().st_size for path in BUNDLE.iterdir()) < 4_000_000
    assert {*release_2025.SOURCES, "data_36fb"} == {said["sample"] for said in manifest}
    assert {samples.locate(name).source for name in samples.names("2025")} == {"bundle"}


def test_the_bundle_has_the_traps_of_the_release() -> None:
    with uproot.open(samples.locate("ZZ").paths[0]) as file:
        tree = file["analysis"]
        pt, number = np.asarray(tree["lep_pt"].array()), tree["eventNumber"].array(library="np")
        assert (number.dtype, tree["sum_of_weights"].array().type.content.primitive) == (np.uint64, "float64")
        assert len(number) == 11_260
    assert 0.2 < (pt[:, 0] < pt.max(axis=1)).mean() < 0.8
    zz, data = ntuple.read_sample("ZZ"), ntuple.read_sample("data_36fb")
    assert 0.07 < (zz["weight"] < 0).mean() < 0.09
    assert not data.duplicated(["run", "event"]).any()
    assert len(selection.preselect(data)) < 0.15 * len(data)
    assert ((data["run"] >= 276262) & (data["run"] <= 311481)).all()


def test_a_seed_makes_events_again_and_another_one_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pythia8mc")
    few = {name: release_2025.SOURCES[name] for name in ("ggH", "Zmumu_light")}
    few = {name: replace(source, events=20, expected=10.0) for name, source in few.items()}
    monkeypatch.setattr(release_2025, "SOURCES", few)
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        release_2025.simulate(tmp_path / folder, seed=seed)
    file = samples.get("ggH").files[0]
    first, again, other = (ntuple.read(tmp_path / folder / file) for folder in "abc")
    assert first.equals(again)
    assert not first.equals(other)
    # 8.78 · 3.61 in the bundle: the sum of weights gives what is asked for, before the cuts on momenta of 2025.
    assert 5 < selection.preselect(first)["weight"].sum() < 10.5
