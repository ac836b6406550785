"""From particles to the event table: b tags, the resolved selection, and the inputs of the network.

The selection is the published one of the channel with two leptons and two b tags (facts and thresholds: R. Herencia,
QMUL report 2022, after the ATLAS search with 139 fb⁻¹). All momenta in GeV; jets count as massless.

Two tagged light jets are rare: one event in ten thousand. So jets are not tagged by lot. One pair of an event's jets
is drawn in proportion to its probability to be the tagged pair, and the event's weight is multiplied with the
probability that there is exactly one such pair. Expectations stay what they were, with far smaller statistical errors.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from azh.events import MEASURED, MISSING, REGIONS, SIDEBANDS, WINDOW
from factory.particles import Floats, Ints, Particles, distance, pairs
from factory.tables import rounded
from labcourse import kinematics

WORKING_POINT = 0.77
"""Efficiency for b jets of the tag that is asked for."""
REJECTION = {5: (1.0, 1.0, 1.0, 1.0), 4: (34.5, 12.2, 6.21, 3.10), 21: (1539.0, 381.0, 134.0, 33.5)}
"""One over the efficiency at 60, 70, 77 and 85 % efficiency for b jets, of c jets and of light jets
(ATL-PHYS-PUB-2016-012)."""
_EFFICIENCIES = np.array([0.60, 0.70, 0.77, 0.85])
BITS = dict.fromkeys(("pt_b1", "pt_b2", "pt_h", "pt_j3", "met_ht"), 7)
"""How many bits of the mantissa are kept of what jets decide; 8 of other momenta and masses. All is finer than the
resolution."""
STEPS = {
    **dict.fromkeys(("deta_ll", "dphi_ll", "btag_b1", "btag_b2", "btag_j3"), 2**-7),
    **dict.fromkeys(("dr_b1b2", "dr_b1j3", "dr_b2j3"), 2**-6),
}
"""What is a multiple of a step, since its size says nothing of its precision."""


def tag_efficiency(flavour: Ints, b_efficiency: float | NDArray[np.float64]) -> Floats:
    """Return the probability that a jet passes the cut that keeps the share ``b_efficiency`` of b jets.

    Interpolated in the logarithm between the published working points, to zero and one at the ends.

    Examples
    --------
    >>> tag_efficiency(np.array([5, 4, 21]), 0.77).round(4)
    array([0.77  , 0.161 , 0.0075])
    """
    cut = np.broadcast_to(np.asarray(b_efficiency, float), np.shape(flavour))
    result = cut.copy()
    for kind in (4, 21):
        logarithm = -np.log(np.array(REJECTION[kind]))
        # Harder cuts than the hardest published one lose c and light jets at the rate between the last two.
        slope = (logarithm[1] - logarithm[0]) / (_EFFICIENCIES[1] - _EFFICIENCIES[0])
        points = np.r_[0.30, _EFFICIENCIES, 1.0]
        values = np.r_[logarithm[0] - slope * 0.30, logarithm, 0.0]
        result = np.where(flavour == kind, np.exp(np.interp(cut, points, values)), result)
    return result


def tag_score(flavour: Ints, passes: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Draw b-tag scores between 0 and 1, of jets that pass the working point or fail it.

    The score is the share of b jets that a cut at it would reject, so b jets are flat in it.
    """
    u = rng.random(len(flavour))
    grid = np.linspace(0, 1, 1001)
    score = np.empty(len(flavour))
    for kind in (5, 4, 21):
        of_kind = flavour == kind
        survival = tag_efficiency(np.full(len(grid), kind), grid)  # rises from 0 to 1 with the efficiency kept
        at_cut = float(np.interp(WORKING_POINT, grid, survival))
        level = np.where(passes[of_kind], u[of_kind] * at_cut, at_cut + u[of_kind] * (1 - at_cut))
        score[of_kind] = 1 - np.interp(level, survival, grid)
    return score


