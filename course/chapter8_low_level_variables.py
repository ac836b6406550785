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
#
# ## What you will do
#
# - set up baselines first: the 24 numbers as they are, the four-lepton mass alone, five variables, trees;
# - use symmetries, and find out whether a network discovers a mass by itself;
# - enter the tournament with a network of your own, and let a paired cross-validation decide;
# - switch each idea off once, and ask the network what it looks at;
# - see how the selection makes a bump where there is none, try a cure, and measure its price.
#
# | time | needs | makes |
# |---|---|---|
# | 180 minutes | the events of chapter 1 | your own network, its cross-validation, the last rows of the leaderboard |

# %% tags=["nbval-ignore-output"]
from course import checks, interactive, leaderboard, outputs
from labcourse import (
    crossvalidation,
    features,
    kinematics,
    metrics,
    network,
    ntuple,
    plotting,
    samples,
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
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from threadpoolctl import threadpool_limits

chapter = outputs.Chapter(8, solution=True)
keras.utils.set_random_seed(8)
_ = threadpool_limits(1, user_api="openmp")  # small trees are grown by one thread: several wait for each other

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
# 4. The test events are opened once in this chapter, at the end.

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
    score = score_of(validation)
    losses = event_losses(score, y_validation)
    loss = np.average(losses, weights=w_validation)
    about = {"inputs": inputs, "parameters": parameters, "validation_loss": loss}
    log[name] = {"score_of": score_of, "score": score, "losses": losses, "about": about}
    print(f"{name}: validation loss {loss:.4f}, {parameters} parameters")


def referee(name, other):
    """Mean difference of two entries' losses on the validation events, and its error."""
    difference = log[name]["losses"] - log[other]["losses"]
    mean = np.average(difference, weights=w_validation)
    return mean, np.sqrt(np.sum((w_validation * (difference - mean)) ** 2)) / w_validation.sum()


# %% [markdown]
# ## 8.2 Baselines from day one
#
# ### A network on what was measured
#
# All 24 numbers just as they are go into the network that you know: two layers of 60 neurons, inputs scaled in the first layer, early stopping. All networks of this chapter train for nine epochs at most, for the sake of time. (We tried sixty: the losses of those without a mass fall further, and the order stays.)


# %%
EPOCHS, BATCH, PATIENCE = 9, 512, 4


def as_they_are(table):
    """All low-level variables, shape (n_events, 24)."""
    return table[list(ntuple.LOW_LEVEL)].to_numpy(np.float32)


def two_layers(x):
    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


def train(build, inputs, fit_weight=w_fit, validation_weight=w_validation, seed=8):
    """Train a new network until the validation loss stops falling."""
    keras.utils.set_random_seed(seed)
    x = inputs(fit_events)
    model = build(x)
    training.fit(
        model,
        x,
        y_fit,
        fit_weight,
        validation_data=(inputs(validation), y_validation, validation_weight),
        epochs=EPOCHS,
        batch_size=BATCH,
        callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
        seed=seed,
    )
    return model


def enter_network(name, model, inputs, what):
    parameters = int(sum(np.prod(variable.shape) for variable in model.trainable_variables))
    enter(name, lambda table: training.predict(model, inputs(table)), what, parameters)


# %% tags=["nbval-ignore-output"]
enter_network("as they are", train(two_layers, as_they_are), as_they_are, "24 numbers")

# %% [markdown]
# Is a network what it takes? A physicist who knows relativity computes one number, the four-lepton mass, and needs no training: a table is enough.

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
enter("mass alone", lambda table: mass_table[np.digitize(table["m_llll"], mass_edges) - 1], "m4l", len(mass_table))
print("mass alone minus as they are: {:+.4f} ± {:.4f}".format(*referee("mass alone", "as they are")))

# %% [markdown]
# **In the bundle 28 numbers beat the network with 24 inputs**, by far. The mass was in these inputs. But it is well hidden: a root of differences of squares of sums of products of cosines.
#
# ### Five variables, 66 numbers
#
# What else would a physicist write down? Two leptons of a Higgs event come from a Z boson, and mostly the other two from a lighter Z*. In Z + jets and top pairs the softest leptons come from jets. So: the masses of the two pairs, as in chapter 1, and the third and fourth momentum.


# %%
def five(table):
    """Four-lepton mass, masses of the two pairs, third and fourth momentum, shape (n_events, 5)."""
    columns = [table["m_llll"], *kinematics.z_masses(table), table["lep3_pt"], table["lep4_pt"]]
    return np.column_stack(columns).astype(np.float32)


has_no_pairs = pd.Series(five(events)[:, 1] == 0, name="has no pairs")
pd.crosstab(events["sample"], has_no_pairs, events["weight"], aggfunc="sum", normalize="index").round(3)

# %% [markdown]
# A small surprise is in the last column, the share of events without two pairs of one flavour and opposite charge. Four leptons of total charge zero need not be two *pairs*: $e^+e^+\mu^-\mu^-$ is neutral too, and no two of these leptons come from one Z boson. Hardly any signal is like this, but a good part of the top pairs. A mass of zero marks them.
#
# A table in five dimensions would be empty almost everywhere. So each variable gets a function of its own, a broken line with 13 knots. Their sum is taken for the [logit](../course/glossary.md#logit) $\ln\frac{p}{1-p}$ of the score $p$: *logistic regression*, with 65 heights and a bias, a network without a hidden layer. (scikit-learn keeps the heights small by a penalty on their squares, as weight decay does.) Beside it play *gradient-boosted trees*: many small decision trees, each of which corrects the sum of those before it.


# %% tags=["nbval-ignore-output"]
x_five = five(fit_events)
parts = np.arange(1, 14) / 14
knots = np.quantile(x_five, parts, axis=0, weights=w_fit, method="inverted_cdf")  # 14 parts of equal weight


def regression(x, label, weight):
    lines = SplineTransformer(degree=1, knots=knots, extrapolation="constant")
    model = make_pipeline(lines, LogisticRegression(solver="newton-cholesky"))
    return model.fit(x, label, logisticregression__sample_weight=weight)


def trees(x, label, weight):
    forest = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.05, max_leaf_nodes=15, early_stopping=False, random_state=8
    )
    return forest.fit(x, label, sample_weight=weight)


