"""The release of 2025: its tree `analysis` with every trap, its selection, and where its samples are found.

The files are synthetic, with the names, types and units that the release documents. No real file was at hand.
"""

from __future__ import annotations

import tracemalloc

import awkward as ak
import numpy as np
import pandas as pd
import pytest

from factory import mini
from labcourse import features, ntuple, plotting, samples, selection, settings
from labcourse.errors import BadEvents, BadInput, EmptySelection, ForeignFile, MissingSample

GGH, DATA = samples.get("ggH"), samples.get("data_36fb")


@pytest.fixture
def analysis_branches():
    """Return a maker of branches: all of the documented ones that have to do with the course, types included."""

    def make(n=20, *, dsid=345060, seed=0):
        rng = np.random.default_rng(seed)
        # Electrons first: sorted within a flavour only, as a release that joins two collections has them.
        pt = np.concatenate([-np.sort(-rng.exponential(20, (n, 2)) - 10) for _ in range(2)], axis=1).astype("f4")
        eta = rng.uniform(-2.4, 2.4, (n, 4)).astype("f4")

        def lists(values):
            return ak.from_regular(ak.Array(np.ascontiguousarray(np.broadcast_to(values, (n, 4)))))

        def constant(value, kind):
            return np.full(n, value, kind)

        yes = np.ones((n, 4), bool)
        leptons = {"pt": pt, "eta": eta, "phi": rng.uniform(-3, 3, (n, 4)).astype("f4"), "e": pt * np.cosh(eta)}
        leptons |= {name: rng.normal(size=(n, 4)).astype("f4") for name in ("d0", "d0sig", "z0")}
        leptons |= {"ptvarcone30": pt / 10, "topoetcone20": pt / 20}
        leptons |= {"charge": np.array([1, -1, 1, -1], "i4"), "type": np.array([11, 11, 13, 13], "i4")}
        leptons |= {f"is{name}": yes for name in ("LooseID", "MediumID", "TightID", "LooseIso", "TightIso")}
        leptons["isTrigMatched"] = np.array([True, False, False, False])
        jets = {"pt": "f4", "eta": "f4", "phi": "f4", "e": "f4", "btag_quantile": "i4", "jvt": "?"}
        return {
            "runNumber": constant(284500, "u4"),
            "channelNumber": constant(dsid, "u4"),
            # Neighbours that a float would take for one number.
            "eventNumber": np.uint64(2**53) + np.arange(n, dtype="u8"),
            "xsec": constant(0.006, "f8"),
            "kfac": constant(1.1, "f8"),
            "filteff": constant(0.5, "f8"),
            "sum_of_weights": constant(4e7, "f8"),
            "sum_of_weights_squared": constant(1e9, "f8"),
            "num_events": constant(1e6, "f8"),
            "mcWeight": np.where(np.arange(n) % 4 == 3, -28, 28).astype("f4"),
            **{f"ScaleFactor_{name}": constant(0.5, "f4") for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")},
            **{f"ScaleFactor_{name}": constant(99, "f4") for name in ("BTAG", "JVT")},
            **{name: constant(name == "trigE", "?") for name in ("trigE", "trigM", "trigDE", "trigDM", "trigML")},
            "met": constant(30, "f4"),
            "met_phi": constant(1, "f4"),
            **{f"lep_{name}": lists(values) for name, values in leptons.items()},
            **{f"jet_{name}": ak.Array([np.ones(i % 3, kind) for i in range(n)]) for name, kind in jets.items()},
        }

    return make


def write(path, branches):
    path.parent.mkdir(parents=True, exist_ok=True)
    mini.write(path, branches, tree="analysis")
    return path


def test_the_schema_is_the_trees_and_the_table_that_of_the_course(tmp_path, analysis_branches):
    """GeV, leptons sorted with all that belongs to them, 64 bits of the event number, nine factors of the weight."""
    branches = analysis_branches()
    order = np.argsort(-ak.to_numpy(branches["lep_pt"]), axis=1, kind="stable")
    events = ntuple.read(write(tmp_path / GGH.files[0], branches), extra=ntuple.EXTRA)
    assert list(events.columns[: 3 + len(ntuple.LOW_LEVEL)]) == ["sample", "run", "event", *ntuple.LOW_LEVEL]
    for quantity, branch in (
        ("pt", "pt"),
        ("e", "e"),
        ("pdgid", "type"),
        ("charge", "charge"),
        ("etcone20", "topoetcone20"),
    ):
        own = np.take_along_axis(ak.to_numpy(branches[f"lep_{branch}"]), order, axis=1)
        columns = [f"lep{i}_{quantity}" for i in (1, 2, 3, 4)]
        np.testing.assert_array_equal(events[columns].to_numpy(), own.astype("f4"))
    assert (events["lep1_pdgid"] == 13).any()
    assert not (order == np.arange(4)).all(), "the fixture has unsorted leptons"
    assert (events["run"] == 345060).all()
    assert list(events["event"]) == [2**53 + i for i in range(20)]
    assert (events["met"] == 30).all()
    # 1000 · 36.1 · 0.006 · 1.1 · 0.5 · ±28 · 0.5⁴ / 4·10⁷, with its sign
    np.testing.assert_allclose(events["weight"], branches["mcWeight"] * 36100 * 0.0033 / 16 / 4e7, rtol=1e-6)
    assert (events["weight"] < 0).sum() == 5
    assert features.labels(events).all()


def test_data_go_by_their_run_and_count_one(tmp_path, analysis_branches):
    branches = analysis_branches(6)
    branches |= {
        "channelNumber": np.full(6, 7, "u4"),
        "runNumber": np.full(6, 302872, "u4"),
        "mcWeight": np.zeros(6, "f4"),
    }
    for name in ("xsec", "kfac", "filteff", "sum_of_weights"):
        del branches[name]
    events = ntuple.read(write(tmp_path / DATA.files[3], branches))
    assert set(events["run"]) == {302872}
    assert set(events["weight"]) == {1}


def test_quality_is_that_of_the_flavour_and_goes_with_its_lepton(tmp_path, analysis_branches):
    branches = analysis_branches(3)
    pt = np.array([[15, 10, 50, 8]] * 3, "f4")  # e, e, µ, µ
    flags = {"isLooseID": [1, 0, 0, 0], "isMediumID": [0, 0, 1, 0], "isLooseIso": [1, 1, 0, 1]}
    flags = {f"lep_{name}": np.array([values] * 3, bool) for name, values in flags.items()}
    branches |= {name: ak.from_regular(ak.Array(values)) for name, values in (flags | {"lep_pt": pt}).items()}
    events = ntuple.read(write(tmp_path / GGH.files[0], branches))
    assert events.loc[0, [f"lep{i}_identified" for i in (1, 2, 3, 4)]].tolist() == [True, True, False, False]
    assert events.loc[0, [f"lep{i}_isolated" for i in (1, 2, 3, 4)]].tolist() == [False, True, True, True]


def cut(name, value):
    """Return a change: in event 2 of the table one column has another value."""
    return lambda table: table.assign(**{name: np.where(np.arange(len(table)) == 2, value, table[name])})


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (cut("trigger", False), "trigger"),
        (cut("matched", False), "matched lepton"),
        (cut("lep1_pt", 19.0), "pT 20, 15, 10 GeV"),
        (cut("lep2_pt", 14.0), "pT 20, 15, 10 GeV"),
        (cut("lep3_pt", 9.0), "pT 20, 15, 10 GeV"),
        (cut("lep4_isolated", False), "all isolated"),
        (cut("lep3_identified", False), "all identified"),
        (cut("lep1_pdgid", 11.0), "flavour"),
        (cut("lep4_charge", 1.0), "charge"),
    ],
)
def test_each_requirement_costs_the_event_that_fails_it(tmp_path, analysis_branches, change, row):
    events = ntuple.read(write(tmp_path / GGH.files[0], analysis_branches()))
    events = events.assign(lep1_pt=25.0, lep2_pt=18.0, lep3_pt=12.0, lep4_pt=8.0, lep1_pdgid=13.0)
    events = events.assign(lep2_pdgid=13.0, lep3_pdgid=11.0, lep4_pdgid=11.0)
    events = events.assign(lep1_charge=1.0, lep2_charge=-1.0, lep3_charge=1.0, lep4_charge=-1.0)
    assert len(selection.preselect(events)) == 20
    changed = change(events)
    assert len(selection.preselect(changed)) == 19
    lost = -selection.cut_flow(changed)["raw"].diff().fillna(0)
    assert lost.to_dict() == {**dict.fromkeys(lost.index, 0.0), row: 1.0}
    with pytest.raises(EmptySelection):
        selection.preselect(events.assign(trigger=False))


