"""Checks of the project: the search for an A, with one network for every mass."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, gives, parts_follow, variants, with_argument

Floats = NDArray[np.float64]


_significance, _closure, _moved, _shifted, _modifiers, _cls, _interval, _global_p = map(
    course_answer, ("9.1", "9.4", "9.5", "9.6", "9.7", "9.8", "9.9", "9.10")
)

_OF_SIGNAL = "each bin holds the same part of the *signal*: quantiles of score[is_signal]"
_QUADRATURE = "the bins are independent: their squares add up, and the root comes last"
_OPEN = "the lowest bin is open below, the highest above: -np.inf and np.inf"
_MISTAKES_9_1 = variants(
    "9.1",
    ("np.quantile(score[is_signal], ", "(", "the bins have equal widths", _OF_SIGNAL),
    ("quantile(score[is_signal]", "quantile(score", "quantiles of all events", _OF_SIGNAL),
    ((("np.sqrt", ""), (" ** 2", "")), "the significances of the bins are added", _QUADRATURE),
    (with_argument(_significance, 2, np.ones_like), "events are counted", "s and b are sums of weights"),
    ("measures.asimov(s, b) ** 2", "s**2 / b", "this is s/√b in each bin", "use the formula of Asimov"),
)


def _scored(n_signal: int = 12) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return events whose background lies close to the signal: no edge between two scores of signal divides it."""
    own = np.linspace(0.15, 0.97, n_signal) ** 0.6
    score = np.r_[own, own + 1e-3, own[:3] + 2e-3, 0.02, 0.11, 0.21]
    weight = np.r_[np.full(n_signal, 0.25), np.geomspace(9, 0.3, n_signal), -0.2, 2.0, 1.0, 40.0, 30.0, 8.0]
    mixed = np.random.default_rng(91).permutation(len(score))
    return score[mixed], (np.arange(len(score)) < n_signal)[mixed], weight[mixed]


@exercise("9.1")
def exercise_9_1(answer: Any, report: Report) -> None:
    """The significance of a score in bins of equal signal."""
    given = *_scored(), 4
    what = "bins of equal signal, their significances in quadrature"
    follows(report, answer, _significance, given, _MISTAKES_9_1, what, _OF_SIGNAL)
    score, is_signal, weight, n = given
    stretched = special.logit(score), is_signal, weight, n
    gives(report, answer, (stretched, _significance(*given), "a score that is stretched is worth the same", _OPEN))
    report.agrees(answer, _significance, (*_scored(17), 5), (*_scored(), 1), hint="use the argument n")


@exercise("9.2")
def exercise_9_2(answer: Any, report: Report) -> None:
    """The input m_A of a training."""
    m_true = np.tile([300.0, 0.0, 700.0, 0.0], 1000)
    masses = np.array([300.0, 500.0, 700.0, 2000.0])
    signal, choose = m_true > 0, "rng.choice(masses, len(m_true))"

    def drawn_with(seed: int) -> Floats:
        return np.asarray(answer(m_true, masses, np.random.default_rng(seed)), float)

    drawn = drawn_with(1)
    report.holds(drawn.shape == m_true.shape, "every event has one mass", hint=choose)
    background = drawn[~signal]
    are_own, are_known = (drawn[signal] == m_true[signal]).all(), np.isin(background, masses).all()
    caught(
        report,
        (not are_own, "signal events get another mass than their own", "np.where(m_true > 0, m_true, …)"),
        (not background.any(), "the background keeps its 0", "0 would give it away: draw one of masses"),
        (np.ptp(background) == 0, "all background events get the same mass", f"draw one for each: {choose}"),
        (not are_known, "some masses are none of those of the signal", f"{choose}, not a range of numbers"),
    )
    again, other = (drawn_with(seed)[~signal] for seed in (1, 2))
    from_rng = np.array_equal(again, background) and not np.array_equal(other, background)
    not_rng = "the masses do not come from the generator that is given"
    decides, equal = "the generator that is given decides", "each mass is as likely as any other"
    report.holds(from_rng, decides, mistake=not_rng, hint="use rng, not np.random: a training has to repeat")
    share = np.array([(background == mass).mean() for mass in masses])
    more = "some masses are drawn more often than others"
    report.holds(np.abs(share - 0.25) < 0.05, equal, mistake=more, hint="rng.choice without probabilities")
    report.holds(
        lambda: abs(np.mean(background[1:] == background[:-1]) - 0.25) < 0.05,
        "each event has a draw of its own",
        mistake="an event's mass depends on that of the event before",
        hint=choose,
    )


