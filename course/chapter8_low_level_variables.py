# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 8 – Low-level variables
#
# So far your networks saw four numbers of each event. ATLAS measures more: where each lepton went, its energy, its charge, and whether it is an electron or a muon. In this
# last chapter a network gets everything that the four leptons' momenta, charges and flavours tell. You will design it yourself, help it with what you know about physics, and prove, honestly, that it is better. Then you find out *what* it has
# learnt.

# %% [markdown]
# ## What you will do
#
# - feed a network with all 24 low-level variables;
# - use symmetries to make its task easier, and measure whether that helps;
# - design your own network, and train it with balanced weights and early stopping;
# - compare it with the earlier ones, fold by fold and in significance;
# - look inside: has it discovered the four-lepton mass, and what does that mean?
#
# | time | needs | makes |
# |---|---|---|
# | 110 minutes | the events of chapter 1, the models of chapters 2, 4 and 5 | your own network, its cross-validation, the table of all models |

# %%
from course import checks
from labcourse import (
    crossvalidation,
    features,
    kinematics,
    metrics,
    network,
    ntuple,
    outputs,
    plotting,
    selection,
    significance,
    splitting,
    training,
    weights,
)

import keras
import numpy as np
import pandas as pd

chapter = outputs.Chapter(8, solution=True)
keras.utils.set_random_seed(8)

# %% tags=["nbval-ignore-output"]
checks.panel(8)

# %% [markdown]
# ## 8.1 What four leptons say
#
# A lepton is described by its transverse momentum, its two angles, its energy, its charge and its flavour. Four leptons make 24 numbers. (ATLAS knows still more, for instance how isolated a lepton is; we leave that out.)
# The four-lepton mass is in there too. But it is well hidden: the mass is a root of differences of squares of sums of products of cosines. Can a network find such a thing
# by itself?

# %%
print(*ntuple.LOW_LEVEL, sep="  ")

# %% [markdown]
# First the data, divided as always. The weights of the training are balanced as in chapter 5.

# %%
events = chapter.read_table(1, "events")
train_events, test = splitting.split(events)
fit_events, validation = splitting.validation_split(train_events)
y_fit, y_validation, y_test = (features.labels(part) for part in (fit_events, validation, test))
w_fit, w_validation = (
    weights.balance(part["weight"], label) for part, label in ((fit_events, y_fit), (validation, y_validation))
)
print(f"{len(fit_events)} events to fit, {len(validation)} to validate, {len(test)} to test")

# %% [markdown]
# ### The yardsticks
#
# Two baselines to beat. The first is the network of chapter 5: four transverse momenta, balanced weights. The second is the same network with all 24 variables, just as they are.
# Everything else stays the same: two layers of 60 neurons, inputs scaled to mean 0 and variance 1 in the first layer, balanced weights, early stopping. Only the learning rate and the
# batches are larger, and the training and the patience shorter, to save your time.
#
# The published version of this course trained such a low-level network on the complete ATLAS samples, with three folds. Its validation losses were 0.258, 0.271 and 0.238. Its division, its weights and
# its samples are not ours, so do not expect the same numbers; but they tell which size to expect.


# %%
EPOCHS, BATCH, PATIENCE = 15, 256, 4


def momenta(table):
    """The four transverse momenta, shape (n_events, 4)."""
    return table[list(ntuple.LEPTON_PT)].to_numpy(np.float32)


def as_they_are(table):
    """All low-level variables, shape (n_events, 24)."""
    return table[list(ntuple.LOW_LEVEL)].to_numpy(np.float32)


def train(model, inputs):
    """Train with balanced weights until the validation loss stops falling; return the history."""
    stopping = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    return training.fit(
        model,
        inputs(fit_events),
        y_fit,
        w_fit,
        validation_data=(inputs(validation), y_validation, w_validation),
        epochs=EPOCHS,
        batch_size=BATCH,
        callbacks=[stopping],
        seed=8,
    )


