"""The search for A → Zh: its event table, what is shipped, and the sealed data."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import azh
from azh import events
from factory.azh import production, reconstruction, sealed
from labcourse import settings
from labcourse.errors import BadFile, MissingSample
from tests.azh.made_up import make_events

SHIPPED = settings.data_folder() / events.FOLDER


def test_halves_share_no_event_and_swapped_exchanges_them() -> None:
    table = pd.concat([make_events()] * 2, ignore_index=True)
    parts, swapped = azh.split(table), azh.split(table, swapped=True)
    assert [round(len(part) / len(table), 1) for part in parts] == [0.4, 0.1, 0.5]
    first, validation, second = (set(events.identity(part)) for part in parts)
    assert sum(map(len, (first, validation, second))) == len(table) / 2, "rows of an event stay together"
    assert set(events.identity(swapped.test)) == first | validation
    assert {*events.identity(swapped.train), *events.identity(swapped.validation)} == second


def test_trained_and_tested_are_events_of_the_signal_region_only() -> None:
    table = make_events()
    table.loc[::3, "region"] = "sideband"
    table.loc[1::3, "region"] = "emu"
    parts = azh.split(table)
    assert {region for part in parts for region in part["region"]} == {"signal"}
    assert sum(map(len, parts)) == (table["region"] == "signal").sum()


def test_the_tested_mass_is_set_for_all_and_other_signal_is_left_out() -> None:
    chosen = events.at_mass(make_events(), 700)
    assert set(chosen["m_a"]) == {700.0}
    assert set(chosen.loc[events.is_signal(chosen), "m_a_true"]) == {700.0}


def test_masses_of_the_background_are_those_of_the_signal_and_change_with_the_draw() -> None:
    table = make_events()
    first, again, other = (events.draw_masses(table, (300, 700), np.random.default_rng(seed)) for seed in (1, 1, 2))
    background = ~events.is_signal(table)
    np.testing.assert_array_equal(first, again)
    assert (first[background] != other[background]).any()
    assert set(first[background]) == {300.0, 700.0}
    np.testing.assert_array_equal(first[~background], table["m_a_true"][~background])


def write(table: pd.DataFrame, folder: Path) -> Path:
    return production.write(table, folder, generated={"ttbar": (1000, 0)}, seed=1, scale=0.1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(table := make_events(), tmp_path)
    pd.testing.assert_frame_equal(azh.read(tmp_path), table, check_categorical=False)


@pytest.mark.parametrize("name", [events.FILE, "sealed-1.parquet"])
def test_a_file_that_is_damaged_or_missing_is_one_error(tmp_path: Path, name: str) -> None:
    def read() -> Any:
        return azh.read(tmp_path) if name == events.FILE else azh.read_sealed(1, tmp_path)

    manifest = "manifest.json" if name == events.FILE else events.SEALED_MANIFEST
    for each in (name, manifest):
        (tmp_path / each).write_bytes((SHIPPED / each).read_bytes())
    read()
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1000])
    with pytest.raises(BadFile, match="not the one"):
        read()
    (tmp_path / manifest).write_text("{")
    with pytest.raises(BadFile, match="damaged"):
        read()
    (tmp_path / name).unlink()
    with pytest.raises(MissingSample, match=name):
        read()


def test_sealed_data_that_the_manifest_does_not_name_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "sealed-7.parquet").write_bytes((SHIPPED / "sealed-1.parquet").read_bytes())
    (tmp_path / events.SEALED_MANIFEST).write_bytes((SHIPPED / events.SEALED_MANIFEST).read_bytes())
    with pytest.raises(BadFile, match="not the one that its manifest describes"):
        azh.read_sealed(7, tmp_path)


def test_the_shipped_events() -> None:
    shipped = azh.read(SHIPPED)
    signal = events.is_signal(shipped)
    assert set(shipped.loc[signal, "m_a_true"]) == set(map(float, events.MASSES))
    assert (shipped.loc[~signal, "weight"] < 0).mean() > 0.005
    assert set(shipped["process"]) == set(events.PROCESSES)
    assert reconstruction.passes({name: shipped[name].to_numpy() for name in events.MEASURED}).mean() > 0.99
    codes = reconstruction.regions(shipped["m_bb"].to_numpy(), (shipped["region"] != "emu").to_numpy())
    assert (codes == shipped["region"].cat.codes).mean() > 0.99
    background = shipped[~signal]
    by_event = background.groupby(["run", "event"])["weight"].sum().abs()
    assert by_event.max() < 25, "no event of the simulation makes a spike"
    assert (background.groupby("region", observed=True)["weight"].sum() > 5000).all()


def test_the_shipped_sealed_data_and_what_the_instructor_finds_in_them() -> None:
    simulated, files = azh.read(SHIPPED), sorted(SHIPPED.glob("sealed-*.parquet"))
    assert len(files) == sealed.FILES
    assert sum(path.stat().st_size for path in (SHIPPED / events.FILE, *files)) <= 15_000_000
    expected = simulated[~events.is_signal(simulated)].groupby("region", observed=True)["weight"].sum()
    for number in range(1, sealed.FILES + 1):
        data = azh.read_sealed(number, SHIPPED)
        assert list(data) == ["event", "region", *events.MEASURED], "neither weights nor truth"
        counts = data["region"].value_counts()
        assert all(counts[name] == pytest.approx(expected[name], rel=0.05) for name in events.REGIONS)
    page = (settings.home() / "docs" / "instructor.md").read_text("utf-8")
    (key,) = re.findall(r'^labcourse sealed reveal 1 --key "(.+?)"', page, re.M)
    found = [sealed.reveal(number, key, SHIPPED) for number in range(1, sealed.FILES + 1)]
    assert found.count(None) == 1
    assert not {hidden.mass for hidden in found if hidden} & set(azh.MASSES)


def test_the_columns_in_the_docs_are_those_of_the_events() -> None:
    page = (settings.home() / "docs" / "parameterised.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+ \| [^|]+) \|$", page, re.M))
    for name, meaning in events.INPUTS.items():
        text, unit = re.fullmatch(r"(.*?)(?: \((√?GeV|rad)\))?", meaning).groups()
        assert listed[name] == f"{unit or '–'} | {text}"
