# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 8 – Low-level variables: a tournament
#
# So far your networks saw four numbers of each event. ATLAS measures more: where each lepton went, its energy, its charge, and whether it is an electron or a muon. In this
# last chapter a network may use everything that the four leptons' momenta, charges and flavours tell. It does not play alone. A physicist would write down five numbers, and fit 66 numbers instead of a network. Can you beat that? A referee counts, and you find out *why* the winner wins and what it has learnt.

# %% [markdown]
# ## What you will do
#
# - set up baselines first: the momenta, the 24 numbers as they are, the four-lepton mass alone, five variables, trees;
# - use symmetries, and find out whether a network discovers a mass by itself;
# - enter the tournament with inputs and a network of your own, and let a paired cross-validation decide;
# - switch each idea off once, and ask the network what it looks at;
# - see how the selection makes a bump where there is none, try a cure, and measure its price.
#
# | time | needs | makes |
# |---|---|---|
# | 120 minutes | the events of chapter 1 | your own network, its cross-validation, the last rows of the leaderboard |

# %% tags=["nbval-ignore-output"]
from course import checks, interactive, leaderboard, outputs
from labcourse import (
    crossvalidation,
    features,
    kinematics,
    network,
    ntuple,
    plotting,
    samples,
    selection,
    significance,
    splitting,
    training,
    weights,
)

import keras
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

chapter = outputs.Chapter(8, solution=True)
keras.utils.set_random_seed(8)
threadpool_limits(1, user_api="openmp")  # small trees are grown by one thread: several wait for each other

# %% tags=["nbval-ignore-output"]
checks.panel(8)

# %% [markdown]
# ## 8.1 The rules
#
# A tournament needs rules that are fixed before anybody plays.
#
# 1. Everyone trains on the fit events, with the balanced weights of chapter 5.
# 2. The referee looks at the *validation* loss, with balanced weights. Whatever you try is entered: a log of all trials shows how many chances luck had.
# 3. Two entries are compared event by event, by the mean of the *difference* of their losses. Its error is that of the validation events. What another training would change, section 8.5 asks the folds.
# 4. The test events are opened once, at the end.

# %%
events = chapter.read_table(1, "events")
train_events, test = splitting.split(events)
fit_events, validation = splitting.validation_split(train_events)
y_fit, y_validation, y_test = (features.labels(part) for part in (fit_events, validation, test))
w_fit, w_validation = (
    weights.balance(part["weight"], label) for part, label in ((fit_events, y_fit), (validation, y_validation))
)
print(f"{len(fit_events)} events to fit, {len(validation)} to validate, {len(test)} to test")
rare = fit_events["sample"].isin(["Zee", "Zmumu", "ttbar_lep"]).to_numpy()
print(
    f"{rare.sum()} of the fit events are Z and top pairs: {w_fit[rare].sum() / w_fit[y_fit == 0].sum():.0%} of the background"
)

# %% [markdown]
# Remember the last line: about a third of the background stands on about three hundred events. Whoever learns these by heart looks splendid on the fit events, and loses here.


# %%
log = {}  # name: what each entry gives for the validation events, and what it is


def event_losses(score, label):
    """Cross-entropy of each event, shape (n_events,)."""
    score = np.clip(np.asarray(score, float), 1e-7, 1 - 1e-7)
    return -np.log(np.where(label == 1, score, 1 - score))


def enter(name, score_of, inputs, parameters):
    """Take an entry into the log: ``score_of(events)`` gives its scores, ``parameters`` counts its numbers."""
    losses = event_losses(score_of(validation), y_validation)
    log[name] = {"score_of": score_of, "losses": losses, "inputs": inputs, "parameters": parameters}
    print(f"{name}: validation loss {np.average(losses, weights=w_validation):.4f}, {parameters} parameters")


def referee(name, other):
    """Mean difference of two entries' losses on the validation events, and its error."""
    difference = log[name]["losses"] - log[other]["losses"]
    mean = np.average(difference, weights=w_validation)
    return mean, np.sqrt(np.sum((w_validation * (difference - mean)) ** 2)) / w_validation.sum()


# %% [markdown]
# ## 8.2 Baselines from day one
#
# ### Networks on what was measured
#
# The four transverse momenta first, and then all 24 numbers just as they are. Both get the network that you know: two layers of 60 neurons, inputs scaled in the first layer, early stopping.


# %%
EPOCHS, BATCH, PATIENCE = 9, 512, 4


def momenta(table):
    """The four transverse momenta, shape (n_events, 4)."""
    return table[list(ntuple.LEPTON_PT)].to_numpy(np.float32)


def as_they_are(table):
    """All low-level variables, shape (n_events, 24)."""
    return table[list(ntuple.LOW_LEVEL)].to_numpy(np.float32)


def two_layers(x):
    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


def train(build, inputs, fit_weight=w_fit, seed=8):
    """Train a new network until the validation loss stops falling; return it and its history."""
    keras.utils.set_random_seed(seed)
    model = build(inputs(fit_events))
    history = training.fit(
        model,
        inputs(fit_events),
        y_fit,
        fit_weight,
        validation_data=(inputs(validation), y_validation, w_validation),
        epochs=EPOCHS,
        batch_size=BATCH,
        callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
        seed=seed,
    )
    return model, history


def numbers_of(model):
    """How many numbers a training has changed in a network."""
    return int(sum(np.prod(variable.shape) for variable in model.trainable_variables))


def enter_network(name, model, inputs, what):
    enter(name, lambda table: training.predict(model, inputs(table)), what, numbers_of(model))


# %% tags=["nbval-ignore-output"]
for name, inputs, what in (("momenta", momenta, "four pT"), ("as they are", as_they_are, "24 numbers")):
    model, history = train(two_layers, inputs)
    enter_network(name, model, inputs, what)

# %% [markdown]
# More information is better. But is a network what it takes? A physicist who knows relativity computes one number, the four-lepton mass, and needs no training: a table is enough.

# %% [markdown]
# ### Exercise 8.1 – The best table (derive, write code)
#
# Divide the range of *one* variable into bins, and give all events of a bin the same score $p$. Which $p$ makes the weighted cross-entropy of the events in the bin,
#
# $$-\sum_i w_i\,[\,y_i \ln p + (1-y_i)\ln(1-p)\,],$$
#
# as small as possible? Set its derivative to zero. Then write `best_table(values, label, weight, edges)`, which returns the best score of each bin, shape `(len(edges) - 1,)`, in the order of the bins. The arguments are arrays of shape `(n_events,)`, and the edges of the bins, which include their lower one. A bin
# without any event tells nothing: there it is one half. `np.histogram(values, edges, weights=…)[0]` adds up weights in bins.


