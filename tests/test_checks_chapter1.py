"""The checks of chapter 1 recognise right, open and wrong answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labcourse import checks, kinematics, samples, selection, weights


def mass(power=0.5, pz=True, axis=1, cos=np.cos, sin=np.sin):
    def answer(pt, eta, phi, energy):
        px, py, z = pt * cos(phi), pt * sin(phi), pt * np.sinh(eta)
        squares = [energy.sum(axis=axis) ** 2, px.sum(axis=axis) ** 2, py.sum(axis=axis) ** 2, z.sum(axis=axis) ** 2]
        return (squares[0] - squares[1] - squares[2] - (squares[3] if pz else 0)) ** power

    return answer


def weight(*names, factor=1000.0):
    def answer(branches, luminosity):
        used = names or [name for name in branches if name != "SumWeights"]
        return np.prod([branches[name] for name in used], axis=0) * factor * luminosity / branches["SumWeights"]

    return answer


def charge(*leptons):
    return lambda events: sum(events[f"lep{i}_charge"] for i in leptons) == 0


def flavour(*allowed):
    return lambda events: sum(events[f"lep{i}_pdgid"] for i in (1, 2, 3, 4)).isin(allowed)


def purity(signal=samples.SIGNAL, upper="<", weighted=True, ratio="s/(s+b)"):
    def answer(events, low, high):
        m = events["m_llll"]
        inside = events[(m >= low) & ((m < high) if upper == "<" else (m <= high))]
        w = inside["weight"] if weighted else inside["weight"] * 0 + 1
        s, total = w[inside["sample"].isin(signal)].sum(), w.sum()
        if total == 0:
            return 0.0
        return s / total if ratio == "s/(s+b)" else s / (total - s)

    return answer


ZERO = 0


def raising(*_args):
    raise KeyError("lep5_pt")


RIGHT = {
    "1_1": mass(),
    "1_2": weight(),
    "1_3": lambda events: (len(events), events["weight"].sum()),
    "1_4": flavour(44, 48, 52),
    "1_5": charge(1, 2, 3, 4),
    "1_9": purity(),
    "1_10": lambda w: np.sum(w) ** 2 / np.sum(np.square(w)),
}
FIVE = ("mcWeight", "scaleFactor_PILEUP", "scaleFactor_ELE", "scaleFactor_MUON", "XSection")
WRONG = [
    ("1_1", mass(power=1), "mass squared"),
    ("1_1", mass(pz=False), "along the beam is left out"),
    ("1_1", lambda pt, eta, phi, energy: energy.sum(axis=1), "this is the energy"),
    ("1_1", lambda pt, eta, phi, energy: energy, "one mass a particle"),
    ("1_1", mass(cos=np.sin), "✗"),
    ("1_2", weight(factor=1.0), "thousand times too small"),
    ("1_2", weight(factor=1e-3), "million times too small"),
    ("1_2", weight(*FIVE), "scaleFactor_LepTRIGGER is missing"),
    ("1_2", lambda b, luminosity: np.abs(weight()(b, luminosity)), "lost their sign"),
    ("1_2", lambda b, luminosity: weight()(b, 10), "twice the luminosity"),
    ("1_3", lambda events: (events["weight"].sum(), len(events)), "wrong order"),
    ("1_3", lambda events: (len(events), events["weight"].abs().sum()), "count as positive"),
    ("1_3", lambda events: (events.size, events["weight"].sum()), "counts cells"),
    ("1_3", lambda events: len(events), "returns two numbers"),
    ("1_4", flavour(44, 52), "eeµµ, are dropped"),
    ("1_4", flavour(48), "only eeµµ is kept"),
    ("1_4", flavour(46, 50), "upside down"),
    ("1_4", lambda events: events[flavour(44, 48, 52)(events)], "table of events"),
    ("1_4", lambda events: flavour(44, 46, 48, 50, 52)(events), "drops eeeµ"),
    ("1_5", charge(1, 2, 3), "three charges is never zero"),
    ("1_5", charge(1, 2, 3, 4, 5), "`is` compares identity"),
    ("1_5", lambda events: sum(events[f"lep{i}_charge"] for i in (1, 2, 3, 4)) is ZERO, "one value for all"),
    ("1_5", lambda events: ~charge(1, 2, 3, 4)(events), "upside down"),
    ("1_5", lambda events: sum(events[f"lep{i}_charge"] for i in (1, 2, 3, 4)) % 2 == 0, "drops a total charge of +2"),
    ("1_5", lambda events: sum(events[f"lep{i}_charge"] for i in (1, 2, 3, 4)), "of type float32"),
    ("1_9", purity(weighted=False), "counted, not weighted"),
    ("1_9", purity(ratio="s/b"), "this is s/b"),
    ("1_9", purity(signal=["ggH125_ZZ4lep"]), "only ggH"),
    ("1_9", purity(upper="<="), "upper edge"),
    ("1_10", lambda w: np.sum(np.square(w)) / np.sum(w) ** 2, "upside down"),
    ("1_10", lambda w: np.sum(np.abs(w)) ** 2 / np.sum(np.square(w)), "count as positive"),
    ("1_10", lambda w: np.sum(w) / np.sum(np.square(w)), "not squared"),
    *[(number, raising, "your code raised KeyError") for number in RIGHT],
]


@pytest.mark.parametrize("number", RIGHT)
def test_right_and_open_answers(number, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(RIGHT[number]) is RIGHT[number]
    shown = capsys.readouterr().out
    assert "solved" in shown
    assert "✗" not in shown
    fallback = check(lambda *_: ...)
    assert fallback is not None
    assert "still open" in capsys.readouterr().out
    assert check(fallback) is fallback
    assert "solved" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "answer", "said"), WRONG)
def test_wrong_answers_are_named(number, answer, said, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(answer) is not answer
    assert said in capsys.readouterr().out


def test_reading_exercises(make_events, capsys):
    events = make_events(4)
    flow = selection.cut_flow(events.assign(weight=np.array([0.4, 0.4, 0.1, 0.1], np.float32)))
    flow.loc["charge", "expected"], flow.loc["flavour", "expected"] = 0.3, 0.5
    for value, said in [(0.31, "solved"), (30.0, "per cent"), (0.7, "share that fails"), (0.5, "flavour"), ("x", "✗")]:
        checks.exercise_1_6(value, cut_flow=flow)
        assert said in capsys.readouterr().out
    separations = pd.Series({"m_llll": 0.5, "lep4_pt": 0.2, "lep1_phi": 0.0, "lep1_pt": 0.1})
    for value, said in [
        ("lep4_pt", "solved"),
        ("m_llll", "high-level"),
        ("lep1_phi", "least"),
        ("lep1_pt", "✗"),
        (3, "✗"),
        (..., "open"),
    ]:
        checks.exercise_1_7(value, separations=separations)
        assert said in capsys.readouterr().out


def test_fallbacks_are_the_course_itself():
    assert checks.exercise_1_1(...) is kinematics.mass
    assert checks.exercise_1_4(...) is selection.is_flavour_allowed
    assert checks.exercise_1_10(...) is weights.effective_number