def without(name):
    return lambda branches: branches.pop(name)


def of_three(branches):
    branches.update({name: a[:, :3] for name, a in branches.items() if name.startswith("lep_")})


def of_five(branches):
    branches.update({n: ak.concatenate([a, a[:, :1]], axis=1) for n, a in branches.items() if n.startswith("lep_")})


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (without("lep_isLooseIso"), ForeignFile, "'analysis' lacks the branch lep_isLooseIso"),
        (without("filteff"), ForeignFile, "lacks the branch filteff"),
        (lambda b: b.update(met=np.full(20, np.nan, "f4")), BadEvents, "met is nan in event 9007199254740992"),
        (lambda b: b.update(sum_of_weights=np.zeros(20)), BadEvents, "sum_of_weights is zero"),
        (lambda b: b.update(kfac=np.full(20, np.nan)), BadEvents, "weight is nan"),
        (lambda b: b.update(lep_isLooseID=np.ones(20, "?")), ForeignFile, "lep_isLooseID holds bool, where lists"),
        (of_three, BadEvents, "3 leptons, where exactly four"),
        (of_five, BadEvents, "5 leptons, where exactly four"),
    ],
)
def test_what_is_wrong_is_named_as_the_file_names_it(tmp_path, analysis_branches, change, error, says):
    branches = analysis_branches()
    change(branches)
    with pytest.raises(error, match=says):
        ntuple.read(write(tmp_path / GGH.files[0], branches))