# A tree of 15 leaves has 14 cuts on 14 variables, and 15 values.
for name, fit, parameters in (("five variables", regression, knots.size + 1), ("trees", trees, 120 * 43)):
    model = fit(x_five, y_fit, w_fit)
    enter(
        name, lambda table, model=model: model.predict_proba(five(table))[:, 1], "m4l, mZ1, mZ2, pT3, pT4", parameters
    )
print("trees minus five variables: {:+.4f} ± {:.4f}".format(*referee("trees", "five variables")))

# %% [markdown]
# Trees are what many analyses use instead of a network. They see how the variables act *together*, which a sum of functions cannot. These two are the baselines to beat. Your network may use no more than they do: momenta, directions, charges and flavours of four leptons, and what can be computed from these.
#
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

# %% [markdown]
# ### Exercise 8.3 – Symmetries (in your words)
#
# So four of the 24 numbers say nothing new. What else does a network have to find out? To a network, $\varphi = 3.1$ and $\varphi = -3.1$ are as far apart as two numbers can be. You know that they are neighbours. And you know more: two beams of protons collide head-on. Which changes of an event lead to another event that is exactly as probable, for signal and for background alike, if the detector is perfect? Name at least two, and say for each how to remove the freedom from the
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
# There are rules. An event that is turned around the beam must give the same inputs, and so must one that is flipped along it (by the signs of all $\eta$, or of all $\eta$ and all $\varphi$). The momenta and directions of *all four* leptons must have a say: the mass depends on each of them. Use the low-level variables only: no masses, and do not compute a mass yourself, as we want to see whether the network finds it; and nothing that the real data would not have, such as `sample` or `weight`. An event's inputs must not depend on which *other* events are
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
enter_network("prepared", train(two_layers, prepare), prepare, "momenta, angles, flavours")
for other in ("as they are", "mass alone", "five variables"):
    print(f"prepared minus {other}: " + "{:+.4f} ± {:.4f}".format(*referee("prepared", other)))

# %% [markdown]
# With the very same network the preparation lowers the loss by about a third. (We tried its parts: about half of this is due to the symmetries, half to cosines, sines and logarithms.) And yet: in the bundle it is a tie with a table of 28 numbers, and far behind five variables. The network has found *something like* the mass (we shall look), but not sharply.
#
# ## 8.4 Your entry
#
# Nobody forbids a network to know physics. An [invariant mass](../course/glossary.md#invariant-mass) is computed from four-vectors; handing it over adds no information, it only *unfolds* what is there. So let us give the network everything at once: the momenta as logarithms, the masses of all six pairs, the four-lepton mass, the masses of the two Z bosons. Six masses of pairs, by falling momentum of the leptons, do not say which two leptons belong together. That is a question of *permutations*, which depends on charges and flavours and on which pair is nearer to 91 GeV; we answer it for the network. And since a Higgs boson is narrow, a *window*: $\tanh\frac{m - 124}{4}$ stands still
# far from the peak and moves fast where it matters. (The peak lies a little below 125 GeV, as muons and electrons lose some energy.) If you have an idea of your own, add a line.


# %%
def log_of(mass):
    return np.log(np.maximum(mass, 1))


INGREDIENTS = {
    "log momenta": lambda t: np.log(kinematics.lepton_arrays(t, "pt")),
    "pair masses": lambda t: log_of(t[[f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]]),
    "four-lepton mass": lambda t: np.column_stack(
        [log_of(t["m_llll"]), np.tanh((t["m_llll"] - 124) / 4), np.tanh((t["m_llll"] - 124) / 15)]
    ),
    "two Z bosons": lambda t: np.column_stack(
        [function for mass in kinematics.z_masses(t) for function in (log_of(mass), np.tanh((mass - 91.2) / 5))]
    ),
    # "yours": lambda t: t["lep1_pt"] / t["m_llll"],
}