def balanced_loss(score):
    """Binary cross-entropy of the scores of the validation events, with balanced weights."""
    score = np.clip(score.astype(float), 1e-7, 1 - 1e-7)
    return float(np.average(-np.log(np.where(y_validation == 1, score, 1 - score)), weights=w_validation))


# %% tags=["nbval-ignore-output"]
first = chapter.read_model(5, "balanced_model")
plain = network.build(24, (60, 60), normalise=as_they_are(fit_events), learning_rate=2e-3, seed=8)
history_plain = train(plain, as_they_are)
print(f"four momenta (chapter 5): validation loss {balanced_loss(training.predict(first, momenta(validation))):.4f}")
print(
    f"24 variables as they are: validation loss {balanced_loss(training.predict(plain, as_they_are(validation))):.4f}"
)

# %% [markdown]
# Better, with no effort at all. But now it is your turn.

# %% [markdown]
# ## 8.2 What you know and the network does not
#
# To a network, $\phi = 3.1$ and $\phi = -3.1$ are as far apart as two numbers can be. You know that they are neighbours. Turn the whole event around the beam: every $\phi$ changes, the
# physics does not. The network has to learn this from examples, and spends neurons and events on it. If we take the freedom out *before*, it can
# spend them on physics.

# %% [markdown]
# ### Exercise 8.1 – Symmetries (in your words)
#
# Two beams of protons collide head-on. Which changes of an event lead to another event that is exactly as probable, for signal and for background alike? Name at least two, and say for each how to remove the freedom from the
# inputs. And name one change that is *not* such a symmetry.

# %% tags=["exercise-8.1", "written"]
### BEGIN SOLUTION
answer_8_1 = """A rotation around the beam: turn each event so that the leading lepton is at φ = 0. Swapping the two beams: turn the event by 180° about an axis
across the beam, which changes the signs of every η and every φ. A mirror image (signs of φ alone, or of η alone) is one too, as far as parity violation cannot be seen,
which holds here to very good approximation; so we may flip η alone, until the leading lepton has η ≥ 0. A boost along the beam is none: the protons' energies and |η| < 2.5 single out a frame. Exchanging electrons with muons is nearly one for the Higgs boson, but not for the detector and not for leptons from
jets. Scaling all momenta by a common factor is not a symmetry at all: it changes the mass."""
### END SOLUTION

# %% tags=["check-8.1"]
checks.written("8.1", answer_8_1)

# %% [markdown]
# ### Exercise 8.2 – Rotate and flip (write code)
#
# Write `align(eta, phi)`. Both are arrays of shape `(n_events, 4)`, leptons by falling $p_T$. Return `(eta, phi)` of the same shape such that in every event
#
# - all four leptons are turned around the beam together, until the leading one is at $\phi = 0$; the angles lie in $[-\pi, \pi)$;
# - the signs of all four $\eta$ are changed together where the leading lepton has a negative $\eta$.
#
# `kinematics.delta_phi(a, b)` gives $a - b$, brought back into that range.


# %% tags=["exercise-8.2"]
def align(eta, phi):
    """Turn each event so that the leading lepton has phi = 0 and eta >= 0; arrays of shape (n_events, 4)."""
    ### BEGIN SOLUTION
    sign = np.where(eta[:, :1] < 0, -1.0, 1.0)
    return eta * sign, kinematics.delta_phi(phi, phi[:, :1])
    ### END SOLUTION


# %% tags=["check-8.2"]
align = checks.exercise_8_2(align)

