"""The reader and writer of the `mini` tree, on crafted, damaged and real files."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from pathlib import Path

import awkward as ak
import numpy as np
import pandas as pd
import pytest
import uproot

from labcourse import ntuple, plotting, samples, selection, settings
from labcourse.errors import (
    BadEvents,
    BadFile,
    BadInput,
    ForeignFile,
    LabCourseError,
    MissingSample,
    StorageError,
    UnknownSample,
)
from labcourse.ntuple import reading, tree

NAME = "mc_363490.llll.4lep.root"


def test_written_events_read_back_in_gev(tmp_path, mini_branches):
    branches = mini_branches(30)
    ntuple.write(tmp_path / NAME, branches)
    events = ntuple.read(tmp_path / NAME)
    assert list(events.columns[:3]) == ["sample", "run", "event"]
    assert set(ntuple.LOW_LEVEL) <= set(events.columns)
    np.testing.assert_allclose(events["lep1_pt"], np.asarray(branches["lep_pt"][:, 0]) / 1000, rtol=1e-6)
    np.testing.assert_allclose(events["lep4_e"], np.asarray(branches["lep_E"][:, 3]) / 1000, rtol=1e-6)
    # 2 pb · 1000 fb/pb · 10 fb⁻¹ / 20000
    np.testing.assert_allclose(events["weight"], 1.0)
    assert (events.dtypes.drop(["sample", "run", "event"]) == np.float32).all()
    assert (events["sample"] == "llll").all()


def test_chunks_together_are_the_whole(tmp_path, mini_branches):
    ntuple.write(tmp_path / NAME, mini_branches(53, leptons=5))
    whole = ntuple.read(tmp_path / NAME)
    chunks = list(ntuple.iterate(tmp_path / NAME, step_size=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 10, 10, 10, 3]
    pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), whole)


def test_only_one_chunk_is_in_memory(tmp_path, mini_branches):
    ntuple.write(tmp_path / NAME, (mini_branches(5000, seed=seed) for seed in range(12)))

    def peak(step_size):
        tracemalloc.start()
        n_events = sum(len(chunk) for chunk in ntuple.iterate(tmp_path / NAME, step_size=step_size))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert n_events == 60_000
        return most

    peak(5000)
    assert peak(5000) < 0.4 * peak(None)


def test_luminosity_scales_weights(tmp_path, mini_branches):
    ntuple.write(tmp_path / NAME, mini_branches())
    ten, hundred = (ntuple.read(tmp_path / NAME, luminosity=value)["weight"] for value in (10.0, 100.0))
    np.testing.assert_allclose(hundred, 10 * ten, rtol=1e-6)
    for value in (0, -1.0, np.nan, np.inf):
        with pytest.raises(BadInput, match="luminosity"):
            ntuple.read(tmp_path / NAME, luminosity=value)


@pytest.mark.parametrize("says", ["Unable to allocate 9. GiB", ""])
def test_too_little_memory_is_not_the_files_fault(tmp_path, mini_branches, monkeypatch, says):
    def full(*_args: object, **_kwargs: object) -> None:
        raise MemoryError(says)

    ntuple.write(tmp_path / NAME, mini_branches())
    monkeypatch.setattr(reading, "_event_table", full)
    with pytest.raises(LabCourseError, match=rf"not enough memory to read {NAME}") as caught:
        ntuple.read(tmp_path / NAME)
    assert not isinstance(caught.value, BadFile)
    assert says in caught.value.where
    assert "Close other programs" in caught.value.next_step


def test_leptons_come_sorted_by_falling_momentum(tmp_path, mini_branches):
    branches = mini_branches()
    for name in [key for key in branches if key.startswith("lep_")]:
        branches[name] = branches[name][:, ::-1]
    ntuple.write(tmp_path / NAME, branches)
    pt = ntuple.read(tmp_path / NAME)[list(ntuple.LEPTON_PT)].to_numpy()
    assert (np.diff(pt, axis=1) <= 0).all()


def test_fourth_and_further_leptons(tmp_path, mini_branches):
    ntuple.write(tmp_path / NAME, mini_branches(leptons=3))
    with pytest.raises(BadEvents, match="3 leptons"):
        ntuple.read(tmp_path / NAME)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_values_are_named(tmp_path, mini_branches, value):
    branches = mini_branches()
    branches["met_et"] = branches["met_et"].copy()
    branches["met_et"][7] = value
    ntuple.write(tmp_path / NAME, branches)
    with pytest.raises(BadEvents, match=r"met is (nan|inf) in event 7") as caught:
        ntuple.read(tmp_path / NAME)
    assert "row 7" in str(caught.value)


def test_zero_sum_of_weights(tmp_path, mini_branches):
    branches = mini_branches()
    branches["SumWeights"] = np.zeros(20, np.float32)
    ntuple.write(tmp_path / NAME, branches)
    with pytest.raises(BadEvents, match="SumWeights"):
        ntuple.read(tmp_path / NAME)


def test_sample_without_events(tmp_path, mini_branches):
    ntuple.write(tmp_path / NAME, {name: array[:0] for name, array in mini_branches().items()})
    with pytest.raises(BadEvents, match="no events"):
        ntuple.read(tmp_path / NAME)


def test_missing_branch_is_named(tmp_path, mini_branches):
    branches = mini_branches()
    del branches["scaleFactor_ELE"], branches["lep_eta"]
    ntuple.write(tmp_path / NAME, branches)
    with pytest.raises(BadFile, match=r"lep_eta.*scaleFactor_ELE"):
        ntuple.read(tmp_path / NAME)


def test_missing_tree_and_foreign_object(tmp_path):
    with uproot.recreate(tmp_path / NAME) as file:
        file.mktree("other", {"x": np.dtype("f4")})
    with pytest.raises(BadFile, match="'mini' is missing"):
        ntuple.read(tmp_path / NAME)
    with uproot.recreate(tmp_path / NAME) as file:
        file["mini"] = "a text"
    with pytest.raises(BadFile, match="no tree"):
        ntuple.read(tmp_path / NAME)
    with uproot.recreate(tmp_path / NAME) as file:
        pass
    with pytest.raises(BadFile, match="holds nothing"):
        ntuple.read(tmp_path / NAME)


@pytest.mark.parametrize("content", [b"", b"root", b"not a ROOT file at all" * 100])
def test_what_is_no_root_file(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(BadFile, match="cannot be read"):
        ntuple.read(tmp_path / NAME)


def test_a_file_of_another_kind_is_not_listed_to_its_end(tmp_path):
    with uproot.recreate(tmp_path / NAME) as file:
        for number in range(500):
            file[f"histogram_{number:03d}_{'x' * 80}"] = np.histogram([1.0])
    with pytest.raises(ForeignFile, match=r"histogram_004_x+ and 495 more") as caught:
        ntuple.read(tmp_path / NAME)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("branch", "values", "says"),
    [
        ("lep_pt", np.ones(20, "f4"), "lep_pt holds one number per event, where lists are needed"),
        ("lep_E", ak.Array([[[1.0], [2.0]]] * 20), "lep_E holds var \\* var \\* float64, where lists are needed"),
        ("lep_eta", ak.Array(["a", "b"] * 10), "lep_eta holds string, where lists are needed"),
        ("jet_pt", np.ones(20, "f4"), "jet_pt holds one number per event, where lists are needed"),
        ("mcWeight", ak.Array([[1.0], [2.0, 3.0]] * 10), "mcWeight holds lists, where one number per event is needed"),
        ("met_et", np.ones((20, 3)), "met_et holds lists, where one number per event is needed"),
        (
            "channelNumber",
            ak.Array(["363490"] * 20),
            "channelNumber holds string, where one number per event is needed",
        ),
    ],
)
def test_branches_of_another_form_are_named(tmp_path, mini_branches, monkeypatch, branch, values, says):
    branches = mini_branches(20)
    del branches["jet_n"]
    ntuple.write(tmp_path / NAME, branches | {"jet_pt": ak.Array([[30e3]] * 20)})
    real = uproot.TTree.iterate

    def spoilt(of, names, **options):
        return ({**chunk, branch: ak.Array(values)} for chunk in real(of, names, **options))

    monkeypatch.setattr(uproot.TTree, "iterate", spoilt)  # uproot cannot write all of these
    with pytest.raises(ForeignFile, match=says):
        ntuple.read(tmp_path / NAME, extra=["jet1_pt"])


def test_a_scalar_branch_in_a_file(tmp_path, mini_branches):
    ntuple.write(tmp_path / NAME, mini_branches(20) | {"lep_charge": np.ones(20, np.int32)})
    with pytest.raises(ForeignFile, match="lep_charge holds one number per event, where lists are needed"):
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
    bundled = settings.home() / "data" / "manifest.json"
    (tmp_path / "manifest.json").write_text(bundled.read_text("utf-8"), "utf-8")
    with pytest.raises(BadFile, match="git checkout -- data"):
        ntuple.read(tmp_path / name)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BadFile, match="git checkout -- data"):
        ntuple.read(tmp_path / name)


def test_the_bytes_of_a_file_are_compared_once(monkeypatch):
    read = []
    monkeypatch.setattr(tree, "sha256", lambda path: read.append(path) or tree.recorded_sha256(path))
    tree._sha256.cache_clear()
    for _ in range(3):
        list(ntuple.iterate(settings.data_folder() / "data_A.4lep.root", step_size=10))
    assert len(read) == 1
    tree._sha256.cache_clear()


def test_a_decompressor_without_memory_is_one_error(tmp_path, mini_branches, monkeypatch):
    """A process of its own, since a decompressor that gets no memory ends it."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(uproot, "LZMA", uproot.ZSTD)
    ntuple.write(tmp_path / NAME, mini_branches(100_000))
    ntuple.read(tmp_path / NAME)  # all that is imported and set up has its memory
    for room in (2, 8, 16, 24, 40):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with open("/proc/self/statm") as file:
                now = int(file.read().split()[5]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_DATA, (now + (room << 20),) * 2)
            try:
                answer = f"{len(ntuple.read(tmp_path / NAME))} events"
            except BaseException as error:
                answer = str(error)
            os.write(writer, answer.encode()[:4000])
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            answer = stream.read()
        assert os.waitpid(child, 0)[1] == 0, room
        assert answer.startswith(("100000 events", "There is not enough memory")), answer


