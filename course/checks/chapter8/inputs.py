"""Exercises 8.2 and 8.3: a common orientation of all events, and inputs that keep the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks.report import Report, exercise
from labcourse import kinematics

__all__ = ["exercise_8_2", "exercise_8_3"]


def _align(eta: Any, phi: Any) -> tuple[Any, Any]:
    """The course's own answer to exercise 8.2."""
    sign = np.where(eta[:, :1] < 0, -1.0, 1.0)
    return eta * sign, kinematics.delta_phi(phi, phi[:, :1])


def _first_of(changed: Any, unchanged: Any) -> Any:
    return np.column_stack([changed[:, 0], unchanged[:, 1:]])


@exercise("8.2", fallback=_align)
def exercise_8_2(answer: Any, report: Report) -> None:
    """Rotating and flipping events to a common orientation."""
    rng = np.random.default_rng(82)
    eta, phi = rng.uniform(-2.5, 2.5, (40, 4)), rng.uniform(-np.pi, np.pi, (40, 4))
    right_eta, right_phi = _align(eta, phi)
    turned = phi - phi[:, :1]
    pair = report.parts(answer(eta, phi), "eta, phi")
    if pair is None:
        return
    decides = "flip an event as a whole: the sign of the leading lepton decides"
    if report.recognises(
        pair[0],
        (np.abs(eta), "every lepton lost its own sign", decides),
        (_first_of(np.abs(eta), eta), "only the leading lepton is flipped", "change the sign of all four leptons"),
        (eta, "eta is not flipped", "multiply by −1 where eta[:, 0] < 0"),
        (-eta, "every event is flipped", "multiply by −1 only where eta[:, 0] < 0"),
        (-right_eta, "the events with the other sign are flipped", "the leading lepton is to have eta >= 0"),
        (
            eta * np.where(eta.sum(axis=1, keepdims=True) < 0, -1, 1),
            "the sum of all leptons decides",
            "the sign of the leading lepton, in column 0, is asked for",
        ),
        (
            eta - eta[:, :1],
            "eta is shifted",
            "a boost along the beam is no symmetry of a detector that ends: flip the sign only",
        ),
        (right_eta[:, 1:], "the leading lepton is left out", "keep it: the shape is (n_events, 4)"),
        right=right_eta,
    ) or report.recognises(
        pair[1],
        (turned, "some angles lie outside of −π … π", "kinematics.delta_phi brings them back"),
        (np.abs(right_phi), "the signs of the angles are lost", "keep the direction in which a lepton lies"),
        (-right_phi, "the event is mirrored", "subtract the leading angle from the others, and not the reverse"),
        (np.mod(turned, 2 * np.pi), "the angles lie in 0 … 2π", "bring them to −π … π with kinematics.delta_phi"),
        (_first_of(right_phi, phi), "only the leading lepton is turned", "subtract its angle from all four"),
        (phi, "phi is not turned", "subtract the angle of the leading lepton, phi[:, :1]"),
        (
            kinematics.delta_phi(phi, phi.mean(axis=1, keepdims=True)),
            "the event is turned by the mean angle",
            "the leading lepton, in column 0, is to be at 0",
        ),
        (right_phi[:, 1:], "the leading lepton is left out", "keep it: the shape is (n_events, 4)"),
        (
            np.where(eta[:, :1] < 0, -right_phi, right_phi),
            "in the events that are flipped, the other φ changed sign as well",
            "flip η only",
        ),
        right=right_phi,
    ):
        return
    if not report.holds(
        all(np.shape(part) == (40, 4) for part in pair),
        "both have shape (n_events, 4)",
        hint="eta[:, :1] has the shape (n_events, 1), and goes with every column",
    ):
        return
    new_eta, new_phi = (np.asarray(part, dtype=float) for part in pair)
    report.holds(
        np.allclose(new_eta, right_eta),
        "all leptons of an event are flipped together",
        hint="one sign per event, that of the leading lepton",
    )
    report.also(
        np.allclose(new_phi, right_phi, atol=1e-5),
        "the leading lepton is at φ = 0",
        hint="subtract the angle of the leading lepton from all four",
    )
    at_zero = np.array([[0.0, 1.0, -1.0, 2.0]])
    report.also(
        lambda: np.allclose(answer(at_zero, np.zeros((1, 4)))[0], at_zero),
        "an event with leading η = 0 survives",
        mistake="an event with leading η = 0 is set to zero, or flipped",
        hint="np.sign(0) is 0: use np.where(eta[:, :1] < 0, -1, 1)",
    )