# %% [markdown]
# ### Exercise 8.3 – Prepare the inputs (write code)
#
# Write `prepare(events)`, which turns an event table into the input array of your network, shape `(n_events, n_inputs)`, `float32`. What goes in is your choice. Some ideas:
#
# - use `align`; the leading $\phi$ is then zero everywhere, so leave it out;
# - replace each remaining $\phi$ by $\cos\phi$ and $\sin\phi$, which do not jump at $\pm\pi$;
# - take the logarithm of $p_T$ and $E$: their spectra fall steeply, and relative differences count;
# - keep charges and flavours; subtract 12 from the PDG code, so that electrons are −1 and muons +1.
#
# There are rules. An event that is turned around the beam, or flipped along it, must give the same inputs. The momenta and directions of *all four* leptons must have a say: the mass depends on each of them. Use the low-level variables only: no masses, and do not compute a mass yourself, as section 8.6 asks whether the network finds it; and nothing that the real data would not have, such as `sample` or `weight`. An event's inputs must not depend on which *other* events are
# in the table: do not subtract a mean here (the network's first layer does that, with training events). `kinematics.lepton_arrays(events, "pt")` gives one quantity of all four leptons, shape
# `(n_events, 4)`; the others are called `eta`, `phi`, `e`, `charge` and `pdgid`.


# %% tags=["exercise-8.3"]
def prepare(events):
    """Inputs of the network, shape (n_events, n_inputs)."""
    ### BEGIN SOLUTION
    pt, eta, phi, energy, charge, code = (
        kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "e", "charge", "pdgid")
    )
    eta, phi = align(eta, phi)
    others = phi[:, 1:]
    columns = [np.log(pt), np.log(energy), eta, np.cos(others), np.sin(others), charge, code - 12]
    return np.column_stack(columns).astype(np.float32)
    ### END SOLUTION


# %% tags=["check-8.3"]
prepare = checks.exercise_8_3(prepare)

# %%
x_fit = prepare(fit_events)
print(f"{x_fit.shape[1]} inputs")

# %% [markdown]
# ## 8.3 Your own network
#
# More inputs and more to find out: perhaps a larger network is worth it. Or a smaller learning rate, other activations, dropout (a layer that leaves out a random share of neurons in each training step, against overtraining)?
# Try things. Compare *validation* losses only; the test events are for the very end.

# %% [markdown]
# ### Exercise 8.4 – Design a network (write code)
#
# Write `build_network(x)`. `x` is the input array of the training events: take the number of inputs and the normalisation from it. Return a new, compiled Keras model with at least one hidden layer and one output between 0 and 1, for binary cross-entropy. Use
# `network.build` (its options are `hidden`, `activation`, `learning_rate`, `dropout`, `normalise`), or Keras directly. Keep it below 100 000 parameters, so that the cross-validation stays a matter of
# seconds.


# %% tags=["exercise-8.4"]
def build_network(x):
    """A new compiled network for inputs such as x, shape (n_events, n_inputs)."""
    ### BEGIN SOLUTION
    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)
    ### END SOLUTION


# %% tags=["check-8.4"]
build_network = checks.exercise_8_4(build_network)

# %% tags=["nbval-ignore-output"]
own = build_network(x_fit)
history = train(own, prepare)
chapter.write_model("low_level_model", own)
print(f"{own.count_params()} parameters (those of the normalisation included), {len(history.epoch)} epochs")
print(f"own network: validation loss {balanced_loss(training.predict(own, prepare(validation))):.4f}")

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses({"as they are": history_plain, "own network": history}, best_epoch=True)
plotting.show(
    fig,
    alt="Training and validation loss against the epoch, for the network on the 24 variables as they are and for the own network on the prepared "
    "inputs. The own network lies clearly lower, from the first epochs on.",
)

# %% [markdown]
# The gap between training and validation loss is overtraining, above all on the few heavy events. Early stopping limits the damage. What would cure it is more simulated Z and top-pair events.

# %% [markdown]
# ### Exercise 8.5 – Best epoch (read a plot)
#
# Which epoch of your own network does early stopping keep? Count from 1, and read it from the figure (a star marks it) or from `history.history["val_loss"]`.

# %% tags=["exercise-8.5"]
### BEGIN SOLUTION
best_epoch = np.argmin(history.history["val_loss"]) + 1
### END SOLUTION

# %% tags=["check-8.5"]
checks.exercise_8_5(best_epoch, history=history)

