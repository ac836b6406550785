"""Checks of chapter 6, cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, listed, variants

_predicted_spread, _error_of_mean, _honest_scores, _seed_part = map(course_answer, ("6.3", "6.5", "6.8", "6.10"))

Mask = NDArray[np.bool_]


class _Recorder:
    """Stands in for the training of networks, and notes with what it is called."""

    def __init__(self, scale: float = 0.1) -> None:
        self.scale = scale
        self.calls: list[tuple[Any, Mask, Mask]] = []

    def train(self, model: Any, trains: Any, validates: Any) -> float:
        self.calls.append((model, np.array(trains), np.array(validates)))
        return float(self.losses[-1])

    def loss(self, trains: Any, validates: Any) -> float:
        return self.train(None, trains, validates)

    @property
    def masks(self) -> list[tuple[Mask, Mask]]:
        return [(trains, validates) for _, trains, validates in self.calls]

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses of all trainings so far; no order sorts them."""
        n = np.arange(len(self.calls))
        return 0.7 + self.scale * (3 * n % 5 - 2) - 0.01 * n


_MISTAKES_6_1 = (
    (lambda losses: losses[-1], "this is the loss of the last fold", "collect them in a list; return after the loop"),
    (np.sort, "the losses are sorted", "leave them in the order of the folds"),
)


@exercise("6.1")
def exercise_6_1(answer: Any, report: Report) -> None:
    """The loop over the folds."""
    fold = np.array([1, 0, 3, 2, 0, 1, 2, 3, 3, 0, 4])
    recorder = _Recorder()
    result = answer(object, recorder.train, fold)  # an object() is as good as a model
    models, masks = {id(model) for model, *_ in recorder.calls}, recorder.masks
    n, folds = len(masks), "loop over the folds, range(fold.max() + 1), and not over the events"
    are_shared = any((t & v).any() for t, v in masks if t.dtype == bool)
    is_same = all(np.array_equal(masks[0][1], validates) for _, validates in masks)
    is_turned = any(np.array_equal(validates, fold != i) for i, (_, validates) in enumerate(masks))
    are_functions = any(callable(model) for model, *_ in recorder.calls)
    caught(
        report,
        (n == 0, "nothing is trained", "call train_and_validate(model, trains, validates) for each fold"),
        (n < 5, f"only {n} of 5 folds are used", f"the numbers run from 0 to fold.max(): {folds}"),
        (n > 5, f"{n} networks are trained for 5 folds", folds),
        (are_functions, "a function is trained, and not a model", "call it, with brackets: build_model()"),
        (len(models) == 1, "one model goes through all folds", "build_model() inside the loop: a fresh one for each"),
        (is_turned, "the fold trains and the others validate", "train_and_validate(model, trains, validates)"),
        (is_same, "the same fold validates every time", "use the number of the loop: fold == number"),
        (are_shared, "some events train and validate", "fold != number trains, fold == number validates"),
    )
    report.holds(len(models) == n, "each fold has a model of its own", hint="build_model() inside the loop")
    report.holds(
        all(np.array_equal(t, fold != i) and np.array_equal(v, fold == i) for i, (t, v) in enumerate(masks)),
        "fold 0 validates the first model, fold 1 the second, and so on",
        hint="the number of the loop is the fold that validates; masks of True and False: fold == number",
    )
    losses, collect = recorder.losses, "collect what train_and_validate returns: np.array(losses)"
    report.recognises(result, *_MISTAKES_6_1, given=(losses,), right=losses)
    report.holds(alike(result, losses), "returns the loss of each fold, in order", hint=collect)
    few = _Recorder()
    result = answer(object, few.train, np.array([0, 2, 1, 1]))
    report.holds(
        len(few.calls) == 3 and alike(result, few.losses),
        "three folds take three trainings",
        mistake=f"three folds take {len(few.calls)} trainings",
        hint="the number of folds is that of this array, fold.max() + 1, and not always 5",
    )


_LEAKS = {
    "A": "what does the network remember when the second fold begins?",
    "B": "who chose the epoch, and who is to judge?",
    "D": "the ten were chosen with a look at the labels of all events: also of those that validate",
    "F": "where can the copy of a validation event be?",
}
_HONEST = {
    "C": "a row number knows nothing about the event, as long as each row is another event",
    "E": "the initial weights were drawn without a look at any event",
}