def select(
    leptons: Particles, jets: Particles, missing: Floats, rng: np.random.Generator
) -> tuple[Ints, dict[str, NDArray[np.float32]], Ints, Floats]:
    """Apply the resolved selection, and say which region an event belongs to.

    Parameters
    ----------
    leptons, jets : Particles
        As a detector sees them, sorted by event and falling pT; a jet's ``pdgid`` is its flavour: 5, 4 or 21.
    missing : ndarray, shape (n_events,)
        Missing transverse energy (GeV).

    Returns
    -------
    event : ndarray, shape (n_selected,)
        Positions of the events that pass.
    inputs : dict
        The measured inputs of the network, each of shape (n_selected,).
    region : ndarray, shape (n_selected,)
        Positions in `azh.events.REGIONS`.
    factor : ndarray, shape (n_selected,)
        Probability that the chosen pair of jets is the one that is tagged; multiplies the weight.
    """
    number = np.bincount(leptons.event, minlength=len(missing))
    event = np.flatnonzero(number == 2)
    first = np.searchsorted(leptons.event, event)
    l1, l2 = leptons.take(first), leptons.take(first + 1)
    good = (np.sign(l1.pdgid) == -np.sign(l2.pdgid)) & (l1.pt > 27) & (l2.pt > 20)
    event, l1, l2 = event[good], l1.take(good), l2.take(good)

    jets = jets.take(np.isin(jets.event, event))
    first_b, second_b, factor = _tagged_pairs(jets, rng)
    b1, b2 = jets.take(first_b), jets.take(second_b)
    third = _third_jets(jets, first_b, second_b)
    at = np.searchsorted(event, b1.event)
    event, l1, l2, met = event[at], l1.take(at), l2.take(at), missing[event[at]]
    j3 = jets.take(np.where(third >= 0, third, 0))

    ll, bb, zh = _total([l1, l2]), _total([b1, b2]), _total([l1, l2, b1, b2])
    scalar_sum = np.bincount(jets.event, jets.pt, minlength=len(missing))[event] + l1.pt + l2.pt
    m_zh = _mass(zh)
    inputs = {
        "m_bb": _mass(bb),
        "m_zh": m_zh,
        "m_ll": _mass(ll),
        "pt_l1": l1.pt,
        "pt_l2": l2.pt,
        "pt_b1": b1.pt,
        "pt_b2": b2.pt,
        "pt_h": np.hypot(bb[1], bb[2]),
        "pt_z": np.hypot(ll[1], ll[2]),
        "pt_j3": j3.pt,
        "met_ht": met / np.sqrt(scalar_sum),
        "deta_ll": np.abs(l1.eta - l2.eta),
        "dphi_ll": np.abs(kinematics.delta_phi(l1.phi, l2.phi)),
        "dr_b1b2": distance(b1, ..., b2, ...),
        "dr_b1j3": distance(b1, ..., j3, ...),
        "dr_b2j3": distance(b2, ..., j3, ...),
    }
    everything = np.ones(len(event), bool)
    inputs["btag_b1"] = tag_score(b1.pdgid, everything, rng)
    inputs["btag_b2"] = tag_score(b2.pdgid, everything, rng)
    inputs["btag_j3"] = tag_score(j3.pdgid, ~everything, rng)
    for name in ("pt_j3", "dr_b1j3", "dr_b2j3", "btag_j3"):
        inputs[name] = np.where(third >= 0, inputs[name], MISSING)
    region = regions(inputs["m_bb"], l1.pdgid == -l2.pdgid)
    kept = passes(inputs) & (region >= 0)
    chosen = {name: rounded(inputs[name][kept], BITS.get(name, 8), step=STEPS.get(name)) for name in MEASURED}
    return event[kept], chosen, region[kept], factor[kept]


def regions(m_bb: Floats, same_flavour: NDArray[np.bool_]) -> Ints:
    """Return the region of each event by its m_bb (GeV), shape (n_events,): its position in `REGIONS`, or −1."""
    in_window, beside = (
        np.any([(m_bb > low) & (m_bb < high) for low, high in windows], axis=0) for windows in (WINDOW, SIDEBANDS)
    )
    signal, sideband, emu = range(len(REGIONS))
    return np.select([in_window & same_flavour, in_window, beside & same_flavour], [signal, emu, sideband], -1)


def passes(inputs: dict[str, Floats]) -> NDArray[np.bool_]:
    """Return which events pass the cuts on the reconstructed bosons, except that on m_bb, shape (n_events,)."""
    m_zh = inputs["m_zh"]
    pt_z_min = np.where(m_zh > 320, 20 + 9 * np.sqrt(np.maximum(m_zh - 320, 0)), 0)
    return (
        (inputs["pt_b1"] > 45)
        & (inputs["met_ht"] < 1.15 + 8e-3 * m_zh)
        & (inputs["pt_z"] > pt_z_min)
        & (inputs["m_ll"] > np.maximum(40, 87 - 0.030 * m_zh))
        & (inputs["m_ll"] < 97 + 0.013 * m_zh)
    )


def _tagged_pairs(jets: Particles, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """Choose one pair of central jets an event, the harder one first, and return its positions and weight."""
    central = np.flatnonzero(np.abs(jets.eta) < 2.5)
    efficiency = tag_efficiency(jets.pdgid[central], WORKING_POINT)
    event = jets.event[central]
    # All others must fail the tag: divide out the two that pass.
    log_fail = np.log1p(-np.minimum(efficiency, 0.999999))
    ids, inverse = np.unique(event, return_inverse=True)
    all_fail = np.bincount(inverse, log_fail, minlength=len(ids))
    i, j = pairs(event, event)
    i, j = i[i < j], j[i < j]
    odds = efficiency / (1 - efficiency)
    probability = odds[i] * odds[j] * np.exp(all_fail[inverse[i]])
    total = np.bincount(inverse[i], probability, minlength=len(ids))
    # One random number per event against the running sum of its pairs.
    running = np.cumsum(probability)
    last = np.cumsum(np.bincount(inverse[i], minlength=len(ids)))
    has_pair = np.diff(np.r_[0, last]) > 0
    before = np.r_[0.0, running][np.r_[0, last[:-1]]]
    target = before + rng.random(len(ids)) * total
    picked = np.minimum(np.searchsorted(running, target, side="right"), np.maximum(last - 1, 0))[has_pair]
    return central[i[picked]], central[j[picked]], total[has_pair]


def _third_jets(jets: Particles, first_b: Ints, second_b: Ints) -> Ints:
    """Return for each pair the position of the hardest other jet of its event, or −1."""
    start = np.searchsorted(jets.event, jets.event[first_b])
    rank_1, rank_2 = first_b - start, second_b - start
    third = np.where(rank_1 > 0, 0, np.where(rank_2 > 1, 1, 2))
    number = np.searchsorted(jets.event, jets.event[first_b], "right") - start
    return np.where(number > third, start + third, -1)


def _total(parts: Iterable[Particles]) -> Floats:
    """Return (E, px, py, pz) of a sum, shape (4, n); all count as massless."""
    momenta = [
        np.stack([p.pt * np.cosh(p.eta), p.pt * np.cos(p.phi), p.pt * np.sin(p.phi), p.pt * np.sinh(p.eta)])
        for p in parts
    ]
    return np.sum(momenta, axis=0)


def _mass(total: Floats) -> Floats:
    return np.sqrt(np.maximum(total[0] ** 2 - (total[1:] ** 2).sum(axis=0), 0))