# %% [markdown]
# ## 8.4 Better, or luck?
#
# One training on one division of the events proves little. So we cross-validate: the same folds for everyone, a fresh network in every fold. We compare three things: the four momenta, the 24 variables as they are, and your own
# preparation with your own network. All three with the same batches, the same patience, and weights that are balanced in each fold.
#
# Here each fold stops early by its own validation events. So all losses come out a little too good, for all three alike; we only compare.

# %% tags=["nbval-ignore-output"]
fold = splitting.folds(train_events, 4)
y_train = features.labels(train_events)
w_train = np.empty(len(train_events), np.float32)
for number in range(4):
    members = fold == number
    w_train[members] = weights.balance(train_events["weight"][members], y_train[members])


def two_layers(x):
    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


candidates = {
    "four momenta": (momenta, two_layers),
    "as they are": (as_they_are, two_layers),
    "own network": (prepare, build_network),
}
fold_losses = {
    name: crossvalidation.cross_validate(
        build,
        inputs(train_events),
        y_train,
        fold,
        sample_weight=w_train,
        epochs=EPOCHS,
        batch_size=BATCH,
        patience=PATIENCE,
        seed=8,
    ).losses
    for name, (inputs, build) in candidates.items()
}

# %% tags=["nbval-ignore-output"]
table = pd.DataFrame(fold_losses).rename_axis("fold")
chapter.write_table(
    "fold_losses", table.melt(var_name="model", value_name="validation_loss", ignore_index=False).reset_index()
)
table.agg(["mean", "std"]).T.round(4)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.fold_losses(fold_losses)
plotting.show(
    fig,
    alt="Validation loss of each fold for three models, with mean and spread. The own network lies lowest in every fold, the four momenta highest.",
)

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.paired_folds(
    fold_losses["as they are"], fold_losses["own network"], names=("as they are", "own network")
)
plotting.show(
    fig,
    alt="Validation losses of the 24 variables as they are and of the own network, joined fold by fold, and their differences: the own network is lower in every fold, and the differences "
    "vary less from fold to fold than the losses.",
)

# %% [markdown]
# And in numbers, with the careful error of section 6.4, which takes into account that the folds share events:

# %% tags=["nbval-ignore-output"]
k = len(fold_losses["own network"])
for name in ("four momenta", "as they are"):
    difference = fold_losses["own network"] - fold_losses[name]
    error = np.sqrt((1 / k + 1 / (k - 1)) * np.var(difference, ddof=1))
    print(
        f"own network minus {name}: {difference.mean():.3f} ± {error:.3f}, lower in {(difference < 0).sum()} of {k} folds"
    )

# %% [markdown]
# ### Exercise 8.6 – What the folds show (in your words)
#
# Some folds are harder than others, for every model. Why is it better to compare two models fold by fold than by mean and spread? Is your network better than the two others, and how sure
# are you? And what deserves the credit, the preparation of the inputs or the design of the network? Three or four sentences.

# %% tags=["exercise-8.6", "written"]
### BEGIN SOLUTION
answer_8_6 = """Whether a fold is hard depends on the events in it, above all on the few heavy Z and top-pair events, and they are the same for
all models: in the difference a part of their luck cancels. The own network has the lower loss in every fold, and the mean difference is many times its careful error, so on events like
these it really is better. How many times exactly should not be taken literally, as the folds share most of their training events.
This solution kept the two layers of 60 neurons, so against the 24 variables as they are it is the preparation alone that deserves the credit. Had we changed the design as well, the comparison could not tell."""
### END SOLUTION

# %% tags=["check-8.6"]
checks.written("8.6", answer_8_6)

# %% [markdown]
# ## 8.5 The significance
#
# The loss is what the training minimises, and validation events tell when to stop. Significance is what we want. Loss and significance mostly go together, but only the second one answers our question. The rules are those of chapter 7: choose on validation events, quote on test
# events.

# %% [markdown]
# ### Exercise 8.7 – Choose here, quote there (write code)
#
# Write `choose_and_quote(validation, test)`. Both arguments are tuples `(score, label, weight, sample)` of arrays. Scan the validation events with the Asimov significance, choose the best cut with the guard, and return the scan of the *test* events at
# this one cut. You need `significance.scan` (with `groups=sample`, so that a sample of which nothing is left keeps its error, and with `cuts=[...]` for a single cut) and `significance.best`.


