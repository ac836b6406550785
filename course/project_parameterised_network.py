# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Research project – The search for A → Zh
#
# The course is behind you. Here you do what comes after it: you search for something that nobody has seen. Many theories have a
# heavy partner of the Higgs boson, called A, that decays to a Z boson and a Higgs boson: A → Zh → ℓ⁺ℓ⁻ b b̄. Nobody knows its mass.
#
# A file lies beside this notebook. It holds what an experiment recorded in 139 fb⁻¹ of simulated collisions. Somebody may have hidden an A in it,
# and has told neither you nor this notebook. Take two evenings. At the end you say: *found*, with a mass and a cross-section, or *excluded*, down to which cross-section.

# %% [markdown]
# ## What you will do
#
# - find out how far a physicist comes with one variable, and why a network of one mass does not help;
# - train *one* network for all masses, with the mass as an input, and show that it works at masses that it has never seen;
# - write the statistical model of the search: three regions, free normalisations, shapes that bend;
# - break the seal: fit the data, scan all masses, and ask how often chance alone looks like that.
#
# | time | needs | makes |
# |---|---|---|
# | 180 minutes | the events in `data/azh` | limits, a verdict, `results.json` |

# %%
from dataclasses import replace

import azh
from azh import figures, fits, limits, search, sensitivity, study, templates
from course import checks, interactive, outputs
from labcourse import plotting, progress
from labcourse import significance as measures

import numpy as np
import pandas as pd
from scipy import stats

