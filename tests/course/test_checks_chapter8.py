"""The checks of chapter 8: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from labcourse import kinematics, significance
from tests.course.answers import Exercise, make_tests


def align(eta, phi):
    return eta * np.where(eta[:, :1] < 0, -1.0, 1.0), kinematics.delta_phi(phi, phi[:, :1])


def align_by_loop(eta, phi):
    new_eta, new_phi = eta.copy(), np.zeros_like(phi)
    for i in range(len(eta)):
        if eta[i, 0] < 0:
            new_eta[i] = -eta[i]
        for j in range(4):
            new_phi[i, j] = (phi[i, j] - phi[i, 0] + np.pi) % (2 * np.pi) - np.pi
    return [new_eta, new_phi]


def align_with_arctan(eta, phi):
    turned = phi - phi[:, [0]]
    sign = np.ones(len(eta))
    sign[eta[:, 0] < 0] = -1
    return (eta.T * sign).T, np.arctan2(np.sin(turned), np.cos(turned)).astype(np.float32)


def align_in_place(eta, phi):
    eta *= np.where(eta[:, :1] < 0, -1.0, 1.0)
    return eta, kinematics.delta_phi(phi, phi[:, :1])


def prepare(*, aligned=True, leading_phi=False, angles=True, extra=None, centred=False, dtype=np.float32, momenta=True):
    def answer(events):
        pt, eta, phi, energy, charge, code = (
            kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "e", "charge", "pdgid")
        )
        if aligned:
            eta, phi = align(eta, phi)
        phi = phi if leading_phi else phi[:, 1:]
        columns = [eta, charge, code - 12]
        columns += [np.log(pt), np.log(energy)] if momenta else []
        columns += [np.cos(phi), np.sin(phi)] if angles else []
        columns += [events[extra]] if extra else []
        x = np.column_stack(columns)
        return (x - x.mean(axis=0) if centred else x).astype(dtype)

    return answer


def cartesian(events):
    pt, eta, phi = (kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi"))
    eta, phi = align(eta, phi)
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    return np.hstack([px, py[:, 1:], pz]).astype("float32")


def with_mass(*functions):
    """Inputs with functions of the mass, energy and momentum of the four leptons beside the right ones."""

    def answer(events):
        pt, eta, phi, energy = (kinematics.lepton_arrays(events, n).astype(float) for n in ("pt", "eta", "phi", "e"))
        parts = [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
        e, p = energy.sum(axis=1), np.sqrt(sum(part.sum(axis=1) ** 2 for part in parts))
        mass = np.sqrt(e**2 - p**2)
        return np.column_stack([prepare()(events), *(f(mass, e, p) for f in functions)]).astype(np.float32)

    return answer


def with_log_of_eta(events):
    return np.column_stack([prepare()(events), np.log(events["lep2_eta"])]).astype(np.float32)


def keras_model(n_inputs, *, activation="sigmoid", loss="binary_crossentropy", size=1, learning_rate=1e-2, hidden=16):
    keras = pytest.importorskip("keras")
    layers = [keras.Input((n_inputs,)), keras.layers.BatchNormalization(), keras.layers.Dense(hidden, "relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(size, activation)])
    if loss:
        model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss)
    return model


def build(x, *, hidden=(30, 30), **options):
    pytest.importorskip("keras")
    from labcourse import network

    return network.build(x.shape[1], hidden, **({"normalise": x, "learning_rate": 1e-3} | options))


def choose(chosen="validation", quoted="test", guard=True, measure=significance.asimov, groups=(True, True)):
    def answer(validation, test):
        events = {"validation": validation, "test": test}
        *first, sample = events[chosen]
        result = significance.scan(*first, measure=measure, groups=sample if groups[0] else None)
        cut = significance.best(result).cut if guard else result.cut[np.nanargmax(result.significance)]
        *second, sample = events[quoted]
        return significance.scan(*second, cuts=[cut], groups=sample if groups[1] else None)

    return answer


def share(mass, weight, low, high):
    return weight[(mass >= low) & (mass < high)].sum() / weight.sum()


def share_by_loop(mass, weight, low, high):
    return sum(w for m, w in zip(mass, weight, strict=True) if low <= m < high) / sum(weight)


EPOCHS = SimpleNamespace(
    history={"loss": np.linspace(0.6, 0.5, 20), "val_loss": 0.55 + np.abs(np.arange(20) - 11) / 100}
)
MASS = np.append(np.random.default_rng(1).uniform(80, 250, 5000), np.full(800, 200.0))
SCORE = 0.1 + 0.8 * np.exp(-((MASS - 125) ** 2) / 200) + (250 - MASS) / 2000

KEPT = {}

EXERCISES = {
    "8.2": Exercise(
        right=[align, align_by_loop, align_with_arctan],
        mistakes=[
            (lambda eta, phi: (np.abs(eta), align(eta, phi)[1]), "lost its own sign"),
            (lambda eta, phi: (eta, align(eta, phi)[1]), "eta is not flipped"),
            (lambda eta, phi: (eta - eta[:, :1], align(eta, phi)[1]), "eta is shifted"),
            (align_in_place, "changes what it is given: eta"),
            (lambda eta, phi: align(eta, phi)[0], "40 values are given"),
        ],
        fails=[
            (lambda eta, phi: align(eta[:1], phi[:1]), "the result has the shape"),
            (lambda eta, phi: (align(eta, phi)[0], np.clip(phi - phi[:, :1], -np.pi, np.pi)), "✗ the leading lepton"),
            (lambda eta, phi: (np.sort(align(eta, phi)[0], axis=1), align(eta, phi)[1]), "✗ all leptons of an event"),
            (lambda eta, phi: (eta * np.where(eta[:, :1] > 0, 1, -1), align(eta, phi)[1]), "leading η = 0"),
        ],
    ),
    "8.3": Exercise(
        right=[prepare(), cartesian, with_mass(lambda m, e, p: e, lambda m, e, p: p)],
        mistakes=[
            (prepare(aligned=False), "turned around the beam gives other inputs"),
            (prepare(leading_phi=True), "is the same for all events"),
            (prepare(centred=True), "depend on the other events"),
            (prepare(extra="m_llll"), "uses masses"),
            (with_log_of_eta, "NaN or infinite"),
            (prepare(extra="weight"), "uses masses, met, jets or the weight"),
            (prepare(extra="sample"), "uses the column sample"),
            (prepare(dtype=np.float64), "the type is float64"),
            (prepare(angles=False), "the azimuth of lepton 1 has no say"),
            (prepare(momenta=False), "the momentum of lepton 1 has no say"),
            (lambda events: prepare()(events).T, "on its side"),
            (with_mass(lambda m, *_: np.exp(-((m - 125) ** 2) / 50)), "depends on masses alone"),
            (with_mass(lambda m, e, p: e**2, lambda m, e, p: p**2), "or several add up to one"),
        ],
        fails=[
            (lambda events: events["lep1_pt"].to_numpy(), "one row per event"),
            (with_mass(lambda m, *_: np.abs(m - 125) < 10), "depends on masses alone"),
            (lambda events: prepare()(events)[:, :8], "has no say"),
            (lambda events: np.nan_to_num(prepare(extra="m_llll")(events)), "the same for all events"),
        ],
    ),
    "8.4": Exercise(
        right=[
            build,
            lambda x: keras_model(x.shape[1]),
            lambda x: build(x, hidden=(100, 100, 100), activation="swish"),
            lambda x: build(x, hidden=(30,), dropout=0.2),
        ],
        mistakes=[
            (lambda x: KEPT.setdefault(x.shape, keras_model(x.shape[1])), "each call returns the same model"),
            (lambda x: keras_model(x.shape[1], size=2), "has the output shape (2,)"),
            (lambda x: keras_model(x.shape[1], activation="softmax"), "the output is 1 for every event"),
            (lambda x: keras_model(x.shape[1], activation=None), "leaves the range from 0 to 1"),
            (lambda x: keras_model(x.shape[1], loss="mse"), "squared error"),
            (lambda x: x, "no Keras model"),
            (lambda x: keras_model(x.shape[1], loss="categorical_crossentropy"), "the loss is categorical"),
            (lambda x: keras_model(x.shape[1], loss=None), "the model is not compiled"),
            (lambda x: keras_model(x.shape[1], learning_rate=0.0), "does not learn"),
            (lambda x: keras_model(x.shape[1], hidden=20_000), "parameters"),
            (lambda x: keras_model(7), "the number of inputs is fixed"),
        ],
        fails=[
            (lambda x: build(x, learning_rate=10), "the validation loss is 0."),
            (lambda x: keras_model(x.shape[1], loss="hinge"), "the loss is hinge"),
            (lambda x: keras_model(x.shape[1], activation="tanh"), "leaves the range"),
            (lambda x: build(x, learning_rate=-1e-3), "does not learn"),
        ],
    ),
    "8.5": Exercise(
        right=[12, np.int64(12), 12.0, np.float32(12)],
        mistakes=[
            (11, "epochs are counted from 0"),
            (20, "this is the last epoch"),
            (8, "this is the patience"),
            (0.55, "this is a loss"),
            (1, "there the validation loss is highest"),
        ],
        fails=[(4, "✗ there the validation loss is lowest"), (13, ""), (10, ""), ((12, 0.5), ""), ("12", "")],
        context=lambda: {"history": EPOCHS},
    ),
    "8.7": Exercise(
        right=[choose()],
        mistakes=[
            (choose(chosen="test"), "chosen on the test events"),
            (choose(quoted="validation"), "those of the validation events"),
            (choose(guard=False), "without the guard"),
            (lambda validation, test: significance.scan(*test[:3]), "more than one cut"),
            (lambda validation, test: significance.best(significance.scan(*validation[:3])), "and not a scan"),
        ],
        fails=[
            (
                lambda validation, test: significance.scan(*test[:3], cuts=[0.3], groups=test[3]),
                "✗ the cut is the best",
            ),
            (lambda validation, test: choose()(test, validation), ""),
            (lambda validation, test: choose()(validation, (*test[:2], np.abs(test[2]) * 2, test[3])), ""),
            (lambda validation, test: significance.scan(*validation[:3], cuts=[0.5]), "the cut is 0.5"),
        ],
    ),
    "8.8": Exercise(
        right=[124.0, 128, np.float32(121)],
        mistakes=[
            (0.93, "this is a score"),
            (200, "most events have this mass"),
            (247.5, "the mean score is lowest"),
            (122500, "this is in MeV"),
            ("125 GeV", "leave out the quotes"),
        ],
        fails=[(182, "✗ there the mean score is highest"), (115, ""), (-125, ""), (0.125, ""), (91.2, "")],
        context=lambda: {"mass": MASS, "score": SCORE},
    ),
    "8.9": Exercise(
        right=[share, share_by_loop, lambda m, w, low, high: np.float32(share(m, w, low, high))],
        mistakes=[
            (lambda m, w, low, high: np.mean((m >= low) & (m < high)), "raw events"),
            (lambda m, w, low, high: share(m, np.abs(w), low, high), "lost their sign"),
            (lambda m, w, low, high: share(m, w, low, np.nextafter(high, 1e3)), "upper edge"),
            (lambda m, w, low, high: share(m, w, np.nextafter(low, 1e3), high), "lower edge"),
            (lambda m, w, low, high: share(m, w, low, high) * w.sum(), "number of events"),
        ],
        fails=[
            (lambda m, w, low, high: w[(m >= low) & (m < high)], "received ndarray"),
            (lambda m, w, low, high: w[m >= low & m < high].sum() / w.sum(), "put each comparison in brackets"),
            (lambda m, w, low, high: share(m, w, 115, 130) if low else 1.0, "✗ right for other arguments"),
            (lambda m, w, low, high: w[slice(*np.searchsorted(m, (low, high)))].sum() / w.sum(), ""),
        ],
    ),
}

test_right, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