def own_inputs(table):
    """All ingredients, shape (n_events, n_inputs)."""
    return np.column_stack([function(table) for function in INGREDIENTS.values()]).astype(np.float32)


x_fit = own_inputs(fit_events)
print(f"{x_fit.shape[1]} inputs")

# %% tags=["nbval-ignore-output"]
enter_network("two layers of 60", train(two_layers, own_inputs), own_inputs, "momenta and masses")
print("two layers of 60 minus trees: {:+.4f} ± {:.4f}".format(*referee("two layers of 60", "trees")))

# %% [markdown]
# That is about as good as the trees. But remember what carries a third of the background: about three hundred events. A network of some five thousand numbers can learn these by heart, if it is trained for long enough. Can you build one that does not?

# %% [markdown]
# ### Exercise 8.5 – Design a network (choose, write code)
#
# Write `build_network(x)`. `x` is the input array of the training events: take the number of inputs and the normalisation from it. Return a new, compiled Keras model with one output between 0 and 1, for binary cross-entropy, with at most 50 000 parameters. Use
# `network.build` (its options are `hidden`, `activation`, `learning_rate`, `dropout`, `normalise`), or Keras directly.
#
# This time the check is a referee as well. It trains your network on a small task of the same kind, for 40 epochs and *without* early stopping: a few dozen heavy events among light ones, and most of the inputs say nothing. At a learning rate of 2e-3, two layers of 60 neurons learn these events by heart and are refused. So is a network that is too small to learn the shape, or too slow. What have chapters 2 and 4 taught you that helps?


# %% tags=["exercise-8.5"]
def build_network(x):
    """A new compiled network for inputs such as x, shape (n_events, n_inputs)."""
    ### BEGIN SOLUTION
    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3, dropout=0.2)
    ### END SOLUTION


# %% tags=["check-8.5"]
build_network = checks.exercise_8_5(build_network)

# %% tags=["nbval-ignore-output"]
own = train(build_network, own_inputs)
chapter.write_model("low_level_model", own)
enter_network("own entry", own, own_inputs, "momenta and masses")
for other in ("two layers of 60", "trees", "five variables", "prepared"):
    print(f"own entry minus {other}: " + "{:+.4f} ± {:.4f}".format(*referee("own entry", other)))
loss_on_fit_events = np.average(event_losses(training.predict(own, x_fit), y_fit), weights=w_fit)
print(f"own entry: loss of the fit events {loss_on_fit_events:.4f}")

# %% [markdown]
# The course's answer has [dropout](../course/glossary.md#dropout), which leaves out a random part of the neurons at each step of the training. Look at the first difference: what was decisive in the check is worth little here, where a training ends before much is learnt by heart. (We tried five seeds with dropout and without: it lowered the loss by 0.002 ± 0.001. Perhaps it helps; it does not decide the tournament.) The last line says that your network, too, knows the fit events a little better than others.
#
# Enter as many designs as you like under other names: write another function such as `build_network`, and copy the line `enter_network(…)` with `train(your_function, own_inputs)` in the place of `own`.
#
# ## 8.5 Better, or luck?
#
# The referee's error is that of a [paired difference](../course/glossary.md#paired-difference) on the validation events. It knows nothing of the luck of a seed, and nothing of the luck of the events that trained. Ask both.
#
# ### Five seeds

# %% tags=["nbval-ignore-output"]
networks = [own, *(train(build_network, own_inputs, seed=seed) for seed in (1, 2, 3, 4))]


def mean_of_five(table):
    return np.mean([training.predict(each, own_inputs(table)) for each in networks], axis=0)


of_seeds = [event_losses(training.predict(each, own_inputs(validation)), y_validation) for each in networks]
seed_losses = np.average(of_seeds, axis=1, weights=w_validation)
print("five seeds: " + ", ".join(f"{loss:.4f}" for loss in seed_losses))
print(f"mean {np.mean(seed_losses):.4f}, spread {np.std(seed_losses, ddof=1):.4f}")
enter("mean of five", mean_of_five, "momenta and masses", 5 * log["own entry"]["about"]["parameters"])
print("mean of five minus trees: {:+.4f} ± {:.4f}".format(*referee("mean of five", "trees")))

# %% [markdown]
# The mean of five is better than the networks are in the mean, as in chapter 6. So the five together enter as one.
#
# ### Four folds
#
# The same folds for everyone, a fresh network in every fold, weights balanced in each. Each fold stops early by its own validation events; for the trees their number was chosen once, and inputs, dropout and epochs of the course's network were chosen on events of these same folds. So the losses of both come out a little too good, and the difference perhaps as well.

