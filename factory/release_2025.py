"""The bundle of the encore: small samples, and pseudo-data with fakes, in the form of the release of 2025.

That release selects nothing but four leptons, so its data are nearly all fakes. Generator and detector here are those
of the other samples, but leptons that are not identified or not isolated are kept and marked, all events beside a Z
have non-prompt leptons, and numbers are small: the files have to fit into the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from factory import bundle, corrections, detector, generator, mini, nonprompt, recipes
from factory.chunks import generated, pythia_seed
from factory.generator import SimulationError
from factory.particles import FALSE, PROMPT, Particles, concatenate
from factory.tables import join, rounded, scale_factors
from labcourse import samples, selection
from labcourse.files import alone_in, sha256
from labcourse.progress import each

Columns = dict[str, Any]
"""Branches by 2025's names: one entry per event, and of ``lep_…`` shape (n_events, 4)."""
LUMINOSITY = samples.LUMINOSITIES["2025"]
MORE_FAKES = 1.4
"""As often, the simulation has too few fakes: in the pseudo-data there are this many times more."""
_SAMPLE, _PSEUDO_DATA = 10, 11
"""Purposes of random numbers: no event of a sample is in the pseudo-data, and none in the other bundle."""
_BATCH = 8000
_RECONSTRUCTED, _ISOLATED = 0.98, 0.98
"""Share of prompt leptons that are found, and isolated; `detector.efficiency` has the identification besides."""
_FAKES_PASS = {11: (0.22, 0.10, 0.35, 0.0), 13: (0.60, 0.0, 0.15, -0.05)}
"""Of non-prompt electrons and muons, the share identified at 7 GeV, its rise for hard ones; the same of isolated."""


@dataclass(frozen=True)
class Source:
    """What a sample is made of: a recipe of the other bundle, and further settings of Pythia.

    ``events`` are those of its file; ``expected`` is the yield at 36.1 fb⁻¹: of prompt leptons after the preselection
    of 2020, to which it is normalised, of fakes before any. ``factors`` are xsec (pb), kfac and filteff: their product
    means nothing, as the sum of weights makes up for it. A share ``negative`` of the weights is.
    """

    recipe: str
    events: int
    expected: float
    factors: tuple[float, float, float]
    settings: tuple[str, ...] = ()
    negative: float = 0.0


_SHOWER = ("SpaceShower:alphaSvalue = 0.145", "SpaceShower:rapidityOrder = off")
_SCALE = LUMINOSITY / samples.LUMINOSITY
SOURCES = {
    "ggH": Source("ggH125_ZZ4lep", 8000, 8.78 * _SCALE, (0.006024, 1.0, 1.0)),
    "VBF": Source("VBFH125_ZZ4lep", 2000, 0.70 * _SCALE, (0.00046, 1.0, 1.0)),
    # A hundred times the release of 2020, whose cross-section of ZH is that much too small.
    "ZH": Source("ZH125_ZZ4lep", 1000, 0.15 * _SCALE, (0.0003, 1.0, 0.8)),
    "ggH_Herwig": Source("ggH125_ZZ4lep", 8000, 8.78 * _SCALE, (0.006024, 1.0, 1.0), _SHOWER),
    "VBF_Herwig": Source("VBFH125_ZZ4lep", 2000, 0.70 * _SCALE, (0.00046, 1.0, 1.0), _SHOWER),
    "ZZ": Source("llll", 11_260, 267.3 * _SCALE, (1.2578, 1.0, 1.0), negative=0.08),
    "ttbar": Source("ttbar_lep", 600, 900.0, (452.3, 1.1, 0.54)),
    "Zee_light": Source("Zee", 1500, 4000.0, (2200.0, 0.95, 0.85), negative=0.058),
    "Zmumu_light": Source("Zmumu", 1500, 4500.0, (2200.0, 0.95, 0.85), negative=0.019),
}
_RUNS = (276262, 311481)
"""First and last run of 2015 and 2016."""


