"""How the samples of the search are generated, and what they are normalised to.

========  ============================================================================================================
signal    gg → A → Zh, narrow A, h → b b̄, Z → ee or µµ; σ · BR(A → Zh) · BR(h → b b̄) = 0.05 pb
Zjets     Z or γ* with a parton in slices of its transverse momentum, everything else from the parton shower.
          Events with two b jets are normalised to the cross-section that ATLAS has measured, all others to NNLO
ttbar     both W to e or µ; NNLO + NNLL cross-section
Zh        q q̄ → Zh of the standard model, h → b b̄; normalised to all of pp → Zh (gg → Zh among it)
diboson   ZZ, one Z to b or c quarks, and WZ with W → cs, cd; the cross-sections that ATLAS has measured
========  ============================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from azh.events import BR_Z, MASSES, SIGNAL_CROSS_SECTION

TTBAR = 831.8 * 0.2134**2
"""σ(t t̄) at 13 TeV in pb (Czakon and Mitov, m_t = 172.5 GeV) with both W to e or µ (PDG 2024)."""
K_Z = 1950.6 / 1494.0
"""Z → ℓℓ above 60 GeV at NNLO (as the open data are normalised) over Pythia's leading order."""
Z_BB = 2 * 1.32
"""Z → ee and µµ with two b jets or more in pb: leptons above 27 GeV and |η| < 2.5, 76 < m_ℓℓ < 106 GeV,
jets above 20 GeV and |y| < 2.5 (ATLAS, arXiv:2003.11960: 1.32 ± 0.21 pb for one flavour)."""
Z_JJ = 37.6
"""The same with two jets of any flavour, from the slices below (pb): a test measures it."""
ZH = 0.884 * 0.582 * BR_Z
"""σ(pp → Zh) at 13 TeV, of which 0.123 pb are gg → Zh, times BR(h → b b̄), for m_h = 125 GeV (LHC Higgs
Cross Section Working Group, Yellow Report 4, arXiv:1610.07922), times BR_Z."""
ZZ = 17.3 * (0.1512 + 0.1203 + BR_Z) ** 2
"""σ(ZZ) at 13 TeV in pb, both masses from 66 to 116 GeV (ATLAS, arXiv:1709.07703: 17.3 ± 0.9 pb), with each Z
to b, c, e or µ (PDG 2024): Pythia cannot ask for one of each, and the veto drops what has no two leptons."""
WZ = 51.0 * BR_Z * 0.6741 / 2
"""σ(WZ) at 13 TeV in pb (ATLAS, arXiv:1902.05759: 51.0 ± 2.4 pb), with Z → ee, µµ and W → cs, cd (PDG 2024)."""
_SHOWER = ("TimeShower:pTmin = 1.5", "SpaceShower:pTmin = 1.0")
"""Where the parton shower ends (GeV). What is softer takes half of the time; acceptances and masses are the same
without it, within the 2 % that 5000 signal events tell."""
_TO_LEPTONS = ("23:onMode = off", "23:onIfAny = 11 13")
_HIGGS = ("25:m0 = 125", "25:onMode = off", "25:onIfMatch = 5 -5")


@dataclass(frozen=True)
class Process:
    """How a sample is made.

    ``number`` goes into the events' ``run``; ``cross_section`` is in pb, for what Pythia generates; ``events`` that
    pass the veto (`generation.watch`) are made for the bundle, ``chunk`` at a time; ``passes`` is how often each goes
    through the detector, with other random numbers; ``negative`` is the share of negative weights, at random.
    """

    name: str
    kind: str
    number: int
    settings: tuple[str, ...]
    cross_section: float
    events: int
    passes: int = 2
    mass: float = 0.0
    negative: float = 0.0
    chunk: int = 10_000


def signal(mass: int) -> Process:
    """Return the signal of a mass (GeV), any between 250 and 4000."""
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
        *_HIGGS,
        *_TO_LEPTONS,
        *_SHOWER,
    )
    cross_section = SIGNAL_CROSS_SECTION * BR_Z
    return Process(
        f"signal_{mass}", "signal", 360_000 + mass, settings, cross_section, events=20_000, passes=1, mass=mass
    )


def _z_jets(low: int, high: int, cross_section: float, events: int) -> Process:
    settings = (
        "WeakBosonAndParton:qqbar2gmZg = on",
        "WeakBosonAndParton:qg2gmZq = on",
        f"PhaseSpace:pTHatMin = {low}",
        f"PhaseSpace:pTHatMax = {high}",
        *_TO_LEPTONS,
        *_SHOWER,
    )
    return Process(f"Zjets_{low}", "Zjets", 364_100 + low, settings, cross_section, events, negative=0.08)


_TOP = ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 11 13")
_Z_PAIR = ("WeakDoubleBoson:ffbar2gmZgmZ = on", "23:onMode = off", "23:onIfAny = 4 5 11 13")
_W_AND_Z = ("WeakDoubleBoson:ffbar2ZW = on", "24:onMode = off", "24:onIfAny = 4", *_TO_LEPTONS)
_NEAR_Z = ("23:mMin = 66", "23:mMax = 116")

PROCESSES: dict[str, Process] = {
    process.name: process
    for process in (
        *map(signal, MASSES),
        _z_jets(25, 60, 703.8, 1_200_000),
        _z_jets(60, 120, 143.1, 450_000),
        _z_jets(120, 250, 23.76, 100_000),
        _z_jets(250, -1, 1.778, 40_000),
        Process("ttbar", "ttbar", 410_472, (*_TOP, *_SHOWER), TTBAR, events=800_000, negative=0.005),
        Process(
            "Zh", "Zh", 345_055, ("HiggsSM:ffbar2HZ = on", *_HIGGS, *_TO_LEPTONS, *_SHOWER), ZH, events=20_000, passes=2
        ),
        Process("ZZ", "diboson", 363_356, (*_Z_PAIR, *_NEAR_Z, *_SHOWER), ZZ, events=60_000),
        Process("WZ", "diboson", 363_358, (*_W_AND_Z, *_NEAR_Z, *_SHOWER), WZ, events=10_000),
    )
}
"""All samples of the search, by name."""


def get(name: str) -> Process:
    """Return a sample by its name, also the signal of a mass that is not among those of the search."""
    return PROCESSES[name] if name in PROCESSES else signal(int(name.removeprefix("signal_")))
