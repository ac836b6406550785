"""How the samples of the search are generated, and what they are normalised to.

========  ============================================================================================================
signal    gg → A → Zh, narrow A, h → b b̄, Z → ee or µµ; σ · BR(A → Zh) · BR(h → b b̄) = 0.05 pb
Zjets     Z or γ* with a parton in slices of its transverse momentum, everything else from the parton shower.
          Events with two b jets are normalised to the cross-section that ATLAS has measured, all others to NNLO
ttbar     both W to e or µ; NNLO + NNLL cross-section. eµ events have the kinematics of ee and µµ together, so
          they are kept as well and all count half
========  ============================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from azh.events import MASSES, SIGNAL_CROSS_SECTION

BR_Z = 0.06729
"""Z → e⁺e⁻ and µ⁺µ⁻ (PDG 2024)."""
TTBAR = 831.8 * 0.2134**2
"""σ(t t̄) at 13 TeV in pb (Czakon and Mitov, m_t = 172.5 GeV) with both W to e or µ (PDG 2024)."""
K_Z = 1950.6 / 1494.0
"""Z → ℓℓ above 60 GeV at NNLO (as the open data are normalised) over Pythia's leading order."""
Z_BB = 2 * 1.32
"""Z → ee and µµ with two b jets or more in pb: leptons above 27 GeV and |η| < 2.5, 76 < m_ℓℓ < 106 GeV,
jets above 20 GeV and |y| < 2.5 (ATLAS, arXiv:2003.11960: 1.32 ± 0.21 pb for one flavour)."""
APPROXIMATIONS = (
    "gg → A at leading order with parton shower, narrow width",
    "Z + jets at leading order with one parton; other jets from the parton shower",
    "Z + b b̄ modelled by Z + two jets that are called b jets, normalised to the measured cross-section",
    "t t̄ at leading order with parton shower; eµ events stand for ee and µµ",
    "no other background (Zh, diboson, single top quark, W + jets)",
    "no multiparton interactions, pile-up or hadronisation; neutrinos in b and c jets put in by hand",
    "each event passes the detector several times: its rows share run and event, and are not independent",
    "light entries of Z + jets are thinned, the rest made heavier for it",
    "signs of the weights at random",
)


@dataclass(frozen=True)
class Process:
    """How a sample is made.

    ``number`` goes into the events' ``run``; ``cross_section`` is in pb, for what Pythia generates; ``events`` are
    generated for the bundle, ``chunk`` at a time; ``passes`` is how often each goes through the detector, with
    other random numbers; ``negative`` is the share of negative weights, at random; ``cost`` the seconds that a
    thousand events take on a core.
    """

    name: str
    kind: str
    number: int
    settings: tuple[str, ...]
    cross_section: float
    events: int
    passes: int
    mass: float = 0.0
    negative: float = 0.0
    any_flavour: bool = False
    chunk: int = 10_000
    cost: float = 1.0


def _signal(mass: int) -> Process:
    settings = (
        "Higgs:useBSM = on",
        "HiggsBSM:gg2A3 = on",
        f"36:m0 = {mass}",
        "36:mWidth = 0.01",
        "36:doForceWidth = on",
        f"36:mMin = {mass - 1}",
        f"36:mMax = {mass + 1}",
        "36:onMode = off",
        "36:onIfMatch = 23 25",
        "25:m0 = 125",
        "25:onMode = off",
        "25:onIfMatch = 5 -5",
        "23:onMode = off",
        "23:onIfAny = 11 13",
    )
    return Process(
        f"signal_{mass}",
        "signal",
        360_000 + mass,
        settings,
        SIGNAL_CROSS_SECTION * BR_Z,
        events=14_000,
        passes=3,
        mass=mass,
        chunk=7_000,
        cost=0.8,
    )


def _z_jets(low: int, high: int, cross_section: float, events: int) -> Process:
    settings = (
        "WeakBosonAndParton:qqbar2gmZg = on",
        "WeakBosonAndParton:qg2gmZq = on",
        f"PhaseSpace:pTHatMin = {low}",
        f"PhaseSpace:pTHatMax = {high}",
        "23:onMode = off",
        "23:onIfAny = 11 13",
    )
    return Process(
        f"Zjets_{low}", "Zjets", 364_100 + low, settings, cross_section, events, passes=8, negative=0.08, cost=1.0
    )


_TTBAR = Process(
    "ttbar",
    "ttbar",
    410_472,
    ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 11 13"),
    TTBAR,
    events=200_000,
    passes=12,
    negative=0.005,
    any_flavour=True,
    cost=1.2,
)

PROCESSES: dict[str, Process] = {
    process.name: process
    for process in (
        *map(_signal, MASSES),
        _z_jets(25, 60, 703.8, 110_000),
        _z_jets(60, 120, 143.1, 100_000),
        _z_jets(120, 250, 23.76, 60_000),
        _z_jets(250, -1, 1.778, 30_000),
        _TTBAR,
    )
}
"""All samples of the search, by name."""
