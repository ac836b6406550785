"""The checks of chapter 1: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course import checks
from labcourse import kinematics, samples, settings
from tests.course.answers import Exercise, clone, make_tests

FOUR = (1, 2, 3, 4)
SCALE_FACTORS = [f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")]


def mass_squared(pt, eta, phi, energy):
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    return energy.sum(axis=1) ** 2 - px.sum(axis=1) ** 2 - py.sum(axis=1) ** 2 - pz.sum(axis=1) ** 2


def mass_by_loop(pt, eta, phi, energy):
    masses = []
    for i in range(len(pt)):
        e = px = py = pz = 0.0
        for j in range(pt.shape[1]):
            e += energy[i, j]
            px += pt[i, j] * np.cos(phi[i, j])
            py += pt[i, j] * np.sin(phi[i, j])
            pz += pt[i, j] * np.sinh(eta[i, j])
        masses.append((e**2 - px**2 - py**2 - pz**2) ** 0.5)
    return masses


def mass_in_the_transverse_plane(pt, eta, phi, energy):
    px, py = (pt * np.cos(phi)).sum(axis=1), (pt * np.sin(phi)).sum(axis=1)
    return np.sqrt(energy.sum(axis=1) ** 2 - px**2 - py**2)


def weight(b, luminosity, *, names=("mcWeight", *SCALE_FACTORS), pb=1000):
    result = b["XSection"] * pb * luminosity / b["SumWeights"]
    for name in names:
        result = result * b[name]
    return result


def weight_in_single_precision(b, luminosity):
    b = {name: np.asarray(values, np.float32) for name, values in b.items()}
    return (weight(b, np.float32(luminosity))).astype(np.float32)


def weight_in_place(b, luminosity):
    w = b["mcWeight"]
    for name in SCALE_FACTORS:
        w *= b[name]
    return w * b["XSection"] * 1000 * luminosity / b["SumWeights"]


def count_with_a_loop(events):
    raw, expected = 0, 0.0
    for w in events["weight"]:
        raw += 1
        expected += w
    return raw, expected


def code_sum(events, leptons=FOUR):
    return sum(events[f"lep{i}_pdgid"] for i in leptons)


def charge(events, leptons=FOUR):
    return sum(events[f"lep{i}_charge"] for i in leptons)


def charge_by_loop(events):
    return [events["lep1_charge"].iloc[i] + events["lep2_charge"].iloc[i] + events["lep3_charge"].iloc[i]
            + events["lep4_charge"].iloc[i] == 0 for i in range(len(events))]  # fmt: skip


def charge_with_a_helper_column(events):
    events["total"] = charge(events)
    return events["total"] == 0


ZERO, EEEE, EEMM = 0, 44, 48


def in_window(events, low, high):
    return events[(events["m_llll"] >= low) & (events["m_llll"] < high)]


def purity(events, low, high):
    inside = in_window(events, low, high)
    s = inside["weight"][inside["sample"].isin(samples.SIGNAL)].sum()
    b = inside["weight"][~inside["sample"].isin(samples.SIGNAL)].sum()
    return s / (s + b) if s + b > 0 else 0


def purity_with_numpy(events, low, high):
    m, w = events["m_llll"].to_numpy(), events["weight"].to_numpy(np.float32)
    is_signal = np.isin(events["sample"].astype(str), samples.SIGNAL)
    inside = (low <= m) & (m < high)
    return np.float32(w[inside & is_signal].sum() / w[inside].sum()) if inside.any() else np.float32(0)


def purity_without_a_guard(events, low, high):
    inside = in_window(events, low, high)
    return inside["weight"][inside["sample"].isin(samples.SIGNAL)].sum() / inside["weight"].sum()


def neff_by_loop(w):
    total = squares = 0.0
    for value in w:
        total += value
        squares += value**2
    return total**2 / squares


FLOW = pd.DataFrame(
    {"raw": [1000, 800, 450], "expected": [200.0, 100.0, 62.0]}, index=["four leptons", "flavour", "charge"]
)
SEPARATIONS = pd.Series({"m_llll": 0.5, "lep4_pt": 0.2, "lep1_pt": 0.1, "lep2_eta": 0.02, "lep1_phi": 0.0})

mass = clone(kinematics.mass)  # the check knows the course's own when it is called


EXERCISES = {
    "1.1": Exercise(
        right=[
            lambda pt, eta, phi, energy: np.sqrt(mass_squared(pt, eta, phi, energy)),
            mass_by_loop,
            lambda *given: mass(*(np.asarray(part, np.float32) for part in given)),
            lambda *given: pd.Series(mass_by_loop(*given)),
        ],
        mistakes=[
            (mass_squared, "this is the mass squared"),
            (mass_in_the_transverse_plane, "along the beam is left out"),
            (lambda pt, eta, phi, energy: energy.sum(axis=1), "this is the energy"),
            (lambda pt, eta, phi, energy: energy, "one mass per particle"),
            (lambda *given: np.sqrt(mass_squared(*given)) / 4, "means are taken"),
        ],
        fails=[
            (lambda pt, eta, phi, energy: mass(pt, eta, np.sin(phi), energy), "turned around the beam"),
            (lambda pt, eta, phi, energy: mass(pt, eta, phi, pt * np.cosh(eta)), "energy is not used"),
            (lambda *given: mass(*(part[:, :4] for part in given)), "other arguments"),
            (lambda *given: mass(*(part[:, [0, 1, 2, -1]] for part in given)), "back to back"),
        ],
    ),
    "1.2": Exercise(
        right=[
            weight,
            weight_in_single_precision,
            lambda b, luminosity: list(weight(b, luminosity)),
            lambda b, luminosity: pd.DataFrame(b).pipe(weight, luminosity),
        ],
        mistakes=[
            (lambda b, luminosity: weight(b, luminosity, pb=1), "a thousand times too small"),
            (lambda b, luminosity: weight(b, luminosity, pb=1e-3), "a million times too small"),
            (lambda b, luminosity: np.abs(weight(b, luminosity)), "lost their sign"),
            (lambda b, luminosity: weight(b, luminosity) * b["SumWeights"], "the sum of the weights is missing"),
            (weight_in_place, "changes what it is given"),
        ],
        fails=[
            (lambda b, luminosity: weight(b, 10), "always 10"),
            (lambda b, luminosity: weight(b | {"SumWeights": 4e5}, luminosity), "first SumWeights is taken"),
            (lambda b, luminosity: weight(b | {"XSection": b["XSection"][0]}, luminosity), "is taken for all events"),
            (lambda b, luminosity: weight(b, luminosity)[:1], "one weight per event"),
        ],
    ),
    "1.3": Exercise(
        right=[
            lambda events: (len(events), events["weight"].sum()),
            lambda events: [events.shape[0], float(np.sum(events["weight"].to_numpy(float)))],
            lambda events: np.array([len(events), events.weight.sum()]),
            count_with_a_loop,
        ],
        mistakes=[
            (lambda events: (events["weight"].sum(), len(events)), "the order is another one"),
            (lambda events: (len(events), events["weight"].abs().sum()), "count as positive"),
            (lambda events: (events.size, events["weight"].sum()), "counts cells"),
            (lambda events: (len(events.columns), events["weight"].sum()), "counts columns"),
            (lambda events: len(events), "one value is given"),
        ],
        fails=[
            (lambda events: (len(events), int(events["weight"].sum())), "sum of the weights"),
            (lambda events: (np.count_nonzero(events["weight"]), events["weight"].sum()), "number of events"),
            (lambda events: (len(events), events["weight"].iloc[:5].sum()), ""),
            (lambda events: (5, 2.0) if len(events) else (0, 0.0), ""),
        ],
    ),
    "1.4": Exercise(
        right=[
            lambda events: code_sum(events).isin([44, 48, 52]),
            lambda events: (code_sum(events) == 44) | (code_sum(events) == 48) | (code_sum(events) == 52),
            lambda events: [total in (44, 48, 52) for total in code_sum(events)],
        ],
        mistakes=[
            (lambda events: code_sum(events).isin([44, 52]), "eeµµ, are dropped"),
            (lambda events: code_sum(events) == 48, "only eeµµ is kept"),
            (lambda events: code_sum(events) == 4 * 11, "only eeee is kept"),
            (lambda events: ~code_sum(events).isin([44, 48, 52]), "upside down"),
            (lambda events: events[code_sum(events).isin([44, 48, 52])], "table of events"),
        ],
        fails=[
            (lambda events: code_sum(events).isin([44, 46, 48, 52]), "drops eeeµ"),
            (lambda events: code_sum(events) == 44 or code_sum(events) == 48, "hint: for arrays, use &"),
            (lambda events: (code_sum(events) == 44).head(2), "entries for"),
            (lambda events: code_sum(events) == 44 | code_sum(events) == 48, "in brackets"),
        ],
    ),
    "1.5": Exercise(
        right=[
            lambda events: charge(events) == 0,
            lambda events: events[[f"lep{i}_charge" for i in FOUR]].sum(axis=1).eq(0),
            charge_by_loop,
        ],
        mistakes=[
            (lambda events: charge(events, (1, 2, 3)) == 0, "lep4 is left out"),
            (lambda events: charge(events, (1, 2)) == 0, "only lep1 and lep2 are added up"),
            (lambda events: charge(events, (1, 2, 4, 4)) == 0, "lep4 is added twice, and lep3 is left out"),
            (lambda events: charge(events, (1, 2, 3, 4, 5)) == 0, "a fifth lepton is counted"),
            (charge_with_a_helper_column, "changes what it is given: events"),
        ],
        fails=[
            (lambda events: charge(events).abs() < 3, "drops a total charge of +2"),
            (lambda events: events["lep1_charge"] == -events["lep3_charge"], ""),
            (lambda events: [True, True, False, False, False, True, False][: len(events)], ""),
            (lambda events: [*(charge(events) == 0), True], "entries for"),
        ],
    ),
    "1.6": Exercise(
        right=[0.31, 0.3, np.float64(0.33), np.array(0.29)],
        mistakes=[
            (31, "in per cent"),
            (0.69, "the share that fails"),
            (0.5, "after the flavour requirement alone"),
            (0.62, "the last requirement alone"),
            (0.45, "raw events"),
        ],
        fails=[(0.1, "the share of top pairs"), (0.23, ""), (-0.31, ""), (0.38, ""), (True, ""), ([0.31], "")],
        context=lambda: {"cut_flow": FLOW},
    ),
    "1.7": Exercise(
        right=["lep4_pt"],
        mistakes=[
            ("m_llll", "high-level"),
            ("lep1_phi", "separates least"),
            ("lep2_eta", "an angle"),
            (0.2, "this is a number"),
            ("LEP4_pt ", "spelt in another way"),
        ],
        fails=[("lep1_pt", "no other low-level variable"), (["lep4_pt"], "not a name"), (1, "not a name")],
        context=lambda: {"separations": SEPARATIONS},
    ),
    "1.9": Exercise(
        right=[
            purity,
            purity_with_numpy,
            lambda events, low, high: pd.Series(purity(events, low, high)).iloc[0],
            lambda events, low, high: np.nan_to_num(purity_without_a_guard(events, low, high)),
        ],
        mistakes=[
            (lambda events, low, high: purity(events.assign(weight=events["weight"].abs()), low, high), "as positive"),
            (lambda events, low, high: purity(events, -np.inf, np.inf), "window is not applied"),
            (lambda events, low, high: 1 - purity(events, low, high), "the share of background"),
            (lambda events, low, high: 100 * purity(events, low, high), "in per cent"),
            (purity_without_a_guard, "an empty window gives NaN"),
        ],
        fails=[
            (lambda events, low, high: purity(events, 115, 130), "background only"),
            (lambda events, low, high: purity(events, low, 130), ""),
            (lambda events, low, high: max(0, purity(events, low, high)), "other arguments"),
            (lambda events, low, high: np.array([purity(events, low, high)]), "of shape (1,)"),
        ],
    ),
    "1.10": Exercise(
        right=[
            lambda w: np.sum(w) ** 2 / np.sum(np.square(w)),
            lambda w: np.float32(w.sum() ** 2 / (w**2).sum()),
            neff_by_loop,
            lambda w: pd.Series(w).sum() ** 2 / pd.Series(w).pow(2).sum(),
        ],
        mistakes=[
            (lambda w: np.sum(np.square(w)) / np.sum(w) ** 2, "upside down"),
            (lambda w: np.sum(np.abs(w)) ** 2 / np.sum(np.square(w)), "count as positive"),
            (lambda w: np.sum(w) / np.sum(np.square(w)), "not squared"),
            (lambda w: np.sum(w**2) / np.sum(w**2), "numerator and denominator are the same"),
            (lambda w: len(w), "raw number"),
        ],
        fails=[
            (lambda w: np.sum(w[w > 0]) ** 2 / np.sum(w[w > 0] ** 2), ""),
            (lambda w: np.sum(w) ** 2 / np.sum(w) ** 2 * len(w), ""),
            (lambda w: np.sum(w) ** 2 // np.sum(w**2), ""),
            (lambda w: np.sum(w) * abs(np.sum(w)) / np.sum(w**2), "sign of the weights"),
        ],
    ),
}

test_right, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


def test_the_check_in_the_readme_is_what_it_prints(capsys):
    checks.exercise_1_5(lambda events: charge(events, (1, 2)) == 0)
    printed = capsys.readouterr().out.strip()
    assert printed.count("\n") == 3
    assert printed in (settings.home() / "README.md").read_text("utf-8")
