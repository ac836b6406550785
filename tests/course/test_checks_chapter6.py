"""The checks of chapter 6: right answers in several idioms, and the mistakes that students make."""

import math

import numpy as np

from tests.course.answers import Exercise, make_tests, own

SOME_EVENTS = np.random.default_rng(0).random((50, 4)).astype(np.float32)


def loop_with(fresh=True, masks=lambda fold, i: (fold != i, fold == i), numbers=lambda fold: range(fold.max() + 1)):
    def answer(build_model, train, fold):
        model = build_model()
        return [train(build_model() if fresh else model, *masks(fold, i)) for i in numbers(fold)]

    return answer


def repeated(
    a,
    b,
    n,
    k,
    repetitions,
    rng,
    *,
    fold=lambda n, k, rng: rng.permutation(n) % k,
    of_b=None,
    masks=lambda fold, i: (fold != i, fold == i),
    once=False,
):
    """Return the differences; the options are the variants that students write."""
    result, fixed = [], fold(n, k, rng)
    for _ in range(repetitions):
        division = fixed if once else fold(n, k, rng)
        other = of_b(n, k, rng) if of_b else division
        result += [a(*masks(division, i)) - b(*masks(other, i)) for i in range(k)]
    return result


def with_(**options):
    return lambda *given: repeated(*given, **options)


def by_splitting(a, b, n, k, repetitions, rng):
    result = np.empty((repetitions, k))
    for r in range(repetitions):
        for i, members in enumerate(np.array_split(rng.permutation(n), k)):
            validates = np.isin(np.arange(n), members)
            result[r, i] = a(~validates, validates) - b(~validates, validates)
    return result.ravel()


def afresh_each_time(a, b, n, k, repetitions, rng):
    masks = [rng.random(n) < 1 / k for _ in range(k * repetitions)]
    return [a(~mask, mask) - b(~mask, mask) for mask in masks]


loop, predicted, correlated, honest, seed_part = map(own, ("6.1", "6.3", "6.5", "6.8", "6.10"))


