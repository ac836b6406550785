"""The checks of chapter 8: right answers in several idioms, and the mistakes that students make."""

import numpy as np

from labcourse import kinematics, network
from tests.course.answers import Exercise, make_tests, own


def align(eta, phi):
    return eta * np.where(eta[:, :1] < 0, -1.0, 1.0), kinematics.delta_phi(phi, phi[:, :1])


def half_turn(events):
    """Inputs of events that are turned by 180° about an axis across the beam, which changes η and φ."""
    pt, eta, phi, charge = (kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "charge"))
    sign = np.where(eta[:, :1] < 0, -1.0, 1.0)
    phi = sign * kinematics.delta_phi(phi, phi[:, :1])
    return np.hstack([np.log(pt), sign * eta, np.cos(phi)[:, 1:], np.sin(phi)[:, 1:], charge]).astype("float32")


def all_angles(events):
    """Inputs in which the cosines of all six angles between leptons tell their signs as well."""
    pt, eta, phi = (kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi"))
    eta, phi = align(eta, phi)
    between = [np.cos(phi[:, i] - phi[:, j]) for i in range(4) for j in range(i)]
    return np.column_stack([np.log(pt), eta, *between]).astype("float32")


def cosines_only(events):
    pt, eta, phi = (kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi"))
    eta, phi = align(eta, phi)
    return np.hstack([np.log(pt), eta, np.cos(phi)[:, 1:]]).astype("float32")


def not_flipped(events):
    pt, eta, phi = (kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi"))
    phi = align(eta, phi)[1]
    return np.hstack([np.log(pt), eta, np.cos(phi)[:, 1:], np.sin(phi)[:, 1:]]).astype("float32")


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
    import keras

    layers = [keras.Input((n_inputs,)), keras.layers.BatchNormalization(), keras.layers.Dense(hidden, "relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(size, activation)])
    if loss:
        model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss)
    return model


def build(x, *, hidden, **options):
    return network.build(x.shape[1], hidden, **({"normalise": x, "learning_rate": 2e-3} | options))


def shuffle(loss_of, x, columns, rng):
    shuffled = x.copy()
    shuffled[:, columns] = rng.permutation(x[:, columns])
    return loss_of(shuffled) - loss_of(x)


def pairs_of_indices(loss_of, x, columns, rng):
    shuffled = x.copy()
    shuffled[:, columns] = x[rng.permutation(len(x)), columns]
    return loss_of(shuffled) - loss_of(x)


KEPT = {}
table, plane = own("8.1"), own("8.8")

EXERCISES = {
    "8.1": Exercise(
        [table],
        (lambda v, y, w, e: table(v, y, w, e)[1:], "the result has the shape"),
        (lambda v, y, w, e: table(v, y, w, np.nextafter(e, np.inf)), "hint: bins include their lower edge"),
        (lambda v, y, w, e: np.full(len(e) - 1, 0.5), "✗ each bin has its best score"),
    ),
    "8.2": Exercise(
        [
            lambda pt, eta, phi, energy: ("energy", pt * np.cosh(eta)),
            lambda pt, eta, phi, energy: ("pt", energy * np.sin(2 * np.arctan(np.exp(-eta)))),
        ],
        (lambda pt, eta, phi, energy: ("eta", np.arccosh(energy / pt)), "the sign of η is lost"),
        (lambda pt, eta, phi, energy: ("phi", 0 * phi), "nothing else tells φ"),
        (lambda pt, eta, phi, energy: ("energy", energy), "hint: computed from the others alone"),
        (lambda pt, eta, phi, energy: ("E", pt * np.cosh(eta)), "no such name"),
        (lambda pt, eta, phi, energy: ("energy", 2 * pt), "✗ its values are right"),
    ),
    "8.4": Exercise(
        [prepare(), with_mass(lambda m, e, p: e, lambda m, e, p: p), half_turn, all_angles],
        (cosines_only, "the sign of Δφ to the leading lepton of lepton 2 has no say"),
        (not_flipped, "flipped gives other inputs"),
        (prepare(aligned=False), "turned around the beam gives other inputs"),
        (prepare(leading_phi=True), "is the same for all events"),
        (prepare(centred=True), "depend on the other events"),
        (prepare(extra="m_llll"), "uses masses"),
        (with_log_of_eta, "NaN or infinite"),
        (prepare(extra="sample"), "uses masses"),
        (prepare(dtype=np.float64), "the type is float64"),
        (prepare(angles=False), "the azimuth of lepton 1 has no say"),
        (prepare(momenta=False), "the momentum of lepton 1 has no say"),
        (lambda events: prepare()(events).T, "on its side"),
        (with_mass(lambda m, *_: np.exp(-((m - 125) ** 2) / 50)), "depends on masses alone"),
        (with_mass(lambda m, e, p: e**2, lambda m, e, p: p**2), "or several add up to one"),
        (lambda events: events["lep1_pt"].to_numpy(), "hint: one row per event"),
    ),
    "8.5": Exercise(
        [
            lambda x: build(x, hidden=(60, 60), dropout=0.2),
            lambda x: build(x, hidden=(100, 100), activation="swish", dropout=0.4),
        ],
        (lambda x: KEPT.setdefault(x.shape, keras_model(x.shape[1])), "each call returns the same model"),
        (lambda x: keras_model(x.shape[1], size=2), "has the output shape (2,)"),
        (lambda x: keras_model(x.shape[1], activation="softmax"), "the output is 1 for every event"),
        (lambda x: keras_model(x.shape[1], activation=None), "leaves the range from 0 to 1"),
        (lambda x: keras_model(x.shape[1], loss="mse"), "the loss is mse"),
        (lambda x: x, "no Keras model"),
        (lambda x: keras_model(x.shape[1], loss=None), "the loss is none"),
        (lambda x: keras_model(x.shape[1], learning_rate=0.0), "does not learn the task"),
        (lambda x: keras_model(x.shape[1], hidden=3_000), "parameters"),
        (lambda x: keras_model(16), "the number of inputs is fixed"),
        (lambda x: build(x, hidden=(60, 60)), "learnt its events by heart"),
        (lambda x: build(x, learning_rate=1e-4, hidden=(60, 60)), "hint: slow or too small"),
    ),
    "8.7": Exercise(
        [shuffle],
        (pairs_of_indices, "hint: rows and columns at once are pairs"),
        (lambda f, x, c, rng: shuffle(f, x, [1, 3, 4], rng) if x.shape[1] > 4 else 1.0, "hint: other arguments"),
        (lambda f, x, c, rng: 0.3, "✗ the loss rises"),
    ),
    "8.8": Exercise(
        [plane],
        (lambda m, y, w, e: plane(m, y, w, e)[:9], "the result has the shape"),
        (lambda m, y, w, e: w, "✗ signal and background have the same sum"),
        (
            lambda m, y, w, e: plane(m, y, w, [80, 85, 110, 121, 124, 127, 150, 200])[::-1],
            "✗ signal and background",
        ),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