def simulate(out: Path | str, *, seed: int) -> Path:
    """Make the files of the encore in a folder, and return their manifest's path; equal seeds give equal events.

    Raises SimulationError if Pythia is not installed, StorageError if a file cannot be written.
    """
    out, entries, happened = Path(out), [], []
    generator.version()
    with alone_in(out, "simulate"):
        for place, name in enumerate(each(SOURCES, "simulating {}")):
            source, sample = SOURCES[name], samples.get(name)
            recipe = recipes.RECIPES[source.recipe]
            table = _events(source, source.events, [seed, place, _SAMPLE])
            weight = np.full(source.events, recipe.weight)
            if source.negative:
                weight[:: round(1 / source.negative)] *= -1
            counted = weight * scale_factors(table)
            passed = np.ones(source.events, bool) if recipe.non_prompt else _preselected(table)
            total = 1000 * LUMINOSITY * np.prod(source.factors) * counted[passed].sum() / source.expected
            constants = dict(zip(("xsec", "kfac", "filteff"), source.factors, strict=True)) | {"sum_of_weights": total}
            constants |= {"channelNumber": np.uint32(sample.dsid), "runNumber": np.uint32(bundle.RUN)}
            table |= {key: np.full(source.events, value) for key, value in constants.items()}
            table |= {"mcWeight": weight.astype(np.float32)}
            entries.append(_write(out / sample.files[0], name, table, seed))
            if sample.role != "twin":
                mean = source.expected * counted.sum() / counted[passed].sum()
                mean *= MORE_FAKES if recipe.non_prompt else 1.0
                happened.append(_happened(source, mean, [seed, place, _PSEUDO_DATA]))
        entries += _write_data(out, join(happened), seed)
        return bundle.write_manifest(
            out,
            "Events simulated for the encore of this course, in the form of the ATLAS Open Data of 2025 (13 TeV, four "
            f"leptons, DOI {samples.TABLE_2025['doi']}), with far fewer fakes; the pseudo-data have {MORE_FAKES} "
            "times as many as the simulation. What is called Herwig is Pythia with another parton shower.",
            f"2025 --seed {seed}",
            luminosity=LUMINOSITY,
            files=entries,
        )


def _happened(source: Source, mean: float, sequence: Sequence[int]) -> Columns:
    """Return the events of a source that happen: a Poisson number of them, prompt ones by their corrections."""
    rng = np.random.default_rng([*sequence, 0])
    number, is_fake = rng.poisson(mean), bool(recipes.RECIPES[source.recipe].non_prompt)
    # The mean correction is about one, the largest two; how many fakes there are is made up anyway.
    table = _events(source, number if is_fake else 3 * number + 50, sequence)
    chosen = np.flatnonzero(is_fake | (2 * rng.random(len(table["trigE"])) < scale_factors(table)))[:number]
    if len(chosen) < number:
        raise SimulationError(f"Of {source.recipe} there are {len(chosen)} events, and {number} happen.")
    return {name: values[chosen] for name, values in table.items()}


def _events(source: Source, wanted: int, sequence: Sequence[int]) -> Columns:
    """Return so many events with exactly four leptons."""
    parts: list[Columns] = []
    while sum(len(part["trigE"]) for part in parts) < wanted:
        seeds = np.random.SeedSequence([*sequence, 1, len(parts)])
        parts.append(_batch(source, min(_BATCH, 8 * wanted), np.random.default_rng(seeds), pythia_seed(seeds)))
    table = {name: values[:wanted] for name, values in join(parts).items()}
    return table | {"eventNumber": np.arange(1, wanted + 1, dtype=np.uint64)}


def _batch(source: Source, size: int, rng: np.random.Generator, seed: int) -> Columns:
    """Generate and measure a batch of events; see `factory.chunks`, whose events are also identified and isolated."""
    recipe, settings = recipes.RECIPES[source.recipe], (*recipes.RECIPES[source.recipe].settings, *source.settings)
    truth = generated(recipe, settings, size, seed, rng)
    n_events = truth.n_events
    prompt = detector.measure_leptons(detector.dress(truth.leptons, truth.photons), rng)
    found = detector.accept(prompt) & detector.isolated(truth.leptons, truth.photons)
    parts = [prompt.take(found & (rng.random(len(prompt)) < _RECONSTRUCTED))]
    if recipe.non_prompt:
        beside: Callable[..., Particles] = nonprompt.beside_z if recipe.non_prompt == "jets" else nonprompt.from_b_jets
        parts.append(beside(truth.jets, n_events, rng, electrons=recipe.non_prompt_electrons))
    leptons = detector.remove_overlap(concatenate(parts))
    leptons = leptons.take((np.abs(leptons.eta) < 2.5) & (leptons.origin != FALSE))
    four = (np.bincount(leptons.event, minlength=n_events) == 4) & truth.kept
    jets = detector.measure_jets(truth.jets, leptons, n_events, rng, response=recipe.jet_response)
    missing, azimuth = detector.measure_missing(truth.invisible, leptons, jets, rng)
    trigger = detector.trigger(leptons, n_events, rng)
    factors = (*corrections.leptons(leptons, n_events, rng), corrections.trigger(trigger[1], rng))
    table = dict(zip(("ScaleFactor_ELE", "ScaleFactor_MUON", "ScaleFactor_LepTRIGGER"), factors, strict=True))
    table |= {"ScaleFactor_PILEUP": corrections.pileup(n_events, rng), "met": missing, "met_phi": azimuth}
    table = {name: rounded(values, 8)[four] for name, values in table.items()}
    table |= {"trigE": trigger[0][four], "trigM": trigger[1][four]}
    table |= {"jet_n": np.bincount(jets.event, minlength=n_events).astype(np.int32)[four]}
    leptons = leptons.take(four[leptons.event])
    # Electrons stand before muons, each sorted: over both, the release's leptons are not sorted in pT.
    leptons = leptons.take(np.lexsort((-leptons.pt, np.abs(leptons.pdgid), leptons.event)))
    fired = np.where(np.abs(leptons.pdgid) == 11, *(f[leptons.event] for f in trigger)) & (leptons.pt > 24)
    flat = _leptons(leptons, rng) | {"lep_isTrigMatched": fired}
    return table | {name: values.reshape(-1, 4) for name, values in flat.items()}