# %% tags=["exercise-8.1"]
def best_table(values, label, weight, edges):
    """Score of each bin that makes the weighted cross-entropy smallest, shape (n_bins,)."""
    ### BEGIN SOLUTION
    total = np.histogram(values, edges, weights=weight)[0]
    signal = np.histogram(values, edges, weights=weight * label)[0]
    return np.where(total > 0, signal / np.where(total > 0, total, 1), 0.5)
    ### END SOLUTION


# %% tags=["check-8.1"]
best_table = checks.exercise_8_1(best_table)


# %%
BELOW, ABOVE = [80, 90, 100, 110, 114, 116, 118], [132, 135, 140, 150, 160, 170, 180, 200]
mass_edges = np.array([-np.inf, *BELOW, *range(119, 131), *ABOVE, np.inf])
mass_table = best_table(fit_events["m_llll"].to_numpy(), y_fit, w_fit, mass_edges)
enter(
    "mass alone",
    lambda table: mass_table[np.digitize(table["m_llll"], mass_edges) - 1],
    "m4l",
    len(mass_table),
)
print("mass alone minus as they are: {:+.4f} ± {:.4f}".format(*referee("mass alone", "as they are")))

# %% tags=["claim"]
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert referee("mass alone", "as they are")[0] < -5 * referee("mass alone", "as they are")[1]

# %% [markdown]
# **In the bundle 28 numbers beat the network with 24 inputs**, by far. The mass was in these inputs. But it is well hidden: a root of differences of squares of sums of products of cosines.
#
# ### Five variables, 66 numbers
#
# What else would a physicist write down? Two leptons of a Higgs event come from a Z boson, and mostly the other two from a lighter Z*. In Z + jets and top pairs the softest leptons come from jets. So: the masses of the two pairs, as in chapter 1, and the third and fourth momentum.


# %%
def z_masses(table):
    """Mass of the pair nearest the Z boson and of the other pair, shape (n_events,) each; 0 where there are none."""
    charge, flavour = (kinematics.lepton_arrays(table, name) for name in ("charge", "pdgid"))
    nearest, other = np.full((2, len(table)), -np.inf)
    for first, second in zip(kinematics.PAIRS, reversed(kinematics.PAIRS), strict=True):  # (1, 2) and (3, 4), …
        fits = np.ones(len(table), bool)
        for a, b in (first, second):
            fits &= charge[:, a - 1] + charge[:, b - 1] == 0
            fits &= flavour[:, a - 1] == flavour[:, b - 1]
        mass, rest = (table[f"m_ll_{a}{b}"].to_numpy(float) for a, b in (first, second))
        closer = fits & (np.abs(mass - 91.19) < np.abs(nearest - 91.19))
        nearest, other = np.where(closer, mass, nearest), np.where(closer, rest, other)
    return np.maximum(nearest, 0), np.maximum(other, 0)


def five(table):
    """Four-lepton mass, masses of the two pairs, third and fourth momentum, shape (n_events, 5)."""
    return np.column_stack([table["m_llll"], *z_masses(table), table["lep3_pt"], table["lep4_pt"]]).astype(np.float32)


without = z_masses(events)[0] == 0
share = events["weight"][without].groupby(events["sample"], observed=True).sum()
share /= events["weight"].groupby(events["sample"], observed=True).sum()
print("events without two pairs of one flavour and opposite charge:", without.sum())
print(", ".join(f"{name} {value:.1%}" for name, value in share.items() if value > 0.001))

# %% [markdown]
# A small surprise. Four leptons of total charge zero need not be two *pairs*: $e^+e^+\mu^-\mu^-$ is neutral too, and no two of these leptons come from one Z boson. Hardly any signal is like this, but a good part of the top pairs. A mass of zero marks them.
#
# A table in five dimensions would be empty almost everywhere. So each variable gets a function of its own, and their logits are added: *logistic regression*. Each function is a broken line, given by its heights at 13 knots: 65 numbers and a bias. It is a network without a hidden layer.

# %% tags=["nbval-ignore-output"]
N_KNOTS = 13
x_five = five(fit_events)


def quantiles(values, n):
    """Numbers that divide the balanced fit events into n + 1 equal parts, shape (n,)."""
    order = np.argsort(values)
    shares = np.cumsum(w_fit[order]) / w_fit.sum()
    return values[order][np.searchsorted(shares, np.arange(1, n + 1) / (n + 1))]


knots_of = [np.unique(quantiles(values, N_KNOTS)) for values in x_five.T]


def broken_lines(table):
    """For each variable and knot 1 at the knot, 0 at its neighbours and beyond: shape (n_events, 65)."""
    columns = zip(five(table).T, knots_of, strict=True)
    return np.column_stack([np.interp(values, knots, hat) for values, knots in columns for hat in np.eye(len(knots))])


def logistic(x, label, weight):
    """Logistic regression, trained until it no longer changes."""
    return LogisticRegression(solver="newton-cholesky").fit(x, label, sample_weight=weight)


regression = logistic(broken_lines(fit_events), y_fit, w_fit)
enter(
    "five variables",
    lambda table: regression.predict_proba(broken_lines(table))[:, 1],
    "m4l, mZ1, mZ2, pT3, pT4",
    regression.coef_.size + 1,
)


def trees(x, label, weight):
    """Gradient-boosted trees: 120 small trees, each of which corrects the sum of those before it."""
    forest = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.05, max_leaf_nodes=15, early_stopping=False, random_state=8
    )
    return forest.fit(x, label, sample_weight=weight)


forest = trees(x_five, y_fit, w_fit)
enter("trees", lambda table: forest.predict_proba(five(table))[:, 1], "m4l, mZ1, mZ2, pT3, pT4", 120 * (3 * 15 - 1))
print("trees minus five variables: {:+.4f} ± {:.4f}".format(*referee("trees", "five variables")))

# %% [markdown]
# Gradient-boosted trees are what many analyses use instead of a network: many small decision trees, one after the other. They see how the variables act *together*, which a sum of functions cannot. (Each tree of 15 leaves has 14 cuts on 14 variables, and 15 values: we count 44 numbers.)
#
# These two are the baselines to beat. Your network may use no more than they do: momenta, directions, charges and flavours of four leptons, and what can be computed from these.

# %% [markdown]
# ## 8.3 What you know and the network does not

# %% [markdown]
# ### Exercise 8.2 – Four numbers too many (find out, write code)
#
# Transverse momentum $p_\mathrm{T}$, angles $\eta$ and $\varphi$, energy $E$: are these four independent numbers? At these energies the mass of an electron or a muon is nothing. Draw the triangle of $p_\mathrm{T}$ and $p_z$, recall how $\eta$ is defined, and look at some leptons of `events`. Write
# `redundant(pt, eta, phi, energy)`, which returns two things: the name of the one quantity that can be left out, `"pt"`, `"eta"`, `"phi"` or `"energy"`, because the other three determine it *completely*; and its values, computed from the others, of the shape of the arguments. (There are two right answers.)