# %% tags=["nbval-ignore-output"]
N_FOLDS = 4
fold = splitting.folds(train_events, N_FOLDS)
y_train = features.labels(train_events)
w_train = np.empty(len(train_events), np.float32)
for number in range(N_FOLDS):
    members = fold == number
    w_train[members] = weights.balance(train_events["weight"][members], y_train[members])


def fold_loss(fit, number):
    """Validation loss of a fold for a regression or trees."""
    out, x = fold == number, five(train_events)
    score = fit(x[~out], y_train[~out], w_train[~out]).predict_proba(x[out])[:, 1]
    return np.average(event_losses(score, y_train[out]), weights=w_train[out])


options = {"sample_weight": w_train, "epochs": EPOCHS, "batch_size": BATCH, "patience": PATIENCE, "seed": 8}
of_own = crossvalidation.cross_validate(build_network, own_inputs(train_events), y_train, fold, **options)
fold_losses = {
    "five variables": np.array([fold_loss(regression, number) for number in range(N_FOLDS)]),
    "trees": np.array([fold_loss(trees, number) for number in range(N_FOLDS)]),
    "own entry": of_own.losses,
}
for name in ("five variables", "trees"):
    difference = fold_losses["own entry"] - fold_losses[name]
    error = np.sqrt((1 / N_FOLDS + 1 / (N_FOLDS - 1)) * np.var(difference, ddof=1))
    lower = (difference < 0).sum()
    print(f"own entry minus {name}: {difference.mean():.4f} ± {error:.4f}, lower in {lower} of {N_FOLDS} folds")

# %% [markdown]
# The error is the corrected one of section 6.4 (Nadeau and Bengio), which takes into account that folds share their training events.
#
# ### Each idea switched off once
#
# Which idea deserves the credit? An [ablation](../course/glossary.md#ablation) changes one thing at a time: the same network, the same seed, the same events, and one ingredient replaced by its mean, which says nothing. Before you run the cell, write down your ranking: which of the five costs most?

# %% tags=["nbval-ignore-output"]
ends = np.cumsum([np.column_stack([function(validation[:2])]).shape[1] for function in INGREDIENTS.values()])
COLUMNS = dict(zip(INGREDIENTS, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))


def without(name):
    """Own inputs, where an ingredient is the same for all events: its mean, of which the first layer makes 0."""

    def inputs(table):
        x = own_inputs(table)
        x[:, COLUMNS[name]] = x_fit[:, COLUMNS[name]].mean(axis=0)
        return x

    return inputs


ablation = {}
for name in INGREDIENTS:
    model = train(lambda _: build_network(x_fit), without(name))
    enter_network(f"without {name}", model, without(name), "momenta and masses")
    ablation[f"without {name}"] = referee(f"without {name}", "own entry")
ablation["two layers of 60"] = referee("two layers of 60", "own entry")
pd.DataFrame(ablation, index=["loss minus that of the own entry", "error"]).T.round(4)

# %% tags=["claim"]
assert log["mean of five"]["about"]["validation_loss"] < np.mean(seed_losses)
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert referee("mass alone", "as they are")[0] < -5 * referee("mass alone", "as they are")[1]
    assert np.mean(seed_losses) < 0.130
    assert referee("mean of five", "trees")[0] < 0
    assert (fold_losses["own entry"] - fold_losses["trees"]).mean() < 0
    assert (fold_losses["own entry"] < fold_losses["five variables"]).all()
    assert ablation["without four-lepton mass"][0] > 2 * ablation["without four-lepton mass"][1]
    assert ablation["without two Z bosons"][0] > 1.5 * ablation["without two Z bosons"][1]

# %% [markdown]
# Read the table with its errors, and with the spread of the seeds above: one training each. In the bundle two ideas are beyond doubt, the four-lepton mass and the two Z bosons, and without the momenta something is most likely lost too: no mass says how soft the softest lepton is. The pair masses in all orders and the dropout
# are worth one or two errors there (other files give another order): they may matter, and alone this test cannot tell. That is a result as well: had you tried twenty such ideas, one or two of them would look good by luck.

# %% [markdown]
# ### Exercise 8.6 – What won? (in your words)
#
# Is your network better than regression and trees, and how sure are you: by the referee's error, by the folds, by the seeds? Some folds are harder for everyone; why is it better to compare fold by fold? And what would you answer to somebody who says: «The network found all this by itself»? Three or four sentences.

# %% tags=["exercise-8.6", "written"]
### BEGIN SOLUTION
answer_8_6 = """Whether a fold is hard depends on the events in it, above all on the few heavy Z and top-pair events, and they are the same for
all models: in the difference a part of their luck cancels. In the bundle the own network is lower than the regression in every fold, by two or three corrected errors; it is lower than the trees in
every fold too, but the mean gain is only one or two corrected errors, and our network was designed on these events: likely, not certain. With the release's own Z and top-pair files network and trees are a tie. The seeds move the loss
by much less than the gain. With momenta and angles alone the network found only a blurred image of the mass, and tied with a table of it. What won is physics in the inputs,
the mass of all four and the right pairs; dropout added little."""
### END SOLUTION