chapter = outputs.Chapter(9, sources=(), solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(9)

# %% [markdown]
# ## 9.1 The hunt
#
# An A is made by two gluons and decays to Z and h. The Z decays to two electrons or two muons, the h to two b quarks, which make jets. So the
# selection asks for two leptons and two jets with a *b tag*. Four processes look alike: Z bosons with jets, pairs of top quarks, Zh without an A, and pairs of
# vector bosons (ZZ, WZ).
#
# There are three *regions*. In `signal` the mass of the two b jets fits a Higgs boson; the `sideband` lies beside it; `emu` has an electron and a muon, which a Z hardly ever gives (only through two τ; we leave them out). The side bands
# hold about a third as much signal as the window, but on more background; eµ holds none. They measure the backgrounds. The page `docs/parameterised.md` says how the events are simulated, and lists the columns.

# %%
events = azh.read()
expected = events.pivot_table("weight", "process", "region", "sum", observed=True).astype(float)
data = azh.read_sealed(1)  # or 2, 3, 4: your instructor may have given you another number
expected.drop("signal").assign(**{"negative weights": events["weight"].lt(0).groupby(events["process"]).mean()}).round(
    2
)

# %%
pd.DataFrame({"expected background": expected.drop("signal").sum(), "data": data["region"].value_counts()}).round(0)

# %% [markdown]
# So many events are expected, and so many were recorded. The numbers agree within about two per cent, up to two of their errors (Poisson's and the simulation's). Is that a sign that there is no A? Eighty events of an A would be two per mille. A count sees nothing; what
# counts is where the events lie.

# %%
fig, ax = figures.mass(events, (500, 1000), data=data)
plotting.show(
    fig,
    alt="Events of the signal region against the mass of the two leptons and two jets, from 200 to 2400 GeV, logarithmic: stacked backgrounds and points of data. All fall steeply from 250 GeV on; Z plus jets is "
    "the largest, top pairs next to it at 250 GeV. Two signals of 0.05 picobarn are drawn as peaks, that of 500 GeV below the background, that of 1000 GeV above it. The data follow the background.",
)

# %% [markdown]
# The signals are drawn for 0.05 pb: cross-section times the branching ratios of A → Zh and h → b b̄ (that of the Z comes on top). Would you see one of 500 GeV with the naked eye? It is a bump of a few dozen
# events on a few hundred. One of 1000 GeV would stick out.

# %% [markdown]
# ### How good is a variable?
#
# We need one number to compare variables and networks with. A cut throws events away, so use all bins of a histogram. But *which* bins? A network's score can be squeezed or stretched (its square is as good a score), and bins of equal
# width would change with it. So take bins that hold **equal parts of the signal**. Then only the order of the events counts.
#
# In each bin the Asimov significance says what $s_i$ events of signal are worth on $b_i$ of background; independent bins add in quadrature.

# %% [markdown]
# ### Exercise 9.1 – A figure of merit that nobody can stretch (write code)
#
# Write `significance(score, is_signal, weight, n)` for arrays of shape `(n_events,)`. Bin the score in `n` bins that hold equal parts of the signal; the lowest is open below, the highest above. `measures.asimov(s, b)` takes arrays. The weights are expected events.


# %% tags=["exercise-9.1"]
def significance(score, is_signal, weight, n):
    """Expected significance of a score, from n bins of equal signal."""
    ### BEGIN SOLUTION
    edges = np.quantile(score[is_signal], np.arange(1, n) / n)
    place = np.searchsorted(edges, score, side="right")
    s = np.bincount(place[is_signal], weight[is_signal], n)
    b = np.bincount(place[~is_signal], weight[~is_signal], n)
    return np.sqrt(np.sum(measures.asimov(s, b) ** 2))
    ### END SOLUTION


# %% tags=["check-9.1"]
significance = checks.exercise_9_1(significance)

# %% [markdown]
# `azh.significances` does the same in ten bins, and takes care of what the formula cannot: where the simulation has too few events to know a background, bins are merged, so that an accident of the simulation never
# counts as certainty. Its errors come from 200 bootstrap replicas of the events. The cross-section has to be stated; ours is 0.05 pb at 500 GeV and falls as $1/m_A^2$, which is about what a network could begin to see up to 1200 GeV; at 2000 GeV it is less.
#
# Half of the simulated events will train, the other half judges. Each event knows its half by its identity, as always. Here is the physicist's baseline: $m_{Zh}$, and nothing else.

# %%
parts = azh.split(events)
baseline = azh.significances(lambda table: table["m_zh"], parts.test, scale=2)
print({name: len(part) for name, part in parts._asdict().items()})
pd.DataFrame(
    {z.mass: {"cross-section (pb)": sensitivity.reference(z.mass), "Z of m_Zh": z.value} for z in baseline}
).round(3)

# %% [markdown]
# ## 9.2 A network of one mass, and one of all
#
# Nineteen numbers describe an event: masses, momenta, angles, b-tag scores. A network that is trained with the signal of 500 GeV finds 500 GeV. *Guess first: what does it do at 900 GeV, where it was never trained?*
#
# The other way is one network for all masses, which gets the mass that is tested as an input $m_A$ (Baldi et al., arXiv:1601.07913). For a signal event $m_A$ is the mass that was simulated. But what is the $m_A$ of a background event? It has none. If
# it were always 0, the network would look at this input alone and be right every time. So each background event gets a mass *at random, with the distribution of the signal's*, and another one in each epoch. Then the mass
# alone says nothing, and the network has to learn: "for this mass, does the rest look like signal?"

# %% [markdown]
# ### Exercise 9.2 – A mass for every event (write code)
#
# Write `draw(m_true, masses, rng)`. `m_true` is an array with the true mass, 0 for background; `masses` are those of the signal: draw each with the same probability (in the training all masses count the same); `rng` is a
# NumPy generator.


# %% tags=["exercise-9.2"]
def draw(m_true, masses, rng):
    """Input m_A of a training: the true mass of signal, one of the masses at random for background."""
    ### BEGIN SOLUTION
    return np.where(m_true > 0, m_true, rng.choice(masses, len(m_true)))
    ### END SOLUTION


# %% tags=["check-9.2"]
draw = checks.exercise_9_2(draw)

# %% [markdown]
# Does it do what it should? Here is the share of each mass in what a training sees, weights included: first of the signal, then of the background with the masses that your function has drawn.

# %%
own, is_signal = parts.train, azh.events.is_signal(parts.train)
drawn = draw(own["m_a_true"].to_numpy(), azh.MASSES, np.random.default_rng(9))
weight = azh.methods.training_weights(own)
shares = pd.DataFrame(
    {"m_a": drawn, "weight": weight / np.where(is_signal, weight[is_signal].sum(), weight[~is_signal].sum())}
)
shares.pivot_table("weight", np.where(is_signal, "signal", "background"), "m_a", "sum").round(3)

# %% [markdown]
# Both rows say the same, up to chance: whoever looks at $m_A$ alone knows nothing.

# %% [markdown]
# `azh.train` does so in each epoch. It balances the weights as well: all masses together count $k$ times as much as the background, with $k = 0.03$, and each mass as much as any other. Negative weights count by their size, as in chapter 5. More about $k$ in section 9.4.
#
# One more number helps. A network can find out by itself that signal lies near $m_{Zh} = m_A$, but it would have to learn that for each mass anew. So it gets $\ln(m_{Zh}/m_A)$ as well, cut off at ±0.5: for signal it is near 0, whatever the mass. What you know, you need not let a network guess.
#
# Four kinds of networks and trees follow: one network with the mass as an input (and the same with two other seeds of the training, for later); one of all masses that is not told which mass is tested; for each mass one that was trained with it alone; and boosted decision trees, to which the mass
# and all other inputs are given as well. Fourteen networks of one mass take less than a minute together.

# %% tags=["nbval-ignore-output"]
trained = azh.train(parts, seed=1)
other_seeds = [
    azh.train(parts, seed=int(seed), progress=False).classify for seed in progress.each((2, 3), "another seed, {:g}")
]
without_mass = azh.train(parts, with_mass=False, seed=1, progress=False)
tree = azh.train_tree(parts, signal_scale=azh.IMPROVED.signal_scale, seed=1)
single = {
    mass: azh.train(parts, masses=(mass,), seed=1, progress=False).classify
    for mass in progress.each(azh.MASSES, "network of {:g} GeV")
}

# %% tags=["nbval-ignore-output"]
curves = {
    "parameterised": azh.significances(trained.classify, parts.test, scale=2),
    "single_mass": [azh.significances(single[m], parts.test, (m,), scale=2)[0] for m in azh.MASSES],
    "tree": azh.significances(tree, parts.test, scale=2),
    "without_mass": azh.significances(without_mass.classify, parts.test, scale=2),
    "network_of_500": azh.significances(single[500], parts.test, scale=2),
    "m_zh": baseline,
}
table = pd.DataFrame({name: {z.mass: z.value for z in found} for name, found in curves.items()})
table.round(2)

# %% tags=["nbval-ignore-output"]
names = {name: {"m_zh": "m_Zh alone"}.get(name, name.replace("_", " ")) for name in curves}
fig, ax = figures.significances({names[name]: found for name, found in curves.items()})
plotting.show(
    fig,
    alt="Expected significance against the tested mass for six classifiers, with error bars. The parameterised network and the trees are close to each other, but for 600 GeV, where trees are clearly worse; they rise to about 3 at 700 to 1000 GeV and fall to 0.5 at 2000 GeV. Networks of one mass are better by a tenth at 300 GeV, and worst at 600 and 700 GeV. "
    "The network that is not told the mass stays at 1.5 and below, and m_Zh alone at less than half of the best up to 500 GeV. The network of 500 GeV is as good as the others at 500 GeV, falls off on both sides, and comes back for a moment at 1600 GeV.",
)

# %% [markdown]
# ### Exercise 9.3 – Blind elsewhere (predict, then count)
#
# Without going back to the table: at how many of the 13 *other* masses is the network of 500 GeV worse than $m_{Zh}$ alone, which costs no training at all? Write your guess down. Then count: `n_worse`.

# %% tags=["exercise-9.3"]
### BEGIN SOLUTION
n_worse = int((table["network_of_500"] < table["m_zh"]).sum())
### END SOLUTION

# %% tags=["check-9.3", "nbval-ignore-output"]
points = {
    "masses": table.index.to_numpy(),
    "network": table["network_of_500"].to_numpy(),
    "m_zh": table["m_zh"].to_numpy(),
    "own": table["single_mass"].to_numpy(),
}
n_worse = checks.exercise_9_3(n_worse, points=points)

# %% [markdown]
# A network of one mass learns where its mass lies, and gives background of 500 GeV a better score than signal of 900 GeV. (What it does far away is an accident: nothing in its training asked for an answer at 1600 GeV, and the few events up there happen to come out well.) The network that knows all masses, but not which one is asked for, finds "an A somewhere": from 420 to 500 GeV that is better than $m_{Zh}$; at 300 GeV and from 700 GeV on it is worse; and it is never as good as
# the network that is told. One network with the mass as an input does the work of fourteen. At 600 and 700 GeV it is clearly better than each of them, up to 1200 GeV by two to ten per cent, where another seed of either matters as well. Every mass probably helps to learn what the others need. But look at 300 GeV: there the network of one mass is ahead by a tenth.
# It has seen every background event at this mass in every epoch, the other network in one of fourteen: where background is plenty, that probably counts.
#
# All classifiers were judged by the same events, so their errors go up and down together: two curves whose error bars overlap may still differ. The replicas are paired, so we can ask for the error of a difference.

# %% tags=["nbval-ignore-output"]
differences = {
    f"parameterised − {names[other]}": [
        f"{a.value - b.value:+.2f} ± {np.std(a.replicas - b.replicas):.2f}"
        for a, b in zip(curves["parameterised"], curves[other], strict=True)
    ]
    for other in ("single_mass", "tree", "m_zh")
}
pd.DataFrame(differences, index=table.index)

# %% [markdown]
# These errors know the test events only. Another seed of the training moves the network, too, and at low masses by more; the next section shows it. From 1400 GeV on this measure cannot tell the network from $m_{Zh}$ alone, nor from networks of one mass; at 1400 GeV its error alone is 7 per cent. (The limits of section 9.6 differ at 1400 and 1600 GeV; we have no error for that.)
# That $m_{Zh}$ catches up is no failure of the network. It is the physics: a heavy A is easy to tell from the background, if it is there. And it is our caution, of which section 9.6 says more: bins are kept large enough to know what they hold.
#
# Trees get the same inputs and the same weights, and come close: they lose clearly at 440 and 600 GeV only, by the test events of this one training each. Over several seeds the network is two or three per cent ahead in the mean (`docs/parameterised.md`). That took some care with the trees. As scikit-learn brings them they learn single heavy events by heart, and lose a sixth. A plain baseline deserves as much care as the network that it is compared with.

# %% [markdown]
# ## 9.3 Masses that it has never seen
#
# The A need not weigh 500 or 600 GeV. What does the network know about 550? Leave each mass out of the training, and compare with the network that saw it. (The lightest and the heaviest mass stay: beyond them it would have to *extrapolate*.)
# To save time each of six trainings leaves out two masses, far from each other.

# %% tags=["nbval-ignore-output"]
inner = azh.MASSES[1:-1]
blind = {}
for first, second in progress.each(list(zip(inner[:6], inner[6:], strict=True)), "without {} GeV"):
    others = tuple(mass for mass in azh.MASSES if mass not in (first, second))
    classify = azh.train(parts, masses=others, seed=1, progress=False).classify
    blind |= {z.mass: z for z in azh.significances(classify, parts.test, (first, second), scale=2)}

# %% [markdown]
# ### Exercise 9.4 – Closure (write code)
#
# Write `closure(blind, seeing)` for two results of `azh.significances` at one mass. It returns the significance of the blind network relative to the seeing one, and the error of this *ratio*. Each has `.value` and `.replicas`; both were computed with the same 200 replicas
# of the same events.


# %% tags=["exercise-9.4"]
def closure(blind, seeing):
    """Ratio of two significances, and its error from paired replicas."""
    ### BEGIN SOLUTION
    return blind.value / seeing.value, np.std(blind.replicas / seeing.replicas)
    ### END SOLUTION


# %% tags=["check-9.4"]
closure = checks.exercise_9_4(closure)

# %% tags=["nbval-ignore-output"]
seeing = {z.mass: z for z in curves["parameterised"]}
ratios = {mass: tuple(map(float, closure(blind[mass], seeing[mass]))) for mass in inner}
by_seed = [[z.value for z in curves["parameterised"]]]
by_seed += [[z.value for z in azh.significances(c, parts.test, scale=2, replicas=0)] for c in other_seeds]
spread = dict(zip(azh.MASSES, np.std(by_seed, axis=0, ddof=1) / np.mean(by_seed, axis=0), strict=True))
fig, ax = figures.closure(ratios, least=0.97, spread=spread)
plotting.show(
    fig,
    alt="Significance of the network that never saw a mass, relative to that of the network that did, for twelve masses from 420 to 1600 GeV with error bars. From 800 GeV on they lie at one within six per cent. Below, five lie up to fifteen per cent above it and one ten below, most farther than the grey band, which is what another seed of the training changes. A dashed line marks 0.97.",
)

# %% [markdown]
# From 800 GeV on a mass that was left out is hardly missed. Below, the points scatter by four to fifteen per cent, far more than their error bars. Is that blindness? The grey band is the spread of three networks that all saw every mass, and differ in the seed of their training. A ratio compares *two* trainings, so it scatters √2 times as far as the band; and a
# spread of three is itself known to a half only. Most of these points lie *above* one, which no blindness explains. So one training per mass cannot tell a loss of a few per cent; several seeds can (`docs/parameterised.md`: with five, no mass loses more than two per cent, within errors).
#
# The network interpolates. It may be asked about *every* mass in between, and that is what it is for.

# %% [markdown]
# ## 9.4 How much should the signal weigh?
#
# The weight $k$ of the signal in the training is a choice, and a student report (R. Herencia, QMUL 2022), from which this project has the idea of its scan, found that it matters a great deal: a small $k$, it says, is better above 500 GeV. It measured so with bins of *equal width*. Let us look closer.
#
# A perfect classifier knows at each point the densities of signal and background, $s$ and $b$, as they weigh in its training. Its score is $p = s/(s+b)$.

# %% [markdown]
# ### Exercise 9.5 – The same network with another k (derive)
#
# Now all signal weighs $k$ times as much. Write `moved(p, k)`: the new score of an event that had the score $p$.


# %% tags=["exercise-9.5"]
def moved(p, k):
    """Score of a perfect classifier once the signal weighs k times as much."""
    ### BEGIN SOLUTION
    return k * p / (k * p + 1 - p)
    ### END SOLUTION


# %% tags=["check-9.5"]
moved = checks.exercise_9_5(moved)

# %% [markdown]
# So no training is needed to see what another $k$ does to a perfect classifier: it moves the scores and keeps their order. We freeze our network, move its score as if it had been trained with another $k$, and compute the significance at 800 GeV, in twenty bins of equal width, signal and background each divided by
# its sum as the report did, and in bins of equal signal.


# %% tags=["nbval-ignore-output"]
def in_equal_widths(classify, mass):
    """Significance of a score in twenty bins of equal width, signal and background normalised to one each."""
    events_at = azh.events.at_mass(parts.test, mass)
    is_signal, weight = azh.events.is_signal(events_at), events_at["weight"].to_numpy()
    score = classify(events_at)
    s, b = (np.histogram(score[mask], 20, (0, 1), weights=weight[mask])[0] for mask in (is_signal, ~is_signal))
    good = b > 0
    return np.sqrt(np.sum(measures.asimov(s[good] / s.sum(), b[good] / b.sum()) ** 2))


retrained = {0.03: trained.classify}
for k in progress.each((1, 0.01), "training with k = {:g}"):
    retrained[k] = azh.train(parts, replace(azh.IMPROVED, signal_scale=k), seed=1, progress=False).classify
rows = {}
for k in (1, 0.03, 0.01):
    as_if = lambda table, k=k: moved(trained.classify(table), k / 0.03)  # noqa: E731
    for name, classify in (("frozen, moved", as_if), ("trained anew", retrained[k])):
        of_equal_signal = azh.significances(classify, parts.test, (800,), scale=2)[0]
        rows[f"k = {k:g}", name] = {
            "equal widths": in_equal_widths(classify, 800),
            "equal signal": of_equal_signal.value,
            "its error": of_equal_signal.error,
        }
pd.DataFrame(rows).T.round(2)

# %% [markdown]
# Look at the rows *frozen, moved*. They are one and the same network. In bins of equal width it seems to get better as $k$ falls; in bins of equal signal nothing changes at all. Most of the effect was in the bins. What a training with another $k$ really changes stands in the rows *trained anew*,
# in the column of equal signal. They differ by 0.03 at most. The error in the table is common to all rows, so that of a difference is smaller; and another seed changes something, too. So at 800 GeV nothing is left that one training could show. (`docs/parameterised.md` has the mean over all masses, and several seeds.)
#
# It is chapter 5 once more: our $k$ of 0.03 is no trick. A factor on one class moves the score, and a figure of merit should not care.

# %% [markdown]
# ## 9.5 From a score to a statement
#
# A significance compares classifiers. A statement about nature needs more: how well do we know the background? Three regions answer, in one fit.
#
# - **Z + jets and tt̄** have free normalisations. The simulation gives their shape; side bands and eµ events say how many there are.
# - **Jet energies** are known to 2 %. If all jets have more energy, m_Zh and m_bb move, and events change their bins and regions.
# - **b tagging** works a little more or less often than simulated, by 2 % to 10 %, rising with the jet's pT.
# - **The luminosity** is known to 1.7 %, and the simulation itself has a statistical error in each bin.

# %% [markdown]
# ### Exercise 9.6 – What two per cent do (derive)
#
# All jets of an event get $f$ times their four-momentum. Then m_bb becomes $f\,$m_bb. What becomes of m_Zh? The leptons stay as they are, so it is not $f\,$m_Zh. Write `shifted(m_zh, m_ll, m_bb, f)`. *(m_Zh² is the square of a sum of two four-momenta. Which of its three terms scale how?)*


# %% tags=["exercise-9.6"]
def shifted(m_zh, m_ll, m_bb, f):
    """Mass of leptons and jets once the jets have f times their four-momenta (GeV)."""
    ### BEGIN SOLUTION
    mixed = m_zh**2 - m_ll**2 - m_bb**2  # twice the product of both four-momenta: it scales with f
    return np.sqrt(m_ll**2 + f**2 * m_bb**2 + f * mixed)
    ### END SOLUTION


# %% tags=["check-9.6"]
shifted = checks.exercise_9_6(shifted)

# %% [markdown]
# How far do two per cent go? By your formula, the mass of a typical signal event moves by so many per cent.

# %%
own = events[azh.events.is_signal(events) & (events["region"] == "signal")]
moves = shifted(own["m_zh"], own["m_ll"], own["m_bb"], 1.02) / own["m_zh"] - 1
moves.groupby(own["m_a_true"]).median().mul(100).round(2).to_frame("m_Zh moves by (%)").T

# %% [markdown]
# By one per cent, not by two: most of $m_{Zh}^2$, and at high mass nearly all of it, is the middle term, which has one factor $f$ only, and the mass is its root. m_bb moves by the full two per cent. `azh.Search` moves every event so, and fills its bins again.

# %% [markdown]
# ### The model
#
# `azh.Search` fills the bins of the three regions for any mass: a `Templates` object with a histogram for each region and process. A histogram has `expected` events, their `variance` (sums of squared weights), and `variations`: for `jet_energy` and `b_tagging` the expected events one standard deviation down and up.
# Between two simulated masses the signal is interpolated.
#
# The language of such models is HistFactory, and its Python package is `pyhf`. A model is a list of *channels* (our regions), each a list of *samples* (our processes) with data and a list of *modifiers*, which say what may change. Those that have the same name share one parameter, in all channels.
#
# | type | means | data |
# |---|---|---|
# | `normfactor` | a free factor | `None` |
# | `lumi` | the luminosity; its name has to be `lumi` | `None` |
# | `normsys` | a factor that is known to some error | `{"lo": 0.9, "hi": 1.1}` |
# | `histosys` | a shape that bends; a common parameter for all bins | `{"lo_data": […], "hi_data": […]}` |
# | `staterror` | the simulation's statistics, a parameter per bin; one name per region | a list of absolute errors |

# %% [markdown]
# ### Exercise 9.7 – Write the model (write code)
#
# Write `modifiers(process, region, histogram)`, which returns the list of modifiers, each `{"name": …, "type": …, "data": …}`. `process` is `signal`, `Zjets`, `ttbar`, `Zh` or `diboson`; `region` is `signal`, `sideband` or `emu`. What we ask for:
#
# - the signal is scaled by `mu`; the luminosity scales it, and every process whose number comes from theory;
# - `norm_Zjets` and `norm_ttbar` are free, and the same in all regions; *does the luminosity scale them as well? Think of what a free factor already does;*
# - `Zh` and `diboson` are known to 10 %, from theory or from measurements: `theory_Zh`, `theory_diboson`;
# - both variations bend all processes; each background has its statistical error, `simulation_signal` in the region `signal` and so on. (The signal's own is small, and is left out.)
#
# Turn arrays into lists: a model is meant to be kept as JSON.


# %% tags=["exercise-9.7"]
def modifiers(process, region, histogram):
    """What may change a process in a region, in the language of HistFactory."""
    ### BEGIN SOLUTION
    found = [
        {"name": name, "type": "histosys", "data": {"lo_data": down.tolist(), "hi_data": up.tolist()}}
        for name, (down, up) in histogram.variations.items()
    ]
    if process == "signal":
        found.append({"name": "mu", "type": "normfactor", "data": None})
    else:
        errors = np.sqrt(histogram.variance).tolist()
        found.append({"name": f"simulation_{region}", "type": "staterror", "data": errors})
    if process in ("Zjets", "ttbar"):
        found.append({"name": f"norm_{process}", "type": "normfactor", "data": None})
    else:
        found.append({"name": "lumi", "type": "lumi", "data": None})
    if process in ("Zh", "diboson"):
        found.append({"name": f"theory_{process}", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}})
    return found
    ### END SOLUTION