# %% tags=["exercise-8.7"]
def choose_and_quote(validation, test):
    """Choose the best cut on validation events; return the scan (one row) of the test events there."""
    ### BEGIN SOLUTION
    score, label, weight, sample = validation
    best = significance.best(significance.scan(score, label, weight, groups=sample))
    score, label, weight, sample = test
    return significance.scan(score, label, weight, groups=sample, cuts=[best.cut])
    ### END SOLUTION


# %% tags=["check-8.7"]
choose_and_quote = checks.exercise_8_7(choose_and_quote)

# %% [markdown]
# The table of the whole course: all models, on the same validation and test events. `match_yields` scales the events to the full 10 fb⁻¹ again.
#
# (The model of chapter 2 was trained on all training events, the validation events among them. So its cut and its validation loss are not honest; after five epochs it hardly matters, as chapter 3 showed. Its numbers for test events are.)

# %% tags=["nbval-ignore-output"]
full_validation, full_test = (
    weights.match_yields(part, events)["weight"].to_numpy(float) for part in (validation, test)
)
sample_validation, sample_test = (part["sample"].to_numpy() for part in (validation, test))
models = {
    "chapter 2: first model": (chapter.read_model(2, "first_model"), momenta),
    "chapter 4: early stopping": (chapter.read_model(4, "early_stopped_model"), momenta),
    "chapter 5: balanced weights": (first, momenta),
    "chapter 8: as they are": (plain, as_they_are),
    "chapter 8: own network": (own, prepare),
}
rows, scores = {}, {}
for name, (model, inputs) in models.items():
    scores[name] = training.predict(model, inputs(test))
    on_validation = training.predict(model, inputs(validation))
    row = choose_and_quote(
        (on_validation, y_validation, full_validation, sample_validation),
        (scores[name], y_test, full_test, sample_test),
    )
    rows[name] = {
        "validation_loss": balanced_loss(on_validation),
        "auc": metrics.auc(test, scores[name], full_test),
        "best_cut": row.cut[0],
        "s": row.signal[0],
        "b": row.background[0],
        "b_error": row.background_error[0],
        "z": row.significance[0],
        "z_error": row.significance_error[0],
    }
final = pd.DataFrame(rows).T.rename_axis("model")
chapter.write_table("final", final.reset_index())
final.round(3)

# %% [markdown]
# For comparison, two more numbers: a mass window, and the yardstick of chapter 7, a cut that keeps all the signal and ten background events. The window of chapter 7 was chosen by eye. To be fair, this one gets the rights of a network: its "score" is the
# closeness of the four-lepton mass to the middle of the peak, taken from the fit events, and `choose_and_quote` finds its width. (As for the networks, the background counts as exactly known here; chapter 7 included its uncertainty.)

# %% tags=["nbval-ignore-output"]
peak = float(fit_events["m_llll"][y_fit == 1].median())
window = choose_and_quote(
    (-(validation["m_llll"] - peak).abs().to_numpy(), y_validation, full_validation, sample_validation),
    (-(test["m_llll"] - peak).abs().to_numpy(), y_test, full_test, sample_test),
)
ideal = float(significance.asimov(full_test[y_test == 1].sum(), 10.0))
z = {**final["z"].to_dict(), "best mass window": window.significance[0]}
z_error = {**final["z_error"].to_dict(), "best mass window": window.significance_error[0]}
print(
    f"mass window, {peak:.1f} ± {-window.cut[0]:.1f} GeV: "
    f"Z = {window.significance[0]:.2f} ± {window.significance_error[0]:.2f}; yardstick: Z = {ideal:.2f}"
)
fig, ax = plotting.comparison(
    z, z_error, xlabel="expected significance Z (test events)", reference=ideal, reference_name="yardstick"
)
plotting.show(
    fig,
    alt="Expected significance with its statistical error for the models of chapters 2, 4, 5 and 8, and for the mass window. The models on four momenta lie below one; the own network of "
    "chapter 8 lies clearly above them; the mass window is drawn for comparison. A dashed line marks the yardstick, still higher.",
)