# %% tags=["exercise-8.2"]
def redundant(pt, eta, phi, energy):
    """Name of a quantity that the others determine, and its values, of the shape of the arguments."""
    ### BEGIN SOLUTION
    return "energy", pt * np.cosh(eta)
    ### END SOLUTION


# %% tags=["check-8.2"]
redundant = checks.exercise_8_2(redundant)

# %%
of_leptons = {
    name: kinematics.lepton_arrays(events, name[:1] if name == "energy" else name)
    for name in ("pt", "eta", "phi", "energy")
}
spare, computed = redundant(**of_leptons)
deviation = np.abs(computed / of_leptons[spare] - 1)
print(f"{spare}: largest deviation of {computed.size} leptons {deviation.max():.1e}, median {np.median(deviation):.1e}")

# %% [markdown]
# Four of the 24 numbers say nothing new: a network gains nothing from them, and has to find that out.

# %% [markdown]
# ### Exercise 8.3 – Symmetries (in your words)
#
# To a network, $\varphi = 3.1$ and $\varphi = -3.1$ are as far apart as two numbers can be. You know that they are neighbours. And you know more: two beams of protons collide head-on. Which changes of an event lead to another event that is exactly as probable, for signal and for background alike, if the detector is perfect? Name at least two, and say for each how to remove the freedom from the
# inputs. And name one change that is *not* such a symmetry.

# %% tags=["exercise-8.3", "written"]
### BEGIN SOLUTION
answer_8_3 = """A rotation around the beam: turn each event so that the leading lepton is at φ = 0. Swapping the two beams: turn the event by 180° about an axis
across the beam, which changes the signs of every η and every φ. A mirror image (signs of φ alone, or of η alone) is one too, as far as parity violation cannot be seen,
which holds here to very good approximation; so we may flip η alone, until the leading lepton has η ≥ 0. A boost along the beam is none: the protons' energies and |η| < 2.5 single out a frame. Exchanging electrons with muons is nearly one for the Higgs boson, but not for the detector and not for leptons from
jets. Scaling all momenta by a common factor is not a symmetry at all: it changes the mass. A real detector has gaps and dead modules, so that even the rotation is only nearly one."""
### END SOLUTION

# %% tags=["check-8.3"]
checks.written("8.3", answer_8_3)

# %% [markdown]
# ### Exercise 8.4 – Prepare the inputs (write code)
#
# Write `prepare(events)`, which turns an event table into the input array of a network, shape `(n_events, n_inputs)`, `float32`. What goes in is your choice. Some ideas:
#
# - turn each event around the beam, until the leading lepton is at $\varphi = 0$. Its $\varphi$ is then zero everywhere, so leave it out. `kinematics.delta_phi(a, b)` gives $a - b$, in $[-\pi, \pi)$;
# - change the signs of all four $\eta$ together, wherever that of the leading lepton is negative;
# - replace each remaining $\varphi$ by $\cos\varphi$ and $\sin\varphi$, which do not jump at $\pm\pi$;
# - take the logarithm of momenta: their spectra fall steeply, and relative differences count;
# - keep charges and flavours; subtract 12 from the PDG code, so that electrons are −1 and muons +1.
#
# There are rules. An event that is turned around the beam, or flipped along it, must give the same inputs. The momenta and directions of *all four* leptons must have a say: the mass depends on each of them. Use the low-level variables only: no masses, and do not compute a mass yourself, as we want to see whether the network finds it; and nothing that the real data would not have, such as `sample` or `weight`. An event's inputs must not depend on which *other* events are
# in the table: do not subtract a mean here (the network's first layer does that, with training events). `kinematics.lepton_arrays(events, "pt")` gives one quantity of all four leptons, shape
# `(n_events, 4)`; the others are called `eta`, `phi`, `e`, `charge` and `pdgid`.


# %% tags=["exercise-8.4"]
def prepare(events):
    """Inputs of the network, shape (n_events, n_inputs)."""
    ### BEGIN SOLUTION
    pt, eta, phi, charge, code = (
        kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "charge", "pdgid")
    )
    eta = eta * np.where(eta[:, :1] < 0, -1, 1)
    others = kinematics.delta_phi(phi, phi[:, :1])[:, 1:]
    return np.column_stack([np.log(pt), eta, np.cos(others), np.sin(others), charge, code - 12]).astype(np.float32)
    ### END SOLUTION


# %% tags=["check-8.4"]
prepare = checks.exercise_8_4(prepare)

# %% tags=["nbval-ignore-output"]
model, history = train(two_layers, prepare)
enter_network("prepared", model, prepare, "momenta, angles, flavours")
prepared_history = history
for other in ("as they are", "mass alone", "five variables"):
    print(f"prepared minus {other}: " + "{:+.4f} ± {:.4f}".format(*referee("prepared", other)))

# %% [markdown]
# With the very same network the preparation lowers the loss a lot: symmetries cost a few lines, and are worth a third of the loss. And yet: it is a tie with a table of 28 numbers, and far behind five variables. The network has found *something like* the mass (we shall look), but not sharply, and from a limited number of events it does not find what a physicist knows.
#
# ## 8.4 Your entry
#
# Nobody forbids a network to know physics. An [invariant mass](../course/glossary.md#invariant-mass) is computed from four-vectors; handing it over adds no information, it only *unfolds* what is there. So let us give the network everything at once: the momenta as logarithms, the masses of all six pairs, the four-lepton mass, the masses of the two Z bosons. And since a Higgs boson is narrow, a *window*: $\tanh\frac{m - 124}{4}$ stands still
# far from the peak and moves fast where it matters. (The peak lies a little below 125 GeV, as muons and electrons lose some energy.)


# %%
def tanh_window(mass, centre, width):
    return np.tanh((mass - centre) / width)


def log_of(mass):
    return np.log(np.maximum(mass, 1))


INGREDIENTS = {
    "log momenta": lambda t: np.log(kinematics.lepton_arrays(t, "pt")),
    "pair masses": lambda t: log_of(t[[f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]]),
    "four-lepton mass": lambda t: np.column_stack(
        [log_of(t["m_llll"]), tanh_window(t["m_llll"], 124, 4), tanh_window(t["m_llll"], 124, 15)]
    ),
    "two Z bosons": lambda t: np.column_stack(
        [function for mass in z_masses(t) for function in (log_of(mass), tanh_window(mass, 91.2, 5))]
    ),
}


def own_inputs(table):
    """All ingredients, shape (n_events, 17)."""
    return np.column_stack([function(table) for function in INGREDIENTS.values()]).astype(np.float32)