# %% tags=["check-8.6"]
checks.written("8.6", answer_8_6)

# %% [markdown]
# ## 8.6 Looking inside

# %% [markdown]
# ### Exercise 8.7 – Permutation importance (write the experiment)
#
# How much does a trained network rely on an input? Its [permutation importance](../course/glossary.md#permutation-importance) tells. Take the input's information away, without training anew: shuffle its column among the events, so that each value is still a possible one, but belongs to another event. The loss rises. Inputs that say nearly the same have to be shuffled *together*, by the same permutation: as long as one of them is in order, the network may lean on it.
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
LOG_MASS, *WINDOWS = COLUMNS["four-lepton mass"]


def validation_loss_of(x):
    return float(np.average(event_losses(training.predict(own, x), y_validation), weights=w_validation))


looks = {}
for name, columns in (COLUMNS | {"log m4l alone": [LOG_MASS], "its windows alone": WINDOWS}).items():
    rises = [importance(validation_loss_of, x_validation, columns, np.random.default_rng(seed)) for seed in range(3)]
    left_out = ablation.get(f"without {name}", (np.nan, np.nan))
    looks[name] = [np.mean(rises), np.std(rises, ddof=1), *left_out]
looks = pd.DataFrame(looks, index=["shuffled", "spread of three", "left out, trained anew", "error"]).T
looks.round(3)

# %% [markdown]
# (NaN: not left out above.) Leaving out an ingredient and training anew asks what the *events* know without it; shuffling asks what *this network* looks at. (A shuffled event is an impossible one, whose four-lepton mass does not fit its pairs; and the network is sure of itself. So the loss can rise far above $\ln 2$, that of a coin.) An input may be looked at and yet be replaceable. For the four-lepton mass that is exact: of massless leptons, $m_{4\ell}^2 = \sum_{i<j} m_{ij}^2$. The six pair masses alone determine it. Neither question is the other's answer.
#
# ### The score against the mass
#
# Let us see how the score depends on the four-lepton mass, for *background* events alone: ZZ only, each simulated event counted once. Also for the prepared network, which was never shown a mass.

# %% tags=["nbval-ignore-output"]
zz = (validation["sample"] == "llll").to_numpy()
mass = validation["m_llll"].to_numpy()
edges = np.arange(80, 251, 5.0)
place = np.digitize(mass[zz], edges) - 1
with plotting.use_style():
    fig, ax = plotting.new_figure()
    for (name, label), look, color in (
        (("prepared", "momenta and angles, prepared"), "s--", "#CC79A7"),
        (("own entry", "own entry"), "o-", "#7800E1"),
    ):
        of_bin = pd.Series(log[name]["score"][zz]).groupby(place).agg(["mean", "sem", "size"])
        of_bin = of_bin[(of_bin["size"] > 5) & (of_bin.index >= 0) & (of_bin.index < len(edges) - 1)]
        centre = edges[of_bin.index] + 2.5
        ax.errorbar(centre, of_bin["mean"], of_bin["sem"], fmt=look, markersize=4, label=label, color=color)
    ax.axvspan(115, 130, color="#E69F00", alpha=0.25, linewidth=0, label="115 to 130 GeV")
    ax.set(xlabel=plotting.axis_title("m_llll"), ylabel="mean score of ZZ events", ylim=(0, 1))
    ax.legend()
    plotting.stamp(ax, luminosity=None)
plotting.show(
    fig,
    alt="Mean score of simulated ZZ events against the four-lepton mass from 80 to 250 GeV, for two networks. That of the prepared momenta and angles is "
    "a hump near 125 GeV, that of the own entry a narrow peak.",
)

# %% [markdown]
# So the prepared network, to which nobody had told that there is such a thing as a mass, has found something that follows it: a blurred image. Your entry has a sharp one, since it was given.
#
# ## 8.7 A bump without a particle
#
# It is a good sign that the network looks at the mass. It also has a price: the *background* that passes a cut on the score lies where the network looks, near 125 GeV, and makes a bump there. The live figure at the end of this section shows it.
#
# One says that the mass has been [sculpted](../course/glossary.md#sculpting). Two remedies are called [decorrelation](../course/glossary.md#decorrelation): train with events in which the mass alone tells nothing, or punish the training for a score that follows the mass. (Or one leaves the score as it is, and fits score and mass together.) We try the simplest, [*planing*](../course/glossary.md#planing): weight the training events so that the mass distribution is the same for signal and background.

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
w_planed, w_stop = (
    planed(part["m_llll"].to_numpy(), label, weight, mass_edges).astype(np.float32)
    for part, label, weight in ((fit_events, y_fit, w_fit), (validation, y_validation, w_validation))
)
planed_model = train(build_network, own_inputs, w_planed, w_stop)  # it stops by its own question
enter_network("planed", planed_model, own_inputs, "momenta and masses")
for name, weight in (("balanced", w_fit), ("planed", w_planed)):
    worth = weights.effective_number(weight[y_fit == 0])
    share = weight[rare].sum() / weight[y_fit == 0].sum()
    print(f"{name} weights: the background is worth {worth:.0f} events, {share:.0%} of it Z and top pairs")


