"""Checks of the project: the search for an A, with one network for every mass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyhf
from numpy.typing import NDArray
from scipy import special, stats

from course.checks.compare import alike
from course.checks.report import Report, exercise
from course.checks.tables import caught, changed, follows, gives, hold, parts_follow, with_argument
from labcourse import significance

Floats = NDArray[np.float64]


def _significance(
    score: Any,
    is_signal: Any,
    weight: Any,
    n: int,
    *,
    edges: Callable[..., Any] = lambda score, is_signal, shares: np.quantile(score[is_signal], shares),
    z: Callable[..., Any] = significance.asimov,
    total: Callable[..., Any] = lambda z: np.sqrt((z**2).sum()),
    lowest: float = -np.inf,
) -> float:
    """Return the right answer to exercise 9.1; the options are the variants that students write."""
    inner = edges(score, is_signal, np.arange(1, n) / n)
    place = np.searchsorted(inner, score, side="right")
    kept = score >= (lowest if np.isinf(lowest) else score[is_signal].min())
    s, b = (np.bincount(place[rows & kept], weight[rows & kept], n) for rows in (is_signal, ~is_signal))
    return float(total(z(s, b)))


_OF_SIGNAL = "each bin holds the same part of the *signal*: quantiles of score[is_signal]"
_QUADRATURE = "the bins are independent: their squares add up, and the root comes last"
_OPEN = "the lowest bin is open below, the highest above: -np.inf and np.inf"
_MISTAKES_9_1 = (
    (partial(_significance, edges=lambda x, is_signal, q: q), "the bins have equal widths", _OF_SIGNAL),
    (partial(_significance, edges=lambda x, is_signal, q: np.quantile(x, q)), "quantiles of all events", _OF_SIGNAL),
    (partial(_significance, lowest=0.0), "what scores less than any signal is lost", _OPEN),
    (partial(_significance, total=np.sum), "the significances of the bins are added", _QUADRATURE),
    (with_argument(_significance, 2, np.ones_like), "events are counted", "s and b are sums of weights"),
    (partial(_significance, z=lambda s, b: s / np.sqrt(b)), "this is s/√b in each bin", "use the formula of Asimov"),
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


def _closure(blind: Any, seeing: Any) -> tuple[float, float]:
    return blind.value / seeing.value, float(np.std(blind.replicas / seeing.replicas))


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


def _moved(p: Any, k: Any) -> Any:
    return k * p / (k * p + 1 - p)


_ODDS = "write down s/(s + b) with k·s in the place of s, and express s/b by p"
_MISTAKES_9_5 = (
    (lambda p, k: k * p, "this is k·p, which can be more than one", f"the sum changes, too: {_ODDS}"),
    (lambda p, k: _moved(p, 1 / k), "k multiplies the background", "more signal makes each score larger"),
    (lambda p, k: p**k, "this is a power of p", _ODDS),
    (lambda p, k: k * p / (1 - p), "this is the ratio of signal to background", "a score is s/(s + b)"),
    (lambda p, k: k * p / (k * p + 1), "the background does not depend on p", "b is in proportion to 1 − p"),
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


def _shifted(m_zh: Any, m_ll: Any, m_bb: Any, f: Any, *, powers: tuple[int, int] = (2, 1)) -> Any:
    mixed = m_zh**2 - m_ll**2 - m_bb**2
    return np.sqrt(m_ll**2 + f ** powers[0] * m_bb**2 + f ** powers[1] * mixed)


_TERM = "2 p(ll)·p(bb) has one momentum of the jets in it, m_bb² two"
_MISTAKES_9_6 = (
    (lambda m_zh, m_ll, m_bb, f: f * m_zh, "leptons are scaled as well", "only jets are: m_ll stays"),
    (partial(_shifted, powers=(2, 0)), "the mixed term does not change", _TERM),
    (partial(_shifted, powers=(2, 2)), "the mixed term changes by f²", _TERM),
    (partial(_shifted, powers=(1, 1)), "m_bb² changes by f only", _TERM),
    (changed(_shifted, np.square), "this is the square of the mass", "take the root"),
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


_FREE = ("Zjets", "ttbar")
_BINS = {"signal": 3, "sideband": 2, "emu": 1}


def _modifiers(
    process: str,
    region: str,
    histogram: Any,
    *,
    mu: str = "signal",
    norm: str = "norm_{process}",
    lumi: Any = lambda process: process not in _FREE,
    statistics: Any = lambda process: process != "signal",
    name: str = "simulation_{region}",
    error: Callable[..., Any] = np.sqrt,
    turned: bool = False,
) -> list[dict[str, Any]]:
    """Return the right answer to exercise 9.7; the options are the variants that students write."""
    made: list[tuple[str, str, Any]] = []
    for variation, data in histogram.variations.items():
        low, high = (list(column) for column in (data[::-1] if turned else data))
        made.append((variation, "histosys", {"lo_data": low, "hi_data": high}))
    if (process == "signal") if mu == "signal" else mu == "all":
        made.append(("mu", "normfactor", None))
    if process in _FREE:
        made.append((norm.format(process=process, region=region), "normfactor", None))
    elif process != "signal":
        made.append((f"theory_{process}", "normsys", {"lo": 0.9, "hi": 1.1}))
    if lumi(process):
        made.append(("lumi", "lumi", None))
    if statistics(process):
        made.append((name.format(region=region), "staterror", list(error(histogram.variance))))
    return [{"name": name, "type": kind, "data": data} for name, kind, data in made]


def _effects(modifiers: Callable[..., Any]) -> dict[str, Any]:
    """Return what each parameter of the model does to all bins, one up and one down, and its error; or "refused"."""
    rng = np.random.default_rng(97)
    channels: dict[str, list[dict[str, Any]]] = {region: [] for region in _BINS}
    for region, n in _BINS.items():
        for process in ("signal", *_FREE, "Zh", "diboson"):
            expected, shifts = rng.uniform(5, 50, n), rng.uniform(0.02, 0.1, (4, n))
            bent = [(expected * (1 - low), expected * (1 + high)) for low, high in (shifts[:2], shifts[2:])]
            histogram = SimpleNamespace(expected=expected, variance=expected * rng.uniform(0.1, 0.5, n))
            histogram.variations = dict(zip(("jet_energy", "b_tagging"), bent, strict=True))
            own = modifiers(process, region, histogram)
            channels[region].append({"name": process, "data": list(expected), "modifiers": own})
    luminosity = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "inits": [1.0], "bounds": [[0.5, 1.5]]}
    try:
        spec = {"channels": [{"name": n, "samples": s} for n, s in channels.items()], "parameters": [luminosity]}
        model = pyhf.Model(spec, poi_name="mu")
    except (pyhf.exceptions.InvalidSpecification, pyhf.exceptions.InvalidModel, pyhf.exceptions.InvalidModifier) as e:
        return {"refused": str(e).strip().split("\n")[0][:150]}
    start, effects = np.array(model.config.suggested_init()), {}
    for name in model.config.par_order:
        parameter, place = model.config.param_set(name), model.config.par_slice(name)
        effects[name] = [np.ravel(parameter.width())] if parameter.constrained else []
        for step in (-1, 1):
            moved = start.copy()
            moved[place] += step
            effects[name].append(np.asarray(model.expected_actualdata(moved)))
    return {name: np.concatenate(parts) for name, parts in effects.items()}


_effects_of_ours = cache(_effects)

_MEASURED = "regions without signal measure how much Z + jets and t t̄ there is, whatever the luminosity"
_STATISTICS = "a simulated background with few events is uncertain by the root of its variance"
_MISTAKES_9_7 = (
    (
        partial(_modifiers, mu="none"),
        "nothing is called mu",
        "the signal's strength is what you look for: a normfactor",
    ),
    (partial(_modifiers, mu="all"), "mu scales the background, too", "only signal comes with mu"),
    (partial(_modifiers, norm="norm"), "Z + jets and t t̄ share a factor", "a parameter is known by its name"),
    (
        partial(_modifiers, norm="norm_{process}_{region}"),
        "each region has a normalisation of its own",
        "then no region could measure anything for another: what is one parameter has one name",
    ),
    (partial(_modifiers, lumi=lambda process: True), "free processes scale with the luminosity, too", _MEASURED),
    (partial(_modifiers, lumi=lambda process: False), "nothing depends on the luminosity", "what is not measured does"),
    (partial(_modifiers, turned=True), "down and up are exchanged", "variations hold (down, up): lo_data, hi_data"),
    (partial(_modifiers, statistics=lambda process: True), "the signal has a staterror", "backgrounds only"),
    (partial(_modifiers, statistics=lambda process: False), "there is no staterror", _STATISTICS),
    (partial(_modifiers, error=np.asarray), "the variance stands where an error belongs", _STATISTICS),
    (
        partial(_modifiers, name="simulation"),
        "one staterror is for all regions",
        "bins of two regions are not the same",
    ),
)
_GROUPS = (
    ("mu", "mu scales the signal, and nothing else", "a normfactor of the signal in all regions"),
    ("norm_", "Z + jets and t t̄ float freely, in all regions together", _MEASURED),
    ("lumi", "the luminosity scales what no region measures", "signal, Zh and diboson"),
    ("theory_", "theory knows Zh and diboson to 10 %", "a normsys with lo 0.9 and hi 1.1"),
    ("simulation_", "each bin knows the statistics of its simulation", _STATISTICS),
    (
        "",
        "jet energy and b tagging bend all processes",
        "a histosys for each of histogram.variations, also the signal's",
    ),
)


@exercise("9.7")
def exercise_9_7(answer: Any, report: Report) -> None:
    """The modifiers of a HistFactory model."""
    found, right = _effects(answer), _effects_of_ours(_modifiers)
    mistakes = [(partial(_effects_of_ours, wrong), what, hint) for wrong, what, hint in _MISTAKES_9_7]
    report.recognises(found, *mistakes, right=right)
    form = 'a list of dictionaries {"name": …, "type": …, "data": …}, as in the table above'
    caught(report, ("refused" in found, f"pyhf refuses the model: {found.get('refused')}", form))
    missing, more = (", ".join(sorted(a - b)) for a, b in ((set(right), set(found)), (set(found), set(right))))
    said = "; ".join(f"{what}: {names}" for what, names in (("missing", missing), ("not asked for", more)) if names)
    hold(report, (not said, "all parameters are there", "compare the names with those of the task", said))
    for start, what, hint in _GROUPS:
        names = [name for name in right if name.startswith(start)]
        report.holds(all(alike(found[name], right[name]) for name in names), what, hint=hint)


_BELOW = stats.poisson.cdf


def _cls(n: Any, s: Any, b: Any) -> Any:
    return _BELOW(n, s + b) / _BELOW(n, b)


_RATIO = "P(≤ n | s + b) / P(≤ n | b)"
_MISTAKES_9_8 = (
    (lambda n, s, b: _BELOW(n, s + b), "the background's probability is missing", f"divide by it: {_RATIO}"),
    (
        lambda n, s, b: stats.poisson.pmf(n, s + b) / stats.poisson.pmf(n, b),
        "these are probabilities of exactly n events",
        "n *or fewer*: cdf",
    ),
    (changed(_cls, lambda p: 1 - p), "this is the confidence level", "CLs is small where a signal is excluded"),
    (
        lambda n, s, b: stats.poisson.sf(n - 1, s + b) / stats.poisson.sf(n - 1, b),
        "this is n events or more",
        "a signal is excluded because *fewer* events came than it would give",
    ),
    (changed(_cls, lambda p: 1 / p), "the ratio is turned round", _RATIO),
    (lambda n, s, b: _BELOW(n, s) / _BELOW(n, b), "signal comes without background", "expected are s + b"),
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


def _interval(masses: Any, z: Any, *, near: Any = lambda z: z**2 >= z.max() ** 2 - 1, unbroken: bool = True) -> Any:
    top, close = int(np.argmax(z)), near(z)
    outside = np.r_[-1, np.flatnonzero(~close), len(z)] if unbroken else np.array([-1, len(z)])
    low, high = outside[outside < top].max() + 1, outside[outside > top].min() - 1
    if not unbroken:
        low, high = np.flatnonzero(close)[[0, -1]]
    return masses[top], masses[low], masses[high]


_SQUARE = "one standard deviation away, −2 ln L has risen by 1, and Z² is such a difference"
_MISTAKES_9_9 = (
    (partial(_interval, near=lambda z: z >= z.max() - 1), "Z falls by 1, and not Z²", _SQUARE),
    (partial(_interval, near=lambda z: z**2 >= z.max() ** 2 - 0.5), "Z² falls by ½", _SQUARE),
    (partial(_interval, near=lambda z: z >= z.max() / 2), "this is the width at half of the height", _SQUARE),
    (partial(_interval, unbroken=False), "a hill far away is included", "the row around the best mass is *unbroken*"),
    (lambda m, z: _interval(np.arange(len(m)), z), "these are positions", "return masses[…]"),
    (
        lambda m, z: (_interval(m, z)[0], *np.abs(np.subtract(_interval(m, z)[1:], _interval(m, z)[0]))),
        "these are distances from the best mass",
        "the ends themselves are asked for",
    ),
)


@exercise("9.9")
def exercise_9_9(answer: Any, report: Report) -> None:
    """The best mass of a scan, and the ends of its interval."""
    masses = np.arange(400.0, 740, 20)
    z = np.array([0.2, 1, 3.92, 2, 1.8, 2.2, 3, 3.5, 3.87, 3.9, 4, 3.91, 3.89, 3.8, 3.2, 2.1, 0.5])
    given, names = (masses, z), "best, low, high"
    swapped = changed(_interval, lambda found: (found[1], found[0], found[2])), "the order is another one", names
    what = "the unbroken row of masses around the best one whose Z² is at most 1 below"
    report.parts(answer(*given), names, 3)
    follows(report, answer, _interval, given, (swapped, *_MISTAKES_9_9), what, _SQUARE)
    ends = [(masses[10:], z[10:]), (masses[:11], z[:11]), (masses[:3] + 7, z[:3])]
    for_ends = "right where the scan ends before the row does", "the first and the last mass have one neighbour only"
    gives(report, answer, *((scan, _interval(*scan), *for_ends) for scan in ends))


def _global_p(largest: Any, z: Any, *, ones: tuple[int, int] = (1, 1), sign: int = 1) -> float:
    largest = np.asarray(largest)
    return float(((sign * largest >= sign * z).sum() + ones[0]) / (len(largest) + ones[1]))


_PLUS_ONE = "what was seen is an experiment, too: plus one above and below, so that p is never 0"
_MISTAKES_9_10 = (
    (lambda largest, z: stats.norm.sf(z), "this is the local p-value", "compare with the *largest* excess of each"),
    (lambda largest, z: 2 * stats.norm.sf(z), "this is a local p-value of two sides", "count experiments"),
    (partial(_global_p, ones=(0, 0)), "the ones are missing", _PLUS_ONE),
    (partial(_global_p, ones=(1, 0)), "the one below is missing", _PLUS_ONE),
    (partial(_global_p, sign=-1), "these are the experiments below", "as large as z or larger: >="),
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