x_fit = own_inputs(fit_events)
print(f"{x_fit.shape[1]} inputs")

# %% tags=["nbval-ignore-output"]
model, unguarded_history = train(two_layers, own_inputs)
enter_network("all, two layers", model, own_inputs, "momenta and masses")
print("all, two layers minus trees: {:+.4f} ± {:.4f}".format(*referee("all, two layers", "trees")))

# %% [markdown]
# That is about as good as the trees. Is it the end? Look at how this network learns, in the figure below: after a few epochs the training loss goes on falling, and the validation loss does not. Early stopping ends the training before the network has learnt all that it could. It cannot learn the signal's shape without learning the few heavy events by heart.

# %% [markdown]
# ### Exercise 8.5 – Design a network (choose, write code)
#
# Write `build_network(x)`. `x` is the input array of the training events: take the number of inputs and the normalisation from it. Return a new, compiled Keras model with one output between 0 and 1, for binary cross-entropy, with at most 50 000 parameters. Use
# `network.build` (its options are `hidden`, `activation`, `learning_rate`, `dropout`, `normalise`), or Keras directly.
#
# This time the check is a referee as well. It trains your network on a small task of the same kind, for 40 epochs and *without* early stopping: a few dozen heavy events among light ones, and most of the inputs say nothing. Two layers of 60 neurons learn these events by heart and are refused. So is a network that is too small to learn the shape, or too slow. What have chapters 2 and 4 taught you that helps?


# %% tags=["exercise-8.5"]
def build_network(x):
    """A new compiled network for inputs such as x, shape (n_events, n_inputs)."""
    ### BEGIN SOLUTION
    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3, dropout=0.2)
    ### END SOLUTION


# %% tags=["check-8.5"]
build_network = checks.exercise_8_5(build_network)

# %% tags=["nbval-ignore-output"]
own, history = train(build_network, own_inputs)
chapter.write_model("low_level_model", own)
enter_network("own entry", own, own_inputs, "momenta and masses")
for other in ("all, two layers", "trees", "five variables", "prepared"):
    print(f"own entry minus {other}: " + "{:+.4f} ± {:.4f}".format(*referee("own entry", other)))

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses({"two layers": unguarded_history, "own entry": history}, best_epoch=True)
plotting.show(
    fig,
    alt="Training and validation loss against the epoch, for two layers of 60 neurons and for the own network on the same inputs. Of the two layers "
    "the training loss falls far below the validation loss after a few epochs; with dropout they stay together, and the validation loss gets lower.",
)

# %% [markdown]
# [Dropout](../course/glossary.md#dropout) leaves out a random part of the neurons at each step, in the training only. So the training loss is that of a crippled network, and may lie *above* the validation loss.
#
# ## 8.5 Better, or luck?
#
# The referee's error is that of a [paired difference](../course/glossary.md#paired-difference) on the validation events. It knows nothing of the luck of a seed, and nothing of the luck of the events that trained. Ask both.
#
# ### Five seeds

# %% tags=["nbval-ignore-output"]
networks = [own, *(train(build_network, own_inputs, seed=seed)[0] for seed in (1, 2, 3, 4))]


def mean_of_five(table):
    """Mean score of the five networks, shape (n_events,)."""
    x = own_inputs(table)
    return np.mean([training.predict(each, x) for each in networks], axis=0)


of_seeds = [event_losses(training.predict(each, own_inputs(validation)), y_validation) for each in networks]
seed_losses = [np.average(losses, weights=w_validation) for losses in of_seeds]
print("five seeds: " + ", ".join(f"{loss:.4f}" for loss in seed_losses))
print(f"mean {np.mean(seed_losses):.4f}, spread {np.std(seed_losses, ddof=1):.4f}")
enter("mean of five", mean_of_five, "momenta and masses", 5 * numbers_of(own))
print("mean of five minus trees: {:+.4f} ± {:.4f}".format(*referee("mean of five", "trees")))

# %% tags=["claim"]
assert np.average(log["mean of five"]["losses"], weights=w_validation) < np.mean(seed_losses)
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert np.mean(seed_losses) < 0.130
    assert referee("mean of five", "trees")[0] < 0

# %% [markdown]
# The mean of five networks is better than the networks are in the mean: what each has learnt by heart differs, what they have understood does not. (The logarithm makes this certain: by Jensen's inequality the loss of a mean score is never larger than the mean of the losses.) So the five together enter as one.
#
# ### Four folds
#
# The same folds for everyone, a fresh network in every fold, weights balanced in each. Each fold stops early by its own validation events, and for the trees their number was chosen once: so the losses of both come out a little too good, and we only compare.

# %% tags=["nbval-ignore-output"]
N_FOLDS = 4
fold = splitting.folds(train_events, N_FOLDS)
y_train = features.labels(train_events)
w_train = np.empty(len(train_events), np.float32)
for number in range(N_FOLDS):
    members = fold == number
    w_train[members] = weights.balance(train_events["weight"][members], y_train[members])


def losses_without_network(train_on, x):
    """Validation loss of each fold, shape (n_folds,)."""
    losses = []
    for number in range(N_FOLDS):
        out = fold == number
        score = train_on(x[~out], y_train[~out], w_train[~out]).predict_proba(x[out])[:, 1]
        losses.append(np.average(event_losses(score, y_train[out]), weights=w_train[out]))
    return np.array(losses)


options = {"sample_weight": w_train, "epochs": EPOCHS, "batch_size": BATCH, "patience": PATIENCE, "seed": 8}
of_own = crossvalidation.cross_validate(build_network, own_inputs(train_events), y_train, fold, **options)
fold_losses = {
    "five variables": losses_without_network(logistic, broken_lines(train_events)),
    "trees": losses_without_network(trees, five(train_events)),
    "own entry": of_own.losses,
}
table = pd.DataFrame(fold_losses).rename_axis("fold").melt(var_name="model", ignore_index=False)
chapter.write_table("fold_losses", table.rename(columns={"value": "validation_loss"}).reset_index())

# %% tags=["nbval-ignore-output"]
for name in ("five variables", "trees"):
    difference = fold_losses["own entry"] - fold_losses[name]
    error = np.sqrt((1 / N_FOLDS + 1 / (N_FOLDS - 1)) * np.var(difference, ddof=1))
    print(
        f"own entry minus {name}: {difference.mean():.4f} ± {error:.4f}, lower in {(difference < 0).sum()} of {N_FOLDS} folds"
    )

# %% tags=["claim"]
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert (fold_losses["own entry"] - fold_losses["trees"]).mean() < 0
    assert (fold_losses["own entry"] < fold_losses["five variables"]).all()