def _n_worse(points: Any, *, among: Any = None, than: str = "m_zh", sign: int = 1) -> int:
    """Return at how many masses other than 500 GeV the network is worse; the options are usual mistakes."""
    others = np.asarray(points["masses"]) != 500 if among is None else among
    return int((others & (sign * (np.asarray(points[than]) - np.asarray(points["network"])) > 0)).sum())


@exercise("9.3", make_fallback=lambda points: _n_worse(points))
def exercise_9_3(answer: Any, report: Report, points: Any) -> None:
    """At how many other masses a network of 500 GeV is worse than m_Zh alone."""
    n = _n_worse(points)
    mistakes = (
        (_n_worse(points, sign=-1), "these are the masses where it is better", "the lower significance is worse"),
        (_n_worse(points, among=True), "500 GeV is counted as well", "count the other masses only"),
        (
            _n_worse(points, than="own"),
            "it is compared with the networks of the other masses",
            "compare with the curve of m_Zh alone",
        ),
        (n / (len(points["masses"]) - 1), "this is a share", "a number of masses is asked for"),
    )
    report.reading(answer, n, "masses where it is worse than m_Zh alone", *mistakes, hint="compare mass by mass")


def _independent(blind: Any, seeing: Any) -> Any:
    return blind.value / seeing.value * np.hypot(blind.error / blind.value, seeing.error / seeing.value)


_BLIND = "relative to the network that has seen the mass: divide by its significance"
_PAIRED = "both are of the same events: take the ratio in each replica, then the scatter of the ratios"
_MISTAKES_RATIO = (
    (lambda blind, seeing: seeing.value / blind.value, "the ratio is turned round", _BLIND),
    (lambda blind, seeing: blind.value - seeing.value, "this is the difference", _BLIND),
)
_MISTAKES_SCATTER = (
    (_independent, "the errors are added as if they were independent", _PAIRED),
    (lambda blind, seeing: blind.error, "this is the error of one significance", _PAIRED),
    (lambda blind, seeing: np.std(blind.replicas - seeing.replicas), "this is the error of the difference", _PAIRED),
)


@exercise("9.4")
def exercise_9_4(answer: Any, report: Report) -> None:
    """The significance at a mass that was left out, relative to that of a network that saw it."""

    def paired(*values: float) -> list[Any]:
        rng = np.random.default_rng(94)
        common = rng.normal(0, 0.08, 4000)
        each = [(z, z * (1.02 + common + rng.normal(0, 0.02, 4000))) for z in values]
        return [SimpleNamespace(mass=700, value=z, replicas=near, error=np.std(near)) for z, near in each]

    given = tuple(paired(2.1, 2.4))
    ratio = _MISTAKES_RATIO, "the ratio of the two significances", _BLIND
    error = _MISTAKES_SCATTER, "its error is the scatter of the ratio", _PAIRED
    # With n or n − 1 in the standard deviation: both are right.
    parts_follow(report, answer, _closure, given, "ratio, error", ratio, error, relative=1e-3)
    report.agrees(answer, _closure, tuple(paired(5.0, 3.2)), hint="use value and replicas of both", relative=1e-3)


_ODDS = "write down s/(s + b) with k·s in the place of s, and express s/b by p"
_MISTAKES_9_5 = variants(
    "9.5",
    (" / (k * p + 1 - p)", "", "this is k·p, which can be more than one", f"the sum changes, too: {_ODDS}"),
    ("k * p", "p / k", "k multiplies the background", "more signal makes each score larger"),
    ("k * p + 1 - p", "1 - p", "this is the ratio of signal to background", "a score is s/(s + b)"),
    (" + 1 - p", " + 1", "the background does not depend on p", "b is in proportion to 1 − p"),
)


@exercise("9.5")
def exercise_9_5(answer: Any, report: Report) -> None:
    """The score of a perfect classifier when all signal weighs k times as much."""
    given = np.array([0.05, 0.3, 0.5, 0.8, 0.97]), 3.0
    follows(report, answer, _moved, given, _MISTAKES_9_5, "the score of a signal that weighs k times as much", _ODDS)
    ends = np.array([0.0, 0.25, 1.0])
    certain = "scores of 0 and 1 stay where they are", "bring the fraction to a form that never divides by 1 − p"
    gives(report, answer, ((ends, 2.0), np.array([0, 0.4, 1]), *certain))
    report.agrees(answer, _moved, (np.array([0.2, 0.9]), 0.01), hint="k can be smaller than one")


_TERM = "2 p(ll)·p(bb) has one momentum of the jets in it, m_bb² two"
_MISTAKES_9_6 = variants(
    "9.6",
    (lambda m_zh, m_ll, m_bb, f: f * m_zh, "leptons are scaled as well", "only jets are: m_ll stays"),
    ("f * mixed", "mixed", "the mixed term does not change", _TERM),
    ("f * mixed", "f**2 * mixed", "the mixed term changes by f²", _TERM),
    ("f**2", "f", "m_bb² changes by f only", _TERM),
    ("np.sqrt", "", "this is the square of the mass", "take the root"),
)