def _prepare(events: pd.DataFrame) -> NDArray[np.float32]:
    """The course's own answer to exercise 8.3."""
    pt, eta, phi, energy, charge, code = (
        kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "e", "charge", "pdgid")
    )
    eta, phi = _align(eta, phi)
    columns = [np.log(pt), np.log(energy), eta, np.cos(phi[:, 1:]), np.sin(phi[:, 1:]), charge, code - 12]
    return np.column_stack(columns).astype(np.float32)


def _crafted_events(n: int, seed: int) -> pd.DataFrame:
    """A table of low-level variables only, and of columns that hold NaN: whoever uses them shows it."""
    rng = np.random.default_rng(seed)
    pt = -np.sort(-rng.exponential(25, (n, 4)), axis=1) + 7
    columns: dict[str, Any] = {}
    for i in range(4):
        eta = rng.uniform(-2.4, 2.4, n)
        columns |= {
            f"lep{i + 1}_pt": pt[:, i],
            f"lep{i + 1}_eta": eta,
            f"lep{i + 1}_phi": rng.uniform(-np.pi, np.pi, n),
            f"lep{i + 1}_e": pt[:, i] * np.cosh(eta),
            f"lep{i + 1}_charge": rng.permutation(np.resize([-1.0, 1.0], n)),
            f"lep{i + 1}_pdgid": rng.permutation(np.resize([11.0, 13.0], n)),
        }
    masses = [f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]
    columns |= {name: np.full(n, np.nan) for name in (*masses, "m_llll", "met", "jet_n", "weight")}
    return pd.DataFrame(columns, index=range(3, n + 3)).astype(np.float32)


@exercise("8.3", fallback=_prepare)
def exercise_8_3(answer: Any, report: Report) -> None:
    """The inputs of the student's network: any choice that keeps the rules."""
    events = _crafted_events(200, 83)
    try:
        result = np.asarray(answer(events))
    except KeyError as error:
        if error.args[:1] in (("sample",), ("run",), ("event",)):
            report.wrong(f"uses the column {error.args[0]}", "only what the detector measures may go in")
            return
        raise
    if result.ndim == 2 and result.shape[1] == len(events) != result.shape[0]:
        report.wrong("the input array lies on its side", "one row per event: np.column_stack puts arrays side by side")
        return
    if not report.holds(
        result.ndim == 2 and len(result) == len(events) and result.shape[1] > 0,
        "gives one row per event and one column per input",
        hint="np.column_stack puts arrays side by side",
    ):
        return
    report.holds(
        result.dtype == np.float32,
        "the type is float32",
        mistake=f"the type is {result.dtype}",
        hint="end with .astype(np.float32)",
    )
    unused = np.isnan(result.astype(float)).all(axis=0)
    if unused.any():
        report.wrong("uses masses, met, jets or the weight", "low-level variables of the leptons only")
        return
    if not report.holds(
        np.isfinite(result),
        "all inputs are finite",
        mistake="some inputs are NaN or infinite",
        hint="is a logarithm taken of a negative number, such as eta or phi?",
    ):
        return
    constant = np.ptp(result, axis=0) == 0
    if not report.holds(
        not constant.any(),
        "no input is the same for all events",
        mistake=f"column {int(np.argmax(constant))} (from 0) is the same for all events",
        hint="after align the leading φ is always 0: leave it out",
    ):
        return
    if mass := _mass_among(answer, events, result):
        report.wrong(mass, "do not compute a mass: section 8.6 asks whether the network finds it")
        return
    alone = [0, 7, 31]
    report.also(
        lambda: np.allclose(answer(events.iloc[alone]), result[alone], atol=1e-4),
        "the inputs of an event do not depend on the other events",
        mistake="the inputs of an event depend on the other events of the table",
        hint="no mean, maximum or normalisation over the table: the network's first layer does that",
    )
    turned = events.copy()
    for i in (1, 2, 3, 4):
        turned[f"lep{i}_phi"] = kinematics.delta_phi(turned[f"lep{i}_phi"], 2.0).astype(np.float32)
    report.also(
        lambda: np.allclose(answer(turned), result, atol=1e-3),
        "an event that is turned around the beam gives the same inputs",
        mistake="an event that is turned around the beam gives other inputs",
        hint="use the phi that align returns; it jumps at ±π, but its cosine and sine do not",
    )
    flipped = events.assign(**{f"lep{i}_eta": -events[f"lep{i}_eta"] for i in (1, 2, 3, 4)})
    report.also(
        lambda: np.allclose(answer(flipped), result, atol=1e-3),
        "an event that is flipped along the beam gives the same inputs",
        mistake="an event that is flipped along the beam gives other inputs",
        hint="use the eta that align returns",
    )
    without = _says_nothing(answer, events, result)
    report.also(
        not without,
        "momenta and angles of all leptons have a say",
        mistake=f"{without} has no say",
        hint="is a quantity, or a lepton, left out? The mass depends on momenta and directions of all four",
    )