# %% [markdown]
# The error is the corrected one of section 6.4 (Nadeau and Bengio), which takes into account that folds share their training events.
#
# ### Each idea switched off once
#
# Which idea deserves the credit? Change one thing at a time: the same network, the same seed, the same events, and one ingredient replaced by its mean, which says nothing. Before you run the cell, write down your ranking: which of the five costs most?

# %% tags=["nbval-ignore-output"]
COLUMNS = dict(zip(INGREDIENTS, np.split(np.arange(17), [4, 10, 13]), strict=True))


def without(name):
    """Own inputs, where an ingredient is the same for all events: its mean, of which the first layer makes 0."""

    def inputs(table):
        x = own_inputs(table)
        x[:, COLUMNS[name]] = x_fit[:, COLUMNS[name]].mean(axis=0)
        return x

    return inputs


variants = {
    f"without {name}": (lambda _: build_network(x_fit), without(name))
    for name in ("pair masses", "two Z bosons", "four-lepton mass")
}
variants["momenta, not logarithms"] = (
    build_network,
    lambda table: np.column_stack([momenta(table), own_inputs(table)[:, 4:]]),
)
ablation = {}
for name, (build, inputs) in variants.items():
    model, _ = train(build, inputs)
    enter_network(name, model, inputs, "momenta and masses")
    ablation[name] = referee(name, "own entry")
ablation["without dropout"] = referee("all, two layers", "own entry")
pd.DataFrame(ablation, index=["loss minus that of the own entry", "error"]).T.round(4)

# %% tags=["claim"]
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert ablation["without four-lepton mass"][0] > 2 * ablation["without four-lepton mass"][1]
    assert ablation["without two Z bosons"][0] > 1.5 * ablation["without two Z bosons"][1]

# %% [markdown]
# Read the table with its errors, and with the spread of the seeds above: one training each. In the bundle two ideas are beyond doubt, the four-lepton mass and the two Z bosons. The pair masses in all orders, the logarithms and the dropout
# are each worth as much as one or two errors; together they may matter, and alone this test cannot tell. That is a result as well: had you tried twenty such ideas, one or two of them would look good by luck.
#
# The pairing is a question of *permutations*. Six masses of pairs, by falling momentum of the leptons, do not say which two leptons belong together: that depends on charges and flavours, and which pair is nearer to 91 GeV. A network would have to learn all permutations from examples. We did it for the network, in ten lines.

# %% [markdown]
# ### Exercise 8.6 – What won? (in your words)
#
# Is your network better than regression and trees, and how sure are you: by the referee's error, by the folds, by the seeds? Some folds are harder for everyone; why is it better to compare fold by fold? And what would you answer to somebody who says: «The network found all this by itself»? Three or four sentences.

# %% tags=["exercise-8.6", "written"]
### BEGIN SOLUTION
answer_8_6 = """Whether a fold is hard depends on the events in it, above all on the few heavy Z and top-pair events, and they are the same for
all models: in the difference a part of their luck cancels. Against the regression the own network is lower in every fold, by two or three of its corrected errors; against the trees it is lower in
every fold too, but the mean gain is only one or two corrected errors, so it is likely and not certain that other events would say the same. The seeds move the loss by much less than the gain, and the mean of five networks adds a little to it.
With momenta and angles alone the network found only a blurred image of the mass, and tied with a table of it. What won is physics in the inputs,
and a network that was kept from learning a few hundred heavy events by heart."""
### END SOLUTION

# %% tags=["check-8.6"]
checks.written("8.6", answer_8_6)

# %% [markdown]
# ## 8.6 Looking inside

# %% [markdown]
# ### Exercise 8.7 – Permutation importance (write the experiment)
#
# How much does a trained network rely on an input? Take the input's information away, without training anew: shuffle its column among the events, so that each value is still a possible one, but belongs to another event. The loss rises. Inputs that say nearly the same have to be shuffled *together*, by the same permutation: as long as one of them is in order, the network may lean on it.
#
# Write `importance(loss_of, x, columns, rng)`. `loss_of(x)` gives the loss of the network for an input array of shape `(n_events, n_inputs)`, `columns` is a list of column numbers that are shuffled together, by one permutation from `rng.permutation(len(x))`. Return how much the loss rises. `x` itself stays as it is.


# %% tags=["exercise-8.7"]
def importance(loss_of, x, columns, rng):
    """Rise of the loss when these columns are shuffled together among the events."""
    ### BEGIN SOLUTION
    shuffled = x.copy()
    shuffled[:, columns] = x[rng.permutation(len(x))][:, columns]
    return loss_of(shuffled) - loss_of(x)
    ### END SOLUTION


# %% tags=["check-8.7"]
importance = checks.exercise_8_7(importance)

# %% tags=["nbval-ignore-output"]
x_validation = own_inputs(validation)
groups = COLUMNS | {"log m4l alone": [10], "its windows alone": [11, 12]}


def validation_loss_of(x):
    return float(np.average(event_losses(training.predict(own, x), y_validation), weights=w_validation))


rises = {
    name: [importance(validation_loss_of, x_validation, columns, np.random.default_rng(seed)) for seed in range(3)]
    for name, columns in groups.items()
}
mean_rise = {name: float(np.mean(values)) for name, values in rises.items()}
fig, ax = plotting.comparison(
    mean_rise,
    {name: float(np.std(values, ddof=1)) for name, values in rises.items()},
    xlabel="rise of the validation loss",
)
plotting.show(
    fig,
    alt="Rise of the validation loss when a group of inputs is shuffled: log momenta, pair masses, four-lepton mass, two Z bosons, and of the four-lepton mass its logarithm alone and its windows alone.",
)

# %% [markdown]
# Compare with the table above. Leaving out an ingredient and training anew asks what the *events* know without it; shuffling asks what *this network* looks at. An input may be looked at and yet be replaceable: the pair masses and momenta determine the four-lepton mass. Neither question is the other's answer.
#
# ### The score against the mass
#
# Let us see how the score depends on the four-lepton mass, for *background* events alone: ZZ only, each simulated event counted once. For the network of momenta and angles too, which was never shown a mass.

# %% tags=["nbval-ignore-output"]
zz = (validation["sample"] == "llll").to_numpy()
mass = validation["m_llll"].to_numpy()
edges = np.arange(80, 251, 5.0)
centres = (edges[1:] + edges[:-1]) / 2
number = np.histogram(mass[zz], edges)[0]
with plotting.use_style():
    fig, ax = plotting.new_figure()
    for (name, label), look, color in (
        (("momenta", "four momenta"), "^:", "#009E73"),
        (("prepared", "momenta and angles, prepared"), "s--", "#CC79A7"),
        (("own entry", "own entry"), "o-", "#7800E1"),
    ):
        score = log[name]["score_of"](validation)
        profile = np.histogram(mass[zz], edges, weights=score[zz])[0] / np.maximum(number, 1)
        ax.plot(centres[number > 5], profile[number > 5], look, markersize=4, label=label, color=color)
    ax.axvspan(115, 130, color="#E69F00", alpha=0.25, linewidth=0, label="115 to 130 GeV")
    ax.set(xlabel=plotting.axis_title("m_llll"), ylabel="mean score of ZZ events", ylim=(0, 1))
    ax.legend()
    plotting.stamp(ax, luminosity=None)