# %% [markdown]
# From one half with no cut at all, over somewhat less than one with four momenta, to a value well above one: the low-level variables bring more than all training tricks of the chapters before. New information raised the significance, and preparing the same information
# raised it once more, by about as much again: a network of finite size, with a finite number of events, needs both. And a good preparation costs only a few lines.
#
# How does your network compare with the window? The window knows the mass, and nothing else. A perfect network would know the mass too, and use the rest besides: two pairs of leptons, one of them near the mass of the Z boson; momenta of leptons that
# come from jets. A real network has to *find* the mass, from a limited number of events. If it falls short of the window, more events or better inputs would help it most.

# %% [markdown]
# ## 8.6 What has it learnt?
#
# A Higgs boson has a mass of 125 GeV, and ZZ events have all kinds of masses. We did not give the four-lepton mass to the network. But all that is needed to compute it was there. Let us see how the score depends on the mass, for
# *background* events alone: ZZ only, each simulated event counted once.

# %% tags=["nbval-ignore-output"]
zz = (test["sample"] == "llll").to_numpy()
mass = test["m_llll"].to_numpy()
edges = np.arange(80, 251, 5.0)
centres = (edges[1:] + edges[:-1]) / 2
number = np.histogram(mass[zz], edges)[0]
profiles = {
    name: np.histogram(mass[zz], edges, weights=scores[name][zz])[0] / np.maximum(number, 1)
    for name in ("chapter 5: balanced weights", "chapter 8: own network")
}
with plotting.use_style():
    fig, ax = plotting.new_figure()
    for name, look, color in (
        ("chapter 5: balanced weights", "s--", "#0072B2"),
        ("chapter 8: own network", "o-", "#D55E00"),
    ):
        ax.plot(centres[number > 5], profiles[name][number > 5], look, markersize=4, label=name, color=color)
    ax.axvspan(115, 130, color="#E69F00", alpha=0.25, linewidth=0, label="115 to 130 GeV")
    ax.set(xlabel=plotting.axis_title("m_llll"), ylabel="mean score of ZZ events", ylim=(0, 1))
    ax.legend()
    plotting.stamp(ax, luminosity=None)
plotting.show(
    fig,
    alt="Mean score of simulated ZZ events against the four-lepton mass from 80 to 250 GeV, for the networks of chapters 5 and 8. That of chapter 5 is broad, that of chapter 8 is "
    "highest near 125 GeV and falls on both sides, to almost zero above 180 GeV.",
)

# %% [markdown]
# ### Exercise 8.8 – The favourite mass (read a plot)
#
# At which four-lepton mass, in GeV, do background events get the highest score from your own network? Read it to within 5 GeV.

# %% tags=["exercise-8.8"]
### BEGIN SOLUTION
favourite_mass = centres[np.argmax(profiles["chapter 8: own network"])]
### END SOLUTION

# %% tags=["check-8.8"]
checks.exercise_8_8(favourite_mass, mass=mass[zz], score=scores["chapter 8: own network"][zz])

# %% [markdown]
# So the network has found something that follows the mass, although nobody told it that such a thing exists. It is a good sign: the mass is what a physicist would have computed. It also has a price. Let us look at the background that *passes*.

# %% [markdown]
# ### Exercise 8.9 – Sculpting (write code)
#
# Write `share_inside(mass, weight, low, high)`: the share of the expected events (sum of weights) with `low <= mass < high`. The arguments are arrays of shape `(n_events,)` and two numbers in GeV. We use it for the background before and after the
# cut.


# %% tags=["exercise-8.9"]
def share_inside(mass, weight, low, high):
    """Share of the expected events with low <= mass < high."""
    ### BEGIN SOLUTION
    inside = (mass >= low) & (mass < high)
    return weight[inside].sum() / weight.sum()
    ### END SOLUTION


