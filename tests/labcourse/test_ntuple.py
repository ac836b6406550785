"""Reading the `mini` tree, on crafted, damaged and real files."""

import tracemalloc

import awkward as ak
import numpy as np
import pandas as pd
import pytest
import uproot

from factory import mini
from labcourse import ntuple, samples, selection, settings
from labcourse.errors import BadEvents, BadFile, ForeignFile, UnknownSample

NAME = "mc_363490.llll.4lep.root"


def test_written_events_read_back_in_gev(tmp_path, mini_branches):
    branches = mini_branches(30)
    mini.write(tmp_path / NAME, branches)
    events = ntuple.read(tmp_path / NAME)
    assert list(events.columns[:3]) == ["sample", "run", "event"]
    assert set(ntuple.LOW_LEVEL) <= set(events.columns)
    np.testing.assert_allclose(events["lep1_pt"], np.asarray(branches["lep_pt"][:, 0]) / 1000, rtol=1e-6)
    np.testing.assert_allclose(events["lep4_e"], np.asarray(branches["lep_E"][:, 3]) / 1000, rtol=1e-6)
    # 2 pb · 1000 fb/pb · 10 fb⁻¹ / 20000
    np.testing.assert_allclose(events["weight"], 1.0)
    assert (events.dtypes.drop(["sample", "run", "event"]) == np.float32).all()
    assert (events["sample"] == "llll").all()


def test_chunks_together_are_the_whole_and_one_at_a_time_is_in_memory(tmp_path, mini_branches, monkeypatch):
    monkeypatch.setattr(mini, "BASKET", 5000)
    mini.write(tmp_path / NAME, mini_branches(40_000, leptons=5))

    def peak(step_size):
        tracemalloc.start()
        chunks = ntuple.iterate(tmp_path / NAME, step_size=step_size)
        kept = pd.concat([chunk[chunk["lep1_pt"] > 120] for chunk in chunks])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return kept.reset_index(drop=True), most

    peak(5000)
    (in_parts, little), (at_once, much) = peak(5000), peak(None)
    pd.testing.assert_frame_equal(in_parts, at_once)
    assert little < 0.5 * much


# Files that are not what they should be.


def with_value(name, value):
    """Return a change of branches: one value in event 7 of a branch that is not a list."""

    def change(branches):
        branches[name] = branches[name].copy()
        branches[name][7] = value

    return change


def without(*names):
    return lambda branches: [branches.pop(name) for name in names]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (with_value("met_et", np.nan), BadEvents, r"met is nan in event 7(.|\n)*row 7"),
        (with_value("met_et", np.inf), BadEvents, "met is inf in event 7"),
        (with_value("SumWeights", 0), BadEvents, "weight is "),
        (without("scaleFactor_ELE", "lep_eta"), ForeignFile, r"lacks the branch lep_eta, scaleFactor_ELE"),
        (lambda b: b.update(lep_charge=np.ones(20, "i4")), BadFile, "cannot be read as a ROOT file"),
        (lambda b: b.update({n: a[:0] for n, a in b.items()}), BadEvents, "holds no events"),
        (lambda b: b.update({n: a[:, :3] for n, a in b.items() if n.startswith("lep_")}), BadEvents, "holds 3 leptons"),
    ],
)
def test_events_and_branches_that_are_impossible_are_named(tmp_path, mini_branches, change, error, says):
    branches = mini_branches()
    change(branches)
    mini.write(tmp_path / NAME, branches)
    with pytest.raises(error, match=says):
        ntuple.read(tmp_path / NAME)


@pytest.mark.parametrize("name", ["other", "mini"])
def test_a_file_of_something_else_is_foreign(tmp_path, name):
    with uproot.recreate(tmp_path / NAME) as file:
        file[name] = np.histogram([1.0])
    with pytest.raises(ForeignFile, match=rf"neither the tree 'mini' nor 'analysis', but {name}"):
        ntuple.read(tmp_path / NAME)