def _mass_among(answer: Any, events: pd.DataFrame, result: Any) -> str:
    """Say that a weighted sum of the inputs is a mass, or that one of them depends on masses alone; empty if not."""
    scale = result.std(axis=0, dtype=float)
    inputs = np.column_stack([(result - result.mean(axis=0, dtype=float)) / scale, np.ones(len(result))])
    for name, mass in kinematics.pair_masses(*_four_vectors(events)).items():
        for target in (mass, mass**2, np.log(np.maximum(mass, 1e-3))):
            target = (target - target.mean()) / target.std()
            if np.std(target - inputs @ np.linalg.lstsq(inputs, target)[0]) < 0.01:
                return f"one of the inputs is a mass, {name}, or several add up to one"
    # Masses, and only they, are what they were when the whole event is boosted.
    differs = np.abs(np.asarray(answer(_boosted(events))) - result).max(axis=0) > 0.01 * scale
    harder = events.assign(**{f"lep1_{name}": 1.1 * events[f"lep1_{name}"] for name in ("pt", "e")})
    depends = (np.asarray(answer(harder)) != result).any(axis=0)
    hidden = np.flatnonzero(depends & ~differs)
    return f"column {hidden[0]} (from 0) depends on masses alone" if hidden.size else ""


def _four_vectors(events: pd.DataFrame) -> list[Any]:
    return [kinematics.lepton_arrays(events, name).astype(float) for name in ("pt", "eta", "phi", "e")]


def _boosted(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events as seen from frames that move with 0.3 c, each into another direction."""
    pt, eta, phi, energy = _four_vectors(events)
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    velocity = np.random.default_rng(8).normal(size=(3, len(events), 1))
    velocity *= 0.3 / np.linalg.norm(velocity, axis=0)
    gamma, along = 1 / np.sqrt(1 - 0.3**2), (velocity * momentum).sum(axis=0)
    x, y, z = momentum + velocity * ((gamma - 1) * along / 0.3**2 - gamma * energy)
    pt = np.hypot(x, y)
    columns = {"pt": pt, "eta": np.arcsinh(z / pt), "phi": np.arctan2(y, x), "e": gamma * (energy - along)}
    return events.assign(
        **{f"lep{i + 1}_{name}": value[:, i].astype(np.float32) for name, value in columns.items() for i in range(4)}
    )


def _says_nothing(answer: Any, events: pd.DataFrame, result: Any) -> str:
    """Return the first quantity that could be another without the inputs being others; empty if there is none."""
    for i in (1, 2, 3, 4):
        harder = {f"lep{i}_{name}": np.float32(1.1) * events[f"lep{i}_{name}"] for name in ("pt", "e")}
        moved = {f"lep{i}_phi": kinematics.delta_phi(events[f"lep{i}_phi"], 0.4).astype(np.float32)}
        turned_back = {f"lep{i}_eta": -events[f"lep{i}_eta"]}
        for change, name in ((harder, "momentum"), (moved, "azimuth"), (turned_back, "sign of η")):
            if np.allclose(np.asarray(answer(events.assign(**change))), result):
                return f"the {name} of lepton {i}"
    return ""
