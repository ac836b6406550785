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


def share(events, cross_section, luminosity, names=samples.SIGNAL):
    made = sum(cross_section[name] for name in names) * 1000 * luminosity
    return events["weight"][events["sample"].isin(names)].sum() / made


def share_with_a_loop(events, cross_section, luminosity):
    seen = 0.0
    for name, w in zip(events["sample"], events["weight"], strict=True):
        if name in samples.SIGNAL:
            seen += w
    return seen / sum(1000 * luminosity * cross_section[name] for name in samples.SIGNAL)


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


PAIRS = {(1, 2): (3, 4), (1, 3): (2, 4), (1, 4): (2, 3), (2, 3): (1, 4), (2, 4): (1, 3), (3, 4): (1, 2)}


def pair(events, *, flavour=True, charge=True, near=lambda m: abs(m - 91.19), pairs=tuple(PAIRS), nothing=np.nan):
    """Event by event, as nobody should."""
    masses = []
    for row in events.to_dict("records"):
        allowed = [
            (near(row[f"m_ll_{i}{j}"]), row[f"m_ll_{i}{j}"], row["m_ll_{}{}".format(*PAIRS[i, j])])
            for i, j in pairs
            if not flavour or row[f"lep{i}_pdgid"] == row[f"lep{j}_pdgid"]
            if not charge or row[f"lep{i}_charge"] != row[f"lep{j}_charge"]
        ]
        masses.append(min(allowed)[1:] if allowed else (nothing, nothing))
    return tuple(np.array(masses).T)


def pair_all_at_once(events):
    mass, distance = [], []
    for i, j in PAIRS:
        mass.append(events[f"m_ll_{i}{j}"].to_numpy())
        is_pair = (events[f"lep{i}_pdgid"] == events[f"lep{j}_pdgid"]) & (
            events[f"lep{i}_charge"] * events[f"lep{j}_charge"] < 0
        )
        distance.append(np.where(is_pair, abs(mass[-1] - 91.19), np.inf))
    first, row = np.argmin(distance, axis=0), np.arange(len(events))
    found = np.isfinite(np.min(distance, axis=0))
    mass = np.array(mass)
    return [np.where(found, mass[first, row], np.nan), np.where(found, mass[5 - first, row], np.nan)]


def second_nearest(events):
    return pair(events)[0], pair_all_at_once(events.assign(lep1_pdgid=11))[1]


def toys(weight, n_toys, rng, *, size=None, mean=1.0, change=lambda w: w, give=np.std):
    w = change(np.asarray(weight, float))
    return give([(rng.poisson(mean, len(w)) * w).sum() for _ in range(n_toys)])


def toys_at_once(weight, n_toys, rng):
    return np.std(rng.poisson(1, (n_toys, len(weight))) @ weight, ddof=1)


def toys_by_drawing(weight, n_toys, rng):
    n = len(weight)
    return pd.Series([weight[rng.integers(0, n, rng.poisson(n))].sum() for _ in range(n_toys)]).std()


def toys_of_fixed_size(weight, n_toys, rng):
    return np.std([rng.choice(weight, len(weight)).sum() for _ in range(n_toys)])


def toys_of_data(weight, n_toys, rng):
    return np.std(rng.poisson(weight.sum(), n_toys))


def window(edges, signal, background, *, measure=lambda s, b: s / b**0.5, least=1, first_only=False):
    found = []
    for i in range(1 if first_only else len(signal)):
        for j in range(i + least, len(edges)):
            s, b = sum(signal[i:j]), sum(background[i:j])
            if b > 0:
                found.append((measure(s, b), edges[i], edges[j]))
    return max(found)[1:]


def window_by_sums(edges, signal, background):
    s, b = (np.append(0.0, np.cumsum(part)) for part in (signal, background))
    ds, db = s[None, :] - s[:, None], b[None, :] - b[:, None]
    usable = (np.arange(len(s))[None, :] > np.arange(len(s))[:, None]) & (db > 1e-12)
    z = np.where(usable, ds / np.sqrt(np.where(usable, db, 1.0)), -np.inf)
    i, j = np.unravel_index(np.argmax(z), z.shape)
    return [edges[i], edges[j]]