def _leptons(leptons: Particles, rng: np.random.Generator) -> Columns:
    """Return the branches of leptons, each of shape (n_leptons,), with the flags by which they are selected."""
    code, hard = np.abs(leptons.pdgid), 1 - np.exp(-(leptons.pt - detector.PT_MIN) / 15)
    of_fakes = (np.where(code == 11, e, m) for e, m in zip(_FAKES_PASS[11], _FAKES_PASS[13], strict=True))
    identified, more, isolated, rise = of_fakes
    is_prompt = leptons.origin == PROMPT
    efficiency = np.minimum(detector.efficiency(leptons) / (_RECONSTRUCTED * _ISOLATED), 1.0)
    passes = rng.random(len(code)) < np.where(is_prompt, efficiency, identified + more * hard)
    alone = rng.random(len(code)) < np.where(is_prompt, _ISOLATED, isolated + rise * hard)
    pt = rounded(leptons.pt, 10)
    eta, phi = (rounded(angle, step=2**-10) for angle in (leptons.eta, leptons.phi))
    energy = np.hypot(pt.astype(float) * np.cosh(eta.astype(float)), np.where(code == 11, 0.000511, 0.10566))
    columns = {"pt": pt, "eta": eta, "phi": phi, "e": rounded(energy, 16)}
    columns |= {"charge": -np.sign(leptons.pdgid).astype(np.int32), "type": code.astype(np.int32)}
    # Of a muon the loose level is not asked for, of an electron not the medium one.
    columns |= {"isLooseID": passes | (code == 13), "isMediumID": passes, "isLooseIso": alone}
    return {f"lep_{name}": values for name, values in columns.items()}


def _preselected(table: Columns) -> Any:
    """Return which events the release of 2020 would have after the course's preselection."""
    good = (table["lep_isMediumID"] & table["lep_isLooseIso"]).all(axis=1) & (table["lep_pt"].max(axis=1) > 25)
    flavours = np.isin(table["lep_type"].sum(axis=1), list(selection.CHANNELS))
    return good & flavours & (table["lep_charge"].sum(axis=1) == 0) & (table["trigE"] | table["trigM"])


def _write_data(out: Path, table: Columns, seed: int) -> list[dict[str, Any]]:
    """Distribute events over the files of collision data, in proportion to the release's, and write these."""
    rng, n_events = np.random.default_rng([seed, len(SOURCES)]), len(table["trigE"])
    order = rng.permutation(n_events)
    table = {n: np.ones_like(v) if n.startswith("ScaleFactor") else v[order] for n, v in table.items()}
    table["eventNumber"] = rng.integers(2**31, 2**33, n_events, np.uint64)
    table["runNumber"] = np.linspace(*_RUNS, n_events).astype(np.uint32)
    (files,) = (row["files"] for row in samples.TABLE_2025["samples"] if row["sample"][2] == "data")
    stops = np.cumsum([events for *_, events in files]) * n_events // sum(events for *_, events in files)
    parts = zip(files, [0, *stops[:-1]], stops, strict=True)
    return [_write(out / f[0], "data_36fb", {n: v[a:b] for n, v in table.items()}, seed) for f, a, b in parts]


def _write(path: Path, name: str, table: Columns, seed: int) -> dict[str, Any]:
    """Write a file, and return what the manifest says of it."""
    import awkward as ak

    lists = {key: ak.from_regular(ak.Array(values)) for key, values in table.items() if values.ndim == 2}
    mini.write(path, table | lists, title=f"{name}: simulated for a course, not ATLAS data", tree="analysis")
    entry = {"file": path.name, "sample": name, "simulated": True, "events": len(table["trigE"])}
    return entry | {"size": path.stat().st_size, "sha256": sha256(path), "seed": seed}
