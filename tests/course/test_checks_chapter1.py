"""The checks of chapter 1: right answers in several idioms, and the mistakes that students make."""

import numpy as np
import pandas as pd

from course import checks
from labcourse import kinematics, settings
from tests.course.answers import Exercise, clone, make_tests, own

FOUR = (1, 2, 3, 4)


weight, share, window = map(own, ("1.2", "1.3", "1.9"))


def code_sum(events):
    return sum(events[f"lep{i}_pdgid"] for i in FOUR)


def charge(events, leptons=FOUR):
    return sum(events[f"lep{i}_charge"] for i in leptons)


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


def window_without_a_condition(edges, signal, background):
    best, found = -np.inf, None
    for i in range(len(signal)):
        for j in range(i + 1, len(edges)):
            z = signal[i:j].sum() / np.sqrt(background[i:j].sum())
            if z > best:
                best, found = z, (edges[i], edges[j])
    return found


mass = clone(kinematics.mass)  # the check knows the course's own when it is called


EXERCISES = {
    "1.1": Exercise(
        [mass, lambda *given: mass(*(np.asarray(part, np.float32) for part in given))],
        (lambda pt, eta, phi, energy: energy, "hint: sum over axis 1"),
        (lambda pt, eta, phi, energy: mass(pt, eta, np.sin(phi), energy), "hint: turned around the beam"),
        (lambda *given: mass(*(part[:, :4] for part in given)), "hint: other arguments"),
        (lambda *given: mass(*(part[:, [0, 1, 2, -1]] for part in given)), "back to back"),
    ),
    "1.2": Exercise(
        [weight, lambda b, luminosity: pd.DataFrame(b).astype(np.float32).pipe(weight, luminosity)],
        (lambda b, luminosity: weight(b | {"_ELE": b["_ELE"]}, luminosity), "hint: `.keys()`"),
        (lambda b, luminosity: weight(b, luminosity)[:1], "the result has the shape"),
    ),
    "1.3": Exercise(
        [share],
        (lambda events, x, luminosity: 0.0836, ""),
        (lambda events, x, luminosity: share(events.iloc[:9], x, luminosity), ""),
    ),
    "1.4": Exercise(
        [own("1.4"), lambda events: events.filter(regex="pdgid").sum(axis=1).isin([44, 48, 52])],
        (lambda events: events[code_sum(events).isin([44, 48, 52])], "table of events"),
        (lambda events: code_sum(events).isin([44, 46, 48, 52]), "✗ keeps eeee"),
        (lambda events: (code_sum(events) == 44).head(2), "the result has the shape"),
        (lambda events: (total in (44, 48, 52) for total in code_sum(events)), ""),
    ),
    "1.5": Exercise(
        [own("1.5"), lambda events: events[[f"lep{i}_charge" for i in FOUR]].sum(axis=1).eq(0)],
        (lambda events: charge(events).abs() < 3, "✗ keeps two positive"),
        (lambda events: events["lep1_charge"] == -events["lep3_charge"], ""),
        (lambda events: [True, True, False, False, False, True, False][: len(events)], ""),
        (lambda events: [*(charge(events) == 0), True], "the result has the shape"),
    ),
    "1.6": Exercise(
        [own("1.6"), pair],
        (lambda events: pair(events, near=lambda m: abs(m - 80.4)), "hint: nearest to 91.19"),
        (lambda events: (pair(events)[0], pair(events)[0]), "hint: other two leptons"),
        (lambda events: tuple(part[:25] for part in pair(events)), "has the shape (25,)"),
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
        (lambda w, n_toys, rng: toys_at_once(w, 3000, rng), "hint: n_toys"),
        (lambda w, n_toys, rng: toys(w, n_toys, rng, mean=0.5), "hint: scatter as they should"),
    ),
    "1.9": Exercise(
        [window],
        (window_without_a_condition, "hint: s/0 is infinite"),
        (lambda edges, s, b: (edges[0], edges[-1]), "hint: no other window"),
        (lambda edges, s, b: window(edges[:-3], s[:-3], b[:-3]), ""),
        (lambda edges, s, b: [x + 0.5 for x in window(edges, s, b)], "hint: no other window"),
    ),
    "1.10": Exercise(
        [own("1.10"), lambda w: pd.Series(w).sum() ** 2 / pd.Series(w).pow(2).sum()],
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