def test_a_large_file_is_read_in_parts(tmp_path, analysis_branches):
    path = write(tmp_path / DATA.files[0], (analysis_branches(1000, seed=seed) for seed in range(12)))

    def peak(step_size):
        tracemalloc.start()
        parts = (part[part["lep1_pt"] > 120] for part in ntuple.iterate(path, step_size=step_size))
        kept = pd.concat(parts, ignore_index=True)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return kept, most

    peak(1000)
    (in_parts, little), (at_once, much) = peak(1000), peak(None)
    pd.testing.assert_frame_equal(in_parts, at_once)
    assert little < 0.4 * much


# Where the samples are.


@pytest.fixture
def release(tmp_path, monkeypatch, analysis_branches):
    """A folder with some files of the release, first on the search path."""
    folder = tmp_path / "atlas2025"
    for file in (*DATA.files, *GGH.files):
        write(folder / file, analysis_branches(5))
    monkeypatch.setenv("LABCOURSE_DATA", str(folder))
    return folder


def test_the_catalogue_has_both_releases_and_chapters_see_their_own(release):
    everything = [s for s in samples.CATALOGUE if s.release == "2025"]
    assert (len(everything), sum(len(s.files) for s in everything)) == (33, 48)
    assert DATA.official_raw == 1_362_611
    assert len({s.name for s in samples.CATALOGUE}) == len(samples.CATALOGUE)
    assert {s.process for s in everything} <= set(samples.PROCESSES)
    assert samples.names("2025") == ("ggH", "data_36fb")
    assert samples.names("2025", "signal", "twin") == ("ggH",)
    assert not {"ggH", "data_36fb"} & {*samples.ALL, *samples.SIGNAL}
    assert {samples.locate(name).source for name in samples.ALL} == {"bundle"}
    assert samples.of_file(release / DATA.files[7]) == DATA
    with pytest.raises(BadInput, match=r"no release '2026'(.|\n)*2020 and 2025"):
        samples.names("2026")


def test_samples_of_2025_come_from_one_folder(release):
    assert samples.locate("ggH") == ((release / GGH.files[0],), "foreign")
    assert plotting.data_kind("data_36fb") == "Data of unknown origin"
    # The bundle has it: but events of the bundle beside somebody's data would be a mixture that nobody asked for.
    with pytest.raises(MissingSample, match="700600"):
        samples.locate("ZZ")
    (release / DATA.files[0]).unlink()
    assert samples.names("2025") == ("ggH",)
    kept = ntuple.load(["ggH"], keep=lambda part: part[part["weight"] < 0], progress=False)
    assert (len(kept), len(kept["sample"].cat.categories)) == (1, 33)


def test_a_folder_that_mixes_releases_is_one_error(release, mini_branches):
    mini.write(release / samples.get("Zee").files[0], mini_branches(dsid=361106))
    for name in ("Zee", "ggH"):
        with pytest.raises(BadInput, match=r"atlas2025 mixes files of the releases of 2020 and 2025(.|\n)*own"):
            samples.locate(name)
    assert samples.locate("Zmumu").source == "bundle"


def test_downloads_of_2025_have_a_folder_of_their_own():
    assert settings.official_folder("2025") == settings.data_folder() / "official-2025"
    assert "download --release 2025" in samples.get_again(settings.official_folder("2025") / GGH.files[0])