@exercise("6.2")
def exercise_6_2(answer: Any, report: Report) -> None:
    """Which of six cross-validations leak."""
    letters = sorted({*_LEAKS, *_HONEST})
    several = isinstance(answer, (list, tuple, set, np.ndarray))
    given = listed(report, [str(letter).strip().upper() for letter in answer] if several else answer, letters)
    caught(
        report,
        (len(given) == 6, "these are all six", "does any of them do without a look at the validation events?"),
        (not given, "no letter is named", "at least the first one is the subject of this section"),
        *((letter in given, f"{letter} does not leak", hint) for letter, hint in _HONEST.items()),
        *((letter not in given, f"{letter} leaks as well", hint) for letter, hint in _LEAKS.items()),
    )
    report.holds(True, "four of the six leak, and these are the four")


def _each_weighted(loss: Any, weight: Any, label: Any) -> float:
    """Return what Σw²(ℓ − ℓ̄)² gives in place of n_eff (exercise 4.5): right as well."""
    parts = [(loss[label == y], weight[label == y]) for y in (0, 1)]
    of_class = [np.sqrt(np.sum((w * (v - np.average(v, weights=w))) ** 2)) / np.sum(w) for v, w in parts]
    return float(np.hypot(*of_class) / 2)


_WORTH = "a weighted mean has the error spread / √n_eff, with n_eff = (Σw)²/Σw² of its class"
_OF_ONE = "np.average((loss[members] - mean) ** 2, weights=weight[members])"
_ADDED = (
    ("(1 / 2) ** 2 * of_one / n_effective", "1 / 2 * np.sqrt(of_one / n_effective)"),
    ("np.sqrt(variance)", "variance"),
)
_TOGETHER = ("label == value", "label >= 0"), ("(1 / 2) ** 2", "1 / 2")
_MISTAKES_6_3 = variants(
    "6.3",
    ("/ n_effective", "/ members.sum()", "all events count the same", _WORTH),
    (" / n_effective", "", "these are spreads of single events", _WORTH),
    ("(1 / 2) ** 2 * ", "", "the halves are missing", "the loss is half of each mean"),
    ("(1 / 2) ** 2", "1 / 2", "a half is not squared", "the variance of ½ ℓ is ¼ of that of ℓ"),
    (_ADDED, "the errors are added", "variances add up"),
    ("(0, 1)", "(0,)", "the signal has no error", "both means fluctuate"),
    ("(0, 1)", "(1,)", "the background has no error", "both means fluctuate"),
    (_OF_ONE, "np.var(loss[members])", "the spread of the losses is not weighted", "np.average(…, weights=…)"),
    (
        _TOGETHER,
        "both classes are thrown together",
        "each class has half of the weight in *each* fold: take it by itself",
    ),
)


@exercise("6.3")
def exercise_6_3(answer: Any, report: Report) -> None:
    """How the losses of folds scatter, from the events of one of them."""
    rng = np.random.default_rng(63)

    def case(n: int) -> tuple[Any, Any, Any]:
        label = np.append((rng.random(n - 4) < 0.4).astype(float), [0, 0, 1, 1])
        return rng.exponential(0.2 + 0.4 * (1 - label)), rng.exponential(1.0 - 0.3 * label) + 0.05, label

    given = case(70)
    course = _each_weighted if alike(answer(*given), _each_weighted(*given)) else _predicted_spread
    follows(report, answer, course, given, _MISTAKES_6_3, "the spread that chance gives to a fold", _WORTH)
    report.agrees(answer, course, case(45), case(200), hint="use loss, weight and label, whatever they are")


_MISTAKES_6_4 = (
    (np.abs, "the signs are lost", "a mean of sizes is never zero, also where nobody is better"),
    (lambda d: d.reshape(3, 4), "these are rows of repetitions", "one row with all: (repetitions * k,)"),
)


