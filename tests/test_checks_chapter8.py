"""The checks of chapter 8 recognise right, open and wrong answers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from labcourse import checks, kinematics, network, significance

CALLS = {"8_2": 2, "8_3": 1, "8_7": 2, "8_9": 4}


def raising(*_args, **_kwargs):
    raise ZeroDivisionError("division by zero")


def right_align(eta, phi):
    return eta * np.where(eta[:, :1] < 0, -1.0, 1.0), kinematics.delta_phi(phi, phi[:, :1])


def align(new_eta=None, new_phi=None):
    def answer(eta, phi):
        right = right_align(eta, phi)
        return (new_eta(eta) if new_eta else right[0]), (new_phi(phi) if new_phi else right[1])

    return answer


def first_only(values, turned):
    return np.column_stack([turned[:, 0], values[:, 1:]])


def in_place(eta, phi):
    eta *= np.where(eta[:, :1] < 0, -1.0, 1.0)
    return eta, kinematics.delta_phi(phi, phi[:, :1])


def prepare(*, aligned=True, leading_phi=False, angles=True, extra=None, centred=False, dtype=np.float32, momenta=True):
    def answer(events):
        pt, eta, phi, energy, charge, code = (
            kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "e", "charge", "pdgid")
        )
        if aligned:
            eta, phi = right_align(eta, phi)
        phi = phi if leading_phi else phi[:, 1:]
        columns = [eta, charge, code - 12]
        columns += [np.log(pt), np.log(energy)] if momenta else []
        columns += [np.cos(phi), np.sin(phi)] if angles else []
        columns += [events[extra]] if extra else []
        x = np.column_stack(columns)
        return (x - x.mean(axis=0) if centred else x).astype(dtype)

    return answer


def keras_model(n_inputs, *, activation="sigmoid", loss="binary_crossentropy", size=1, learning_rate=1e-2, hidden=16):
    import keras

    layers = [keras.Input((n_inputs,)), keras.layers.BatchNormalization(), keras.layers.Dense(hidden, "relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(size, activation)])
    if loss:
        model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss)
    return model


def one_model():
    built = {}

    def answer(x):
        return built.setdefault(x.shape[1], keras_model(x.shape[1]))

    return answer


def choose(chosen="validation", quoted="test", guard=True, measure=significance.asimov, groups=(True, True)):
    def answer(validation, test):
        events = {"validation": validation, "test": test}
        *first, sample = events[chosen]
        result = significance.scan(*first, measure=measure, groups=sample if groups[0] else None)
        cut = significance.best(result).cut if guard else result.cut[np.nanargmax(result.significance)]
        *second, sample = events[quoted]
        return significance.scan(*second, cuts=[cut], groups=sample if groups[1] else None)

    return answer


def share(of=lambda w: w, low=np.greater_equal, high=np.less, total=None):
    def answer(mass, weight, a, b):
        inside = low(mass, a) & high(mass, b)
        return of(weight)[inside].sum() / (total(weight, inside) if total else of(weight).sum())

    return answer


RIGHT = {
    "8_2": align(),
    "8_3": prepare(),
    "8_4": lambda x: network.build(x.shape[1], (30, 30), normalise=x, learning_rate=1e-3),
    "8_7": choose(),
    "8_9": share(),
}
WRONG = [
    ("8_2", align(np.abs), "lost its own sign"),
    ("8_2", align(lambda eta: first_only(eta, np.abs(eta))), "only the leading lepton is flipped"),
    ("8_2", align(lambda eta: eta), "eta is not flipped"),
    ("8_2", align(lambda eta: eta - eta[:, :1]), "eta is shifted"),
    ("8_2", align(lambda eta: eta * np.sign(eta[:, :1])), "np.sign(0) is 0"),
    ("8_2", align(None, lambda phi: phi - phi[:, :1]), "outside of −π … π"),
    ("8_2", align(None, lambda phi: first_only(phi, phi - phi[:, :1])), "only the leading lepton is turned"),
    ("8_2", align(None, lambda phi: kinematics.delta_phi(phi[:, :1], phi)), "the event is mirrored"),
    ("8_2", align(None, lambda phi: np.mod(phi - phi[:, :1], 2 * np.pi)), "0 … 2π"),
    ("8_2", align(lambda eta: eta[:, 1:]), "both have shape"),
    ("8_2", in_place, "changes the array that was handed over"),
    ("8_2", lambda eta, phi: eta, "returns two arrays"),
    ("8_3", prepare(aligned=False), "turned around the beam"),
    ("8_3", prepare(leading_phi=True), "leave out the leading φ"),
    ("8_3", prepare(centred=True), "do not depend on the other events"),
    ("8_3", prepare(extra="m_llll"), "uses masses"),
    ("8_3", prepare(extra="weight"), "uses masses, met, jets or the weight"),
    ("8_3", prepare(extra="sample"), "uses the column sample"),
    ("8_3", prepare(dtype=np.float64), "astype(np.float32)"),
    ("8_3", prepare(angles=False), "is a quantity, or a lepton, left out"),
    ("8_3", prepare(momenta=False), "is a quantity, or a lepton, left out"),
    ("8_3", lambda events: events["lep1_pt"].to_numpy(), "one row an event"),
    ("8_4", lambda x: keras_model(x.shape[1], size=2), "has one output"),
    ("8_4", lambda x: keras_model(x.shape[1], activation="softmax"), "softmax of one neuron"),
    ("8_4", lambda x: keras_model(x.shape[1], activation=None), "activation='sigmoid'"),
    ("8_4", lambda x: keras_model(x.shape[1], loss="mse"), "squared error"),
    ("8_4", lambda x: keras_model(x.shape[1], loss=None), "model.compile"),
    ("8_4", lambda x: keras_model(x.shape[1], learning_rate=1e-9), "learning rate far from"),
    ("8_4", lambda x: keras_model(x.shape[1], hidden=20_000), "fewer neurons"),
    ("8_4", lambda x: keras_model(7), "x.shape[1]"),
    ("8_4", one_model(), "build the model inside the function"),
    ("8_4", lambda x: x, "returns a Keras model"),
    ("8_7", choose(chosen="test"), "chosen on the test events"),
    ("8_7", choose(quoted="validation"), "those of the validation events"),
    ("8_7", choose(guard=False), "without the guard"),
    ("8_7", choose(measure=significance.simple), "by s/√b"),
    ("8_7", choose(groups=(False, True)), "without the samples"),
    ("8_7", choose(groups=(True, False)), "one more event of each sample"),
    ("8_7", lambda validation, test: significance.scan(*test[:3]), "more than one cut"),
    ("8_7", lambda validation, test: significance.best(significance.scan(*validation[:3])), "returns a scan"),
    ("8_9", share(of=np.ones_like), "raw events"),
    ("8_9", share(of=np.abs), "lost their sign"),
    ("8_9", share(high=np.less_equal), "upper edge"),
    ("8_9", share(low=np.greater), "lower edge"),
    ("8_9", share(total=lambda weight, inside: weight[~inside].sum()), "inside over outside"),
    ("8_9", share(total=lambda weight, inside: 1.0), "number of events"),
    *[(number, raising, "your code raised ZeroDivisionError") for number in RIGHT],
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


def test_reading_exercises(capsys):
    history = SimpleNamespace(history={"loss": np.linspace(1, 0, 20), "val_loss": np.abs(np.arange(20) - 11) / 10.0})
    for value, said in [
        (12, "solved"),
        (11, "solved"),
        (20, "last epoch"),
        (5, "✗"),
        ("x", "✗"),
        (..., "open"),
    ]:
        checks.exercise_8_5(value, history=history)
        assert said in capsys.readouterr().out
    rng = np.random.default_rng(1)
    mass = rng.uniform(80, 250, 5000)
    score = np.exp(-((mass - 125) ** 2) / 200)
    for value, said in [(124.0, "solved"), (0.9, "this is a score"), (182, "✗"), (None, "✗"), (..., "open")]:
        checks.exercise_8_8(value, mass=mass, score=score)
        assert said in capsys.readouterr().out