@exercise("9.6")
def exercise_9_6(answer: Any, report: Report) -> None:
    """m_Zh of events whose jets have f times their four-momentum."""
    given = np.array([310.0, 505.0, 1240.0]), np.array([91.0, 88.0, 93.5]), np.array([124.0, 101.0, 140.0]), 1.3
    follows(report, answer, _shifted, given, _MISTAKES_9_6, "m_Zh from its three terms", _TERM, relative=1e-5)
    unchanged = "f = 1 changes nothing", "the three terms add up to m_Zh² again"
    gives(report, answer, ((*given[:3], 1.0), given[0], *unchanged), relative=1e-5)
    other = np.array([420.0, 800.0]), np.array([90.0, 92.0]), np.array([120.0, 115.0]), 0.6
    report.agrees(answer, _shifted, other, hint="use all arguments", relative=1e-5)


_MEASURED = "regions without signal measure how much Z + jets and t t̄ there is, whatever the luminosity"
_STATISTICS = "a simulated background with few events is uncertain by the root of its variance"
_ONE_NAME = "then no region could measure anything for another: what is one parameter has one name"
_MU_OF_ALL = (
    ('if process == "signal":', "if True:"),
    ("    else:\n        errors", '    if process != "signal":\n        errors'),
)
# What is missing or too much is said by its name; these are the mistakes that need more words.
_MISTAKES_9_7 = variants(
    "9.7",
    (_MU_OF_ALL, "mu scales the background, too", "only signal comes with mu"),
    ("norm_{process}", "norm_{process}_{region}", "each region has a normalisation of its own", _ONE_NAME),
    ("else:\n        found", "if True:\n        found", "free processes scale with the luminosity, too", _MEASURED),
    ("(down, up) in", "(up, down) in", "down and up are exchanged", "variations hold (down, up): lo_data, hi_data"),
    ("np.sqrt(histogram.variance)", "histogram.variance", "the variance stands where an error belongs", _STATISTICS),
    ("simulation_{region}", "simulation", "one staterror is for all regions", "bins of two regions are not the same"),
)


def _histograms() -> dict[tuple[str, str], Any]:
    """Return a histogram for each process and region, as `azh.Search.templates` makes them."""
    rng = np.random.default_rng(97)
    made: dict[tuple[str, str], Any] = {}
    for region, n in (("signal", 3), ("sideband", 2), ("emu", 1)):
        for process in ("signal", "Zjets", "ttbar", "Zh", "diboson"):
            expected = rng.uniform(5, 50, n)
            bent = {name: tuple(expected * rng.uniform(0.9, 1.1, (2, n))) for name in ("jet_energy", "b_tagging")}
            made[process, region] = SimpleNamespace(expected=expected, variance=expected / 3, variations=bent)
    return made


def _difference(given: dict[str, Any], own: dict[str, Any]) -> str:
    """Say which modifiers are missing, too many or other ones; empty if all are right."""
    others = {name for name in own.keys() & given.keys() if not alike(given[name], own[name])}
    parts = {"missing": own.keys() - given.keys(), "not asked for": given.keys() - own.keys()}
    parts |= {"of another type or with other data": others}
    return "; ".join(f"{what}: {', '.join(sorted(map(str, names)))}" for what, names in parts.items() if names)


@exercise("9.7")
def exercise_9_7(answer: Any, report: Report) -> None:
    """The modifiers of a HistFactory model."""
    histograms = _histograms()
    lists = [answer(*place, histogram) for place, histogram in histograms.items()]

    def by_name(modifiers: Any) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            place: {each["name"]: (each["type"], each["data"]) for each in modifiers(*place, histogram)}
            for place, histogram in histograms.items()
        }

    report.holds(
        lambda: json.loads(json.dumps(lists)) == lists and by_name(answer),
        "returns lists of modifiers that can be kept as JSON",
        hint='dictionaries {"name": …, "type": …, "data": …}, as in the table above, with lists and no arrays',
    )
    found, right = by_name(answer), by_name(_modifiers)
    mistakes = [(partial(by_name, wrong), what, hint) for wrong, what, hint in _MISTAKES_9_7]
    report.recognises(found, *mistakes, right=right)
    said = [
        f"{process} in the region {region}: {difference}"
        for (process, region), own in right.items()
        if (difference := _difference(found[process, region], own))
    ]
    what, hint = "each process has its modifiers", "compare names, types and data with what the task asks for"
    report.holds(not said, what, mistake=said[0] if said else "", hint=hint)