# %% [markdown]
# Its loss is worse, of course: it was trained for another question, and with a background that is worth fewer events. What does it do to the mass? Move the cut, by the share of the signal that it keeps, and watch the background that passes (hatched); then choose the other network. How tight can each cut be before a bump appears?

# %% tags=["nbval-ignore-output"]
full_validation, full_test = (weights.match_yields(part, events) for part in (validation, test))
interactive.sculpting(
    mass,
    {name: log[name]["score"] for name in ("own entry", "planed", "prepared")},
    y_validation,
    full_validation["weight"].to_numpy(),
    groups=full_validation["sample"],
    window=(115, 130),
)

# %% [markdown]
# ## 8.8 The final
#
# One more entry comes late. The detector knows how [isolated](../course/glossary.md#isolation) a lepton is: how much momentum other tracks have around it (`ptcone30`). A lepton made in a jet has company. The files have it; it is no four-vector, so it plays outside of the competition.

# %% tags=["nbval-ignore-output"]
files = [(name, path) for name in samples.SIMULATED for path in samples.locate(name).paths]
around = pd.concat(ntuple.read(path, sample=name, extra=["ptcone30"]) for name, path in files)
worst = np.max(kinematics.lepton_arrays(around, "ptcone30") / kinematics.lepton_arrays(around, "pt"), axis=1)
isolation = around[["run", "event"]].assign(worst=np.log1p(worst)).drop_duplicates(["run", "event"])


def with_isolation(table):
    """Own inputs, and the momentum around the worst lepton, relative to its own: shape (n_events, n_inputs + 1)."""
    joined = table[["run", "event"]].merge(isolation, on=["run", "event"], how="left", validate="one_to_one")
    return np.column_stack([own_inputs(table), joined["worst"]]).astype(np.float32)


enter_network("with isolation", train(build_network, with_isolation), with_isolation, "… and isolation")
print("with isolation minus own entry: {:+.4f} ± {:.4f}".format(*referee("with isolation", "own entry")))
of_jets = validation["sample"].isin(["Zee", "Zmumu", "ttbar_lep"]).to_numpy()
other_than_zz = validation[of_jets | (y_validation == 1)]
by_itself = metrics.auc(other_than_zz, -with_isolation(other_than_zz)[:, -1])
print(f"isolation alone, signal against Z and top pairs: AUC {by_itself:.2f}")
looks_like_signal = log["own entry"]["score"][of_jets] > 0.5
print(f"{looks_like_signal.sum()} of {of_jets.sum()} such events have an own score above one half")

# %% [markdown]
# What does isolation win? In the bundle a little of the loss, between one and two errors. (We tried five seeds, and each of them gained about as much: it is not the luck of a training, but it may be that of the validation events.) By itself isolation separates, though not sharply. But momenta and masses have thrown out nearly all of these events already, and the handful that still looks like signal is too small to see much of a gain.
#
# ### The test events
#
# Significance is what we want, and we have trained for the loss. The rules are those of chapter 7: choose the cut on validation events, with the guard that asks for a background worth 25 simulated events, and quote on test events. The planed network plays twice: alone, and inside the mass window, where its events must lie between 115 and 130 GeV as well. What has been kept out of the score comes back as a second variable.

# %% tags=["nbval-ignore-output"]
print(f"{len(log)} entries in the log, of which the best come to the final")
w_choose, w_full = (part["weight"].to_numpy(float) for part in (full_validation, full_test))


def in_the_window(table):
    return ((table["m_llll"] >= 115) & (table["m_llll"] < 130)).to_numpy()


finalists = {name: entry for name, entry in log.items() if not name.startswith(("two", "without"))}
score_planed = log["planed"]["score_of"]
finalists["planed and window"] = log["planed"] | {
    "score_of": lambda table: np.where(in_the_window(table), score_planed(table), 0),
    "score": np.where(in_the_window(validation), log["planed"]["score"], 0),
    "about": log["planed"]["about"]
    | {"parameters": log["planed"]["about"]["parameters"] + 2, "validation_loss": np.nan},
}


def scan_validation(name, cuts=None):
    score = finalists[name]["score"]
    return significance.scan(score, y_validation, w_choose, groups=validation["sample"], cuts=cuts)


def scan_test(name, cut):
    return significance.scan(score_test[name], y_test, w_full, groups=test["sample"], cuts=[cut])


score_test = {name: entry["score_of"](test) for name, entry in finalists.items()}
cut_of = {name: significance.best(scan_validation(name)).cut for name in finalists}
kept = {name: score_test[name] >= cut_of[name] for name in finalists}
window = leaderboard.baseline(chapter, test)
final = pd.DataFrame(
    leaderboard.row(name, full_test, kept[name], window, score=score_test[name], **entry["about"])
    for name, entry in finalists.items()
)
chapter.write_table("leaderboard", final)
final = final.set_index("what")
leaderboard.show(chapter)