# %% tags=["check-8.9"]
share_inside = checks.exercise_8_9(share_inside)

# %% tags=["nbval-ignore-output"]
background = y_test == 0
print(
    f"no cut: {share_inside(mass[background], full_test[background], 115, 130):.1%} of the background lies within 115 to 130 GeV"
)
selected = {}
for name in profiles:
    selected[name] = background & (scores[name] >= final.loc[name, "best_cut"])
    print(
        f"{name}: {share_inside(mass[selected[name]], full_test[selected[name]], 115, 130):.1%} of the background above the cut"
    )

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, ax = plotting.new_figure()
    looks = {
        "no cut": ("#6B6B6B", ":"),
        "chapter 5: balanced weights": ("#0072B2", "--"),
        "chapter 8: own network": ("#D55E00", "-"),
    }
    for name, (color, dashes) in looks.items():
        mask = selected.get(name, background)
        content = np.histogram(mass[mask], edges, weights=full_test[mask])[0] / full_test[mask].sum()
        error = np.sqrt(np.histogram(mass[mask], edges, weights=full_test[mask] ** 2)[0]) / full_test[mask].sum()
        ax.stairs(content, edges, color=color, linestyle=dashes, linewidth=1.6, label=name)
        ax.errorbar(centres, content, error, fmt="none", ecolor=color, elinewidth=0.9, alpha=0.7)
    ax.set(xlabel=plotting.axis_title("m_llll"), ylabel="share of the background / 5 GeV")
    ax.legend()
    plotting.stamp(ax, luminosity=None)
plotting.show(
    fig,
    alt="Four-lepton mass of the expected background from 80 to 250 GeV, each curve normalised to its total: without a cut, above the cut of chapter 5, and above that of "
    "chapter 8. The last one is gathered around 125 GeV, although it contains no Higgs boson. Its errors are large.",
)

# %% [markdown]
# ### Exercise 8.10 – A bump without a particle (in your words)
#
# Above your cut, the *background* is gathered around 125 GeV. What would go wrong if you searched for the Higgs boson by looking for a bump in the mass after this cut? How would you estimate the background
# instead? And would your network find a Higgs boson of 200 GeV? Three or four sentences.

# %% tags=["exercise-8.10", "written"]
### BEGIN SOLUTION
answer_8_10 = """The cut keeps just those background events that look like 125 GeV, so a bump appears there whether or not there is a Higgs boson: the mass
has been sculpted, and events beside the peak no longer tell how much background lies under it. As a counting experiment the selection is
fine, but its background must come from the simulation, or from a control region in the score that has been tested, for instance by means of the same cut on samples of one background at a time.
The network learnt signal of one mass only, so it would throw away a Higgs boson of 200 GeV as background. Remedies are to keep the mass out of the score while training
(decorrelation), to fit score and mass together, or to give the network the mass hypothesis as an input."""
### END SOLUTION

# %% tags=["check-8.10"]
checks.written("8.10", answer_8_10)

# %% [markdown]
# ## 8.7 The data again
#
# The data were opened in chapter 7, so this is no longer a blind analysis. Your network was designed without them, and its cut was chosen on simulation. Still, whoever looks twice must say so: two looks have two chances to fluctuate. We count once more, with the
# background normalised below the cut as in chapter 7.

# %% tags=["nbval-ignore-output"]
data = selection.preselect(ntuple.read_sample("data"))
score_data = training.predict(own, prepare(data))
name = "chapter 8: own network"
cut, expected_s, expected_b, error_b = final.loc[name, ["best_cut", "s", "b", "b_error"]]
below = full_test[background & (scores[name] < cut)].sum()
n_above, n_below = int((score_data >= cut).sum()), int((score_data < cut).sum())
b = n_below * expected_b / below
sigma_b = b * np.hypot(1 / np.sqrt(n_below), error_b / expected_b)
z_observed = significance.observed(n_above, b, sigma_b)
print(
    f"{plotting.data_kind()}: {n_above} events above the cut; background {b:.1f} ± {sigma_b:.1f}, signal {expected_s:.1f}"
)
print(f"expected significance {significance.asimov(expected_s, b, sigma_b):.2f}, observed {z_observed:.2f}")