# %% tags=["check-9.7"]
modifiers = checks.exercise_9_7(modifiers)

# %% [markdown]
# That is a real model. `templates.specification` puts it together, and `fits.Likelihood` hands it to pyhf. pyhf can fit it as well; we fit with code of our own, which takes a millisecond in place of a tenth of a second and lets you throw toys. Is it the same fit? Here are both, for what background alone is expected to give.

# %% tags=["nbval-ignore-output"]
half = events[~azh.in_first_half(events)]
tested = azh.Search(half, trained.classify, scale=2.0)
model = fits.Likelihood(templates.specification(tested.templates(500), modifiers))
asimov = model.expected(model.none)
by_pyhf = fits.pyhf.infer.mle.fixed_poi_fit(1.0, [*asimov, *model.model.config.auxdata], model.model)
ours = model.fit(asimov, hold={"mu": 1.0})
print(f"{len(model.names)} parameters, {len(model.bins)} bins; with mu = 1, norm_Zjets is")
where = model.names.index("norm_Zjets")
print(f"{by_pyhf[where]:.4f} (pyhf) and {ours.parameters[0, where]:.4f} ± {ours.errors[0, where]:.4f} (ours)")

# %% [markdown]
# ## 9.6 What could be excluded?
#
# An experiment that sees only background excludes every cross-section that would have given more. Which one do we expect? The method is CLs at 95 %, of which chapter 7 spoke: it never excludes what the experiment cannot see. The band says how far chance moves the limit.