@exercise("6.4")
def exercise_6_4(answer: Any, report: Report) -> None:
    """The differences of two procedures in repeated cross-validations."""

    def run(n: int, k: int, repetitions: int, seed: int = 64) -> tuple[Any, _Recorder, _Recorder]:
        a, b = _Recorder(0.1), _Recorder(0.03)
        return answer(a.loss, b.loss, n, k, repetitions, np.random.default_rng(seed)), a, b

    n, k, repetitions = 22, 4, 3
    result, a, b = run(n, k, repetitions)
    done, total = len(a.calls), k * repetitions
    caught(
        report,
        (
            not a.calls or not b.calls,
            "one of the procedures is never trained",
            "call loss_a and loss_b with both masks",
        ),
        (done != len(b.calls), "a and b are not trained equally often", "both in each fold"),
        (done == k, "there is one cross-validation only", "a loop over the repetitions around that over the folds"),
        (done != total, f"there are {done} trainings of each, and not {total}", "repetitions times k"),
    )
    are_masks = all(mask.dtype == bool and mask.shape == (n,) for pair in (*a.masks, *b.masks) for mask in pair)
    of_shape = "fold != number is a mask, of the shape (n_events,)"
    report.holds(are_masks, "all masks have one True or False per event", hint=of_shape)
    trained, validated = np.array(a.masks).swapaxes(0, 1)
    of_repetition, sizes = validated.reshape(repetitions, k, n), validated.sum(axis=1)
    caught(
        report,
        ((trained & validated).any(), "some events train and validate", "fold != number and fold == number"),
        ((sizes > n / 2).any(), "the fold trains and the others validate", "loss(trains, validates)"),
        (
            not np.array_equal(a.masks, b.masks),
            "a and b get different folds",
            "the luck of a fold cancels only if both get the same events",
        ),
        (
            (of_repetition.sum(axis=1) != 1).any(),
            "some events validate twice, and others never",
            "divide all events: rng.permutation(n) % k",
        ),
        (
            (of_repetition == of_repetition[0]).all(),
            "each repetition has the same folds",
            "draw new ones inside the loop over the repetitions",
        ),
        (np.ptp(sizes) > 1, "the folds are not of equal size", "rng.permutation(n_events) % k"),
        (not (trained | validated).all(), "some events are left out", "all others train"),
    )
    follows_rng = np.array_equal(run(n, k, repetitions)[1].masks, a.masks)
    report.holds(follows_rng, "the folds follow from rng", hint="take rng.permutation, and not np.random")
    differences = a.losses - b.losses
    report.recognises(result, *_MISTAKES_6_4, given=(differences,), right=differences)
    report.holds(alike(result, differences), "returns all differences in order", hint="collect them in a list")

    def agrees(n: int, k: int, repetitions: int) -> bool:
        result, a, b = run(n, k, repetitions, seed=65)
        return alike(result, a.losses - b.losses) and len(a.calls) == k * repetitions

    report.holds(agrees(15, 5, 2) and agrees(9, 3, 4), "right for other numbers as well", hint="use all arguments")


_SEES = "S² sees only what differs: it is (1 − ρ)σ² on average, so that σ² = S²/(1 − ρ)"
_PARTS = "the shared part ρσ² stays as it is; the own parts give (1 − ρ)σ²/J"
_IN_ROOT = "1 / len(losses) + rho / (1 - rho)"
_MISTAKES_6_5 = variants(
    "6.5",
    (" + rho / (1 - rho)", "", "this is the naive error", _PARTS),
    (f" * np.sqrt({_IN_ROOT})", "", "this is the spread of the losses", _PARTS),
    ("ddof=1", "ddof=0", "the variance is divided by J", "J − 1: ddof=1"),
    (_IN_ROOT, "rho + (1 - rho) / len(losses)", "S² is taken for σ²", _SEES),
    (" / (1 - rho)", "", "ρ is not divided by 1 − ρ", _SEES),
    (_IN_ROOT, "1 / len(losses) / (1 - rho)", "all of σ² is divided by J", _PARTS),
    ("1 / len(losses) + ", "", "only the shared part is left", "add S²/J, the own parts"),
    ("rho / (1 - rho)", "(1 - rho) / rho", "ρ and 1 − ρ have changed places", _PARTS),
)


@exercise("6.5")
def exercise_6_5(answer: Any, report: Report) -> None:
    """The error of a mean of correlated losses (Nadeau and Bengio 2003 for ρ = n_val/n)."""
    losses = np.array([0.02, 0.05, 0.01, 0.04, 0.04, 0.03])
    what, hint = "the shared part stays, and the own parts shrink with J", f"{_PARTS}; {_SEES}"
    follows(report, answer, _error_of_mean, (losses, 0.3), _MISTAKES_6_5, what, hint)
    more = (np.tile(losses, 4), 0.3), (3 * losses[:4], 0.1), (losses, 0.0)
    report.agrees(answer, _error_of_mean, *more, hint="J is len(losses), and rho an argument")


_SEEN = "a network that has trained on an event may know it by heart"
_ONE_PER_EVENT = "events of no fold are left out", "one score per event"
_IS_IN_FOLD, _MEAN = "fold >= 0", "scores.mean(axis=0)"
_MISTAKES_6_8 = variants(
    "6.8",
    (_IS_IN_FOLD, "False", "all events get the mean of all networks", _SEEN),
    (
        _IS_IN_FOLD,
        "True",
        "events of no fold get the score of one network",
        "scores[-1] is the last row: Python takes −1 without a word. Any would be honest, but their mean is better",
    ),
    (
        _MEAN,
        "scores[0]",
        "events of no fold get the score of network 0",
        "any would be honest for events of no fold, but the mean is better",
    ),
    ("scores[fold,", "scores[(fold + 1) % len(scores),", "another network is taken", _SEEN),
    ("scores[fold,", "scores[fold - 1,", "another network is taken", _SEEN),
    (_IS_IN_FOLD, "fold < 0", "the cases are turned round", "fold >= 0: in a fold"),
    (_MEAN, "np.nan", "events of no fold have no score", "all may judge them"),
    (_MEAN, "0", "events of no fold have the score 0", "all may judge them"),
    (f"np.where({_IS_IN_FOLD}, out_of_fold, {_MEAN})", "out_of_fold[fold >= 0]", *_ONE_PER_EVENT),
)