plotting.show(
    fig,
    alt="Mean score of simulated ZZ events against the four-lepton mass from 80 to 250 GeV, for three networks. That of the four momenta is broad, that of the prepared momenta and angles is "
    "a hump near 125 GeV, that of the own entry a narrow peak.",
)

# %% [markdown]
# So the prepared network, to which nobody had told that there is such a thing as a mass, has found something that follows it: a blurred image. Your entry has a sharp one, since it was given.
#
# ## 8.7 A bump without a particle
#
# It is a good sign that the network looks at the mass. It also has a price: the *background* that passes a cut on the score lies where the network looks, near 125 GeV, and makes a bump there. The live figure at the end of this section shows it.
#
# One says that the mass has been [sculpted](../course/glossary.md#sculpting). Three things can be done about it, all called [decorrelation](../course/glossary.md#decorrelation): keep the mass out of the training, punish the training for a score that follows the mass, or fit score and mass together. We try the simplest of the first kind, *planing*: weight the training events so that the mass distribution is the same for signal and background. Then the mass separates nothing, and the network has no reason to look at it.

# %% [markdown]
# ### Exercise 8.8 – Planing (derive, write code)
#
# Write `planed(mass, label, weight, edges)`, which returns new weights, shape `(n_events,)`. In every bin of the mass the new weights of the signal must have the same sum as those of the background, and of both together the sum that was there before; within one bin and class all weights are scaled by one factor. Which factor? In a bin where a class is missing nothing can be compared: there all new weights are zero. The edges cover all events, `np.digitize(mass, edges) - 1`
# gives the number of the bin, and all weights are positive.


# %% tags=["exercise-8.8"]
def planed(mass, label, weight, edges):
    """Weights with which signal and background have the same distribution of the mass, shape (n_events,)."""
    ### BEGIN SOLUTION
    place = np.digitize(mass, edges) - 1
    signal, background = (
        np.bincount(place, weights=weight * (label == value), minlength=len(edges) - 1) for value in (1, 0)
    )
    own = np.where(label == 1, signal[place], background[place])
    both = (signal > 0) & (background > 0)
    half = (signal + background)[place] / 2
    return np.where(both[place], weight * half / np.where(own > 0, own, 1), 0.0)
    ### END SOLUTION


# %% tags=["check-8.8"]
planed = checks.exercise_8_8(planed)

# %% tags=["nbval-ignore-output"]
w_planed = planed(fit_events["m_llll"].to_numpy(), y_fit, w_fit, mass_edges).astype(np.float32)
planed_model, _ = train(build_network, own_inputs, fit_weight=w_planed)
enter_network("planed", planed_model, own_inputs, "momenta and masses")


# %% [markdown]
# Its loss is worse, of course: it was trained for another question. What does it do to the mass? Move the cut, by the share of the signal that it keeps, and watch the background that passes (hatched); then choose the other network. How tight can each cut be before a bump appears?

# %% tags=["nbval-ignore-output"]
full_validation = weights.match_yields(validation, events)
interactive.sculpting(
    mass,
    {name: log[name]["score_of"](validation) for name in ("own entry", "planed", "momenta")},
    y_validation,
    full_validation["weight"].to_numpy(),
    window=(115, 130),
)

# %% [markdown]
# ## 8.8 The final
#
# The loss is what the training minimises, and validation events tell when to stop. Significance is what we want. Loss and significance mostly go together, but only the second one answers our question. The rules are those of chapter 7: choose on validation events, quote on test
# events.
#
# One more entry comes late. The detector knows how [isolated](../course/glossary.md#isolation) a lepton is: how much momentum other tracks have around it (`ptcone30`), and how much energy (`etcone20`). A lepton made in a jet has company. The files have it; it is no four-vector, so it plays outside of the competition.

# %% tags=["nbval-ignore-output"]
CONES = ("ptcone30", "etcone20")
around = [
    ntuple.read(path, sample=name, extra=CONES) for name in samples.SIMULATED for path in samples.locate(name).paths
]
columns = ["run", "event", *(f"lep{i}_{cone}" for cone in CONES for i in (1, 2, 3, 4))]
isolation = pd.concat([table[columns] for table in around]).drop_duplicates(["run", "event"])


def with_isolation(table):
    """Own inputs, and the worst of the four leptons in each isolation, relative to its momentum: shape (n_events, 19)."""
    joined = table[["run", "event"]].merge(isolation, on=["run", "event"], how="left", validate="one_to_one")
    pt = kinematics.lepton_arrays(table, "pt")
    worst = [np.max(kinematics.lepton_arrays(joined, cone) / pt, axis=1) for cone in CONES]
    return np.column_stack([own_inputs(table), *np.log1p(np.maximum(worst, 0))]).astype(np.float32)


model, _ = train(build_network, with_isolation)
enter_network("with isolation", model, with_isolation, "… and isolation")
print("with isolation minus own entry: {:+.4f} ± {:.4f}".format(*referee("with isolation", "own entry")))

# %% [markdown]
# What does isolation win? Compare the difference with its error. In the bundle it is no more than that: leptons from jets are soft, and come with odd pair masses, so that momenta and masses have done most of this work already.

# %% [markdown]
# ### Exercise 8.9 – Choose here, quote there (write code)
#
# Write `choose_and_quote(validation, test)`. Both arguments are tuples `(score, label, weight, sample)` of arrays. Scan the validation events with the Asimov significance, choose the best cut with the guard, and return the scan of the *test* events at
# this one cut. You need `significance.scan` (with `groups=sample`, so that a sample of which nothing is left keeps its error, and with `cuts=[...]` for a single cut) and `significance.best`.


# %% tags=["exercise-8.9"]
def choose_and_quote(validation, test):
    """Choose the best cut on validation events; return the scan (one row) of the test events there."""
    ### BEGIN SOLUTION
    score, label, weight, sample = validation
    best = significance.best(significance.scan(score, label, weight, groups=sample))
    score, label, weight, sample = test
    return significance.scan(score, label, weight, groups=sample, cuts=[best.cut])
    ### END SOLUTION


# %% tags=["check-8.9"]
choose_and_quote = checks.exercise_8_9(choose_and_quote)