EXERCISES = {
    "6.1": Exercise(
        [loop, lambda build, train, fold: [train(build(), fold != n, fold == n) for n in np.unique(fold)]],
        (loop_with(fresh=False), "one model goes through all folds"),
        (loop_with(numbers=lambda fold: range(fold.max())), "only 4 of 5 folds"),
        (loop_with(numbers=lambda fold: range(5)), "three folds take 5 trainings"),
        (loop_with(numbers=lambda fold: range(len(fold))), "networks are trained for 5 folds"),
        (loop_with(masks=lambda fold, i: (fold == i, fold != i)), "the fold trains"),
        (loop_with(masks=lambda fold, i: (fold >= 0, fold == i)), "some events train and validate"),
        (loop_with(masks=lambda fold, i: (fold != 0, fold == 0)), "the same fold validates every time"),
        (lambda build, train, fold: np.zeros(5), "nothing is trained"),
        (lambda build, train, fold: loop(lambda: build(SOME_EVENTS), train, fold), "hint: an argument has"),
        (lambda build, train, fold: loop(lambda: build, train, fold), "a function is trained"),
        (lambda *given: np.sort(loop(*given)), "the losses are sorted"),
        (lambda *given: loop(*given)[::-1], "✗ returns the loss of each fold, in order"),
        (lambda build, train, fold: loop(build, train, fold) * len(fold) / 11, "✗ three folds"),
    ),
    "6.2": Exercise(
        [["A", "B", "D", "F"], ("f", "d", "b", "a"), {"A", "B", "D", "F"}],
        (["A"], "B leaks as well"),
        (["A", "B", "F"], "D leaks as well"),
        (["A", "B", "D"], "F leaks as well"),
        (["A", "B", "D", "E", "F"], "E does not leak"),
        (["A", "B", "C", "D", "F"], "C does not leak"),
        (list("ABCDEF"), "these are all six"),
        ([], "no letter is named"),
        (["A", "X"], "there is no 'X'"),
        ([1, 2, 4, 6], "there is no '1'"),
        ([["A", "B", "D", "F"], ["C"]], ""),
    ),
    "6.3": Exercise(
        [predicted],
        (lambda loss, weight, label: predicted(loss, np.ones(len(loss)), label), ""),
        (lambda loss, weight, label: predicted(loss[:45], weight[:45], label[:45]), ""),
        (lambda *given: predicted(*given) * math.sqrt(len(given[0]) / 70), "✗ right for other arguments"),
    ),
    "6.4": Exercise(
        [with_(), by_splitting],
        (with_(of_b=lambda n, k, rng: rng.permutation(n) % k), "a and b get different folds"),
        (with_(once=True), "each repetition has the same folds"),
        (with_(masks=lambda fold, i: (fold == i, fold != i)), "the fold trains and the others validate"),
        (with_(masks=lambda fold, i: (fold >= 0, fold == i)), "some events train and validate"),
        (with_(masks=lambda fold, i: (fold == (i + 1) % 4, fold == i)), "some events are left out"),
        (with_(fold=lambda n, k, rng: rng.integers(0, k, n)), "not of equal size"),
        (afresh_each_time, "some events validate twice"),
        (lambda a, b, n, k, r, rng: repeated(a, b, n, k, 1, rng), "one cross-validation only"),
        (lambda a, b, *given: repeated(a, lambda *masks: 0.0, *given), "one of the procedures is never trained"),
        (
            lambda a, b, n, k, r, rng: repeated(a, b, n, k, r, np.random.default_rng()),
            "hint: the folds follow from rng",
        ),
        (lambda a, b, n, k, r, rng: repeated(a, b, n, 4, 3, rng), "hint: right for other numbers"),
        (with_(masks=lambda fold, i: (np.flatnonzero(fold != i), np.flatnonzero(fold == i))), "hint: all masks have"),
        (lambda *given: repeated(*given)[::-1], "hint: returns all differences"),
    ),
    "6.5": Exercise(
        [correlated, lambda losses, rho: correlated(losses.astype(np.float32), rho)],
        (lambda losses, rho: correlated(losses, 0.3), "✗ right for other arguments"),
        (lambda losses, rho: np.std(losses, ddof=1) * np.sqrt(1 / 6 + rho / (1 - rho)), "✗ right for other"),
        (lambda losses, rho: correlated(losses[:6], rho), "✗ right for other"),
    ),
    "6.8": Exercise(
        [honest],
        (lambda scores, fold: honest(scores, np.minimum(fold, 1)), ""),
        (lambda scores, fold: honest(scores[:4], fold), "✗ right for other arguments"),
        (lambda scores, fold: honest(scores, fold)[:12], ""),
        (lambda scores, fold: np.where(fold < 0, scores[:4].mean(axis=0), honest(scores, fold)), "✗ right for"),
    ),
    "6.9": Exercise(
        [(1, math.sqrt(0.4)), (1.0, 0.619), [1, 0.65]],
        ((1, 0.4), "the share of the events"),
        ((1, 1.58), "turned round"),
        ((1, 2.5), "how many times as many"),
        ((1, 0.6), "the share of the training events, or rounded"),
        ((1, 0.37), "by how much the error falls"),
        ((1, 63.2), "per cent"),
        ((1, 1.0), "the error does not change"),
        ((1, 0.5), "✗ the error falls with the root"),
        ((1.58, 0.63), "does not grow with the root"),
        ((2.5, 0.63), "does not grow with the simulated"),
        ((0.63, 1), "the first number is that of Z"),
        ((1.2, 0.63), "✗ Z stays what it is"),
        context=lambda: {"share": 0.4},
    ),
    "6.10": Exercise(
        [seed_part, lambda v, e: max(np.std(v, ddof=1) ** 2 - (e / np.sqrt(2)) ** 2, 0) ** 0.5],
        (lambda v, e: np.sqrt(np.var(v, ddof=1) - e**2 / 2), "✗ 0 where the values spread less"),
        (lambda v, e: math.sqrt(np.var(v, ddof=1) - e**2 / 2), ""),
        (lambda v, e: np.sqrt(abs(np.var(v, ddof=1) - e**2 / 2)), "✗ 0 where the values spread less"),
        (lambda v, e: seed_part(v, 0.025), "✗ right for other arguments"),
        (lambda v, e: seed_part(v[:5], e), "✗ right for other arguments"),
        (lambda v, e: seed_part(v, e) * math.sqrt(len(v) / 5), "✗ right for other arguments"),
        (lambda v, e: round(seed_part(v, e), 3), "✗ the variance of the values"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