# %% tags=["nbval-ignore-output"]
full = weights.match_yields(test, events)
fig, axes = plotting.mass_before_after(full, scores[name], cut, data=data, data_score=score_data)
plotting.show(
    fig,
    alt="Four-lepton mass before and after the cut on the score of the own network, simulated processes stacked and data as points. After the cut hardly anything is left above "
    "170 GeV, and both signal and background gather around 125 GeV.",
)

# %% [markdown]
# Compare the observed significance with the expected one. (It is lower than in the table of section 8.5, since here the uncertainty of the background is included.) If the Higgs boson is produced as often as predicted, the two usually differ by about one or less, up or down; by more than two in one of twenty experiments. A much larger value would be no reason to celebrate. It would say that we were lucky, or that the
# background above this cut is not what we think.
#
# In the course's pseudo-data we know that the simulation is right, so there a difference is luck. An experiment would report what it sees, with the expected significance beside it, and say that this was the second look.
#
# In real data the background is the first suspect: its Z and top pairs rest on far fewer simulated events than ZZ, and the control region below the cut has little in common with what is left above it. In the real data, remember, the simulation misses a good part of the background.
# An experiment would now look for further control regions, and for the systematic uncertainties that we have left out.

# %% [markdown]
# ### Exercise 8.11 – The course in five sentences (in your words)
#
# Somebody asks you at a party what you did in this course. Explain what you searched for, what your networks did, which step brought most, what you found, and what you would do with more time.

# %% tags=["exercise-8.11", "written"]
### BEGIN SOLUTION
answer_8_11 = """We searched for Higgs bosons that decay to four leptons, about ten among four hundred other events. Neural networks learnt from simulation to sort events by how
much they look like signal. What brought most was not a cleverer training but better inputs: all four-vectors, with the symmetries of the collision removed,
in which the network found something that follows the four-lepton mass.
In our run we counted 34 events of pseudo-data, where 22 ± 3 events of background and 8 of signal were expected: 1.8 sigma
where we hoped for 1.3, which fits a Higgs boson but is no evidence for one, and the rare parts of the background rest
on few simulated events.
With more time we would take more data, simulate more of the rare backgrounds, test the background in several control regions, and keep the score independent of the mass."""
### END SOLUTION

# %% tags=["check-8.11"]
checks.written("8.11", answer_8_11)

# %% tags=["nbval-ignore-output"]
own_row, plain_row = final.loc["chapter 8: own network"], final.loc["chapter 8: as they are"]
chapter.write_numbers(
    {
        "validation_loss": own_row["validation_loss"],
        "validation_loss_plain": plain_row["validation_loss"],
        "fold_loss_own": fold_losses["own network"].mean(),
        "fold_loss_plain": fold_losses["as they are"].mean(),
        "fold_loss_momenta": fold_losses["four momenta"].mean(),
        "folds_better": int((fold_losses["own network"] < fold_losses["four momenta"]).sum()),
        "auc": own_row["auc"],
        "z": own_row["z"],
        "z_error": own_row["z_error"],
        "z_plain": plain_row["z"],
        "share_in_window": share_inside(mass[selected[name]], full_test[selected[name]], 115, 130),
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
# - The 24 low-level variables hold all that the leptons' momenta, charges and flavours tell, but some of it is well hidden.
# - Symmetries can be taken out before the training: rotate, flip, take logarithms. It costs a few lines, and here it lowered the loss a lot with the very same network.
# - Comparing fold by fold shows whether a difference is real, without pretending that folds are independent.
# - The significance rises well above what four momenta can give: more information, well prepared, beats better training.
# - The network found by itself something that follows the four-lepton mass. The background it selects peaks there too, so a bump above the cut proves nothing.
# - Every number was chosen on validation events, quoted on test events, and comes with an error. That is what makes it worth quoting.
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
# mass. Thank you for hunting with us.