def window_without_a_condition(edges, signal, background):
    best, found = -np.inf, None
    for i in range(len(signal)):
        for j in range(i + 1, len(edges)):
            z = signal[i:j].sum() / np.sqrt(background[i:j].sum())
            if z > best:
                best, found = z, (edges[i], edges[j])
    return found


def neff_by_loop(w):
    total = squares = 0.0
    for value in w:
        total += value
        squares += value**2
    return total**2 / squares


mass = clone(kinematics.mass)  # the check knows the course's own when it is called


EXERCISES = {
    "1.1": Exercise(
        [
            lambda pt, eta, phi, energy: np.sqrt(mass_squared(pt, eta, phi, energy)),
            mass_by_loop,
            lambda *given: mass(*(np.asarray(part, np.float32) for part in given)),
        ],
        (mass_squared, "this is the mass squared"),
        (lambda pt, eta, phi, energy: energy, "one mass per particle"),
        (lambda pt, eta, phi, energy: mass(pt, eta, np.sin(phi), energy), "hint: turned around the beam"),
        (lambda *given: mass(*(part[:, :4] for part in given)), "hint: other arguments"),
        (lambda *given: mass(*(part[:, [0, 1, 2, -1]] for part in given)), "back to back"),
    ),
    "1.2": Exercise(
        [weight, weight_in_single_precision, lambda b, luminosity: pd.DataFrame(b).pipe(weight, luminosity)],
        (lambda b, luminosity: weight(b, luminosity, pb=1), "a thousand times too small"),
        (weight_in_place, "changes what it is given"),
        (lambda b, luminosity: weight(b | {"_ELE": b["_ELE"]}, luminosity), "hint: `.keys()`"),
        (lambda b, luminosity: weight(b, luminosity)[:1], "hint: one weight per event"),
    ),
    "1.3": Exercise(
        [share, share_with_a_loop],
        (lambda events, x, luminosity: 1000 * share(events, x, luminosity), "a thousand times too large"),
        (lambda events, x, luminosity: share(events, x, luminosity, samples.SIGNAL[:2]), ""),
        (lambda events, x, luminosity: 0.0836, ""),
        (lambda events, x, _: events["weight"][events["sample"] == samples.SIGNAL].sum(), "no event is selected"),
        (lambda events, x, luminosity: share(events.iloc[:9], x, luminosity), ""),
        (lambda events, x, luminosity: (share(events, x, luminosity), 1), ""),
    ),
    "1.4": Exercise(
        [
            lambda events: code_sum(events).isin([44, 48, 52]),
            lambda events: [total in (44, 48, 52) for total in code_sum(events)],
            lambda events: events.filter(regex="pdgid").sum(axis=1).isin([44, 48, 52]),
        ],
        (lambda events: code_sum(events).isin([44, 52]), "eeµµ, are dropped"),
        (lambda events: events[code_sum(events).isin([44, 48, 52])], "table of events"),
        (lambda events: code_sum(events).isin([44, 46, 48, 52]), "hint: drops eeeµ"),
        (lambda events: code_sum(events) == 44 or code_sum(events) == 48, "hint: hint: for arrays, use &"),
        (lambda events: (code_sum(events) == 44).head(2), "entries for"),
        (lambda events: code_sum(events) == 44 | code_sum(events) == 48, "hint: in brackets"),
    ),
    "1.5": Exercise(
        [
            lambda events: charge(events) == 0,
            lambda events: events[[f"lep{i}_charge" for i in FOUR]].sum(axis=1).eq(0),
            charge_by_loop,
        ],
        (lambda events: charge(events, (1, 2, 3)) == 0, "lep4 is left out"),
        (charge_with_a_helper_column, "changes what it is given: events"),
        (lambda events: charge(events).abs() < 3, "hint: drops a total charge of +2"),
        (lambda events: events["lep1_charge"] == -events["lep3_charge"], ""),
        (lambda events: [True, True, False, False, False, True, False][: len(events)], ""),
        (lambda events: [*(charge(events) == 0), True], "entries for"),
    ),
    "1.6": Exercise(
        [pair, pair_all_at_once],
        (lambda events: (events["m_ll_12"], events["m_ll_34"]), "the two hardest"),
        (lambda events: pair(events)[0], "60 values are given"),
        (lambda events: pair(events, near=lambda m: abs(m - 80.4)), "hint: nearest to 91.19"),
        (second_nearest, "hint: other two leptons"),
        (lambda events: (pair(events)[0], pair(events)[0]), "hint: other two leptons"),
        (lambda events: tuple(part[:25] for part in pair(events)), "hint: two masses per event"),
        (lambda events: pair(events.assign(lep4_charge=1)), ""),
    ),
    "1.7": Exercise(
        [toys, toys_at_once, toys_by_drawing],
        (toys_of_fixed_size, "same number of events"),
        (toys_of_data, "fluctuation of the data"),
        (lambda w, n_toys, rng: np.std([(w * rng.poisson(1.0)).sum() for _ in range(n_toys)]), "occur equally often"),
        (lambda w, n_toys, rng: np.std(w.sum() * rng.poisson(1, n_toys), ddof=1), "occur equally often"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng) ** 2, "the variance"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng, give=np.mean), "the mean of the sums"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng) / np.sqrt(n_toys), "divided by"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng, change=np.ones_like), "events are counted"),
        (lambda w, n_toys, rng: np.std(w), "spread of the weights"),
        (lambda w, n_toys, rng: np.sqrt((w**2).sum()), "hint: the same rng"),
        (lambda w, n_toys, rng: toys(w, n_toys, np.random.default_rng(1)), "hint: the same rng"),
        (lambda w, n_toys, rng: toys(w, 3000, rng), "hint: n_toys"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng, mean=0.5), "hint: scatter as they should"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng, give=list), "expected a number"),
    ),
    "1.9": Exercise(
        [window, window_by_sums],
        (lambda *given: window(*given, measure=lambda s, b: s / b), "best s/b"),
        (window_without_a_condition, "hint: s/0 is infinite"),
        (lambda *given: window(*given)[0], "one value is given"),
        (lambda edges, s, b: (edges[0], edges[-1]), "hint: no other window"),
        (lambda *given: window(*given, least=10), ""),
        (lambda edges, s, b: window(edges[:-3], s[:-3], b[:-3]), ""),
        (lambda edges, s, b: [x + 0.5 for x in window(edges, s, b)], "hint: no other window"),
    ),
    "1.10": Exercise(
        [
            lambda w: np.sum(w) ** 2 / np.sum(np.square(w)),
            neff_by_loop,
            lambda w: pd.Series(w).sum() ** 2 / pd.Series(w).pow(2).sum(),
        ],
        (lambda w: np.sum(np.square(w)) / np.sum(w) ** 2, "upside down"),
        (lambda w: np.sum(w[w > 0]) ** 2 / np.sum(w[w > 0] ** 2), ""),
        (lambda w: np.sum(w) ** 2 / np.sum(w) ** 2 * len(w), ""),
        (lambda w: np.sum(w) ** 2 // np.sum(w**2), ""),
        (lambda w: np.sum(w) * abs(np.sum(w)) / np.sum(w**2), "hint: sign of the weights"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


def test_the_check_in_the_readme_is_what_it_prints(capsys):
    checks.exercise_1_5(lambda events: charge(events, (1, 2)) == 0)
    printed = capsys.readouterr().out.strip()
    assert printed.count("\n") == 3
    assert printed in (settings.home() / "README.md").read_text("utf-8")
