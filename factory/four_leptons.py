"""Unweighted parton-level events q q̄, g g → 4 leptons, written as a Les Houches file for Pythia to shower.

Points of phase space are weighted with matrix element and parton densities, then kept or dropped, so that
all that remain count the same. The matrix element is that of q q̄ at leading order. Higher orders change how many
events there are at each mass, by the factors of `HIGHER_ORDERS`. The part of g g → ZZ has the rapidities and the
initial-state radiation of gluons, but the decay angles of q q̄.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from factory import generator
from factory.matrix_element import squared
from factory.particles import Bools, Floats, Ints
from factory.phase_space import M4L_RANGE, PAIR_MASS_MIN, mass_squared, sample_leptons, sample_s

ECM = 13000.0
LEPTON_PT_MIN, LEADING_PT_MIN, LEPTON_ETA_MAX = 5.0, 20.0, 3.0
"""Looser than the selection, since the shower and the detector change momenta."""

FLAVOURS = np.array([(11, 13), (11, 11), (13, 13), (11, 15), (13, 15)])
TAU_TO_LEPTONS = 0.352**2
"""Both τ decay to leptons (Pythia is told to do so)."""
_FLAVOUR_SHARE = np.array([1, 1, 1, TAU_TO_LEPTONS, TAU_TO_LEPTONS])
QUARKS = (2, 1, 3, 4, 5)
GLUON = 21

HIGHER_ORDERS = (
    # m(4l) / GeV, NLO over LO of q q̄, and g g over q q̄ at NLO.
    (45, 1.20, 0.00),
    (100, 1.20, 0.01),
    (125, 1.27, 0.05),
    (150, 1.33, 0.07),
    (185, 1.42, 0.11),
    (250, 1.48, 0.14),
    (400, 1.55, 0.13),
    (800, 1.60, 0.10),
    (2000, 1.60, 0.08),
)
"""At the Z peak the factor is that of the Drell–Yan process, and two gluons give no Z (Landau, Yang). Above threshold
σ(pp → ZZ) at 13 TeV is 9.9 pb at LO, 14.5 pb at NLO and 16.9 pb at NNLO, most of the last step being g g
(F. Cascioli et al., Phys. Lett. B735 (2014) 311, arXiv:1405.2219), itself enhanced by 1.7 at NLO (F. Caola et al.,
arXiv:1509.06734)."""
_GLUON_POINTS = 0.12
"""Share of the points that are tried with gluons."""

PICOBARN = 3.8937937e8
"""1 GeV⁻² in pb."""
LARGEST_WEIGHT = 7.0
"""Weight (pb) up to which events are kept in proportion; larger ones, which hold 1 % too few events, count
as this. Measured."""
_POINTS = 20_000


@lru_cache(maxsize=1)
def _parton_densities() -> tuple[Floats, Floats, NDArray[np.float64]]:
    """Table of x f(x, Q) of Pythia's proton: shape (flavours, Q, x) for quarks then antiquarks."""
    pythia = generator.start(("ProcessLevel:all = off",), seed=1)
    pdf = pythia.getPDFPtr(2212)
    log_x = np.linspace(np.log(1e-5), np.log(0.9), 240)
    log_q = np.linspace(np.log(40.0), np.log(2000.0), 12)
    codes = [*QUARKS, *(-q for q in QUARKS), GLUON]
    table = [[[pdf.xf(c, float(np.exp(lx)), float(np.exp(2 * lq))) for lx in log_x] for lq in log_q] for c in codes]
    return log_x, log_q, np.array(table)


def _densities(x: Floats, scale: Floats) -> Floats:
    """x f(x, Q) by linear interpolation in ln x and ln Q, shape (2 × flavours + 1, n): the gluon comes last."""
    log_x, log_q, table = _parton_densities()

    def cell(value: Floats, grid: Floats) -> tuple[Ints, Floats]:
        position = np.clip((value - grid[0]) / (grid[1] - grid[0]), 0, len(grid) - 1.000001)
        return position.astype(int), position % 1

    (i, u), (j, v) = cell(np.log(x), log_x), cell(np.log(scale), log_q)
    lower = table[:, j, i] * (1 - u) + table[:, j, i + 1] * u
    upper = table[:, j + 1, i] * (1 - u) + table[:, j + 1, i + 1] * u
    result: Floats = np.maximum(lower * (1 - v) + upper * v, 0.0)
    return result