# %% tags=["nbval-ignore-output"]
classifiers = {
    "parameterised": trained.classify,
    "m_zh": lambda table: table["m_zh"],
    "tree": tree,
    "single_mass": lambda table: single[int(table["m_a"].iloc[0])](table),
}
searches = {name: azh.Search(half, classify, scale=2.0) for name, classify in classifiers.items()}
tested = searches["parameterised"]
expected_limits = {
    name: {m: study.expected_limit(made, m, modifiers) for m in progress.each(azh.MASSES, name + ", {:g} GeV")}
    for name, made in searches.items()
}
of_seeds = []
for classify in other_seeds:
    other = azh.Search(half, classify, scale=2.0)
    of_seeds.append({m: study.expected_limit(other, m, modifiers) for m in azh.MASSES})
floor = {m: study.floor(tested, m) for m in azh.MASSES}
medians = pd.DataFrame({name: {m: band.median for m, band in bands.items()} for name, bands in expected_limits.items()})
medians.assign(**{"three events": floor}).round(4)

# %% tags=["nbval-ignore-output"]
fig, ax = figures.limits({names[n]: bands for n, bands in expected_limits.items()}, floor=floor, seeds=of_seeds)
plotting.show(
    fig,
    alt="Expected limit on the cross-section against the mass, logarithmic, with bands of one and two standard deviations around the parameterised network. It falls by a factor of nearly twenty from 300 to 1200 GeV and rises by less than two from there to 2000 GeV. "
    "Two other seeds lie within ten per cent, at 420 GeV seventeen. m_Zh alone is weaker by a factor of about four at 300 GeV and two and a half at 500 GeV, and comes close above 1400 GeV; trees come close to the network, but for 600 GeV; networks of one mass are stronger by a tenth at 300 GeV, within fifteen per cent up to 500 GeV, and clearly weaker at 600 and 700 GeV. A dotted line of three events lies below all of them, by a factor of three to six from 1000 GeV on.",
)

