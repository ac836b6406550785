"""How each sample is generated: settings of Pythia, number of events, source of non-prompt leptons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a sample is made.

    ``settings`` are Pythia's; ``chunk`` how many events are generated at a time; ``expected`` the yield after
    preselection at 10 fb⁻¹ that the file is normalised to; ``weight`` the constant |mcWeight|; ``negative`` the
    fractions of negative weights among events that pass and that fail the preselection; ``non_prompt`` names the
    source of two of the leptons, of which the share ``non_prompt_electrons`` are electrons; ``matrix_element`` says
    that the hard process is that of `factory.four_leptons`; ``soften_higgs`` that events are dropped as
    `generator.generate` describes; ``jet_response`` the part of the momentum of a jet of partons that is measured;
    ``prompt_muons`` the share of prompt muons that are kept, beside all prompt electrons (of the release's events with
    two leptons of b hadrons, 208 have e e and 120 have µ µ beside them).
    """

    name: str
    settings: tuple[str, ...]
    expected: float
    chunk: int = 8000
    weight: float = 1.0
    negative: tuple[float, float] = (0.0, 0.0)
    non_prompt: str = ""
    non_prompt_electrons: float = 0.5
    matrix_element: bool = False
    soften_higgs: bool = False
    jet_response: float = 1.0
    prompt_muons: float = 1.0
    relabel_associated_z: bool = False


# A virtual Z may be as light as 2 GeV; Pythia's table stops at 10 GeV.
_HIGGS = ("25:m0 = 125", "25:onMode = off", "25:onIfMatch = 23 23", "23:mMin = 2", "23:onMode = off")
# ggF and VBF of the release hold electrons and muons only (their cross-sections say so), WH and ZH τ as well.
_TO_E_MU = (*_HIGGS, "23:onIfAny = 11 13")
_TO_E_MU_TAU = (*_HIGGS, "23:onIfAny = 11 13 15")


def _z(name: str, lepton: int, **own: Any) -> Recipe:
    decay = ("23:onMode = off", f"23:onIfAny = {lepton}")
    settings = ("WeakSingleBoson:ffbar2gmZ = on", "PhaseSpace:mHatMin = 60", *decay)
    return Recipe(name, settings, chunk=16_000, weight=1941.4, non_prompt="jets", **own)


_RECIPES = (
    Recipe(
        "ggH125_ZZ4lep",
        ("HiggsSM:gg2H = on", "SpaceShower:alphaSvalue = 0.118", *_TO_E_MU),
        expected=8.78,
        chunk=16_000,
        weight=28.3,
        soften_higgs=True,
    ),
    Recipe(
        "VBFH125_ZZ4lep",
        ("HiggsSM:ff2Hff(t:ZZ) = on", "HiggsSM:ff2Hff(t:WW) = on", *_TO_E_MU),
        expected=0.70,
        chunk=16_000,
        weight=3.73,
    ),
    Recipe(
        "WH125_ZZ4lep",
        ("HiggsSM:ffbar2HW = on", *_TO_E_MU_TAU),
        expected=0.218,
    ),
    Recipe(
        "ZH125_ZZ4lep",
        ("HiggsSM:ffbar2HZ = on", *_TO_E_MU_TAU),
        expected=0.0015,
        relabel_associated_z=True,
    ),
    Recipe(
        "llll",
        # Generated to τ as well; those with two leptonic τ decays count accordingly.
        # The shower alone has to make the jets that the release's matrix elements have, up to three of them: it may
        # emit at any rapidity, which fills what ordered emissions leave empty (R. Corke and T. Sjöstrand,
        # arXiv:1011.1759), with a stronger coupling.
        (
            "SpaceShower:rapidityOrder = off",
            "SpaceShower:alphaSvalue = 0.145",
            "15:onMode = off",
            "15:onIfAny = 11 13",
        ),
        expected=267.3,
        matrix_element=True,
    ),
    _z("Zee", 11, expected=43.1, negative=(0.058, 0.040), non_prompt_electrons=0.42),
    _z("Zmumu", 13, expected=52.0, negative=(0.019, 0.028), non_prompt_electrons=0.54),
    Recipe(
        "ttbar_lep",
        (
            "Top:gg2ttbar = on",
            "Top:qqbar2ttbar = on",
            # Without damping, the shower alone makes too many hard jets beside a heavy pair.
            "SpaceShower:pTmaxMatch = 2",
            "SpaceShower:pTdampMatch = 1",
            "SpaceShower:pTdampFudge = 1.7",
            "24:onMode = off",
            "24:onIfAny = 11 13 15",
        ),
        expected=28.1,
        non_prompt="b",
        # Hadrons, neutrinos and muons of b quarks leave the cone.
        jet_response=0.79,
        prompt_muons=0.85,
        non_prompt_electrons=0.53,
    ),
)
RECIPES = {recipe.name: recipe for recipe in _RECIPES}
"""All samples that are simulated, those of the catalogue that have a recipe. A new one comes last: see `place`."""


def place(name: str) -> int:
    """Return the place of a sample among all, which chooses its random numbers."""
    return list(RECIPES).index(name)
