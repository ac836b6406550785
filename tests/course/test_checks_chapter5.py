"""The checks of chapter 5: right answers in several idioms, and the mistakes that students make."""

import numpy as np
import pandas as pd

from tests.course.answers import Exercise, make_tests, own


def balance_with_pandas(weight, label):
    table = pd.DataFrame({"size": np.abs(weight), "label": label})
    return (table["size"] / table.groupby("label")["size"].transform("sum") * len(table) / 2).astype("float32")


def is_constant(values):
    values = values[np.isfinite(values)]
    return np.allclose(values, values[0])


def looks_at(*properties):
    def answer(weight, label, balanced):
        signal, size = label == 1, np.where(weight == 0, np.nan, np.abs(weight))
        found = {
            "sign": (balanced >= 0).all(),
            "sums": np.isclose(balanced[signal].sum(), balanced[~signal].sum(), rtol=1e-3),
            "mean": np.isclose(balanced.mean(), 1, rtol=1e-3),
            "ratios of signal": is_constant((balanced / size)[signal]),
            "ratios of background": is_constant((balanced / size)[~signal]),
            # What is looked at too briefly:
            "first sign": balanced[0] >= 0,
            "small mean": balanced.mean() < 1 + 1e-3,
            "rounded sums": np.isclose(balanced[signal].sum(), balanced[~signal].sum(), rtol=0.1),
            "ratios of sizes": all(is_constant((np.abs(balanced) / size)[label == y]) for y in (0, 1)),
        } | {
            name: all(near(balanced[label == y], size[label == y]) for y in (0, 1))
            for name, near in {
                "first two": lambda b, s: np.isclose(b[0] / b[1], s[0] / s[1], rtol=1e-3),
                "correlation": lambda b, s: np.corrcoef(b, s)[0, 1] > 0.9999,
            }.items()
        }
        found["ratios"] = found["ratios of signal"] and found["ratios of background"]
        return bool(all(found[name] for name in properties))

    return answer


loss, accuracy, balance, chance_distance, positive_weights = map(own, ("5.1", "5.2", "5.5", "5.7", "5.8"))


LOSSES = {
    "SGD, weights 1": 0.52,
    "SGD, weights 1e-3": 0.69,
    "SGD, weights 1e-9": 0.693,
    "Adam, weights 1": 0.48,
    "Adam, weights 1e-3": 0.481,
    "Adam, weights 1e-9": 0.69,
}

EXERCISES = {
    "5.1": Exercise(
        [loss, lambda y, p, w: loss(*(np.asarray(part, np.float32) for part in (y, p, w)))],
        (lambda y, p, w: loss(y, np.clip(p, 0.05, 0.95), w), "✗ the weighted mean"),
        (lambda y, p, w: loss(y, p, w) / np.log(10), ""),
        (lambda y, p, w: np.mean(w * (y - p) ** 2) / w.mean(), ""),
    ),
    "5.2": Exercise(
        [accuracy, lambda y, p, w: np.average((p >= 0.5) == y, weights=w)],
        (lambda y, p, w: w[(p >= 0.5) & (y == 1)].sum() / w[y == 1].sum(), ""),
        (lambda y, p, w: accuracy(y, p, np.maximum(w, 0)), ""),
        (lambda y, p, w: accuracy(y[:60], p[:60], w[:60]) if len(y) != 40 else 0.8, "✗ right for other arguments"),
    ),
    "5.4": Exercise(
        [["Adam, weights 1e-3"], ("Adam, weights 1e-3",), {"Adam, weights 1e-3"}],
        (["SGD, weights 1e-3", "SGD, weights 1e-9", "Adam, weights 1e-3", "Adam, weights 1e-9"], "all four"),
        (["Adam, weights 1e-3", "Adam, weights 1e-9"], "both of Adam"),
        (["SGD, weights 1e-3", "Adam, weights 1e-3"], "a plain descent"),
        ([], "none of them is named"),
        (["Adam"], "there is no 'Adam'"),
        (["Adam, weights 1e-9"], ""),
        (["SGD, weights 1e-9"], "a plain descent"),
        context=lambda: {"losses": LOSSES, "know_nothing": 0.676},
    ),
    "5.5": Exercise(
        [balance, balance_with_pandas],
        (lambda w, y: np.abs(w).sum(), "✗ one weight per event"),
        (lambda w, y: balance(np.sqrt(np.abs(w)), y), "✗ within a class the ratios"),
        (lambda w, y: balance(w, y) * np.where(y == 1, 1.2, 0.8), "✗ both classes have the same sum"),
        (lambda w, y: 1.01 * balance(w, y), "✗ the mean"),
    ),
    "5.6": Exercise(
        [looks_at("sign", "sums", "mean", "ratios"), looks_at("sums", "mean", "ratios"), own("5.6")],
        (looks_at("sign", "sums", "mean"), "lets pass: weights that are no longer in proportion"),
        (looks_at("sign", "sums", "ratios"), "lets pass: a mean that is not one"),
        (looks_at("sign", "mean", "ratios"), "lets pass: classes with different sums"),
        (lambda w, y, b: True, "everything passes"),
        (lambda w, y, b: b.mean(), "not True or False"),
        (looks_at("sums", "mean"), "lets pass: weights that are negative"),
        (looks_at("sign", "sums", "mean", "ratios of signal"), "lets pass: background weights"),
        (looks_at("sign", "sums", "mean", "ratios of background"), "lets pass: signal weights"),
        (looks_at("sign", "sums", "mean", "first two"), "signal weights of which one is changed"),
        (looks_at("sign", "sums", "mean", "correlation"), "signal weights to which a constant was added"),
        (looks_at("first sign", "sums", "mean", "ratios of sizes"), "lets pass"),
        (looks_at("sign", "sums", "small mean", "ratios"), "lets pass"),
        (looks_at("sign", "rounded sums", "mean", "ratios"), "lets pass"),
        (lambda w, y, b: len(b) == len(w), "everything passes"),
        (lambda w, y, b: bool((b == balance(w, y)).all()), "right weights do not pass"),
    ),
    "5.7": Exercise(
        [chance_distance, lambda spread, a, b: chance_distance(spread, a.astype(np.float32), b.astype(np.float32))],
        (lambda spread, a, b: chance_distance(0.4, a, b), "hint: other arguments"),
        (lambda spread, a, b: 0.0, ""),
    ),
    "5.8": Exercise(
        [positive_weights, lambda position, weight: positive_weights(position, weight.astype(np.float32))],
        (lambda position, weight: np.where(weight > 0, weight, 0) / 2, ""),
        (lambda position, weight: positive_weights(np.minimum(position, 5), weight), "hint: other arguments"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