# %% [markdown]
# Read the figure from the left. At low mass there is plenty of background, and a network gains most: its limit is about four times as strong as that of $m_{Zh}$ alone, and one that knows 300 GeV only is stronger still by a tenth. The short dashes are other seeds of the training: a part of every number that you should never forget.
#
# Towards high masses the limits flatten out, a factor of a few above a dotted line. What keeps them up there is our caution. Bins are merged until the background of each is known to 30 per cent, or one is left. The last bin is taken to hold at least what an average simulated event stands for (here about three expected ones), with an error of as much, even where the simulation has less. More simulated events would bring the limits down,
# but never below the dotted line. Why not?

# %% [markdown]
# ### Exercise 9.8 – The floor (write code)
#
# Count the events of one bin. With $b$ expected of background and $s$ of signal, $n$ were seen. Write `cls(n, s, b)`: the probability to count $n$ or fewer events if there is signal, divided by the same if there is none. `stats.poisson.cdf(n, mean)` helps, and `s` may be an array. Signal is excluded at 95 % where this is below 0.05. And on paper: what is `cls(0, s, b)`, and where does it fall below 0.05?


# %% tags=["exercise-9.8"]
def cls(n, s, b):
    """CLs of a signal s on a background b, where n events were counted."""
    ### BEGIN SOLUTION
    return stats.poisson.cdf(n, s + b) / stats.poisson.cdf(n, b)
    ### END SOLUTION


# %% tags=["check-9.8"]
cls = checks.exercise_9_8(cls)

