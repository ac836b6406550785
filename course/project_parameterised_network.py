# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Research project – One network for every mass
#
# The course is behind you. Here you do what a research student did after it: search for a *new* Higgs boson. Many theories have a
# heavy partner of the Higgs boson, called A, that decays to a Z boson and a Higgs boson: A → Zh → ℓ⁺ℓ⁻ b b̄. Nobody knows its mass. A network
# that is trained for 500 GeV is blind at 1500 GeV. Must you train one for every mass? No: the mass becomes an input.

# %% [markdown]
# ## What you will do
#
# - warm up with a network that reads handwritten digits;
# - train *one* network for all masses from 300 to 2000 GeV, and show that it works at a mass that it has never seen;
# - compare it with the published recipe, with decision trees, and with networks of one mass each;
# - find out how the weight of the signal in the training changes the result, and let the machine search for better settings;
# - compute which cross-sections an experiment with 139 fb⁻¹ could exclude.
#
# | time | needs | makes |
# |---|---|---|
# | 120 minutes | the events in `data/azh` | significances, limits, `results.json` |

# %%
import warnings
from dataclasses import replace

import azh
from azh import figures, search, study
from course import checks, outputs
from labcourse import plotting, progress, training

import keras
import numpy as np
import pandas as pd
from sklearn import datasets