def _luminosities(x: Floats, root: Floats) -> tuple[Floats, Floats]:
    """x₁ f(x₁) x₂ f(x₂) at x of shape (2, n): of q q̄ and q̄ q, shape (2 × quarks, n), and of g g."""
    one, two = _densities(x[0], root), _densities(x[1], root)
    n = len(QUARKS)
    return np.concatenate([one[:n] * two[n : 2 * n], one[n : 2 * n] * two[:n]]), one[-1] * two[-1]


@lru_cache(maxsize=1)
def _quarks_over_gluons() -> tuple[Floats, Floats]:
    """Ratio of both luminosities, integrated over rapidity, at the masses of a grid."""
    masses = np.geomspace(*M4L_RANGE, 60)
    fractions = np.linspace(-0.995, 0.995, 200)
    ratio = []
    for mass in masses:
        rapidity = fractions * np.log(ECM / mass)
        x = np.minimum(mass / ECM * np.exp(np.stack([rapidity, -rapidity])), 0.9)
        quarks, gluons = _luminosities(x, np.full(len(fractions), mass))
        ratio.append(quarks.sum() / gluons.sum())
    return masses, np.array(ratio)


def weighted(size: int, rng: np.random.Generator) -> tuple[Floats, Floats, Ints, Ints]:
    """Weighted events: weight (pb), momenta of leptons (n, 4, 4), codes of parton and flavours, beams' energies."""
    s, density_s = sample_s(size, rng)
    root = np.sqrt(s)
    rapidity_max = np.log(ECM / root)
    rapidity = rng.uniform(-1, 1, size) * rapidity_max
    flavour = rng.choice(len(FLAVOURS), size, p=_FLAVOUR_SHARE / _FLAVOUR_SHARE.sum())
    identical = FLAVOURS[flavour, 0] == FLAVOURS[flavour, 1]
    leptons, density = sample_leptons(s, identical, rng)
    x = root / ECM * np.exp(np.stack([rapidity, -rapidity]))
    boosted = _along_z(leptons, rapidity)
    kept = np.flatnonzero((density > 0) & _inside(boosted, identical) & (x < 0.9).all(axis=0))
    s, root, x, leptons, boosted = s[kept], root[kept], x[:, kept], leptons[kept], boosted[kept]
    n_quarks = len(QUARKS)
    luminosity, of_gluons = _luminosities(x, root)
    total = luminosity.sum(axis=0)
    pick = (np.cumsum(luminosity, axis=0) < rng.random(len(kept)) * total).sum(axis=0)
    quark = np.array(QUARKS)[pick % n_quarks]
    gluons = rng.random(len(kept)) < _GLUON_POINTS
    forward = np.where(gluons, rng.random(len(kept)) < 0.5, pick < n_quarks)
    energy = 0.5 * root
    zero = np.zeros(len(kept))
    ahead, behind = np.stack([energy, zero, zero, energy], 1), np.stack([energy, zero, zero, -energy], 1)
    from_quark = np.where(forward[:, None], ahead, behind)
    from_antiquark = np.where(forward[:, None], behind, ahead)
    matrix = squared(from_quark, from_antiquark, leptons, quark % 2 == 0, identical[kept])
    # dσ = f f dx₁ dx₂ |M|² dΦ / 2ŝ, and dx₁ dx₂ = dŝ dy / S with x f tabulated: divide by x₁ x₂ S = ŝ.
    phase_space = 2 * rapidity_max[kept] / (density_s[kept] * density[kept])
    masses, of_quarks, share = np.transpose(HIGHER_ORDERS)
    from_gluons = of_gluons * np.interp(root, *_quarks_over_gluons()) * np.interp(root, masses, share)
    total = np.where(gluons, from_gluons / _GLUON_POINTS, total / (1 - _GLUON_POINTS))
    total = total * np.interp(root, masses, of_quarks)
    weight = PICOBARN * total * matrix * phase_space / (2 * s**2)
    weight = weight * _FLAVOUR_SHARE.sum()
    codes = np.column_stack([np.where(gluons, GLUON, np.where(forward, quark, -quark)), flavour[kept]])
    return weight, boosted, codes, x.T * ECM / 2