# %% [markdown]
# The best that can happen is that nothing was counted, $n = 0$. Both probabilities are exponentials, $b$ drops out, and CLs = $e^{-s}$. It is below 0.05 from $s = -\ln 0.05 = 3.0$ on. So three expected events is the least that anybody can exclude with CLs, however clever the network. Divide by luminosity, efficiency and the branching ratio of the Z, and you have the dotted line. (It counts the events of the signal region. The side bands hold a third as many, on far too much background to help.)
#
# The asymptotic formulae know nothing of this floor. They take a count for a Gaussian. Where do they begin to fail?


# %% tags=["nbval-ignore-output"]
def median_limit(b):
    """Expected limit of one bin (events): that of the median count."""
    s = np.linspace(0.01, 40, 8000)
    return s[np.argmax(cls(int(stats.poisson.median(b)), s, b) < 0.05)]


def by_formula(b):
    """The same by the asymptotic formula: where the root of q for a count of b is 1.96."""
    s = np.linspace(0.01, 40, 8000)
    return s[np.argmax(np.sqrt(2 * (s - b * np.log1p(s / b))) > stats.norm.isf(0.025))]


b = np.geomspace(0.03, 100, 200)
fig, ax = figures.small_counts(b, np.array([median_limit(x) for x in b]), np.array([by_formula(x) for x in b]))
plotting.show(
    fig,
    alt="Expected limit on the signal, in events, against the expected background from 0.03 to 100, logarithmic. The exact limit goes in steps, stays at three events up to a background of 0.7, and follows the asymptotic formula from about ten events on. "
    "The formula lies below the exact limit for small backgrounds, and falls below three events.",
)

# %% [markdown]
# From ten events on the formula is good. Below three it promises too much. Our fits have several bins, and some expect only a few events. *Toys* are right everywhere: experiments that are drawn and fitted, here five hundred. So where a bin expects fewer than five events, all our limits come from toys. How far are toys and formula apart elsewhere?

# %% tags=["nbval-ignore-output"]
rows = {}
for m in progress.each((700, 1000, 1400, 1600, 2000), "toys at {:g} GeV"):
    model = study.likelihood(tested, m, modifiers)
    toys, formula = (study.in_pb(band) for band in (limits.by_toys(model)[0], limits.expected_band(model)))
    rows[m] = {"least expected in a bin": model.expected(model.none).min()}
    rows[m] |= {"median, toys": toys.median, "median, formula": formula.median}
    rows[m] |= {"−2 σ, toys": toys.minus_2, "−2 σ, formula": formula.minus_2, "three events": floor[m]}
pd.DataFrame(rows).T.round(4)

# %% [markdown]
# The medians agree to five per cent. The lower edge does not where a bin expects fewer than five: there it lies a third to a half higher by toys, since no count is below zero. At 700 and 1000 GeV the formula is good to a tenth.

# %% [markdown]
# ### Try it: a mass and a cross-section
#
# Choose a mass and a cross-section. What would the bins of the score look like, and would you exclude it, see it, discover it?


# %% tags=["nbval-ignore-output"]
def would_be(mass, cross_section):
    """Expected significance of a signal."""
    return study.expected_significance(tested, mass, cross_section, modifiers)


interactive.searching(tested.templates, would_be, expected_limits["parameterised"], mass=500, cross_section=0.05)

# %% [markdown]
# ### Beside a real search
#
# ATLAS has searched for A → Zh in 139 fb⁻¹ (arXiv:2207.00230), and has seen no significant excess. A comparison in numbers would mislead, but one in words is instructive. ATLAS also uses h → b b̄ with Z → νν̄, which has more events; it takes merged jets as well, which count most from about a TeV on, where our selection loses signal
# (the figure below); and it has dozens of parameters for jets, b tags and the modelling of each background, of which we have a handful. Its variable in the fit is the (transverse) mass of the Zh system, not a network's score.
# And its detector is real, where ours is a set of formulae. The student report of 2022, with whose inputs and masses this project began, counts events above a cut, with a background known to 20 %; here three regions measure the background in place of that assumption.

# %%
fig, ax = figures.acceptance(azh.events.acceptance(events))
plotting.show(
    fig,
    alt="Two shares of the simulated signal against the mass. The share that is selected rises from a tenth at 300 GeV to a fifth at 1000 GeV and falls to less than a tenth at 2000 GeV. The share whose b quarks are nearer than a jet is wide is zero up to 1200 GeV, and rises from there to a half at 2000 GeV.",
)

# %% [markdown]
# ## 9.7 The seal
#
# All choices are made: network, bins, model. None of them was tuned on the data. You have seen the counts and m_Zh; nobody has seen the *score*. (A real collaboration would not have drawn the signal region yet.) One thing is left to improve. Half of the simulated events trained, and could not judge. So a second network is trained with the roles exchanged, and each event, of the simulation and of the data, is judged by a network that has not seen it. Then *all* simulated events
# describe the background.
#
# **Before you run the next cells**, write into a cell of your own what you expect. If there is nothing: how large will the largest local significance be, somewhere among fifty masses? Then look at the score.

# %% tags=["nbval-ignore-output"]
swapped = azh.train(azh.split(events, swapped=True), seed=1, progress=False)
final = azh.Search(events, azh.cross(trained.classify, swapped.classify))
masses = np.round(np.geomspace(300, 2000, 36))
points = study.scan(final, data, progress.each(masses, "data at {:g} GeV"), modifiers)
top = max(points, key=lambda point: point.significance)
print(f"largest excess: {top.significance:.2f} σ at {top.mass:g} GeV")

# %% tags=["nbval-ignore-output"]
near = [m for m in np.arange(top.mass - 48, top.mass + 49, 8) if 300 < m < 2000 and m not in masses]
fine = study.scan(final, data, progress.each(near, "data at {:g} GeV"), modifiers)
points = sorted([*points, *fine], key=lambda point: point.mass)
top = max(points, key=lambda point: point.significance)
fig, axes = figures.scan(points, {point.mass: study.floor(final, point.mass) for point in points})
plotting.show(
    fig,
    alt="Two panels against the mass. Above, the local p-value of the data, logarithmic, with lines at whole numbers of sigma. Below, the observed and the expected limit on the cross-section with bands of one and two standard deviations: where the p-value dips deepest, the observed limit lies above the band. A dotted line of three events lies below.",
)

