"""One chunk of events, from seed to table: a pure function, which any process may run."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from factory import corrections, detector, four_leptons, generator, nonprompt, recipes, tracks
from factory.particles import concatenate
from factory.tables import Table, finished

SAMPLE, PSEUDO_DATA = 0, 1
"""What a chunk is for. The two have other seeds, so that no event is in both."""


@dataclass(frozen=True)
class Chunk:
    """Which events to make; equal chunks give equal events."""

    sample: str
    index: int
    seed: int
    purpose: int = SAMPLE
    events: int = 1000

    def at(self, index: int) -> Chunk:
        """Return another chunk of the same sample."""
        return replace(self, index=index)

    def seeds(self, place: int) -> tuple[int, np.random.Generator, np.random.Generator]:
        """Return Pythia's seed and the random numbers of generator and detector; ``place`` is that of the sample."""
        sequence = np.random.SeedSequence([self.seed, place, self.purpose, self.index])
        for_pythia, for_generator, for_detector = sequence.spawn(3)
        return pythia_seed(for_pythia), np.random.default_rng(for_generator), np.random.default_rng(for_detector)


def pythia_seed(sequence: np.random.SeedSequence) -> int:
    """Return a seed that Pythia takes, 1 to 900 000 000."""
    return int(sequence.generate_state(1)[0]) % 900_000_000 + 1


def simulate_chunk(chunk: Chunk) -> Table:
    """Generate a chunk, pass it through the detector and keep the events with four leptons, rounded."""
    recipe = recipes.RECIPES[chunk.sample]
    pythia_seed, rng, for_detector = chunk.seeds(recipes.place(chunk.sample))
    truth = generated(recipe, recipe.settings, chunk.events, pythia_seed, rng)
    return finished(_detect(recipe, truth, chunk, for_detector))


def generated(
    recipe: recipes.Recipe, settings: tuple[str, ...], n_events: int, seed: int, rng: np.random.Generator
) -> generator.Truth:
    """Return events as they leave the generator, from a matrix element of ours where the recipe says so."""
    with tempfile.TemporaryDirectory(prefix="labcourse-") as folder:
        lhe = Path(folder) / "events.lhe" if recipe.matrix_element else None
        if lhe:
            four_leptons.write_events(lhe, n_events, rng)
        return generator.generate(
            settings,
            n_events,
            seed,
            rng=rng,
            lhe=lhe,
            relabel_associated_z=recipe.relabel_associated_z,
            soften_higgs=recipe.soften_higgs,
            # Of the four leptons, two may be non-prompt in these samples, and hardly more than one in the others.
            leptons=2 if recipe.non_prompt else 3,
        )


_EXTRA = 0.004
"""Leptons of other collisions an event, in samples whose four leptons are prompt."""
_WRONG_VERTEX = 0.01
"""Share of events for which another collision is taken for the hard one."""


def _detect(recipe: recipes.Recipe, truth: generator.Truth, chunk: Chunk, rng: np.random.Generator) -> Table:
    n_events = truth.n_events
    prompt = detector.remove_overlap(detector.reconstruct_leptons(truth.leptons, truth.photons, rng))
    if recipe.non_prompt == "jets":
        others = nonprompt.beside_z(truth.jets, n_events, rng, electrons=recipe.non_prompt_electrons)
    elif recipe.non_prompt == "b":
        prompt = prompt.take((np.abs(prompt.pdgid) == 11) | (rng.random(len(prompt)) < recipe.prompt_muons))
        others = nonprompt.from_b_jets(truth.jets, n_events, rng, electrons=recipe.non_prompt_electrons)
        others = nonprompt.rarely_alike(others, prompt, n_events, rng)
    else:
        others = nonprompt.of_pile_up(n_events, _EXTRA, rng)
    leptons = detector.remove_overlap(concatenate([prompt, others]))
    number = np.bincount(leptons.event, minlength=n_events)
    hard = np.bincount(leptons.event[leptons.pt > detector.PT_LEADING], minlength=n_events) > 0
    electron, muon = detector.trigger(leptons, n_events, rng)
    kept = (number >= 4) & hard & (electron | muon) & truth.kept
    if recipe.non_prompt:
        # Raised rates would give too many events with more non-prompt leptons than it takes.
        kept &= (np.bincount(prompt.event, minlength=n_events) >= 2) & (number <= 4 + (rng.random(n_events) < 0.05))
    jets = detector.measure_jets(truth.jets, leptons, n_events, rng, response=recipe.jet_response)
    missing, missing_phi = detector.measure_missing(truth.invisible, leptons, jets, rng)
    wrong = np.where(rng.random(n_events) < _WRONG_VERTEX, rng.normal(0, nonprompt.SPREAD, n_events), 0.0)
    leptons, jets = leptons.take(kept[leptons.event]), jets.take(kept[jets.event])
    leptons = replace(leptons, z=leptons.z + wrong[leptons.event])
    sf_electron, sf_muon = corrections.leptons(leptons, n_events, rng)
    table: Table = {
        "eventNumber": chunk.index * chunk.events + np.arange(n_events) + 1,
        "scaleFactor_PILEUP": corrections.pileup(n_events, rng),
        "scaleFactor_ELE": sf_electron,
        "scaleFactor_MUON": sf_muon,
        "scaleFactor_LepTRIGGER": corrections.trigger(muon, rng),
        "trigE": electron,
        "trigM": muon,
        "met_et": missing * 1e3,
        "met_phi": missing_phi,
        "lep_n": np.bincount(leptons.event, minlength=n_events),
        "jet_n": np.bincount(jets.event, minlength=n_events),
    }
    table = {name: values[kept] for name, values in table.items()}
    of_tracks = tracks.measure(leptons, rng)
    jet_energy, score = detector.jet_properties(jets, rng)
    return table | {
        "lep_pt": leptons.pt * 1e3,
        "lep_eta": leptons.eta,
        "lep_phi": leptons.phi,
        # The PDG codes of particles are positive where the charge is negative.
        "lep_charge": -np.sign(leptons.pdgid),
        "lep_type": np.abs(leptons.pdgid),
        **of_tracks,
        "jet_pt": jets.pt * 1e3,
        "jet_eta": jets.eta,
        "jet_phi": jets.phi,
        "jet_E": jet_energy * 1e3,
        "jet_MV2c10": score,
    }