# %% [markdown]
# (Rows of earlier chapters are there if you have run these. The error of a difference is that of the test events; it knows nothing of the luck of a training.) Have you won? In the bundle yes, by the loss, and surely against the five variables. But by Z of one cut your entry, the trees and the five variables are equal within their errors there, and none of them beats a row of chapter 7, the mass window with a loose cut on four momenta. How can that be? Look at where the cuts lie, and try another working point: the cut that keeps nine tenths of the signal, chosen on validation events as well.

# %% tags=["nbval-ignore-output"]
is_signal = y_validation == 1
points = {}
for name in ("own entry", "trees", "five variables", "mass alone"):
    score = finalists[name]["score"][is_signal]
    loose = np.quantile(score, 0.1, weights=w_choose[is_signal], method="inverted_cdf")
    for rule, chosen in (("best Z, guarded", cut_of[name]), ("90 % of the signal", loose)):
        here, there = scan_validation(name, [chosen]), scan_test(name, chosen)
        kept[name, rule] = score_test[name] >= chosen
        gain = leaderboard.difference(full_test, kept["own entry", rule], kept[name, rule], replicas=100)
        points[rule, name] = {
            "signal kept": here.signal[0] / w_choose[is_signal].sum(),
            "background is worth": here.effective_background[0],
            "Z": there.significance[0],
            "own entry minus this": gain[0],
            "its error": gain[1],
        }
points = pd.DataFrame(points).T.sort_index(level=0, sort_remaining=False, ascending=False)
points.round(2)

# %% tags=["claim"]
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert final.loc["own entry", "z"] > final.loc["as they are", "z"] + 0.3
    assert abs(points.loc[("best Z, guarded", "trees"), "own entry minus this"]) < 0.25
    assert points.loc[("90 % of the signal", "five variables"), "own entry minus this"] > 0.05
    assert final.loc["planed", "z"] < final.loc["own entry", "z"]

# %% [markdown]
# ### Exercise 8.9 – Who has chosen the cut? (in your words)
#
# (The table of one mass has few steps: both rules give the same cut.) In the bundle your entry, the trees and the five variables are equal at the first working point, though the loss tells at least the first and the last apart. Read the columns "signal kept" and "background is worth" (both of validation events) for these three. What has decided where their cuts lie? Why are they not all equal at the second? What is the weakness of *that* comparison, and what would you do to profit from a better score? Three or four sentences.

# %% tags=["exercise-8.9", "written"]
### BEGIN SOLUTION
answer_8_9 = """The guard has decided: all three cuts lie where the background is worth just 25 events, far out, where nearly all of the signal is kept. Z would still rise, but the
simulation cannot say by how much. There the better score has had no chance to show what it can do. Where all keep nine tenths of the signal, in the bundle your entry and the trees leave clearly less background than the five
variables. But there the background is worth only about ten validation events, so that no guard would have chosen this cut, and it is our second look at the test events. One would simulate more Z and top pairs, so that a tighter cut can be trusted,
or fit the whole distribution of the score, as in chapter 7."""
### END SOLUTION

# %% tags=["check-8.9"]
checks.written("8.9", answer_8_9)

# %% [markdown]
# ### The price and the gain of planing

# %% tags=["nbval-ignore-output"]
is_background, in_window = y_test == 0, in_the_window(test)


def share_in_window(mask):
    """Share of the background in a mask that lies in the window, and its error."""
    weight = w_full * (mask & is_background)
    share = weight[in_window].sum() / weight.sum()
    return share, np.sqrt(np.sum((weight * (in_window - share)) ** 2)) / weight.sum()


shares = {"no cut": share_in_window(np.ones(len(test), bool))}
shares |= {name: share_in_window(kept[name]) for name in ("own entry", "planed")}
for name, (share, error) in shares.items():
    print(f"{name}: {share:.1%} ± {error:.1%} of the background lies within 115 to 130 GeV")
for other in ("planed", "planed and window"):
    gain = leaderboard.difference(full_test, kept["own entry"], kept[other])
    print(f"Z of own entry minus Z of {other}: " + "{:+.2f} ± {:.2f}".format(*gain))

# %% [markdown]
# ### Exercise 8.10 – A bump without a particle (in your words)
#
# Above your cut, the *background* is gathered around 125 GeV. What would go wrong if you searched for the Higgs boson by looking for a bump in the mass after this cut, above what its [side bands](../course/glossary.md#side-band) say? How would you estimate the background
# instead? What does planing change, and why is some of the bump still there? What does it cost, and how does the window pay it back? And would your network find a Higgs boson of 200 GeV? Five or six sentences.