chapter = outputs.Chapter(9, sources=(), solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(9)

# %% [markdown]
# ## 9.1 Warm-up: ten digits
#
# No physics for ten minutes. scikit-learn ships 1797 pictures of handwritten digits, 8 × 8 pixels each, with values from 0 to 16. A network gets the
# 64 pixels and returns ten probabilities, one for each digit. That is a *softmax* output, and the loss is the cross-entropy again.

# %%
digits = datasets.load_digits()
pictures, names = (digits.data / 16).astype(np.float32), digits.target.astype(np.int32)
is_test = np.arange(len(names)) % 4 == 0
print(f"{(~is_test).sum()} pictures to train with, {is_test.sum()} to test with")

# %% tags=["nbval-ignore-output"]
keras.utils.set_random_seed(9)
reader = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
reader.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
training.fit(reader, pictures[~is_test], names[~is_test], epochs=30, batch_size=64, seed=9)
probabilities = training.predict(reader, pictures[is_test])

# %% [markdown]
# ### Exercise 9.1 – How many are right? (write code)
#
# Write `accuracy(probabilities, digits)`: the share of pictures whose most probable digit is the true one. `probabilities` has the shape
# `(n, 10)`, `digits` the shape `(n,)`.


# %% tags=["exercise-9.1"]
def accuracy(probabilities, digits):
    """Share of the pictures whose most probable digit is right."""
    ### BEGIN SOLUTION
    return np.mean(np.argmax(probabilities, axis=1) == digits)
    ### END SOLUTION


# %% tags=["check-9.1"]
accuracy = checks.exercise_9_1(accuracy)

# %% tags=["nbval-ignore-output"]
digit_accuracy = float(accuracy(probabilities, names[is_test]))
print(f"{digit_accuracy:.1%} of the test pictures are read right")

# %% tags=["nbval-ignore-output"]
doubtful = np.argsort(probabilities.max(axis=1))[:6]
fig, axes = plotting.new_figure(1, 6, width=7.2, height=1.8)
for ax, i in zip(axes, doubtful, strict=True):
    ax.imshow(pictures[is_test][i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{names[is_test][i]} read as {probabilities[i].argmax()}", fontsize=8)
    ax.set_axis_off()
plotting.show(
    fig,
    alt="The six test pictures of which the network is least sure. Above each stand the true digit and the one that was read. "
    "Some are hard for a person, too.",
)

# %% [markdown]
# Some of the pictures that the network doubts you would doubt, too. Now to physics.

# %% [markdown]
# ## 9.2 The events
#
# An A is produced by two gluons and decays to Z and h. The Z decays to two electrons or two muons, the h to two b quarks, which make jets. So the
# selection asks for two leptons and two jets with a *b tag*. Four processes look alike: Z bosons with jets, pairs of top quarks, Zh without an A, and pairs of
# vector bosons (ZZ, WZ).
# The events are simulated, as those of the course are; the page `docs/parameterised.md` says how, and lists the columns.
#
# There are three *regions*: `signal`, where the mass of the two b jets fits a Higgs boson; `sideband`, beside it; and `emu`, with an electron and a muon. The last two
# tell an experiment how well it knows its backgrounds. This notebook uses the first one only.

# %%
events = azh.read()
table = events.assign(mass=events["m_a_true"].astype(int), negative=events["weight"] < 0)
expected = table.pivot_table("weight", ["process", "mass"], "region", "sum", observed=True).rename(columns=str)
expected.join(table.groupby(["process", "mass"], observed=True)["negative"].mean()).astype(float).round(3)

# %% [markdown]
# The signal is normalised to 0.05 pb, whatever its mass (the cross-section times the branching ratios of A → Zh and h → b b̄). That is a guess, since nobody has seen it: at the end you compute which cross-section could be
# seen at all. The columns hold the expected events of the regions and the share of negative weights, which are there as in chapter 5.

# %%
fig, ax = figures.mass(events, (500, 2000))
plotting.show(
    fig,
    alt="Expected events against the mass of the two leptons and two jets, logarithmic. All backgrounds fall steeply from 250 GeV on. Z plus jets is the largest nearly everywhere; top pairs, "
    "next to it at 250 GeV, fall fastest. Signals of 500 and 2000 GeV are peaks at their masses, the first below the background and the second far above it.",
)

# %% [markdown]
# Events go to training, validation and test events as 60:20:20, by their identity as always. That matters here: a background event went through the simulated detector
# twice, and its rows share `run` and `event`.

# %%
parts = azh.split(events)
print({name: len(part) for name, part in parts._asdict().items()})
print(f"{len(azh.INPUTS)} inputs: {', '.join(azh.INPUTS)}")

# %% [markdown]
# ## 9.3 The mass as an input
#
# The twentieth input is $m_A$. For a signal event it is the mass that was simulated. But what is the $m_A$ of a background event? It has none. If it were always 0, the network would
# look at this input alone and be right every time. So each background event gets a mass *at random, with the distribution of the signal's*. Then the mass
# alone says nothing, and the network has to learn: "for this mass, does the rest look like signal?"
#
# New masses are drawn for every epoch. So the network sees each background event with many masses.

# %% [markdown]
# ### Exercise 9.2 – A mass for every event (write code)
#
# Write `draw(m_true, masses, rng)`. `m_true` is an array with the true mass, 0 for background; `masses` are those of the signal: draw each with the same probability (their numbers of events differ, but the weights of exercise 9.4 will make all masses count the same); `rng` is a
# NumPy generator (`rng.choice(masses, n)` draws `n` of them).


# %% tags=["exercise-9.2"]
def draw(m_true, masses, rng):
    """Input m_A of a training: the true mass of signal, one of the masses at random for background."""
    ### BEGIN SOLUTION
    return np.where(m_true > 0, m_true, rng.choice(masses, len(m_true)))
    ### END SOLUTION


# %% tags=["check-9.2"]
draw = checks.exercise_9_2(draw)

# %% [markdown]
# ### Exercise 9.3 – Why at random? (in your words)
#
# Suppose that somebody gives background events masses between 300 and 600 GeV only, since most of them are light. What would the network learn, and what would happen
# when you test at 1500 GeV? Two or three sentences.

# %% tags=["exercise-9.3", "written"]
### BEGIN SOLUTION
answer_9_3 = """The network would learn that a large mass means signal, because no background event of the training has one.
At 1500 GeV every event, background too, is tested with this mass and would get a high score.
The score would then tell the mass that we put in, and not what the event looks like."""
### END SOLUTION

# %% tags=["check-9.3"]
checks.written("9.3", answer_9_3)

# %% [markdown]
# ### Weights
#
# A real signal of 0.05 pb is less than a hundred events among nearly forty thousand. With such weights, a network would learn to call everything background. So the training balances
# them: all masses together count $k$ times as much as the background, and each mass as much as any other. Negative weights count by their size, as in chapter 5.

# %% [markdown]
# ### Exercise 9.4 – Weights for the training (write code)
#
# Write `balance(weight, m_true, k)`: the absolute weights, where each mass is scaled so that all masses count the same and their total is `k` times that of the background
# (`m_true == 0`), whose weights stay as they are.


# %% tags=["exercise-9.4"]
def balance(weight, m_true, k):
    """Training weights, shape (n_events,): positive, each mass alike, the signal k times the background."""
    ### BEGIN SOLUTION
    balanced = np.abs(weight)
    background = balanced[m_true == 0].sum()
    masses = np.unique(m_true[m_true > 0])
    for mass in masses:
        balanced[m_true == mass] *= k * background / len(masses) / balanced[m_true == mass].sum()
    return balanced
    ### END SOLUTION


# %% tags=["check-9.4"]
balance = checks.exercise_9_4(balance)

# %% [markdown]
# `azh.train` does both, draws new masses each epoch, and leaves the blind mass of 1200 GeV out. First the published recipe: two layers of 50 neurons, SGD
# with Nesterov momentum, and early stopping. Then the course's own: larger batches, one cycle of the learning rate, and less weight for the signal.

# %% tags=["nbval-ignore-output"]
published = azh.train(parts, azh.PUBLISHED, seed=1)
ours = azh.train(parts, azh.IMPROVED, seed=1)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses({"published recipe": published.history})
plotting.show(
    fig,
    alt="Loss of the published recipe against the epoch, for training and validation. Both fall fast in the first ten epochs and slowly afterwards; "
    "the validation loss jumps more.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses({"the course's recipe": ours.history})
plotting.show(
    fig,
    alt="Loss of the course's recipe against the epoch. It falls steeply from the first epoch to the second, clearly until about the tenth, and slowly and smoothly from then on. "
    "Training and validation stay close.",
)

# %% [markdown]
# Do not compare the two losses: with another $k$, the loss is another quantity.

# %% tags=["nbval-ignore-output"]
fig, axes = figures.scores(ours.classify, parts, (300, 500, 1200))
plotting.show(
    fig,
    alt="Score of test events, weighed up to all events, in twenty bins on a logarithmic axis, for tested masses of 300, 500 and 1200 GeV. Background piles up at zero. "
    "At 300 GeV the signal is spread over all scores and they overlap widely; at 1200 GeV, the blind mass, it piles up at one and they are far apart.",
)

# %% [markdown]
# ## 9.4 How good is it?
#
# A network's worth should not depend on one cut. So the score is filled into twenty bins, signal and background are divided by their sums $(s_i, b_i)$, and the Asimov
# significances of the bins are added in quadrature:
#
# $$ \sigma = \sqrt{\sum_i 2\left[(s_i + b_i)\ln\left(1 + \frac{s_i}{b_i}\right) - s_i\right]} . $$
#
# Because of the division this is no statement about an experiment. It compares models and masses.

# %% [markdown]
# ### Exercise 9.5 – The binned significance (write code)
#
# Write `binned(signal, background)` for two histograms (arrays of yields; all of the background's are positive).


# %% tags=["exercise-9.5"]
def binned(signal, background):
    """Binned significance of signal and background, each normalised to one."""
    ### BEGIN SOLUTION
    s, b = signal / np.sum(signal), background / np.sum(background)
    return np.sqrt(np.sum(2 * ((s + b) * np.log(1 + s / b) - s)))
    ### END SOLUTION


# %% tags=["check-9.5"]
binned = checks.exercise_9_5(binned)

# %% [markdown]
# `study.significances` does the same, and takes care of what the formula cannot: bins whose background is empty or negative are merged with the next one towards lower scores, so
# that an accident of the simulation never counts as certainty. Its errors come from 200 bootstrap replicas of the events.
#
# Now the competitors: boosted decision trees that get the mass as an input, too, and for each mass a network that was trained with this mass alone.
# The single networks know the blind mass; the others do not.

# %% tags=["nbval-ignore-output"]
tree = azh.train_tree(parts, signal_scale=azh.IMPROVED.signal_scale, seed=1)
single = {
    mass: azh.train(parts, azh.IMPROVED, masses=(mass,), seed=1, progress=False).classify
    for mass in progress.each(azh.MASSES, "network of {:g} GeV")
}
curves = {
    "parameterised": study.significances(ours.classify, parts.test),
    "published_recipe": study.significances(published.classify, parts.test),
    "tree": study.significances(tree, parts.test),
    "single_mass": [study.significances(single[m], parts.test, (m,))[0] for m in azh.MASSES],
}
significance = pd.DataFrame({name: {p.mass: p.value for p in points} for name, points in curves.items()})
significance.round(2)

# %% tags=["nbval-ignore-output"]
fig, ax = figures.significances(curves)
plotting.show(
    fig,
    alt="Binned significance against the tested mass for four models. All rise from a little less than 2 at 300 GeV to about 4 at 2000 GeV. From 420 to 1600 GeV the parameterised network lies on the "
    "networks of single masses or above them, also at the blind mass of 1200 GeV; the trees and the published recipe lie below from 420 GeV on, and the trees dip at the blind mass.",
)

# %% [markdown]
# ### Exercise 9.6 – The blind mass (read a table)
#
# How large is the significance of the parameterised network at 1200 GeV, relative to that of the network that was trained at 1200 GeV? Two digits behind the point.

# %% tags=["exercise-9.6"]
### BEGIN SOLUTION
blind_ratio = significance.loc[1200, "parameterised"] / significance.loc[1200, "single_mass"]
### END SOLUTION

# %% tags=["check-9.6"]
blind_points = {
    "parameterised": significance.loc[1200, "parameterised"],
    "single": significance.loc[1200, "single_mass"],
}
blind_ratio = checks.exercise_9_6(blind_ratio, points=blind_points)

# %% [markdown]
# One network does the work of fourteen, and it does so where it was never trained. (Clearly ahead is the network of one mass only at 300 GeV, at the edge; at 2000 GeV both are equal within their errors.) That is more than a saving. Every mass helps to learn what the others need: b-tag scores,
# angles, the Z boson. What it cannot do is *extrapolate*: ask for a mass outside of the trained range, and `significances` warns.
#
# Be honest with the trees. They were trained on five copies of each background event, each with another random mass, and were hardly tuned. Their dip at the blind mass is no accident, though: a tree only asks whether the mass lies
# above or below some threshold between two trained masses. So it treats 1200 GeV like one of the neighbours. It cannot interpolate.
#
# All models here were tested on the same
# events, so their errors go up and down together: a difference smaller than the error bars may be real, and only a bootstrap of the difference, as in section 7.8, could tell. Even that would not know
# what another seed of the training changes.

# %% [markdown]
# ## 9.5 How much should the signal weigh?
#
# The balance $k$ is a choice. In an experiment there is plenty of background, and what hurts is the per mille of it that looks most like signal. A small $k$ makes the network care about exactly that.
# To choose it is part of the training, so validation events judge, not test events.

# %% tags=["nbval-ignore-output"]
scaling = {}
for k in progress.each((0.001, 0.01, 0.1, 1, 10), "k = {:g}"):
    trained = azh.train(parts, replace(azh.IMPROVED, signal_scale=k), seed=1, progress=False)
    scaling[k] = study.significances(trained.classify, parts.validation)
pd.DataFrame({f"k = {k:g}": {p.mass: p.value for p in points} for k, points in scaling.items()}).round(2)

# %% tags=["nbval-ignore-output"]
fig, ax = figures.significances({f"k = {k:g}": points for k, points in scaling.items()})
plotting.show(
    fig,
    alt="Binned significance against the mass for five scales k of the signal in the training. From 420 GeV on the scales 0.1 and 0.01 are better than 1 and 10. "
    "The smallest, 0.001, is the worst up to 600 GeV and among the best from 1200 GeV on.",
)

# %% [markdown]
# The published study found $k = 0.01$ best above 500 GeV. So it is here, from 500 GeV on; 0.001 is as good from about 1400 GeV on. But look at the error bars. With a small $k$ the signal gathers in few bins of high score in which the simulation has few
# background events left. The more a result rests on such bins, the more events it takes to trust it. The course's recipe takes $k = 0.03$:
# with 0.01 the mean is a little better, but 300 GeV is worse, and so are some of the limits of section 9.7 (`docs/parameterised.md`).

# %% [markdown]
# ## 9.6 Let the machine search
#
# $k$ is one setting of many: layers, neurons, activation, optimizer, learning rate. Optuna tries them. It begins at random, then prefers what was good so far, and ends a trial early that lags behind the
# others (*pruned*). Two rules keep such a search honest. It is judged by *validation* events: whoever picks the best of many trials on test events reports luck. And all trials are kept, the bad ones, too.
#
# Eight short trials are a taste. They go to a file, and `labcourse tune --trials 60` in JupyterLab's terminal (*File → New → Terminal*) goes on with the same file; then run the next cells again. The
# value of a trial is its mean significance at 300, 500, 800 and 1400 GeV after six epochs, so do not compare it with section 9.4.

# %% tags=["nbval-ignore-output"]
found_settings = search.run(parts, chapter.folder / "search.db", trials=8, epochs=6, seed=9)
trials = search.table(found_settings)
trials.head(8).round(3)

# %% tags=["nbval-ignore-output"]
fig, ax = figures.parallel_coordinates(trials)
plotting.show(
    fig,
    alt="Parallel coordinates: each finished trial is a line from setting to setting, ending at its significance; dark lines are better ones. "
    "They are few, and spread over most settings.",
)

# %% [markdown]
# A line is a finished trial; pruned ones are left out. Look where the dark ones meet: there a setting matters. Where they spread, it does not. So few lines say little; `docs/parameterised.md` shows a search of 34, on earlier events. There the dark ones meet at a
# small $k$ and at Adam, and spread over the widths. The best of them is no result yet: it was picked for being the best, so part of its lead is luck. Train it again with other seeds, and look at the test
# events once.

# %% [markdown]
# ## 9.7 What could be excluded?
#
# Now the true yields return. An experiment that sees only background can exclude a cross-section that would have given more. Which one do we expect? The histogram of the score tells. We use a likelihood with
# Poisson bins, a background known to 20 %, and the statistics of the simulation as a further uncertainty in each bin (the likelihood of `pyhf`, with the method CLs at 95 %). The *one-bin* limit
# only counts events above the best cut.

# %% tags=["nbval-ignore-output"]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    masses = progress.each(azh.MASSES, "limit at {:g} GeV")
    found = [study.limits(ours.classify, parts, mass) for mass in masses]
pd.DataFrame(
    {
        limit.mass: {
            "shape (pb)": limit.shape.median,
            "−1 σ": limit.shape.minus_1,
            "+1 σ": limit.shape.plus_1,
            "one bin (pb)": limit.counting.median,
            "published (pb)": study.PUBLISHED_LIMITS.get(limit.mass, np.nan),
        }
        for limit in found
    }
).T.round(4)

# %% tags=["nbval-ignore-output"]
fig, ax = figures.limits(found)
plotting.show(
    fig,
    alt="Expected limit on the cross-section against the mass, logarithmic, with bands of one and two standard deviations. It falls by a factor of nearly thirty from 300 to 1000 GeV, "
    "unevenly between 420 and 700 GeV, is nearly flat from 1000 to 1600 GeV, and rises at 2000 GeV. The one-bin limit is weaker at all masses but the last. "
    "Published points at 300, 1400 and 2000 GeV lie within a factor of two and a half.",
)

# %% [markdown]
# At low mass there is plenty of background, and its uncertainty of 20 % is what counts. The shape helps, since bins without signal measure the background. At high mass there is hardly any background, and a few
# events would be enough. There it is the simulation that sets the limit: above the cut of the one bin at least 25 simulated background events must be left, and each bin of the shape needs enough of them to know its background to 50 %. At 2000 GeV
# nearly none looks like signal. So both reach down to scores that signal hardly ever has, and the limit rises, by more than the signal that the selection loses there.
# The published points come from another simulation, other backgrounds and another treatment of uncertainties: the same order of magnitude is all
# that can be asked for. Where few simulated events decide, as from 420 to 700 GeV, another seed of the training moves the limits, too (`docs/parameterised.md` tells by how much).

# %% tags=["nbval-ignore-output"]
numbers = {
    "digit_accuracy": digit_accuracy,
    "blind_ratio": blind_ratio,
    "mean_parameterised": significance["parameterised"].mean(),
    "mean_published": significance["published_recipe"].mean(),
    "mean_tree": significance["tree"].mean(),
    "limit_500": next(limit.shape.median for limit in found if limit.mass == 500),
}
chapter.write_numbers(numbers)
chapter.write_document("results", study.results(curves, scaling, found))

# %% [markdown]
# ## Summary
#
# - A network with the mass as an input serves all masses, and interpolates between those that it was trained with.
# - Background events get random masses with the distribution of the signal's; otherwise the mass itself would be the answer.
# - How much the signal weighs in the training matters as much as the network.
# - A significance compares models; a limit is a statement about an experiment.
#
# **Further reading.** P. Baldi et al., *Parameterized neural networks for high-energy physics* (arXiv:1601.07913) · G. Cowan et al., *Asymptotic formulae for likelihood-based
# tests* (arXiv:1007.1727) · the documentation of `pyhf`.

# %% tags=["nbval-ignore-output"]
checks.panel(9)