def test_what_is_missing_truncated_or_no_root_file(tmp_path, mini_branches):
    with pytest.raises(BadFile, match="is missing, damaged, truncated"):
        ntuple.read(tmp_path / NAME)
    mini.write(tmp_path / NAME, mini_branches(2000))
    content = (tmp_path / NAME).read_bytes()
    for kept in (0, 4, len(content) // 50, len(content) // 2, len(content) * 999 // 1000):
        (tmp_path / NAME).write_bytes(content[:kept])
        with pytest.raises(BadFile):
            ntuple.read(tmp_path / NAME)


def test_a_panic_of_a_decompressor_is_one_error(tmp_path, mini_branches, monkeypatch):
    mini.write(tmp_path / NAME, mini_branches())
    panic = type("PanicException", (BaseException,), {})("capacity overflow")
    monkeypatch.setattr(uproot.TTree, "iterate", lambda *_, **__: (_ for _ in ()).throw(panic))
    with pytest.raises(BadFile, match="cannot be read as a ROOT file"):
        ntuple.read(tmp_path / NAME)


def test_a_flipped_bit_of_a_bundled_file_is_no_other_number(tmp_path, monkeypatch):
    """In a branch that is stored without compression, and in a copy that lies beside no manifest."""
    name = "data_A.4lep.root"
    content = bytearray((settings.data_folder() / name).read_bytes())
    with uproot.open(settings.data_folder() / name) as file:
        branch = file["mini/met_et"]
        assert branch.basket_compressed_bytes(0) == branch.basket_uncompressed_bytes(0)
        content[branch.member("fBasketSeek")[0] + branch.basket_key(0).fKeylen] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadFile, match=f"{name} has other bytes than manifest.json says"):
        ntuple.read(tmp_path / name)
    monkeypatch.setattr(settings, "data_folder", lambda: tmp_path)
    assert len(ntuple.read(tmp_path / name)) > 0, "no manifest, nothing to compare with"
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BadFile, match="git checkout -- data"):
        ntuple.read(tmp_path / name)


def test_altered_bytes_never_crash_or_pass_as_non_finite(tmp_path, mini_branches):
    """Whatever single run of bytes is lost, the answer is a table of finite numbers or an error of the course."""
    mini.write(tmp_path / NAME, mini_branches(500))
    content = (tmp_path / NAME).read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for start in rng.integers(0, len(content) - 64, 30):
        noise = bytes(rng.integers(0, 256, 64, np.uint8))
        (tmp_path / NAME).write_bytes(content[:start] + noise + content[start + 64 :])
        try:
            events = ntuple.read(tmp_path / NAME)
        except (BadFile, BadEvents):
            refused += 1
        else:
            assert np.isfinite(events[list(ntuple.LOW_LEVEL)].to_numpy()).all()
    assert refused > 0


def test_foreign_file_name_needs_a_sample(tmp_path, mini_branches):
    mini.write(tmp_path / "mine.root", mini_branches())
    with pytest.raises(UnknownSample, match=r"mine\.root"):
        ntuple.read(tmp_path / "mine.root")
    assert (ntuple.read(tmp_path / "mine.root", sample="Zee")["sample"] == "Zee").all()


def test_real_files(real_files, monkeypatch):
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    for name, selected, expected in (("Zee", 243, 43.14), ("Zmumu", 257, 52.00), ("ttbar_lep", 334, 28.13)):
        events = ntuple.read_sample(name)
        kept = selection.preselect(events)
        assert (len(events), len(kept)) == (samples.get(name).official_raw, selected)
        assert kept["weight"].sum() == pytest.approx(expected, abs=0.005)
        assert not events.duplicated(["run", "event"]).any()
    events = ntuple.read_sample("data")
    kept = selection.preselect(events)
    assert (len(events), len(kept)) == (832, 507)
    flavours = kept[[f"lep{i}_pdgid" for i in (1, 2, 3, 4)]].sum(axis=1).map(selection.CHANNELS)
    assert flavours.value_counts().to_dict() == {"eeee": 115, "eeµµ": 290, "µµµµ": 102}
    assert (kept["weight"] == 1).all()


def test_extra_columns_are_sorted_with_their_leptons_and_left_out_where_absent(tmp_path, mini_branches):
    branches = mini_branches(12)
    branches["lep_ptcone30"] = branches["lep_pt"] / 10
    branches["jet_pt"] = ak.Array([[30e3, 50e3], []] * 6)
    del branches["jet_n"]
    for name in [key for key in branches if key.startswith("lep_")]:
        branches[name] = branches[name][:, ::-1]
    mini.write(tmp_path / NAME, branches)
    events = ntuple.read(tmp_path / NAME, extra=ntuple.EXTRA)
    assert list(events.columns[-5:]) == [*(f"lep{i}_ptcone30" for i in (1, 2, 3, 4)), "jet1_pt"]
    assert (np.diff(events[list(ntuple.LEPTON_PT)].to_numpy(), axis=1) <= 0).all()
    for i in (1, 4):
        np.testing.assert_allclose(events[f"lep{i}_ptcone30"], events[f"lep{i}_pt"] / 10, rtol=1e-6)
    np.testing.assert_allclose(events["jet1_pt"][:2], [50.0, np.nan], rtol=1e-6)
    pd.testing.assert_frame_equal(events.iloc[:, :-5], ntuple.read(tmp_path / NAME))