@pytest.mark.parametrize(
    "panic",
    [
        type("PanicException", (BaseException,), {})("capacity overflow"),
        type("DecompressionError", (Exception,), {})("Allocation error : not enough memory"),
    ],
)
def test_a_panic_of_a_decompressor_is_one_error(tmp_path, mini_branches, monkeypatch, panic):
    ntuple.write(tmp_path / NAME, mini_branches())

    def fail(*_: object, **__: object) -> None:
        raise panic

    monkeypatch.setattr(uproot.TTree, "iterate", fail)
    with pytest.raises(LabCourseError, match=r"cannot be read as a ROOT file|not enough memory"):
        ntuple.read(tmp_path / NAME)


def test_absent_file(tmp_path):
    with pytest.raises(BadFile, match="does not exist"):
        ntuple.read(tmp_path / NAME)


@pytest.mark.parametrize("kept", [0.02, 0.2, 0.5, 0.9, 0.999])
def test_truncated_file(tmp_path, mini_branches, kept):
    ntuple.write(tmp_path / NAME, mini_branches(5000))
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[: int(kept * len(content))])
    with pytest.raises(BadFile):
        ntuple.read(tmp_path / NAME)


def test_altered_bytes_never_crash_or_pass_as_non_finite(tmp_path, mini_branches):
    """Whatever single run of bytes is lost, the answer is a table of finite numbers or an error of the course."""
    ntuple.write(tmp_path / NAME, mini_branches(2000))
    content = (tmp_path / NAME).read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for start in rng.integers(0, len(content) - 64, 60):
        (tmp_path / NAME).write_bytes(
            content[:start] + bytes(rng.integers(0, 256, 64, np.uint8)) + content[start + 64 :]
        )
        try:
            events = ntuple.read(tmp_path / NAME)
        except (BadFile, BadEvents):
            refused += 1
        else:
            assert np.isfinite(events[list(ntuple.LOW_LEVEL)].to_numpy()).all()
    assert refused > 0