# %% tags=["exercise-8.10", "written"]
### BEGIN SOLUTION
answer_8_10 = """The cut keeps just those background events that look like 125 GeV, so a bump appears there whether or not there is a Higgs boson: the mass
has been sculpted, and events beside the peak no longer tell how much background lies under it. As a counting experiment the selection is
fine, but its background must come from the simulation, or from a control region in the score that has been tested, for instance by means of the same cut on samples of one background at a time.
Planing takes most of the mass out of the score: the background above the cut stays broad, and side bands can measure it. Not all of it goes: alone, the mass no longer tells the classes apart,
but together with other variables it can still help, and the network has it among its inputs. Alone, the planed score costs much of the significance, for two reasons: the mass was the best that there is,
and with the planed weights the background that trains is worth far fewer events. With the window beside it most of that is regained, since the information was mostly moved from the score to a variable of its own.
The network learnt signal of one mass only, so it would throw away a Higgs boson of 200 GeV as background. Other remedies are to punish a score that follows the mass,
or to give the network the mass hypothesis as an input."""
### END SOLUTION

# %% tags=["check-8.10"]
checks.written("8.10", answer_8_10)

# %% [markdown]
# Shall we count the data above your cut? No. They were opened in chapter 7, by a plan that had been locked. Whoever looks a second time, with a better network, has two chances to find a fluctuation, and would have to say so. The next data are for that.

# %% tags=["nbval-ignore-output"]
numbers = (
    {f"validation_loss {name}": loss for name, loss in final["validation_loss"].dropna().items()}
    | {f"fold_loss {name}": losses.mean() for name, losses in fold_losses.items()}
    | {f"z {name}": final.loc[name, "z"] for name in ("own entry", "planed", "planed and window")}
    | {f"share_in_window {name}": share for name, (share, _) in shares.items()}
    | {
        "validation_loss_seeds": np.mean(seed_losses),
        "own_minus_trees": (fold_losses["own entry"] - fold_losses["trees"]).mean(),
        "z_loose": points.loc[("90 % of the signal", "own entry"), "Z"],
        "auc": final.loc["own entry", "auc"],
    }
)
chapter.write_numbers({name.replace(" ", "_"): value for name, value in numbers.items()})

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(8)

# %% [markdown]
# ## Summary
#
# - A network is to be compared with what a physicist would do without one: a table of one mass, five variables, trees.
# - What is in the data is not yet what a network finds in them, with few events and a short training. Symmetries, logarithms and invariants unfold it, and add no information.
# - Physics in the inputs decides: the mass of all four, and the right pairs. Dropout helps little where the training ends early.
# - Comparing event by event and fold by fold shows whether a difference is real, without pretending that folds are independent.
# - Two scores can be compared by Z of one cut only where the simulated background allows a cut at which they differ.
# - A score that follows the mass makes a bump of the background. Planing takes most of the mass out of the score; a window puts it back, as a variable of its own.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. The four-lepton mass can be computed from the 24 numbers. Why does it help to hand it over?**
#
# <details><summary>It adds information that the four-vectors do not have.</summary>It is a function of them, so it cannot add any.</details>
# <details><summary>A network cannot compute products and roots.</summary>With enough neurons, events and time it comes as near to them as one likes.</details>
# <details><summary>The function need not be learnt from a finite number of events, in a finite training.</summary>Right. What you know for certain needs no examples, so all of them serve for the rest.</details>
#
# **2. Two entries have validation losses of 0.140 ± 0.006 and 0.131 ± 0.006. Are they equal within their errors?**
#
# <details><summary>One cannot say: the error of their difference is needed.</summary>Right. Both were measured with the same events, so most of the luck cancels in the difference, and its error is smaller.</details>
# <details><summary>Yes, the intervals overlap.</summary>They would tell that only of independent measurements, and even then the error of the difference is what counts.</details>
# <details><summary>No, since 0.131 is smaller.</summary>Every two entries differ by something; the question is whether other events would say the same.</details>
#
# **3. Shuffling the logarithm of the four-lepton mass alone raises the loss by a tenth of what shuffling all three of its inputs does. What follows?**
#
# <details><summary>The network hardly uses the mass.</summary>It reads the mass from the other inputs that say the same, such as the windows.</details>
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
# ## Further reading
#
# - P. Baldi, P. Sadowski, D. Whiteson, *Searching for exotic particles in high-energy physics with deep learning*, Nature Communications 5
#   (2014) 4308, arXiv:1402.4735.
# - P. Baldi, K. Cranmer, T. Faucett, P. Sadowski, D. Whiteson, *Parameterized neural networks for high-energy physics*, Eur. Phys. J. C 76
#   (2016) 235, arXiv:1601.07913.
# - G. Kasieczka, D. Shih, *Robust jet classifiers through distance correlation*, Phys. Rev. Lett. 125 (2020) 122001, arXiv:2001.05310.
#
# This was the last chapter. If you want more: the [project](project_parameterised_network.ipynb) searches for a new particle of unknown
# mass, and the [encore](encore_36fb.ipynb) takes your network to 36 fb⁻¹ of other data. Thank you for hunting with us.
