"""The release of 2025: its tree `analysis` with every trap, its selection, and where its samples are found."""

import shutil

import awkward as ak
import numpy as np
import pytest
import uproot

from factory import mini
from labcourse import features, ntuple, plotting, samples, selection, settings
from labcourse.errors import BadEvents, BadInput, EmptySelection, ForeignFile, MissingSample

GGH, DATA = samples.get("ggH"), samples.get("data_36fb")
N = 20


@pytest.fixture
def branches():
    """Twenty events of the bundle, and what only the release has."""
    with uproot.open(settings.bundle_folder("2025") / GGH.files[0]) as file:
        tree = file["analysis"]
        lists = {name: tree[name].array(entry_stop=N) for name in tree.keys(filter_typename="*[]")}
        numbers = {name: tree[name].array(entry_stop=N, library="np") for name in tree.keys(filter_typename="/[^[]*/")}
    del numbers["lep_n"]  # which goes with the lists
    found = numbers | lists
    found |= {f"ScaleFactor_{name}": np.full(N, 99, "f4") for name in ("BTAG", "JVT")}
    found |= {f"ScaleFactor_{name}": np.full(N, 0.5, "f4") for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")}
    found |= {"lep_topoetcone20": found["lep_pt"] / 20, "kfac": np.full(N, 1.1)}
    # Neighbours that a float would take for one number.
    found["eventNumber"] = np.uint64(2**53) + np.arange(N, dtype="u8")
    return found | {"mcWeight": np.where(np.arange(N) % 4 == 3, -28, 28).astype("f4")}


def write(path, branches):
    path.parent.mkdir(parents=True, exist_ok=True)
    mini.write(path, branches, tree="analysis")
    return path


def test_the_schema_is_the_trees_and_the_table_that_of_the_course(tmp_path, branches):
    """GeV, leptons sorted with all that belongs to them, 64 bits of the event number, nine factors of the weight."""
    order = np.argsort(-ak.to_numpy(branches["lep_pt"]), axis=1, kind="stable")
    events = ntuple.read(write(tmp_path / GGH.files[0], branches), extra=ntuple.EXTRA)
    assert list(events.columns[: 3 + len(ntuple.LOW_LEVEL)]) == ["sample", "run", "event", *ntuple.LOW_LEVEL]
    for quantity, branch in {
        "pt": "pt",
        "e": "e",
        "pdgid": "type",
        "charge": "charge",
        "etcone20": "topoetcone20",
    }.items():
        own = np.take_along_axis(ak.to_numpy(branches[f"lep_{branch}"]), order, axis=1)
        columns = [f"lep{i}_{quantity}" for i in (1, 2, 3, 4)]
        np.testing.assert_array_equal(events[columns].to_numpy(), own.astype("f4"))
    assert not (order == np.arange(4)).all(), "leptons of the release are not sorted"
    assert (events["run"] == 345060).all()
    assert list(events["event"]) == [2**53 + i for i in range(N)]
    np.testing.assert_array_equal(events["met"], branches["met"])
    expected = 36100 * np.prod([branches[name] for name in ("xsec", "kfac", "filteff")], axis=0) / 16
    np.testing.assert_allclose(
        events["weight"], branches["mcWeight"] * expected / branches["sum_of_weights"], rtol=1e-6
    )
    assert (events["weight"] < 0).sum() == 5
    assert features.labels(events).all()


def test_data_go_by_their_run_and_count_one(tmp_path, branches):
    branches |= {"channelNumber": np.full(N, 7, "u4"), "runNumber": np.full(N, 302872, "u4"), "mcWeight": np.zeros(N)}
    for name in ("xsec", "kfac", "filteff", "sum_of_weights"):
        del branches[name]
    events = ntuple.read(write(tmp_path / DATA.files[3], branches))
    assert set(events["run"]) == {302872}
    assert set(events["weight"]) == {1}


def test_quality_is_that_of_the_flavour_and_goes_with_its_lepton(tmp_path, branches):
    values = {"pt": [15, 10, 50, 8], "type": [11, 11, 13, 13]}
    values |= {"isLooseID": [1, 0, 0, 0], "isMediumID": [0, 0, 1, 0], "isLooseIso": [1, 1, 0, 1]}
    for name, of_event in values.items():
        kind = {"pt": "f4", "type": "i4"}.get(name, "?")
        branches[f"lep_{name}"] = ak.from_regular(ak.Array(np.array([of_event] * N, kind)))
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
        (cut("lep4_charge", -1.0), "charge"),
    ],
)
def test_each_requirement_costs_the_event_that_fails_it(tmp_path, branches, change, row):
    events = ntuple.read(write(tmp_path / GGH.files[0], branches)).assign(trigger=True, matched=True)
    events = events.assign(lep1_pt=25.0, lep2_pt=18.0, lep3_pt=12.0, lep4_pt=8.0)
    for i in (1, 2, 3, 4):
        good = {"pdgid": 13.0 if i < 3 else 11.0, "charge": (-1.0) ** i, "identified": True, "isolated": True}
        events = events.assign(**{f"lep{i}_{name}": value for name, value in good.items()})
    assert len(selection.preselect(events)) == N
    changed = change(events)
    assert len(selection.preselect(changed)) == N - 1
    lost = -selection.cut_flow(changed)["raw"].diff().fillna(0)
    assert lost.to_dict() == {**dict.fromkeys(lost.index, 0.0), row: 1.0}
    with pytest.raises(EmptySelection):
        selection.preselect(events.assign(trigger=False))


def without(name):
    return lambda branches: branches.pop(name)


def of_three(branches):
    branches.update({name: a[:, :3] for name, a in branches.items() if name.startswith("lep_")})


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (without("lep_isLooseIso"), ForeignFile, "'analysis' lacks the branch lep_isLooseIso"),
        (without("filteff"), ForeignFile, "lacks the branch filteff"),
        (lambda b: b.update(met=np.full(N, np.nan, "f4")), BadEvents, "met is nan in event 9007199254740992"),
        (lambda b: b.update(sum_of_weights=np.zeros(N)), BadEvents, "weight is "),
        (lambda b: b.update(kfac=np.full(N, np.nan)), BadEvents, "weight is nan"),
        (of_three, BadEvents, "3 leptons, where exactly four"),
    ],
)
def test_what_is_wrong_is_named_as_the_file_names_it(tmp_path, branches, change, error, says):
    change(branches)
    with pytest.raises(error, match=says):
        ntuple.read(write(tmp_path / GGH.files[0], branches))


# Where the samples are.


@pytest.fixture
def release(tmp_path, monkeypatch, branches):
    """A folder with some files of the release, first on the search path."""
    folder = tmp_path / "atlas2025"
    written = write(folder / GGH.files[0], branches)
    for file in DATA.files:
        shutil.copy(written, folder / file)
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
    assert (len(kept), len(kept["sample"].cat.categories)) == (5, 33)


def test_a_folder_that_mixes_releases_is_one_error(release, mini_branches):
    mini.write(release / samples.get("Zee").files[0], mini_branches(dsid=361106))
    for name in ("Zee", "ggH"):
        with pytest.raises(BadInput, match=r"atlas2025 mixes files of the releases of 2020 and 2025(.|\n)*own"):
            samples.locate(name)
    assert samples.locate("Zmumu").source == "bundle"


def test_downloads_of_2025_have_a_folder_of_their_own():
    assert settings.official_folder("2025") == settings.data_folder() / "official-2025"
    assert "download --release 2025" in samples.get_again(settings.official_folder("2025") / GGH.files[0])