def test_unwritable_place_leaves_the_old_file(tmp_path, mini_branches, monkeypatch):
    ntuple.write(tmp_path / NAME, mini_branches(5))
    before = (tmp_path / NAME).read_bytes()

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labcourse.files.os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        ntuple.write(tmp_path / NAME, mini_branches(6))
    assert (tmp_path / NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_foreign_file_name_needs_a_sample(tmp_path, mini_branches):
    ntuple.write(tmp_path / "mine.root", mini_branches())
    with pytest.raises(UnknownSample, match=r"mine\.root"):
        ntuple.read(tmp_path / "mine.root")
    assert (ntuple.read(tmp_path / "mine.root", sample="Zee")["sample"] == "Zee").all()


def test_samples_are_found_along_the_search_path(tmp_path, mini_branches, monkeypatch):
    ntuple.write(tmp_path / NAME, mini_branches(11))
    assert samples.locate("llll").source == "bundle"
    bundle = samples.fingerprint("llll")
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert samples.locate("llll") == ((tmp_path / NAME,), "foreign")
    assert samples.fingerprint("llll") != bundle
    assert samples.locate("Zee").source == "bundle"
    assert len(ntuple.read_sample("llll")) == 11


def test_collision_data_come_from_one_folder(tmp_path, mini_branches, monkeypatch):
    ntuple.write(tmp_path / "data_A.4lep.root", mini_branches(dsid=298773))
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert samples.locate("data").source == "bundle"


def test_unknown_and_missing_samples(monkeypatch, tmp_path):
    with pytest.raises(UnknownSample, match="Zmumu"):
        samples.get("Zmum")
    with pytest.raises(UnknownSample):
        ntuple.load(["llll", "lll"])
    monkeypatch.setattr("labcourse.settings.data_folder", lambda: tmp_path)
    with pytest.raises(MissingSample, match="git checkout"):
        samples.locate("llll")


def test_uproot_jagged_and_std_vector_read_alike(tmp_path, real_files):
    """Rewriting a real file with uproot changes nothing that the course reads."""
    source = real_files / "mc_361106.Zee.4lep.root"
    with uproot.open(source) as file:
        tree = file["mini"]
        scalars = ["runNumber", "eventNumber", "channelNumber", "met_et", "jet_n", *reading._WEIGHT_BRANCHES]
        branches: dict[str, object] = {name: tree[name].array(library="np") for name in scalars}
        for name in reading._LEPTON_BRANCHES.values():
            branches[name] = ak.Array(tree[name].array())
    ntuple.write(tmp_path / source.name, branches)
    pd.testing.assert_frame_equal(ntuple.read(tmp_path / source.name), ntuple.read(source))


@pytest.mark.parametrize(
    ("name", "selected", "expected"), [("Zee", 243, 43.14), ("Zmumu", 257, 52.00), ("ttbar_lep", 334, 28.13)]
)
def test_real_simulation(real_files, monkeypatch, name, selected, expected):
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    events = ntuple.read_sample(name)
    kept = selection.preselect(events)
    assert len(events) == samples.get(name).official_raw
    assert len(kept) == selected
    assert kept["weight"].sum() == pytest.approx(expected, abs=0.005)
    assert not events.duplicated(["run", "event"]).any()


def test_real_collision_data(real_files, monkeypatch):
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    events = ntuple.read_sample("data")
    kept = selection.preselect(events)
    assert (len(events), len(kept)) == (832, 507)
    names, counts = np.unique(selection.channel(kept), return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"eeee": 115, "eeµµ": 290, "µµµµ": 102}
    assert (kept["weight"] == 1).all()


def test_bundle_is_whole():
    assert isinstance(samples.locate("data").paths[0], Path)
    events = ntuple.load(progress=False)
    assert set(events["sample"].unique()) == set(samples.SIMULATED)
    assert not events.duplicated(["run", "event"]).any()


def test_extra_columns_are_sorted_with_their_leptons_and_left_out_where_absent(tmp_path, mini_branches):
    branches = mini_branches(12)
    branches["lep_ptcone30"] = branches["lep_pt"] / 10
    branches["jet_pt"] = ak.Array([[30e3, 50e3], []] * 6)
    del branches["jet_n"]
    for name in [key for key in branches if key.startswith("lep_")]:
        branches[name] = branches[name][:, ::-1]
    ntuple.write(tmp_path / NAME, branches)
    events = ntuple.read(tmp_path / NAME, extra=ntuple.EXTRA)
    assert list(events.columns[-5:]) == [*(f"lep{i}_ptcone30" for i in (1, 2, 3, 4)), "jet1_pt"]
    for i in (1, 4):
        np.testing.assert_allclose(events[f"lep{i}_ptcone30"], events[f"lep{i}_pt"] / 10, rtol=1e-6)
    np.testing.assert_allclose(events["jet1_pt"][:2], [50.0, np.nan], rtol=1e-6)
    pd.testing.assert_frame_equal(events.iloc[:, :-5], ntuple.read(tmp_path / NAME))
    with pytest.raises(BadInput, match="no extra column lep_z0"):
        ntuple.read(tmp_path / NAME, extra=["lep_z0"])


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


def test_the_build_of_january_2020_is_official(real_files, monkeypatch):
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    assert {samples.locate(name).source for name in ("data", "Zee", "Zmumu", "ttbar_lep")} == {"official"}
    assert plotting.data_kind() == "ATLAS open data"


def test_a_folder_without_samples_is_said_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert samples.locate("Zee").source == samples.locate("llll").source == "bundle"
    assert capsys.readouterr().err.count(f"{tmp_path} holds none of the course's sample files") == 1


@pytest.mark.parametrize(("names", "says"), [("Zee", r'load\(\["Zee"\]\)'), ([], "No sample is named")])
def test_load_takes_a_list_of_names(names, says):
    with pytest.raises(BadInput, match=says):
        ntuple.load(names)


def test_a_damaged_file_comes_back_from_where_it_came(tmp_path, monkeypatch):
    assert "git checkout" in samples.get_again(settings.data_folder() / NAME)
    assert "data download" in samples.get_again(settings.official_folder() / NAME)
    assert samples.get_again(tmp_path / NAME) == "Replace this file."
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert "unset LABCOURSE_DATA" in samples.get_again(tmp_path.resolve() / NAME)