@exercise("6.8")
def exercise_6_8(answer: Any, report: Report) -> None:
    """For each event a score of networks that have not seen it."""
    rng = np.random.default_rng(68)
    given = rng.random((4, 12)), np.array([2, 0, -1, 1, 1, -1, 3, 0, 2, -1, 3, 0])
    what = "each event has a score of networks that have not seen it"
    hint = "network i has not seen the events of fold i; those of no fold have been seen by none"
    follows(report, answer, _honest_scores, given, _MISTAKES_6_8, what, hint)
    only = rng.random((3, 30)), np.arange(30) % 3
    none = rng.random((5, 7)), np.full(7, -1)
    report.agrees(answer, _honest_scores, only, none, hint="all events may be in folds, or none")


@exercise("6.9")
def exercise_6_9(answer: Any, report: Report, *, share: float) -> None:
    """By which factors Z and its error change if all events count."""
    root = float(np.sqrt(share))
    of_z, of_error = report.parts(answer, "the factor of Z, that of its error")
    full = "both samples are scaled to the full luminosity: Z is expected for it, however many events were simulated"
    rooted = "how does a statistical error fall with the number of events?"
    report.reading(
        of_z,
        1.0,
        "Z stays what it is, apart from luck",
        (1 / root, "Z does not grow with the root of the simulated events", full),
        (1 / share, "Z does not grow with the simulated events", full),
        (root, "the first number is that of Z", "that of the error comes second"),
        relative=0.05,
        hint=full,
    )
    report.reading(
        of_error,
        root,
        "the error falls with the root of the number of events",
        (share, "this is the share of the events", rooted),
        (1 / root, "this is turned round", "the new error over the old one: with more events it is smaller"),
        (1 / share, "this is how many times as many events there are", "an error falls with the root"),
        (1 - root, "this is by how much the error falls", "we ask for the new error over the old one"),
        (float(np.sqrt(1 - share)), "this is the root of the share of the training events", "*all* events count now"),
        (1.0, "the error does not change", "Z does not, but it is known better"),
        (100 * root, "this is in per cent", "a factor"),
        (1 - share, "this is the share of the training events, or rounded too much", f"{rooted} Give two digits"),
        relative=0.05,
        hint="an error goes with 1/√n",
    )


_HALF = "a sample variance is half of the mean squared difference of two: τ² + pair_error²/2"
_MISTAKES_6_10 = variants(
    "6.10",
    (" / 2", "", "the error of a pair is taken for that of one value", _HALF),
    (" - pair_error**2 / 2", "", "this is the spread of the values", "a part of it is the luck of the events"),
    (" - pair", " + pair", "the luck of the events is added", f"it is in the spread already; {_HALF}"),
    ("ddof=1", "ddof=0", "the variance is divided by n", "few seeds: n − 1, ddof=1"),
    ("max(", "2 * max(", "this is the part of both seeds of a difference", "τ is that of one"),
    ("0))", "0) / len(values))", "this is the error of the mean", "the scatter of one seed"),
    (lambda v, e: np.std(v, ddof=1) - e / np.sqrt(2), "the errors are subtracted", "variances add up: their squares"),
    (lambda v, e: np.std(v, ddof=1) - e, "the errors are subtracted", f"variances add up: {_HALF}"),
)


@exercise("6.10")
def exercise_6_10(answer: Any, report: Report) -> None:
    """What seeds add to the luck of the test events."""
    values = np.array([0.85, 0.87, 0.84, 0.89, 0.81])
    what, hint = "the variance of the values, less that of the events", _HALF
    follows(report, answer, _seed_part, (values, 0.025), _MISTAKES_6_10, what, hint)
    close = 0.86 + 0.1 * (values - 0.86), 0.025
    report.holds(
        lambda: bool(alike(answer(*close), 0.0)),
        "0 where the values spread less than the events let them",
        hint="their variance may be smaller by chance: max(…, 0) before the root",
    )
    more = (2 * values[:3], 0.03), (np.append(values, [0.8, 0.9]), 0.0), (values[1:], 0.01)
    report.agrees(answer, _seed_part, *more, hint="use both arguments")