# %% [markdown]
# Now the test events are opened, for all finalists at once. The planed network plays twice: alone, and inside the mass window, where its events must lie between 115 and 130 GeV as well. What has been kept out of the score comes back as a second variable.

# %% tags=["nbval-ignore-output"]
full_test = weights.match_yields(test, events)


def in_the_window(table):
    return ((table["m_llll"] >= 115) & (table["m_llll"] < 130)).to_numpy()


finalists = {name: entry for name, entry in log.items() if not name.startswith(("all,", "without", "momenta,"))}
finalists["planed, in the window"] = {
    "score_of": lambda table: np.where(in_the_window(table), log["planed"]["score_of"](table), 0),
    "losses": np.full(len(validation), np.nan),
    "inputs": "momenta and masses",
    "parameters": log["planed"]["parameters"] + 2,
}


def arrays_of(table, score):
    """Score, label, weight and sample of each event."""
    return score, features.labels(table), table["weight"].to_numpy(float), table["sample"].to_numpy()


passes_window, kept, cut_of, rows = leaderboard.baseline(chapter, test), {}, {}, []
for name, entry in finalists.items():
    on_test = entry["score_of"](test)
    on_validation = arrays_of(full_validation, entry["score_of"](validation))
    cut_of[name] = choose_and_quote(on_validation, arrays_of(full_test, on_test)).cut[0]
    kept[name] = on_test >= cut_of[name]
    loss = np.average(entry["losses"], weights=w_validation)
    about = {"inputs": entry["inputs"], "parameters": entry["parameters"], "score": on_test, "validation_loss": loss}
    rows.append(leaderboard.row(name, full_test, kept[name], passes_window, **about))
chapter.write_table("leaderboard", pd.DataFrame(rows))
leaderboard.show(chapter)

# %% tags=["nbval-ignore-output"]
for other in ("mean of five", "trees", "five variables", "mass alone", "planed", "planed, in the window"):
    gain = leaderboard.difference(full_test, kept["own entry"], kept[other])
    print(f"Z of own entry minus Z of {other}: " + "{:+.3f} ± {:.3f}".format(*gain))

# %% tags=["claim"]
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert leaderboard.difference(full_test, kept["own entry"], kept["as they are"])[0] > 0.3
    assert abs(leaderboard.difference(full_test, kept["own entry"], kept["trees"])[0]) < 0.25
    assert leaderboard.difference(full_test, kept["planed"], kept["own entry"])[0] < 0

# %% [markdown]
# The error is that of the test events that two entries do not share; it knows nothing of the luck of a training. And here is the last surprise: in the bundle your entry beats the regression by the loss, and probably the trees; by Z of one cut they cannot be told apart. The loss judges all scores; one cut uses the order of the scores near this cut, where what is left of the background rests on few heavy events, and nothing else. To profit from the better score one would fit all of it, as in chapter 7.
#
# ### The price and the gain of planing

# %% tags=["nbval-ignore-output"]
is_background, in_window = y_test == 0, in_the_window(test)
w_full = full_test["weight"].to_numpy(float)


def share_in_window(mask):
    """Share of the background in a mask that lies in the window, and its error."""
    inside, outside = (mask & is_background & (in_window == value) for value in (True, False))
    a, b = w_full[inside].sum(), w_full[outside].sum()
    variance = b**2 * np.sum(w_full[inside] ** 2) + a**2 * np.sum(w_full[outside] ** 2)
    return a / (a + b), np.sqrt(variance) / (a + b) ** 2


everything = np.ones(len(test), bool)
shares = {"no cut": share_in_window(everything)}
shares |= {name: share_in_window(kept[name]) for name in ("momenta", "own entry", "planed")}
for name, (share, error) in shares.items():
    print(f"{name}: {share:.1%} ± {error:.1%} of the background lies within 115 to 130 GeV")

# %% [markdown]
# ### Exercise 8.10 – A bump without a particle (in your words)
#
# Above your cut, the *background* is gathered around 125 GeV. What would go wrong if you searched for the Higgs boson by looking for a bump in the mass after this cut? How would you estimate the background
# instead? What does planing change, what does it cost, and how does the window pay it back? And would your network find a Higgs boson of 200 GeV? Four or five sentences.

# %% tags=["exercise-8.10", "written"]
### BEGIN SOLUTION
answer_8_10 = """The cut keeps just those background events that look like 125 GeV, so a bump appears there whether or not there is a Higgs boson: the mass
has been sculpted, and events beside the peak no longer tell how much background lies under it. As a counting experiment the selection is
fine, but its background must come from the simulation, or from a control region in the score that has been tested, for instance by means of the same cut on samples of one background at a time.
Planing takes the mass out of the score: the background above the cut stays broad, and side bands can measure it. Alone it costs much of the significance, as the mass was the best that there is;
with the window beside it that comes back, since the information was only moved from the score to a variable of its own.
The network learnt signal of one mass only, so it would throw away a Higgs boson of 200 GeV as background. Other remedies are to punish a score that follows the mass
(decorrelation), to fit score and mass together, or to give the network the mass hypothesis as an input."""
### END SOLUTION

# %% tags=["check-8.10"]
checks.written("8.10", answer_8_10)

# %% [markdown]
# ## 8.9 The data again
#
# The data were opened in chapter 7, so this is no longer a blind analysis. Your network was designed without them, and its cut was chosen on simulation. Still, whoever looks twice must say so: two looks have two chances to fluctuate. We count once more, with the
# background normalised below the cut.

# %% tags=["nbval-ignore-output"]
data = selection.preselect(ntuple.read_sample("data"))
name = "own entry"
cut, score_test = cut_of[name], log[name]["score_of"](test)
score_data = log[name]["score_of"](data)
at = significance.scan(*arrays_of(full_test, score_test)[:3], cuts=[cut], groups=test["sample"])
expected_s, expected_b, error_b = (float(column[0]) for column in (at.signal, at.background, at.background_error))
below = w_full[is_background & ~kept[name]].sum()
n_above, n_below = int((score_data >= cut).sum()), int((score_data < cut).sum())
b = n_below * expected_b / below
sigma_b = b * np.hypot(1 / np.sqrt(n_below), error_b / expected_b)
z_observed = significance.observed(n_above, b, sigma_b)
print(
    f"{plotting.data_kind()}: {n_above} events above the cut; background {b:.1f} ± {sigma_b:.1f}, signal {expected_s:.1f}"
)
print(f"expected significance {significance.asimov(expected_s, b, sigma_b):.2f}, observed {z_observed:.2f}")

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.mass_before_after(full_test, score_test, cut, data=data, data_score=score_data)
plotting.show(
    fig,
    alt="Four-lepton mass before and after the cut on the score of the own entry, simulated processes stacked and data as points. After the cut hardly anything is left above "
    "150 GeV, and both signal and background gather around 125 GeV.",
)