# %% [markdown]
# The upper panel asks at each mass: how often would background alone look at least as much like signal as the data do? Each point has its own score, so its own bins; neighbouring points share most of their events. The steps are finer where it dips most. Hardly any of these masses was simulated: the signal is interpolated, and so is the network. Fourteen networks of one mass could not be asked.

# %% [markdown]
# ### Exercise 9.9 – The mass (write code)
#
# Where the excess is largest, $Z^2$ is twice the logarithm of a likelihood ratio. If every mass looked at the same bins, this would be a likelihood of the mass, and would tell its error. Take it as one for now. Write `mass_interval(masses, z)` for the arrays of a scan. It returns the mass of the largest $Z$, and the lowest and the highest mass of the unbroken row of tested masses around it that one standard deviation allows. By how much may $Z^2$ be lower there?


# %% tags=["exercise-9.9"]
def mass_interval(masses, z):
    """Mass of the largest excess, and the lowest and highest tested mass within one standard deviation."""
    ### BEGIN SOLUTION
    best = int(np.argmax(z))
    allowed = np.asarray(z) ** 2 >= z[best] ** 2 - 1
    low = high = best
    while low > 0 and allowed[low - 1]:
        low -= 1
    while high < len(masses) - 1 and allowed[high + 1]:
        high += 1
    return masses[best], masses[low], masses[high]
    ### END SOLUTION


# %% tags=["check-9.9"]
mass_interval = checks.exercise_9_9(mass_interval)

# %% tags=["nbval-ignore-output"]
best, low, high = mass_interval(np.array([p.mass for p in points]), np.array([p.significance for p in points]))
print(f"largest excess at {best:g} GeV (from {low:g} to {high:g} GeV): local significance {top.significance:.2f}")
print(f"cross-section there: {top.cross_section:.4f} ± {top.error:.4f} pb")
(by_mass_alone,) = study.scan(azh.Search(events, lambda table: table["m_zh"]), data, [best], modifiers)
print(f"m_Zh alone would have seen {by_mass_alone.significance:.2f} standard deviations at this mass")

# %% [markdown]
# Do not trust the interval too far. It may be as narrow as a step: at each mass the events are sorted anew and bins are merged anew, so $Z^2$ is ragged, and one lucky event at the top counts. The signal is interpolated as well, between two masses that may lie far apart. So the interval holds the true mass far less often than in two of three cases. Two or three per cent of the mass are a fair error: we have hidden signals of known mass, and looked where they were found (`docs/parameterised.md`).
#
# Now look at the fit itself, at this mass. First all its bins.

# %% tags=["nbval-ignore-output"]
made = final.templates(float(best))
model = fits.Likelihood(templates.specification(made, modifiers))
counts = final.observed(data, made)
fig, axes = figures.regions(made, counts, top.cross_section / azh.events.SIGNAL_CROSS_SECTION)
plotting.show(
    fig,
    alt="The bins of the three regions: stacked backgrounds, points of data, and a line for background with the fitted signal, logarithmic, and below them the ratio to the background. Side bands and eµ events agree with the simulation; the highest bins of the score show what the scan has found.",
)

# %% tags=["nbval-ignore-output"]
fitted = model.fit(model.data(counts), least=-np.inf)
fig, axes = figures.pulls_and_impacts(study.pulls(model, fitted), study.impacts(model, model.data(counts)))
plotting.show(
    fig,
    alt="Twelve parameters of the fit, ordered by their impact. Left, their pulls with errors, most within one standard deviation; the free normalisations, shown as difference from one, have small errors. Right, by how much the fitted cross-section moves when each is held one standard deviation below or above.",
)

# %% [markdown]
# On the left, *pulls*: where the fit has moved each parameter, in units of what it was allowed. (The free normalisations have no such unit; they are shown as difference from one.) Points far outside of the shaded band would say that the model does not describe the data. Errors much shorter than the band say that the data know a parameter better than we did, or that the model is too stiff: one
# parameter for all jets is. On the right, *impacts*: by how much the cross-section moves if a parameter is held one fitted error away. Most are statistics of the simulation in single bins: more simulated events would help most. b tagging is among the first: a better calibration would help as well.
#
# pyhf has companions that draw such figures and more, `cabinetry` among them. For one model of this size we need none.

# %% [markdown]
# ## 9.8 How often does chance look like that?
#
# The local significance is that of *this* mass. But you have looked at fifty of them. Chapter 7 had twenty windows that shared no events; here neighbours share most of theirs, so fifty masses are not fifty chances. How many are they? Draw experiments with background only, scan each of them, and note the largest excess *anywhere*.

# %% tags=["nbval-ignore-output"]
largest = study.largest_excesses(
    final, progress.each(masses, "300 experiments at {:g} GeV"), modifiers, toys=300, seed=9
)
print(f"largest local significance of experiments without A: median {np.median(largest):.2f}")

# %% [markdown]
# ### Exercise 9.10 – The trials factor (write code)
#
# Write `global_p(largest, z)`: the probability that background alone gives a local significance of `z` or more somewhere. `largest` holds the largest one of each experiment. Your data are one more experiment that could have come out so: count them in, above and below, and the result is never 0.


# %% tags=["exercise-9.10"]
def global_p(largest, z):
    """Probability of an excess at least this large anywhere, from experiments with background only."""
    ### BEGIN SOLUTION
    return (np.sum(largest >= z) + 1) / (len(largest) + 1)
    ### END SOLUTION


# %% tags=["check-9.10"]
global_p = checks.exercise_9_10(global_p)

# %% tags=["nbval-ignore-output"]
p_local, p_global = float(stats.norm.sf(top.significance)), float(global_p(largest, top.significance))
p_two, local_two = float(global_p(largest, 2.0)), float(stats.norm.sf(2.0))
print(f"local p {p_local:.2g}; anywhere {p_global:.2g} (of {len(largest)} experiments)")
print(f"two sigma somewhere: p = {p_two:.2f}, {p_two / local_two:.0f} times the local one")

# %% [markdown]
# Two sigma *somewhere* are nothing special. (The experiments were scanned at the coarse masses, the data at fine steps as well, where the excess was. So the true p is a little larger.) Compare the median above with the guess that you wrote down.
#
# A few hundred experiments cannot say much of a large excess. If none of them reached it, that is exercise 9.8 once more: nothing was counted, and up to three would have been possible. So p is below one per cent at 95 %. To go further, count at a low threshold and extrapolate (Gross and Vitells, arXiv:1005.1891):
#
# $$ p(z) \approx p_{local}(z) + \left[p(2) - p_{local}(2)\right] e^{-(z^2 - 4)/2} . $$
#
# (A threshold of two is high enough for the form and a little low for the factor: it comes out some twenty per cent too small.) What does that give for yours?

