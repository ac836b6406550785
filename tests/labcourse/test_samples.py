"""Where samples are found, what they are, and that one more is added in one place."""

import json
import shutil

import numpy as np
import pytest

from factory import mini, recipes
from labcourse import features, ntuple, plotting, samples, selection, settings
from labcourse.errors import MissingSample, UnknownSample

NAME = "mc_363490.llll.4lep.root"
TAUS = "mc_361108.Ztautau.4lep.root"


def test_samples_are_found_along_the_search_path(tmp_path, mini_branches, monkeypatch):
    mini.write(tmp_path / NAME, mini_branches(11))
    assert samples.locate("llll").source == "bundle"
    bundle = samples.fingerprint("llll")
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert samples.locate("llll") == ((tmp_path / NAME,), "foreign")
    assert samples.fingerprint("llll") != bundle
    assert samples.locate("Zee").source == "bundle"
    (tmp_path / samples.MANIFEST).write_text(json.dumps({"files": [{"file": NAME}]}))
    assert samples.locate("llll").source == "simulated"  # as `labcourse simulate` leaves it
    assert len(ntuple.read_sample("llll")) == 11


def test_unknown_and_missing_samples(monkeypatch, tmp_path):
    with pytest.raises(UnknownSample, match="Zmumu"):
        samples.get("Zmum")
    with pytest.raises(UnknownSample):
        ntuple.load(["llll", "lll"])
    monkeypatch.setattr("labcourse.settings.data_folder", lambda: tmp_path)
    with pytest.raises(MissingSample, match="git checkout"):
        samples.locate("llll")


def test_copies_of_the_bundle_are_never_taken_for_data_of_atlas(tmp_path, monkeypatch):
    for name in ("data", "Zee"):
        for path in samples.locate(name).paths:
            shutil.copy(path, tmp_path)
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert samples.locate("data").paths[0].parent == tmp_path
    assert {samples.locate(name).source for name in ("data", "Zee")} == {"bundle"}
    assert plotting.data_kind() == "Pseudo-data"
    # Other bytes, as of a simulation whose manifest is lost.
    (tmp_path / "data_C.4lep.root").write_bytes((tmp_path / "data_B.4lep.root").read_bytes())
    assert samples.locate("data").source == "foreign"
    assert plotting.data_kind() == "Data of unknown origin"


def test_a_damaged_file_comes_back_from_where_it_came(tmp_path):
    assert "git checkout" in samples.get_again(settings.data_folder() / NAME)
    assert "data download" in samples.get_again(settings.official_folder() / NAME)
    assert "unset LABCOURSE_DATA" in samples.get_again(tmp_path / NAME)


# An optional sample: Z → ττ, which the bundle lacks.


def test_an_optional_sample_is_not_missed(monkeypatch):
    assert "Ztautau" not in samples.ALL + samples.SIMULATED + samples.BACKGROUND
    assert {samples.locate(name).source for name in samples.ALL} == {"bundle"}
    assert samples.fingerprint("Ztautau") == "missing"
    with pytest.raises(MissingSample, match=TAUS):
        samples.locate("Ztautau")


def test_an_optional_sample_is_used_where_its_file_is(tmp_path, mini_branches, monkeypatch):
    before = samples.ALL
    mini.write(tmp_path / TAUS, mini_branches(9, dsid=361108))
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert set(samples.ALL) - set(before) == {"Ztautau"}
    assert samples.BACKGROUND == ("llll", "Zee", "Zmumu", "Ztautau", "ttbar_lep")
    assert samples.locate("Ztautau").source == "foreign"
    events = ntuple.load([*samples.BACKGROUND[1:], "data"], progress=False)
    taus = events[events["sample"] == "Ztautau"]
    assert list(events["sample"].cat.categories) == list(samples.ALL)
    assert (len(taus), set(taus["run"])) == (9, {361108})
    assert not features.labels(taus).any()
    assert samples.get("Ztautau").process in samples.PROCESSES
    # What is simulated for the course, and with which seeds, does not change.
    assert (*recipes.RECIPES, "data") == before


def test_real_files_of_january_2020_are_official_and_hold_taus(real_files, monkeypatch):
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    assert {samples.locate(name).source for name in ("data", "Zee", "Zmumu", "ttbar_lep", "Ztautau")} == {"official"}
    assert plotting.data_kind() == "ATLAS open data"
    sample, events = samples.get("Ztautau"), ntuple.read_sample("Ztautau")
    _, chunk = next(ntuple.chunks(real_files / TAUS, sample.role))
    assert len(events) == sample.official_raw
    assert set(np.asarray(chunk["XSection"])) == {np.float32(sample.cross_section)}
    assert set(np.asarray(chunk["SumWeights"])) == {np.float32(sample.sum_of_weights)}
    assert not selection.is_flavour_allowed(events).all()