# %% [markdown]
# Compare the observed significance with the expected one. (It is lower than in the leaderboard, since here the uncertainty of the background is included.) If the Higgs boson is produced as often as predicted, the two usually differ by about one or less, up or down; by more than two in one of twenty experiments. A much larger value would be no reason to celebrate. It would say that we were lucky, or that the
# background above this cut is not what we think.
#
# In the course's pseudo-data we know that the simulation is right, so there a difference is luck. In real data the background is the first suspect: its Z and top pairs rest on far fewer simulated events than ZZ, and the control region below the cut has little in common with what is left above it. In the real data, remember, the simulation misses a good part of the background.

# %% [markdown]
# ### Exercise 8.11 – The course in five sentences (in your words)
#
# Somebody asks you at a party what you did in this course. Explain what you searched for, what your networks did, which step brought most, what you found, and what you would do with more time.

# %% tags=["exercise-8.11", "written"]
### BEGIN SOLUTION
answer_8_11 = """We searched for Higgs bosons that decay to four leptons, about ten among four hundred other events. Neural networks learnt from simulation to sort events by how
much they look like signal. What brought most was not a cleverer training but physics in the inputs: the masses of the leptons together and in pairs, and then a network that could not learn the few heavy events by heart.
In the data we counted the events above a cut that was fixed before, and found an excess that fits a Higgs boson but is no evidence for one, and the rare parts of the background rest
on few simulated events.
With more time we would take more data, simulate more of the rare backgrounds, use the isolation of the leptons, test the background in several control regions, and keep the score independent of the mass."""
### END SOLUTION

# %% tags=["check-8.11"]
checks.written("8.11", answer_8_11)

# %% tags=["nbval-ignore-output"]
final = pd.DataFrame(rows).set_index("what")
losses_named = {
    "own": "own entry",
    "plain": "as they are",
    "prepared": "prepared",
    "mass": "mass alone",
    "five": "five variables",
    "trees": "trees",
    "mean_of_five": "mean of five",
    "isolation": "with isolation",
}
chapter.write_numbers(
    {f"validation_loss_{key}": final.loc[name, "validation_loss"] for key, name in losses_named.items()}
    | {
        "validation_loss_seeds": np.mean(seed_losses),
        "fold_loss_own": fold_losses["own entry"].mean(),
        "fold_loss_trees": fold_losses["trees"].mean(),
        "own_minus_trees": (fold_losses["own entry"] - fold_losses["trees"]).mean(),
        **{key: final.loc["own entry", key] for key in ("auc", "z", "z_error")},
        "z_planed": final.loc["planed", "z"],
        "z_planed_in_window": final.loc["planed, in the window", "z"],
        "share_in_window": shares["own entry"][0],
        "share_in_window_planed": shares["planed"][0],
        "observed_above": n_above,
        "z_observed": z_observed,
    }
)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(8)

# %% [markdown]
# ## Summary
#
# - A network is to be compared with what a physicist would do without one: a table of one mass, five variables, trees.
# - What is in the data is not yet what a network finds in them, with a finite number of events. Symmetries, logarithms and invariants unfold it, and add no information.
# - A few hundred heavy events decide. A network that cannot learn them by heart, by dropout for instance, beats one that can.
# - Comparing event by event and fold by fold shows whether a difference is real, without pretending that folds are independent.
# - A score that follows the mass makes a bump of the background. Planing takes the mass out of the score; a window puts it back, as a variable of its own.
#
# ## Further reading
#
# - P. Baldi, P. Sadowski, D. Whiteson, *Searching for exotic particles in high-energy physics with deep learning*, Nature Communications 5
#   (2014) 4308, arXiv:1402.4735.
# - P. Baldi, K. Cranmer, T. Faucett, P. Sadowski, D. Whiteson, *Parameterized neural networks for high-energy physics*, Eur. Phys. J. C 76
#   (2016) 235, arXiv:1601.07913.
# - G. Kasieczka, D. Shih, *Robust jet classifiers through distance correlation*, Phys. Rev. Lett. 125 (2020) 122001, arXiv:2001.05310.

# %% [markdown]
# ## Four questions
#
# **1. The four-lepton mass can be computed from the 24 numbers. Why does it help to hand it over?**
#
# <details><summary>It adds information that the four-vectors do not have.</summary>It is a function of them, so it cannot add any.</details>
# <details><summary>A network cannot compute products and roots.</summary>With enough neurons it comes as near to them as one likes; it was a finite number of events that was missing.</details>
# <details><summary>The function need not be learnt from a finite number of events.</summary>Right. What you know for certain needs no examples, so all of them serve for the rest.</details>
#
# **2. Two entries have validation losses of 0.140 ± 0.006 and 0.131 ± 0.006. Are they equal within their errors?**
#
# <details><summary>One cannot say: the error of their difference is needed.</summary>Right. Both were measured with the same events, so most of the luck cancels in the difference, and its error is smaller.</details>
# <details><summary>Yes, the intervals overlap.</summary>They would tell that only of independent measurements, and even then the error of the difference is what counts.</details>
# <details><summary>No, since 0.131 is smaller.</summary>Every two entries differ by something; the question is whether other events would say the same.</details>
#
# **3. Shuffling the logarithm of the four-lepton mass alone hardly changes the loss. What follows?**
#
# <details><summary>The network does not use the mass.</summary>It may read the mass from the other inputs that say the same, such as the windows.</details>
# <details><summary>The mass does not matter for this search.</summary>Then the table of the mass alone could not be as good as it is.</details>
# <details><summary>The training has failed.</summary>Nothing has gone wrong: of several inputs that say the same a network may choose.</details>
# <details><summary>Other inputs hold the same information: shuffle them together.</summary>Right. As long as one of them is in order, the network can lean on it.</details>
#
# **4. After planing, the score alone separates worse. Why may it still be the better choice?**
#
# <details><summary>Its training loss is lower.</summary>Its weights are others, so the two losses cannot even be compared.</details>
# <details><summary>Side bands in the mass can measure the background above its cut.</summary>Right. The mass stays a variable of its own, in which a peak means something.</details>
# <details><summary>It finds Higgs bosons of every mass.</summary>Its signal had one mass, and its other inputs know of it: nobody has trained it for another.</details>

# %% [markdown]
# ## What you can now do
#
# - set up baselines before a network, and rules before a comparison;
# - find redundant inputs, take out symmetries, and hand over invariants;
# - design a network for few heavy events, and defend it with paired differences, folds, seeds and an ablation;
# - tell what a network looks at from what it would need;
# - recognise a sculpted background, and name the price of a cure.
#
# This was the last chapter. If you want more: the [project](project_parameterised_network.ipynb) searches for a new particle of unknown
# mass. Thank you for hunting with us.
