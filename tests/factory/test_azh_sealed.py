"""Pseudo-data of the search, and the sealed files: what they hold, what they hide, and from whom."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from azh.events import MASSES, MEASURED, SEALED_MANIFEST
from factory.azh import generation, sealed
from factory.azh.production import INDEPENDENT_FILE
from labcourse.errors import BadInput, MissingSample
from tests.azh.made_up import make_events
from workshop.cli import app


def independent(n: int = 500, *, seed: int = 0, process: str = "background") -> pd.DataFrame:
    table = make_events(n, seed=seed)
    table = table[(table["process"] == "signal") == (process == "signal")]
    rng = np.random.default_rng(seed)
    region = np.where(process == "signal", "signal", rng.choice(["signal", "sideband", "emu"], len(table)))
    return table.assign(
        weight=np.where(table["process"] == "signal", 0.02, 0.2),
        region=pd.Categorical(region, ["signal", "sideband", "emu"]),
        **{generation.PASS: np.arange(len(table)) % generation.PASSES},
    )


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sealed files with the key «secret», of made-up events."""
    monkeypatch.setattr(sealed, "signal", lambda mass, *, seed: independent(seed=seed % 100, process="signal"))
    sealed.write(independent(), tmp_path, "secret")
    return tmp_path


def test_every_bin_is_poisson_around_the_simulation() -> None:
    background, signal = independent(200), independent(200, process="signal")
    edges = [0, 300, 500, 700, 5000]
    tables = (background, signal.assign(weight=4 * signal["weight"]))
    expected = sum(np.histogram(table["m_zh"], edges, weights=table["weight"])[0] for table in tables)
    counts = np.array(
        [
            np.histogram(sealed.pseudo_data(background, signal, cross_section=0.2, seed=seed)["m_zh"], edges)[0]
            for seed in range(150)
        ]
    )
    np.testing.assert_allclose(counts.mean(axis=0), expected, atol=5 * np.sqrt(expected.max() / 150))
    np.testing.assert_allclose(counts.var(axis=0) / expected, 1, atol=0.5)


def test_pseudo_data_repeat_with_the_seed() -> None:
    background = independent()
    first, again, other = (sealed.pseudo_data(background, seed=seed, once=True) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert len(first) == pytest.approx(background["weight"].sum(), rel=0.1)
    assert not first.equals(other)


def test_an_event_is_recorded_at_most_once_in_a_row_drawn_by_weight() -> None:
    """Rows of one event are alike: two of them in one file would make its bins scatter farther than Poisson."""
    rows = independent(2000)
    rows = rows.assign(run=1, event=np.arange(len(rows)) // 4, m_bb=np.arange(len(rows)), weight=0.1)
    rows["weight"] = rows["weight"].where(np.arange(len(rows)) % 4 != 0, 0.3)
    drawn = [sealed.pseudo_data(rows, seed=seed, once=True)["m_bb"].to_numpy() for seed in range(20)]
    assert all(len(np.unique(m_bb // 4)) == len(m_bb) for m_bb in drawn)
    shares = np.bincount(np.concatenate(drawn).astype(int) % 4) / sum(map(len, drawn))
    np.testing.assert_allclose(shares, [0.5, 1 / 6, 1 / 6, 1 / 6], atol=0.03)
    assert np.mean([len(m_bb) for m_bb in drawn]) == pytest.approx(rows["weight"].sum(), rel=0.03)


def test_sealed_files_hold_no_truth(files: Path) -> None:
    manifest = json.loads((files / SEALED_MANIFEST).read_text())
    assert set(manifest) == {"simulated", "description", "files", "key"}
    tables = []
    for entry in manifest["files"]:
        assert set(entry) == {"file", "size", "sha256", "luminosity"}
        tables.append(pd.read_parquet(files / entry["file"]))
        assert list(tables[-1]) == ["event", "region", *MEASURED]
        assert set(tables[-1]["region"]) == {"signal", "sideband", "emu"}
        assert len(tables[-1]) == pytest.approx(independent()["weight"].sum(), rel=0.2)
        assert not tables[-1].duplicated(list(MEASURED)).any()
    assert len(tables) == sealed.FILES
    assert abs(np.corrcoef(tables[0]["event"], tables[0]["m_zh"])[0, 1]) < 0.1, "signal is not at the end"


def test_the_same_key_seals_the_same_events(files: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    again, other = (tmp_path_factory.mktemp("again") for _ in range(2))
    sealed.write(independent(), again, "secret")
    sealed.write(independent(), other, "another")
    for number in range(1, sealed.FILES + 1):
        name = f"sealed-{number}.parquet"
        assert (files / name).read_bytes() == (again / name).read_bytes() != (other / name).read_bytes()


def test_one_file_hides_nothing_and_the_others_masses_that_are_not_simulated() -> None:
    keys = [f"key {number}" for number in range(40)]
    found = {tuple(sealed.hidden(number, key) for number in range(1, sealed.FILES + 1)) for key in keys}
    assert len(found) == len(keys), "keys hide different things"
    for of_key in found:
        signals = [what for what in of_key if what]
        assert len(signals) == sealed.FILES - 1
        assert not {what.mass for what in signals} & set(MASSES)
        assert all(min(MASSES) < what.mass < max(MASSES) and 0.003 < what.cross_section < 0.6 for what in signals)


def test_the_instructor_gets_the_answer_with_the_key_only(files: Path) -> None:
    for number in range(1, sealed.FILES + 1):
        assert sealed.reveal(number, " secret ", files) == sealed.hidden(number, "secret")
        options = ["sealed", "reveal", str(number), "--key", "secret", "--folder", str(files)]
        said, what = CliRunner().invoke(app, options).output, sealed.hidden(number, "secret")
        assert said == (f"an A of {what.mass} GeV, {what.cross_section:g} pb\n" if what else "no signal\n")
    with pytest.raises(BadInput, match="not sealed with this key"):
        sealed.reveal(1, "guess", files)
    for number, folder in ((9, files), (0, files), (1, files / "nowhere")):
        with pytest.raises(MissingSample, match=f"sealed-{number}.parquet is not there"):
            sealed.reveal(number, "secret", folder)


def test_new_files_need_independent_backgrounds(files: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingSample, match=r"labcourse simulate azh --independent"):
        sealed.read(tmp_path / "nowhere")
    independent().to_parquet(tmp_path / INDEPENDENT_FILE)
    result = CliRunner().invoke(app, ["sealed", "make", str(tmp_path), "--key", "secret", "--folder", str(files)])
    assert result.exit_code == 0, result.output