# %% [markdown]
# ### Does the fit find what is there?
#
# Hide a signal yourself, two hundred times, and fit. The *pull* is (found − true)/error. Its mean should be 0 and its width 1, and at least 95 % of the limits should not exclude the truth (CLs may cover more). With two hundred experiments the mean is known to 0.07, the width to 0.05, the share to 0.015.

# %% tags=["nbval-ignore-output"]
injection = study.injection(model, sensitivity.reference(float(best)), experiments=200, seed=9)
pd.Series(injection).round(3)

# %% [markdown]
# These experiments are drawn from the model that fits them. Nature is not. `docs/parameterised.md` takes them from another simulation: with our templates the mean is off by up to one error, mostly the statistics of our simulation.

# %% [markdown]
# ### Exercise 9.11 – Your verdict (in your words)
#
# Found, or excluded? Say in three or four sentences what you would write in the abstract: mass and cross-section with errors if there is something, local and global significance; which cross-sections are excluded otherwise. And what would you do next?

# %% tags=["exercise-9.11", "written"]
### BEGIN SOLUTION
answer_9_11 = r"""In file 1 the largest excess has a local significance of five and a half standard deviations, near 385 GeV, to about ten GeV.
None of three hundred experiments without an A had such an excess anywhere: p is below one per cent, and by the extrapolation of Gross and Vitells about one in two million, just short of five standard deviations.
The fitted cross-section is 0.17 pb with an error of a fifth; m_Zh alone would have seen two and a half standard deviations.
So something is there that the model of the background does not know. Whether it is an A, the next data have to say: they need no scan, for the mass is known, and no trials factor.
At all other masses we publish the observed limits."""
### END SOLUTION

# %% tags=["check-9.11"]
checks.written("9.11", answer_9_11)

# %% [markdown]
# Your instructor knows what was hidden. Compare. One cross-section in three lies outside of its error, one in twenty outside of two, if the templates are perfect; with ours up to one in ten. The row of masses is often too short: how many GeV are you off? And the largest Z is a choice: at the chosen mass a small excess looks larger than it is.

# %% [markdown]
# ## 9.9 Let the machine search
#
# Layers, neurons, activation, learning rate, $k$: who says that ours are good? Optuna tries settings, begins at random, then prefers what was good so far, and ends a trial early that lags behind (*pruned*). Two rules keep such a search honest. It is judged by *validation* events: whoever picks the best of many trials on test events reports luck. And all trials
# are kept, the bad ones, too.
#
# Five short trials are a taste. Optuna draws its first ten at random: so what you see next is luck of the draw. `labcourse tune --trials 60 --epochs 4` in JupyterLab's terminal (*File → New → Terminal*) goes on with the same file.

# %% tags=["nbval-ignore-output"]
short = search.run(parts, chapter.folder / "search.db", trials=5, epochs=4, seed=9)
search.table(short).head(5).round(3)

# %% [markdown]
# A search of sixty trials comes with the course. Eleven of them are random, the others were chosen. (It is older than our network: that had 64 + 64 neurons then, with swish, and was not given $\ln(m_{Zh}/m_A)$.)

# %%
long = search.long_run()
print(f"{len(long)} trials, {long['state'].eq('PRUNED').sum()} of them pruned")
search.importance(long).round(2)

# %% [markdown]
# The *importance* compares two distributions: that of a setting among the best quarter of the trials, and that among all of them. Read it with care. The optimizer has none, although no trial with SGD was any good: the search left SGD alone so early that the best trials look like all trials. And what the search settled on late looks important, since late trials
# are better for many reasons.
#
# The best of sixty is no result yet: it was picked for being the best, so part of its lead is luck, and its training had ten epochs. Train it with five seeds, compare on validation events, and look at the test events once. We did so, with three seeds, for the width and the activation: neither makes a difference that one can tell (`docs/parameterised.md`).

# %% tags=["nbval-ignore-output"]
numbers = {
    "z_500": float(table.loc[500, "parameterised"]),
    "z_500_m_zh": float(table.loc[500, "m_zh"]),
    "limit_500": expected_limits["parameterised"][500].median,
    "limit_ratio_500": float(medians.loc[500, "m_zh"] / medians.loc[500, "parameterised"]),
    "least_limit_ratio": float((medians["m_zh"] / medians["parameterised"]).min()),
    "least_closure": min(value for value, _ in ratios.values()),
    "largest_significance": top.significance,
    "mass": float(best),
    "global_p": p_global,
}
chapter.write_numbers(numbers)
found = {name: curves[name] for name in ("parameterised", "m_zh", "tree", "single_mass")}
chapter.write_document(
    "results",
    study.results(expected=expected_limits, points=points, curves=found, closure=ratios, injection=injection),
)

# %% [markdown]
# ## Summary
#
# - A network with the mass as an input serves all masses (at 300 GeV one of its own is a tenth better), interpolates between those that it was trained with, and can be asked in steps as fine as you like.
# - A figure of merit must not care how a score is stretched; most of what $k$ seemed to do was the bins.
# - Regions without signal measure the backgrounds; what may bend stands in the model.
# - No limit is below three events, and two sigma somewhere are nothing special.
#
# ## What you can now do
#
# - train one network for all masses, and show that it works at masses that it has never seen;
# - compare methods by a figure of merit that does not care how a score is stretched;
# - write the statistical model of a search, with regions that measure the backgrounds and parameters for what may bend;
# - open sealed data once, set limits, and say how often chance alone looks like what you found;
# - search over settings without taking the best of many for a result.
#
# **Further reading.** P. Baldi et al., *Parameterized neural networks for high-energy physics* (arXiv:1601.07913) · G. Cowan et al., *Asymptotic formulae for likelihood-based
# tests* (arXiv:1007.1727) · E. Gross and O. Vitells, *Trial factors for the look elsewhere effect* (arXiv:1005.1891) · the documentation of `pyhf`.

# %% tags=["nbval-ignore-output"]
checks.panel(9)