def _along_z(leptons: Floats, rapidity: Floats) -> Floats:
    energy, z = leptons[..., 0], leptons[..., 3]
    cosh, sinh = np.cosh(rapidity)[:, None], np.sinh(rapidity)[:, None]
    return np.stack([cosh * energy + sinh * z, leptons[..., 1], leptons[..., 2], cosh * z + sinh * energy], -1)


def _inside(leptons: Floats, identical: Bools) -> Bools:
    """Cuts at generator level."""
    pt = np.hypot(leptons[..., 1], leptons[..., 2])
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.abs(np.arcsinh(leptons[..., 3] / pt))
    inside = (pt > LEPTON_PT_MIN).all(1) & (pt.max(1) > LEADING_PT_MIN) & (eta < LEPTON_ETA_MAX).all(1)
    for a, b in ((0, 1), (2, 3), (0, 3), (2, 1)):
        heavy = mass_squared(leptons[:, a] + leptons[:, b]) > PAIR_MASS_MIN**2
        inside &= heavy | (~identical if (a, b) in ((0, 3), (2, 1)) else False)
    return inside


def write_events(path: Path, number: int, rng: np.random.Generator) -> None:
    """Write ``number`` unweighted events as a Les Houches file."""
    made = 0
    with path.open("w") as file:
        file.write(_HEADER)
        while made < number:
            weight, leptons, codes, beams = weighted(_POINTS, rng)
            kept = np.flatnonzero(rng.random(len(weight)) * LARGEST_WEIGHT < weight)[: number - made]
            for i in kept:
                file.write(_event(leptons[i].tolist(), int(codes[i, 0]), int(codes[i, 1]), beams[i].tolist()))
            made += len(kept)
        file.write("</LesHouchesEvents>\n")


_HEADER = f"""<LesHouchesEvents version="1.0">
<init>
2212 2212 {ECM / 2} {ECM / 2} 0 0 0 0 3 1
1.0 1.0 1.0 1
</init>
"""


def _event(leptons: list[list[float]], quark: int, flavour: int, beams: list[float]) -> str:
    """One event: the incoming partons, a Z* that stands for all that happens between, and its leptons."""
    one, other = (int(code) for code in FLAVOURS[flavour])
    total = [sum(components) for components in zip(*leptons, strict=True)]
    mass = (total[0] ** 2 - sum(p * p for p in total[1:])) ** 0.5
    colours = ("501 0", "0 501") if quark > 0 else ("0 501", "501 0")
    other_parton = -quark
    if quark == GLUON:
        colours, other_parton = ("501 502", "502 501"), GLUON
    lines = [
        f"7 1 1.0 {mass:.6e} {1 / 128:.6e} 0.118",
        f"{quark} -1 0 0 {colours[0]} 0 0 {beams[0]:.9e} {beams[0]:.9e} 0 0 9",
        f"{other_parton} -1 0 0 {colours[1]} 0 0 {-beams[1]:.9e} {beams[1]:.9e} 0 0 9",
        f"23 2 1 2 0 0 {total[1]:.9e} {total[2]:.9e} {total[3]:.9e} {total[0]:.9e} {mass:.9e} 0 9",
    ]
    for code, (energy, px, py, pz) in zip((one, -one, other, -other), leptons, strict=True):
        lines.append(f"{code} 1 3 3 0 0 {px:.9e} {py:.9e} {pz:.9e} {energy:.9e} 0 0 9")
    return "<event>\n" + "\n".join(lines) + "\n</event>\n"