_RATIO = "P(≤ n | s + b) / P(≤ n | b)"
_FEWER = "a signal is excluded because *fewer* events came than it would give"
_MISTAKES_9_8 = variants(
    "9.8",
    (" / stats.poisson.cdf(n, b)", "", "the background's probability is missing", f"divide by it: {_RATIO}"),
    ("return ", "return 1 - ", "this is the confidence level", "CLs is small where a signal is excluded"),
    ("cdf(n,", "sf(n - 1,", "this is n events or more", _FEWER),
    ("return ", "return 1 / ", "the ratio is turned round", _RATIO),
    ("s + b", "s", "signal comes without background", "expected are s + b"),
)


@exercise("9.8")
def exercise_9_8(answer: Any, report: Report) -> None:
    """CLs of a count."""
    given = 4, np.array([0.5, 3.0, 7.0, 12.0]), 2.5
    follows(report, answer, _cls, given, _MISTAKES_9_8, "the ratio of the two probabilities, for each s", _RATIO)
    nothing = "with n = 0 the background does not matter", "put n = 0 into the formula of Poisson"
    none = "a signal of nothing is never excluded", _RATIO
    gives(report, answer, ((0, 3.0, 8.0), _cls(0, 3.0, 0.1), *nothing), ((3, 0.0, 1.5), 1.0, *none))
    report.agrees(answer, _cls, (9, np.array([2.0, 15.0]), 11.0), hint="use all arguments")


_SQUARE = "one standard deviation away, −2 ln L has risen by 1, and Z² is such a difference"
_ALLOWED, _ENDS = "np.asarray(z) ** 2 >= z[best] ** 2 - 1", "masses[best], masses[low], masses[high]"
_MISTAKES_9_9 = variants(
    "9.9",
    (_ENDS, "masses[low], masses[best], masses[high]", "the order is another one", "best, low, high"),
    (_ALLOWED, "z >= z[best] - 1", "Z falls by 1, and not Z²", _SQUARE),
    ("** 2 - 1", "** 2 - 0.5", "Z² falls by ½", _SQUARE),
    (
        "low = high = best",
        "low, high = np.flatnonzero(allowed)[[0, -1]]",
        "a hill far away is included",
        "the row around the best mass is *unbroken*",
    ),
    (_ENDS, "best, low, high", "these are positions", "return masses[…]"),
)


@exercise("9.9")
def exercise_9_9(answer: Any, report: Report) -> None:
    """The best mass of a scan, and the ends of its interval."""
    masses = np.arange(400.0, 740, 20)
    z = np.array([0.2, 1, 3.92, 2, 1.8, 2.2, 3, 3.5, 3.87, 3.9, 4, 3.91, 3.89, 3.8, 3.2, 2.1, 0.5])
    given = masses, z
    what = "the unbroken row of masses around the best one whose Z² is at most 1 below"
    report.parts(answer(*given), "best, low, high", 3)
    follows(report, answer, _interval, given, _MISTAKES_9_9, what, _SQUARE)
    ends = [(masses[10:], z[10:]), (masses[:11], z[:11]), (masses[:3] + 7, z[:3])]
    for_ends = "right where the scan ends before the row does", "the first and the last mass have one neighbour only"
    gives(report, answer, *((scan, _interval(*scan), *for_ends) for scan in ends))


_PLUS_ONE = "what was seen is an experiment, too: plus one above and below, so that p is never 0"
_MISTAKES_9_10 = variants(
    "9.10",
    (lambda largest, z: stats.norm.sf(z), "this is the local p-value", "compare with the *largest* excess of each"),
    (lambda largest, z: 2 * stats.norm.sf(z), "this is a local p-value of two sides", "count experiments"),
    (" + 1", "", "the ones are missing", _PLUS_ONE),
    ("(len(largest) + 1)", "len(largest)", "the one below is missing", _PLUS_ONE),
    (">=", "<=", "these are the experiments below", "as large as z or larger: >="),
)


@exercise("9.10")
def exercise_9_10(answer: Any, report: Report) -> None:
    """The global p-value of the largest excess of a scan."""
    largest = np.random.default_rng(910).normal(1.8, 0.9, 60)
    given = largest, 2.6
    what = "the share of experiments with an excess as large anywhere"
    follows(report, answer, _global_p, given, _MISTAKES_9_10, what, _PLUS_ONE)
    never = "where no experiment reaches z, p is not zero", _PLUS_ONE
    gives(report, answer, ((largest, 9.0), 1 / 61, *never))
    report.agrees(answer, _global_p, (largest[:25] + 1, 3.1), hint="use both arguments; len(largest) experiments")
