# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 6 – Cross-validation
#
# Two things are unsatisfactory so far. The first: one network has a validation loss of 0.465, another one of 0.468. Is the first one better? With other validation events, both numbers would have been different. The second: most of the
# simulated events have never counted in a result. They trained, and a network must not be judged by events that it has learnt from. [Cross-validation](../course/glossary.md#cross-validation) mends both: it validates every training event with a network that has not seen it. So
# we learn how far a loss can be trusted, and in the end all simulated events count. On the way there are several ways to fool oneself. You will walk into some of them.

# %% [markdown]
# ## What you will do
#
# - write the loop of a cross-validation, and find out which ones leak;
# - predict from a single fold how the losses of all folds scatter;
# - carry out an experiment about experiments: how often do two equally good procedures come out as different?
# - derive an error that does not shrink by mere computing;
# - compare two networks fold by fold, and decide which one to take;
# - give every simulated event a score that may be counted, and predict what this does to the error of Z;
# - find out what seeds add to an error.
#
# | time | needs | makes |
# |---|---|---|
# | 140 minutes | events and window of chapter 1 | out-of-fold scores of all simulated events, five networks, the losses of all folds |

# %%
from course import checks, interactive, leaderboard, outputs
from labcourse import (
    crossvalidation,
    features,
    network,
    plotting,
    progress,
    samples,
    significance,
    splitting,
    training,
    weights,
)

import keras
import numpy as np
import pandas as pd

SEED = 6
COLUMNS = ["lep1_pt", "lep2_pt", "lep3_pt", "lep4_pt"]
keras.utils.set_random_seed(SEED)
chapter = outputs.Chapter(6, sources=samples.SIMULATED, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(6)

# %%
events = chapter.read_table(1, "events")
train, test = splitting.split(events)
x, y, w = features.arrays(train, COLUMNS)
print(f"{len(train)} training events; the {len(test)} test events stay closed until section 6.6")


def cross_entropy(label, score):
    """Return the cross-entropy of each event, shape (n_events,)."""
    score = np.clip(np.asarray(score, float), 1e-7, 1 - 1e-7)
    return -np.where(label == 1, np.log(score), np.log(1 - score))


# %% [markdown]
# ## 6.1 Folds
#
# The training events are divided into $k$ parts of about the same size, the [folds](../course/glossary.md#fold). Then $k$ networks are trained. Network $i$ trains on all folds but fold $i$, and is validated on
# fold $i$. In the end each event has validated exactly once, and trained $k-1$ times.
#
# ![Cross-validation with three folds. Three fresh networks are trained, each on two of the folds, and validated on the third. The three validation losses give a mean and a
# spread. Any two networks share a fold of training events.](../course/figures/k_folds.svg)
#
# The figure below is a toy with straight lines in place of networks. *Move the number of folds from 2 to 12. What happens to the mean of the losses, and what to their spread? How many training events do two networks have in common?*

# %% tags=["nbval-ignore-output"]
interactive.folds()

# %% [markdown]
# With more folds each network has more events to train with, and fewer to be judged by: the mean hardly moves, the spread grows. And the networks become relatives: any two share $(k-2)/(k-1)$ of their training events. Keep this in mind.
#
# We take five folds. As always, the identity of an event decides in which fold it is:

# %%
K = 5
fold = splitting.folds(train, K)
print("events of each fold:", np.bincount(fold).tolist())

# %% [markdown]
# Each of the five networks has to start from nothing. This is why one does not pass a network to a cross-validation, but a *function* that makes one. Everything that remembers belongs into it: the weights and biases, the
# optimizer (Adam keeps running means of the gradient), and the normalisation of the inputs.
#
# ### Exercise 6.1 – The loop (write code)
#
# Complete `run_folds`. `build_model()` makes a network. `train_and_validate(model, trains, validates)` trains it on the events of one mask and returns its loss for the events of
# another. `fold` is the array with the fold of each event, shape `(n_events,)`, counted from 0. Return the losses of the folds 0 to `fold.max()` as an array of shape `(k,)`.


# %% tags=["exercise-6.1"]
def run_folds(build_model, train_and_validate, fold):
    """Train and validate a fresh network for each fold; return the losses, shape (k,)."""
    ### BEGIN SOLUTION
    losses = []
    for number in range(fold.max() + 1):
        losses.append(train_and_validate(build_model(), fold != number, fold == number))
    return np.array(losses)
    ### END SOLUTION


# %% tags=["check-6.1"]
run_folds = checks.exercise_6_1(run_folds)

# %% [markdown]
# ## 6.2 What leaks
#
# A cross-validation [*leaks*](../course/glossary.md#leak) if a network knows something about the events that validate it. Then its loss is too good, and nobody gets a warning.
#
# ### Exercise 6.2 – Six cross-validations (find the trap)
#
# Six people have done a cross-validation. Whose loss is too good, even if only a little? Answer with a list of letters, such as `["A", "B"]`.
#
# | name | what was done |
# |---|---|
# | A | `model = network.build(4)` stands above the loop over the folds, `training.fit(model, …)` in it |
# | B | each fold trains with early stopping on its own validation events, and the lowest validation loss of each fold is quoted |
# | C | the fold of an event is its row number modulo 5; there is no hash |
# | D | of 200 variables the ten that separate signal and background best were chosen, with all events; then came the folds |
# | E | all five networks start from the same seed, and so from the same weights |
# | F | signal events were copied until there were as many as background; then all rows were divided at random |

# %% tags=["exercise-6.2"]
### BEGIN SOLUTION
leaks = ["A", "B", "D", "F"]
### END SOLUTION

# %% tags=["check-6.2"]
checks.exercise_6_2(leaks)

# %% [markdown]
# How bad is A, one network that is handed from fold to fold? It happens easily: one line in the wrong place is enough. Let us measure it, with your loop. We take few events, so that a network can learn them by heart, and a training that is long enough to do so. Each event counts the
# same. The *fresh* network is built anew for each fold; the *reused* one goes on from fold to fold. Besides the loss of each fold, we note the loss for other events that no fold contains. *Before you run it: which of the two will have the lower validation loss in fold 5, and which one will be better for other events?*

# %% tags=["nbval-ignore-output"]
few = splitting.uniform(train, salt="few") < 1000 / len(train)
others = splitting.uniform(train, salt="few") > 1 - 5000 / len(train)
x_few, y_few, fold_few = x[few], y[few], splitting.folds(train[few], K)


def train_for_long(model, trains, validates):
    """Train for 40 epochs; return the loss of the validation events, and note its error and the loss of others."""
    line.show(f"{name} network, fold {len(noted) + 1} of {K}")
    training.fit(model, x_few[trains], y_few[trains], epochs=40, batch_size=64, seed=SEED, progress=False)
    rows = np.flatnonzero(few)[validates], others
    own, other = (cross_entropy(y[members], training.predict(model, x[members])) for members in rows)
    noted.append((own.std() / np.sqrt(len(own)), other.mean()))
    return own.mean()


# The normalisation knows the events of all folds here, in fresh and in reused networks alike, so it cannot make the difference.
one_model = network.build(4, normalise=x_few, learning_rate=2e-3, seed=SEED)
leak = {}
with progress.Line() as line:
    for name, build in (
        ("fresh", lambda: network.build(4, normalise=x_few, learning_rate=2e-3, seed=SEED)),
        ("reused", lambda: one_model),
    ):
        noted = []
        leak[name] = run_folds(build, train_for_long, fold_few)
        leak[f"{name}, error"], leak[f"{name}, other events"] = np.array(noted).T
leak = pd.DataFrame(leak, index=pd.RangeIndex(1, K + 1, name="fold"))
leak.round(3)

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, axes = plotting.new_figure(1, 2, width=8.4, height=3.6)
    for name, color, marker, shift in (("fresh", "#0072B2", "o", -0.1), ("reused", "#D55E00", "s", 0.1)):
        look = {"color": color, "linestyle": "", "marker": marker, "label": f"{name} network"}
        axes[0].errorbar(leak.index + shift, leak[name], leak[f"{name}, error"], **look)
        axes[1].plot(leak.index + shift, leak[f"{name}, other events"], fillstyle="none", **look)
    for ax, title in zip(axes, ("validation events of the fold", "other events, in no fold"), strict=True):
        ax.set(xlabel="fold", ylabel="loss (binary cross-entropy)", xticks=leak.index, title=title)
        ax.tick_params(axis="x", which="minor", length=0)
    axes[1].legend(loc="upper left")
plotting.show(
    fig,
    alt="Left, validation loss of five folds for fresh networks and for one network that is reused from fold to fold. Folds differ, but from the second one on the reused network has the lower loss. Right, for "
    "other events, which no fold contains, its loss is from then on higher than that of the fresh networks, and highest in the last fold.",
)

# %% [markdown]
# In the first fold both are the same network. (Folds of some two hundred events differ. Compare the two networks in the same fold.) From then on the reused network validates on events that it has met
# before: fold 2 was among its training events when fold 1 was held out. It remembers them, and looks better than it is. For events that it has never seen (right), it has become *worse*, because it is overtrained more with each fold. The
# cross-validation would have told us the opposite of the truth.

# %% tags=["claim"]
assert leak["reused"].iloc[-1] < leak["fresh"].iloc[-1]
assert leak["reused, other events"].iloc[-1] > leak["fresh, other events"].iloc[-1]

# %% [markdown]
# The course's function `crossvalidation.cross_validate` does what your loop does, and refuses a network that has been trained before. It calls `build_model` with the training inputs of each fold, for the normalisation.
#
# ## 6.3 How far can a loss be trusted?
#
# Now all training events, with the balanced weights of chapter 5. They are balanced in each fold by itself, so that each validation loss counts in the same way.
#
# Two choices keep this honest. There is no early stopping (see B). Instead, each network trains for 15 epochs in batches of 512. And all settings are fixed before we look at any loss.
#
# We begin with a single fold, and train the same network five times, with five seeds.


# %%
def build_large(x):
    """Return a fresh network with two hidden layers of 60 neurons."""
    return network.build(4, normalise=x, learning_rate=1e-3)


balanced = np.empty(len(w))
for number in range(K):
    members = fold == number
    balanced[members] = weights.balance(w[members], y[members])

# %% tags=["nbval-ignore-output"]
trains, validates = fold != 0, fold == 0
of_seed = []
for seed in range(100, 105):
    keras.utils.set_random_seed(seed)
    model = build_large(x[trains])
    training.fit(model, x[trains], y[trains], balanced[trains], epochs=15, batch_size=512, seed=seed, progress=False)
    of_seed.append(model)
losses_in_fold = np.array([cross_entropy(y[validates], training.predict(model, x[validates])) for model in of_seed])
seed_losses = np.average(losses_in_fold, axis=1, weights=balanced[validates])
seed_spread = np.std(seed_losses, ddof=1)
print("validation losses of five seeds:", *seed_losses.round(4))
print(f"their standard deviation: {seed_spread:.4f}")

# %% [markdown]
# So the loss is known to a few thousandths, isn't it? This is what an experimenter would say who repeats a measurement five times, always with the same rod.
#
# ### Exercise 6.3 – The other folds (derive)
#
# Predict, from this fold alone, how the losses of five folds scatter. You have the loss of each of its events, their balanced weights and labels. In each fold, signal and background have half of the weight each, so the loss of a fold is $\frac{1}{2}\bar\ell_s + \frac{1}{2}\bar\ell_b$, with the weighted
# mean of each class. What is the standard deviation of a weighted mean (exercise 5.7, with $n_\text{eff} = (\sum w)^2/\sum w^2$), and what that of the loss? The spread of the losses of a class is the root of the weighted mean of $(\ell-\bar\ell)^2$.


# %% tags=["exercise-6.3"]
def predicted_spread(loss, weight, label):
    """Return the standard deviation that the loss of a fold has by the chance of its events."""
    ### BEGIN SOLUTION
    variance = 0
    for value in (0, 1):
        members = label == value
        mean = np.average(loss[members], weights=weight[members])
        of_one = np.average((loss[members] - mean) ** 2, weights=weight[members])
        n_effective = weight[members].sum() ** 2 / (weight[members] ** 2).sum()
        variance += (1 / 2) ** 2 * of_one / n_effective
    return np.sqrt(variance)
    ### END SOLUTION


# %% tags=["check-6.3"]
predicted_spread = checks.exercise_6_3(predicted_spread)

# %% tags=["nbval-ignore-output"]
w_fold, y_fold, loss_fold = balanced[validates], y[validates], losses_in_fold[0]
prediction = predicted_spread(loss_fold, w_fold, y_fold)
heaviest = np.sort(w_fold[y_fold == 0])[::-1]
print(f"predicted spread of the folds: {prediction:.4f}; of the seeds in one fold we saw {seed_spread:.4f}")
print(f"if all events of the fold counted the same: {predicted_spread(loss_fold, np.ones(len(y_fold)), y_fold):.4f}")
print(f"background events of the fold: {len(heaviest)}, worth {weights.effective_number(heaviest):.0f}")
print(
    f"the heaviest hundredth of them carries {heaviest[: len(heaviest) // 100].sum() / heaviest.sum():.0%} of the weight"
)

# %% [markdown]
# Write your prediction down. Now the five folds.

# %% tags=["nbval-ignore-output"]
folds_large = crossvalidation.cross_validate(
    build_large, x, y, fold, sample_weight=balanced, epochs=15, batch_size=512, seed=SEED
)
mean, spread = folds_large.mean, folds_large.spread
print("validation losses:", *folds_large.losses.round(4))
print(f"mean {mean:.4f}, spread {spread:.4f} (predicted {prediction:.4f})")

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, ax = plotting.new_figure(width=6.4, height=4.2)
    epochs = np.arange(1, len(folds_large.histories[0]["loss"]) + 1)
    colors = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7800E1")
    for number, (history, color) in enumerate(zip(folds_large.histories, colors, strict=True), start=1):
        ax.plot(
            epochs, history["val_loss"], color=color, marker="os^Dv"[number - 1], markersize=4, label=f"fold {number}"
        )
    ax.axhspan(mean - prediction, mean + prediction, color="#6B6B6B", alpha=0.15, label="mean ± predicted")
    ax.set(xlabel="epoch", ylabel="validation loss", xlim=(0.5, 15.5))
    ax.legend(ncols=3, loc="upper right", fontsize=8.5)
plotting.show(
    fig,
    alt="Validation loss against epoch for five folds. The losses fall and then stay far apart, with a jump here and there: easy folds are low from early on, difficult ones high. A band shows the mean with the predicted spread.",
)

# %% [markdown]
# In the bundle folds 2 and 3 are easy from epoch 4 on, but for a jump (those of chapter 5), and no training changes that. Five seeds in one fold tell nothing of it. The prediction does: heavy events are few, and a
# fold is worth far fewer events than it holds.
#
# So the loss on a fifth of the training events is uncertain by about the spread. If two losses come from *different* events, their difference is uncertain by $\sqrt{2}$ times as much. (A spread of five numbers is itself uncertain by a third, so do not expect more than a rough agreement. With the release's own Z and top-pair files
# the spread was twice the prediction: one fold knows too little of a few heavy events.)

# %% tags=["claim"]
assert seed_spread < 0.75 * prediction
if {samples.locate(name).source for name in samples.SIMULATED} == {"bundle"}:
    assert prediction / 2.2 < spread < 2.2 * prediction

# %% [markdown]
# ## 6.4 An experiment about experiments
#
# It is tempting to call $\text{spread}/\sqrt{k}$ the error of the mean. This formula needs *independent* measurements. But all networks share most of their training events. If those happen to be unlucky, all five suffer together, and their spread does not show it.
# And one could do the cross-validation again, with other folds of the same events, and again: the naive error becomes as small as one likes. Bengio and Grandvalet proved that no formula turns the losses of a cross-validation into an unbiased estimate of the variance of their mean, if it
# is to hold for every problem.
#
# So find out by experiment. For that we need two procedures of which we *know* that neither is better, and many independent experiments with each. In procedure a, a linear function of the logarithms of the four $p_\mathrm{T}$ and of three random numbers per event is fitted to the labels ±1; the loss is the mean squared deviation. Procedure b does the same, with three
# other random numbers. (A neural network in its place would take days.) We cut the training events into experiments of 200 events each.
#
# ### Exercise 6.4 – One experiment (write the experiment)
#
# Complete `repeated_differences`. `loss_a(trains, validates)` trains procedure a on the events of one mask, shape `(n_events,)`, and returns its loss on those of the other; `loss_b` does so for b. Do a cross-validation with `k` folds of (nearly) equal size, at random with `rng`
# (`rng.permutation(n)` gives 0 … n−1 in random order), then another one with new folds, as many as there are `repetitions`. Compare the two fairly. Return all differences, a minus b, as an array of shape `(repetitions * k,)`.


# %% tags=["exercise-6.4"]
def repeated_differences(loss_a, loss_b, n_events, k, repetitions, rng):
    """Return the differences of the losses of two procedures, fold by fold, for repeated cross-validations."""
    ### BEGIN SOLUTION
    differences = []
    for _ in range(repetitions):
        fold = rng.permutation(n_events) % k
        for number in range(k):
            trains, validates = fold != number, fold == number
            differences.append(loss_a(trains, validates) - loss_b(trains, validates))
    return np.array(differences)
    ### END SOLUTION


# %% tags=["check-6.4"]
repeated_differences = checks.exercise_6_4(repeated_differences)

# %% tags=["nbval-ignore-output"]
z = np.log(x.astype(float))
z = np.clip((z - z.mean(axis=0)) / z.std(axis=0), -2.5, 2.5)
in_random_order = np.argsort(splitting.uniform(train, salt="experiments"))


def experiments(n_experiments, repetitions, n_random, rng):
    """Return the differences of two equally good procedures, shape (n_experiments, repetitions * K)."""

    def procedure(rows):
        inputs = np.column_stack([np.ones(len(rows)), z[rows], rng.normal(size=(len(rows), n_random))])
        target = 2.0 * y[rows] - 1

        def loss(trains, validates):
            a, b = inputs[trains], target[trains]
            solution = np.linalg.solve(a.T @ a + 1e-3 * np.eye(a.shape[1]), a.T @ b)
            return np.mean((inputs[validates] @ solution - target[validates]) ** 2)

        return loss

    parts = np.resize(in_random_order, (n_experiments, 200))
    return np.array(
        [
            repeated_differences(procedure(rows), procedure(rows), 200, K, repetitions, rng)
            for rows in progress.each(list(parts), "experiment")
        ]
    )


differences = experiments(250, 8, 3, np.random.default_rng(SEED))
print("experiments, fold losses of each:", differences.shape)

# %% [markdown]
# The *true* error of the mean difference is known now: it is the spread of the mean over independent experiments. And who claims a difference where |mean| is more than twice the naive error should be wrong in one of twenty experiments.


# %% tags=["nbval-ignore-output"]
def claims(error_of):
    """Return, for 1, 2, 4 and 8 repetitions, the share of experiments in which |mean| exceeds twice its error."""
    return [
        np.mean([abs(d.mean()) > 2 * error_of(d) for d in differences[:, : repetitions * K]])
        for repetitions in (1, 2, 4, 8)
    ]


def rms(error_of, of_experiments):
    """Return the root of the mean variance: variances add up, their roots do not."""
    return np.sqrt(np.mean([error_of(d) ** 2 for d in of_experiments]))


def naive_error(d):
    return np.std(d, ddof=1) / np.sqrt(len(d))


errors = pd.DataFrame(
    {
        "true error": [differences[:, : r * K].mean(axis=1).std(ddof=1) for r in (1, 2, 4, 8)],
        "naive error": [rms(naive_error, differences[:, : r * K]) for r in (1, 2, 4, 8)],
        "naive: claims a difference": claims(naive_error),
    },
    index=pd.Index([5, 10, 20, 40], name="fold losses"),
)
errors.round(4)

# %% [markdown]
# For a single cross-validation the naive error is about right here, as each fold has other validation events. Nobody guarantees it. (It is itself known to a third only, so that more than one in twenty claim a difference.) Now repeat: the naive error falls by two thirds. The true one falls by a third at most, and then hardly any more. With forty losses about a quarter of these experiments claim a difference between two procedures that are equally good. This is how
# a difference becomes «significant» by computing time, without a single new event.

# %% tags=["claim"]
assert 0.7 < errors["naive error"].iloc[0] / errors["true error"].iloc[0] < 1.4
assert errors["naive error"].iloc[-1] < 0.65 * errors["true error"].iloc[-1]
assert errors["naive: claims a difference"].iloc[-1] > 0.18

# %% [markdown]
# ### Exercise 6.5 – An error that does not shrink away (derive)
#
# Think of each of $J$ losses as a sum of two parts: one that all of them *share* (the luck of the events), with the variance $\rho\sigma^2$, and one of its own, with the variance $(1-\rho)\sigma^2$. So any two have the correlation $\rho$. Which of the two parts does the sample variance $S^2$ of the losses (divided by $J-1$) see? What is
# the variance of their mean? Express its root by $S$, $J$ and $\rho$, and complete the function.


# %% tags=["exercise-6.5"]
def error_of_mean(losses, rho):
    """Return the error of the mean of losses that have the correlation rho with each other."""
    ### BEGIN SOLUTION
    # S² is (1 − ρ)σ² on average, and the variance of the mean ρσ² + (1 − ρ)σ²/J.
    return np.std(losses, ddof=1) * np.sqrt(1 / len(losses) + rho / (1 - rho))
    ### END SOLUTION


# %% tags=["check-6.5"]
error_of_mean = checks.exercise_6_5(error_of_mean)

# %% [markdown]
# What is ρ? The losses themselves cannot tell, as their spread does not see what they share. Nadeau and Bengio proposed to take the share of the events that validate, here 1/5. Then $\rho/(1-\rho) = n_\text{val}/n_\text{train}$, and the error is known as their [*corrected error*](../course/glossary.md#corrected-error). (They meant random divisions; Bouckaert and Frank carried it over to folds.) It is a guess, and no theorem.


# %% tags=["nbval-ignore-output"]
def corrected_error(d):
    return error_of_mean(d, 1 / K)


errors["corrected error"] = [rms(corrected_error, differences[:, : r * K]) for r in (1, 2, 4, 8)]
errors["corrected: claims a difference"] = claims(corrected_error)
errors.T.round(4)

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, (left, right) = plotting.new_figure(1, 2, width=8.4, height=3.4)
    for name, color, dashes, marker in (
        ("true", "#222222", "-", "o"),
        ("naive", "#D55E00", "--", "s"),
        ("corrected", "#0072B2", "-.", "^"),
    ):
        own = errors[f"{name} error"] / np.sqrt(2 * (len(differences) - 1)) * (name == "true")
        left.errorbar(
            errors.index, errors[f"{name} error"], own, color=color, linestyle=dashes, marker=marker, label=name
        )
        if name != "true":
            share = errors[f"{name}: claims a difference"]
            error = np.sqrt(share * (1 - share) / len(differences))
            right.errorbar(errors.index, share, error, color=color, linestyle=dashes, marker=marker, label=name)
    right.axhline(0.05, color="#6B6B6B", linestyle=":", label="1 in 20")
    left.set(xlabel="fold losses", ylabel="error of the mean difference", xscale="log", ylim=(0, None))
    right.set(xlabel="fold losses", ylabel="share that claims a difference", xscale="log", ylim=(0, None))
    for ax in (left, right):
        ax.set_xticks(errors.index, errors.index.astype(str))
        ax.tick_params(axis="x", which="minor", length=0, labelbottom=False)
        ax.legend()
plotting.show(
    fig,
    alt="Left, errors of the mean difference against the number of fold losses, 5 to 40. The true error falls by a third and then stays, the naive one starts near it and falls to half of it, the corrected one lies above it and falls alike. "
    "Right, the share of experiments that claim a difference where there is none: with the naive error it rises far above one in twenty, with the corrected one it stays below.",
)

# %% [markdown]
# Here the corrected error is too careful, by about two thirds. That is not so everywhere. Give both procedures 120 useless numbers in place of three, so that with 160 training events the fit itself is shaky, and what the folds share matters more:

# %% tags=["nbval-ignore-output"]
shaky = experiments(250, 2, 120, np.random.default_rng(SEED))
too_careful = errors["corrected error"].iloc[1] / errors["true error"].iloc[1]
true_shaky = shaky.mean(axis=1).std(ddof=1)
naive_shaky, corrected_shaky = (rms(error_of, shaky) / true_shaky for error_of in (naive_error, corrected_error))
claims_shaky = np.mean([abs(d.mean()) > 2 * corrected_error(d) for d in shaky[:, :K]])
print(f"ten fold losses, three random numbers: corrected / true = {too_careful:.2f}")
print(
    f"ten fold losses, 120 random numbers:   corrected / true = {corrected_shaky:.2f}, naive / true = {naive_shaky:.2f}"
)
print(f"five fold losses, 120 random numbers:  {claims_shaky:.1%} of the experiments claim a difference")

# %% tags=["claim"]
assert too_careful > 1.25
assert corrected_shaky < too_careful
assert naive_shaky < 0.8

# %% [markdown]
# Now it is about right, and with five losses more than one experiment in twenty still claims a difference: they tell the error itself too roughly. If you need an error, take the corrected one, and say so.

# %% [markdown]
# ### Exercise 6.6 – The spread and the error (in your words)
#
# A report says: «Our network has a validation loss of 0.512 ± 0.001, where the error is the spread of 50 cross-validations divided by $\sqrt{250}$.» What do you answer? What does the spread tell, and where would independent information have to
# come from? Two to four sentences.

# %% tags=["exercise-6.6", "written"]
### BEGIN SOLUTION
answer_6_6 = """The 250 losses are not independent: they come from the same events, in ever new divisions, and any two networks share most of their training events. So the error
does not fall with √250; beyond the first few repetitions nothing new is learnt. The spread of single folds tells how much a loss varies if it is measured on a fifth of the events, no more. Independent information
only comes from new events, such as the test events, or events that are simulated anew."""
### END SOLUTION

# %% tags=["check-6.6"]
checks.written("6.6", answer_6_6)

# %% [markdown]
# ## 6.5 Comparing two networks
#
# Would a smaller network do? We compare 60-60 with two hidden layers of 20 neurons. Both get the same folds. A fold with difficult events is difficult for both, so we do not compare two means with their spreads, but the losses *fold by fold*. *Predict: how large will the spread of the differences be, compared with that of the losses?*


# %% tags=["nbval-ignore-output"]
def build_small(x):
    """Return a fresh network with two hidden layers of 20 neurons."""
    return network.build(4, hidden=(20, 20), normalise=x, learning_rate=1e-3)


folds_small = crossvalidation.cross_validate(
    build_small, x, y, fold, sample_weight=balanced, epochs=15, batch_size=512, seed=SEED
)
losses = pd.DataFrame(
    {"60-60": folds_large.losses, "20-20": folds_small.losses}, index=pd.RangeIndex(1, K + 1, name="fold")
)
fig, axes = plotting.paired_folds(losses["60-60"], losses["20-20"], names=("60-60", "20-20"))
plotting.show(
    fig,
    alt="Left: validation losses of both networks, joined by a line for each fold. Right: the loss of the small network "
    "minus that of the large one for each fold, with their mean and a band of their spread. The differences vary less than the losses.",
)

# %% tags=["nbval-ignore-output"]
paired = (losses["20-20"] - losses["60-60"]).to_numpy()
paired_error = corrected_error(paired)
print(f"spread of the losses:      {spread:.4f}")
print(
    f"spread of the differences: {paired.std(ddof=1):.4f}; √2 × that of the seeds in one fold: {np.sqrt(2) * seed_spread:.4f}"
)
print(f"mean difference: {paired.mean():.4f} ± {paired_error:.4f} (corrected error), 20-20 minus 60-60")

# %% tags=["claim"]
assert paired.std(ddof=1) < 0.75 * spread

# %% [markdown]
# What a fold does to both networks has dropped out. What is left is no more than the luck of the seeds, which each fold has of its own (second line). Five folds cannot show anything else.
#
# With five folds the error itself is uncertain by a third, so a difference of twice its error proves little. Mind also *what* was compared: networks that were trained in one way. With a longer training the smaller one might catch up.
#
# There is one more choice that can fool you. Suppose you compare twenty networks in this way, and keep the best. Its mean loss is the lowest of twenty numbers, so it is a bit too good, like the loss of the best epoch. This is why the test events stay closed until the network is chosen.

# %% [markdown]
# ### Exercise 6.7 – Which one do you take? (in your words)
#
# Decide between the two networks. Say what the comparison shows and how sure you are. The large network has 4021 parameters, the small one 541: does that matter here? And would you decide differently if the small network were a thousand times
# faster? Two to four sentences.

# %% tags=["exercise-6.7", "written"]
### BEGIN SOLUTION
answer_6_7 = """In the bundle the large network has the lower loss in most of the folds, in the mean by about 0.003, with a corrected
error of about the same size. With other files the gain may be twice its error: with five folds that is still no proof.
The large network is probably the better one, but the comparison does not prove it. It has seven times the parameters, but both train in seconds, so we take
it, and know that the small one would do nearly as well. If the small one were a thousand times faster, we would take that: a
gain that may be chance is not worth the price, and even one that is real can be too small to matter, which the significance
of chapter 7 decides."""
### END SOLUTION

# %% tags=["check-6.7"]
checks.written("6.7", answer_6_7)

# %% [markdown]
# ## 6.6 Every event counts
#
# We take 60-60. The network is chosen now, and the test events may be opened.
#
# There are five networks, and each could give a score to any event. Which score may be *counted*, in a yield, a ROC curve, a significance?
#
# ### Exercise 6.8 – Which score counts? (choose)
#
# Complete the function. `scores[i]` are the scores that network `i` gives to all events, shape `(k, n_events)`. `fold` is the fold of each event, and −1 if it is in none: test events, collision data. Return one score per event that may be counted; where several may, their mean.


# %% tags=["exercise-6.8"]
def honest_scores(scores, fold):
    """Return for each event a score from networks that have not trained on it, shape (n_events,)."""
    ### BEGIN SOLUTION
    out_of_fold = scores[fold, np.arange(len(fold))]
    return np.where(fold >= 0, out_of_fold, scores.mean(axis=0))
    ### END SOLUTION


# %% tags=["check-6.8"]
honest_scores = checks.exercise_6_8(honest_scores)

# %% [markdown]
# For a training event this is its [out-of-fold score](../course/glossary.md#out-of-fold). For the others, any of the five scores would be honest. Their mean is better: what one network has learnt by luck, the four others have not. (Nothing to change in the next cell.)

# %% tags=["nbval-ignore-output"]
whole = pd.concat([train, test], ignore_index=True)
fold_of_whole = np.concatenate([fold, np.full(len(test), -1)])
x_whole, y_whole, _ = features.arrays(whole, COLUMNS)
all_scores = np.array([training.predict(model, x_whole) for model in folds_large.models])
whole["score"] = honest_scores(all_scores, fold_of_whole)
in_test = fold_of_whole < 0
test = weights.match_yields(whole[in_test], events)
train_at_full_yield = weights.match_yields(whole[~in_test], events)
balanced_test = weights.balance(test["weight"], y_whole[in_test])


def test_loss(score):
    """Return the loss for test events, with balanced weights."""
    return np.average(cross_entropy(y_whole[in_test], score), weights=balanced_test)


of_networks = [test_loss(score) for score in all_scores[:, in_test]]
print("test loss of the five networks:", *np.round(of_networks, 4), f"mean {np.mean(of_networks):.4f}")
print(f"test loss of their mean score: {test_loss(test['score']):.4f}")

# %% tags=["claim"]
assert test_loss(test["score"]) < np.mean(of_networks)

# %% [markdown]
# The loss of the mean score is lower than the mean of the losses. This is no luck: −log p is a curve that bends upwards, and there a mean of values is never below the value of the mean.
#
# How well does Z become known now? So far it was quoted on the test events, which are 40 % of all, scaled up to the full luminosity.
#
# ### Exercise 6.9 – The error bar (predict)
#
# All simulated events count in place of the test events alone. By which factor does Z change, and by which one its statistical error? Write down both numbers that you expect, before you run the next cell: `factors = (factor of Z, factor of its error)`.

# %% tags=["exercise-6.9"]
### BEGIN SOLUTION
factors = (1, np.sqrt(0.4))
### END SOLUTION

# %% tags=["check-6.9"]
checks.exercise_6_9(factors, share=len(test) / len(whole))

# %% [markdown]
# A cut must not be chosen and quoted on the same events. So each part lends its cut to the other: training events choose the cut for the test events, and test events that for the training events. Then all passing events are counted together.


# %% tags=["nbval-ignore-output"]
def best_cut(part):
    """Return the cut on the score with the largest Z."""
    scan = significance.scan(part["score"], features.labels(part), part["weight"], groups=part["sample"])
    return float(significance.best(scan).cut)


def z_of(part, passes):
    """Return Z of the events that pass, and its statistical error."""
    scan = significance.scan(
        np.asarray(passes, float), features.labels(part), part["weight"], cuts=[1.0], groups=part["sample"]
    )
    return float(scan.significance[0]), float(scan.significance_error[0])


cut_for_test, cut_for_training = best_cut(train_at_full_yield), best_cut(test)
passes = whole["score"] >= np.where(in_test, cut_for_test, cut_for_training)
z_test, z_all = z_of(test, passes[in_test]), z_of(whole, passes)
print(f"test events alone:    Z = {z_test[0]:.3f} ± {z_test[1]:.3f}")
print(f"all simulated events: Z = {z_all[0]:.3f} ± {z_all[1]:.3f}")
print(f"ratio: {z_all[0] / z_test[0]:.2f}, of the errors {z_all[1] / z_test[1]:.2f}")

# %% tags=["claim"]
assert 0.5 < z_all[1] / z_test[1] < 0.76

# %% [markdown]
# As if somebody had simulated two and a half times as many events; and they were there all the time. Mind that training events are judged by single networks, test events by the mean of five, and that both errors leave out that the yields of the test events are matched to those of all.
#
# ## 6.7 What do seeds add?
#
# The error above is that of the *events*. The five networks of section 6.3 differ in nothing but their seed. How do they do on the test events? The table gives loss and Z, and their differences to the first network, with paired errors (chapters 3 and 4) that know of the test events only. (Nothing to change in this cell.)

# %% tags=["nbval-ignore-output"]
window = leaderboard.baseline(chapter, test)
rows = {}
for seed, model in enumerate(of_seed, start=100):
    score = training.predict(model, x_whole[in_test])
    of_events, passing = cross_entropy(y_whole[in_test], score), score >= cut_for_test
    if not rows:
        of_first, first_passing = of_events, passing
    of_z, of_difference = z_of(test, passing), leaderboard.difference(test, passing, first_passing)
    rows[f"seed {seed}"] = {
        "loss": test_loss(score),
        "its error": predicted_spread(of_events, balanced_test, y_whole[in_test]),
        "loss minus the first": np.average(of_events - of_first, weights=balanced_test),
        "paired error of loss": predicted_spread(of_events - of_first, balanced_test, y_whole[in_test]),
        "Z": of_z[0],
        "error of Z": of_z[1],
        "Z minus the first": of_difference[0],
        "paired error of Z": of_difference[1],
    }
seeds = pd.DataFrame(rows).T
seeds.round(4)

# %% [markdown]
# Two seeds may differ for two reasons. One network is really better, also on events without end: the seed's own part. Or both are equally good and misjudge *different* test events: this the paired error knows already. *Do the differences exceed their paired errors, in the loss, and in Z?*
#
# ### Exercise 6.10 – The seed's own part (derive)
#
# From seed to seed, the true value of a network scatters by $\tau$. `values` are those of several seeds on the same test events, and by the luck of the events a difference of *two* of them has the error `pair_error`. How large is the sample variance of `values` (divided by $n-1$) on average? (It is half of the mean squared difference of all pairs.) Solve for $\tau$, and return it, or 0 where the values spread less than by the luck of the events.


# %% tags=["exercise-6.10"]
def seed_part(values, pair_error):
    """Return the standard deviation from seed to seed, without the luck of the test events."""
    ### BEGIN SOLUTION
    # A pair's squared difference is 2τ² + pair_error² on average, and the sample variance half of that.
    return np.sqrt(max(np.var(values, ddof=1) - pair_error**2 / 2, 0))
    ### END SOLUTION


# %% tags=["check-6.10"]
seed_part = checks.exercise_6_10(seed_part)


# %% tags=["nbval-ignore-output"]
def with_seeds(values, event_error, paired_errors):
    """Return what events and seeds add to a value, and to the difference of two trainings."""
    pair_error = np.sqrt(np.mean(paired_errors.iloc[1:] ** 2))
    own = seed_part(values, pair_error)
    return {
        "spread of the five seeds": np.std(values, ddof=1),
        "  of the events alone": pair_error / np.sqrt(2),
        "  the seed's own part": own,
        "error of one value, from events": event_error.mean(),
        "  with the seed": np.hypot(event_error.mean(), own),
        "error of a difference, from events": pair_error,
        "  with both seeds": np.hypot(pair_error, np.sqrt(2) * own),
    }


added = pd.DataFrame(
    {
        "loss": with_seeds(seeds["loss"], seeds["its error"], seeds["paired error of loss"]),
        "Z": with_seeds(seeds["Z"], seeds["error of Z"], seeds["paired error of Z"]),
    }
)
added.round(4)

# %% tags=["claim"]
if {samples.locate(name).source for name in samples.SIMULATED} == {"bundle"}:
    assert added.loc["  with both seeds", "loss"] > 1.3 * added.loc["error of a difference, from events", "loss"]
    assert added.loc["  with the seed", "Z"] < 1.2 * added.loc["error of one value, from events", "Z"]

# %% [markdown]
# In Z, the seeds spread little farther than the events alone make them: networks that are equally good keep different test events. Whoever adds the whole spread of the seeds to the paired error counts the luck of the events twice. (One pair in twenty differs by twice its error; in the bundle it is seed 103.) In the loss it is the other way round in the bundle: most of the spread is the seed's own. (With the release's own Z and top-pair files, five seeds showed nothing of it.)
# Five seeds tell a spread to a third only, so we tried thirteen times five in the bundle: in Z a spread of 0.012, of which the events alone make 0.010; in the loss 0.0029, and 0.0009. Mostly, a seed lets all scores end a little too high or too low: with the scores of each network shifted and stretched for its best loss, 0.0010 was left. Z asks only which events pass.
#
# So a difference in loss of twice its paired error may say nothing if both networks were trained once. For a difference in Z, as on the leaderboard, the paired error is most of it. No line of the table knows what other *training* events would do.

# %% tags=["nbval-ignore-output"]
rows = [
    leaderboard.row(
        name,
        test,
        score >= cut_for_test,
        window,
        score=score,
        inputs="four pT",
        parameters=n_networks * network.count_parameters([4, 60, 60, 1]),
        validation_loss=mean,
    )
    for name, n_networks, score in (
        ("60-60, one network", 1, all_scores[0, in_test]),
        ("60-60, mean of five", K, test["score"]),
    )
]
chapter.write_table("leaderboard", pd.DataFrame(rows))
leaderboard.show(chapter)

# %% [markdown]
# (The validation loss of both is the mean over the folds; that of chapter 5 comes from other events.)
#
# ## 6.8 Handing on
#
# Chapter 7 quotes a cut from all simulated events beside the test events. Collision data are in no fold: like test events, they are to be scored by the mean of the five networks.

# %% tags=["nbval-ignore-output"]
table = losses.reset_index().melt(id_vars="fold", var_name="model", value_name="validation_loss")
chapter.write_table("fold_losses", table[["model", "fold", "validation_loss"]])
scored = whole.assign(fold=fold_of_whole)
chapter.write_table("out_of_fold", scored[["sample", "run", "event", "weight", "fold", "score"]])
for number, model in enumerate(folds_large.models):
    chapter.write_model(f"fold_{number}", model)
numbers = {
    "loss_mean": mean,
    "loss_spread": spread,
    "predicted_spread": prediction,
    "loss_spread_seeds": seed_spread,
    "loss_mean_small": losses["20-20"].mean(),
    "difference_mean": paired.mean(),
    "difference_spread": paired.std(ddof=1),
    "difference_error": paired_error,
    "leak_last_fold": leak["fresh"].iloc[-1] - leak["reused"].iloc[-1],
    "leak_other_events": leak["fresh, other events"].iloc[-1] - leak["reused, other events"].iloc[-1],
    "naive_over_true_once": errors["naive error"].iloc[0] / errors["true error"].iloc[0],
    "naive_over_true_repeated": errors["naive error"].iloc[-1] / errors["true error"].iloc[-1],
    "corrected_over_true": too_careful,
    "corrected_over_true_shaky": corrected_shaky,
    "naive_claims_repeated": errors["naive: claims a difference"].iloc[-1],
    "z_test": z_test[0],
    "z_all": z_all[0],
    "z_error_ratio": z_all[1] / z_test[1],
    "loss_spread_of_seeds": seeds["loss"].std(ddof=1),
    "loss_seed_part": added.loc["  the seed's own part", "loss"],
    "z_spread_seeds": seeds["Z"].std(ddof=1),
    "z_seed_part": added.loc["  the seed's own part", "Z"],
}
chapter.write_numbers(numbers)
pd.Series(numbers).round(4)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(6)

# %% [markdown]
# ## Summary
#
# - In a cross-validation each event validates once, and each fold has a fresh network: weights, optimizer and normalisation are made anew.
# - A network that is reused has seen its validation events. Its loss looks better than that of a fresh one, while it becomes worse.
# - The spread tells how much the loss of one fold varies. It comes from the events, and can roughly be predicted from their effective number. Several seeds in one fold do not see it.
# - The folds share most of their training events. Repeating a cross-validation makes the naive error as small as one likes, and claims differences that are not there. A corrected error does not shrink away; it is a guess.
# - Two networks are compared fold by fold, on the same events: the differences spread less than the losses.
# - Out-of-fold scores let every simulated event count in a result, with a smaller error. Events that no network has seen get the mean of all networks.
# - The paired error of a difference knows the test events only. For Z this is most of it; for a loss the luck of two seeds can be larger.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. Two networks of a cross-validation with ten folds have most of their training events in common. How many?**
#
# <details><summary>None: the folds are disjoint.</summary>The validation events are disjoint. Each network trains on nine folds.</details>
# <details><summary>Nine of ten.</summary>Each trains on nine folds, but one of these nine is the fold that validates the other network.</details>
# <details><summary>Eight of nine.</summary>Right. Each leaves out its own fold, so that eight of its nine training folds are shared.</details>
#
# **2. A colleague repeats a cross-validation a hundred times with new folds of the same events. What does that bring?**
#
# <details><summary>A little less scatter from the division, and no new information about the events.</summary>Right. The luck of the events is in all repetitions alike.</details>
# <details><summary>An error that is ten times smaller.</summary>This holds for independent measurements. Here all share the same events.</details>
# <details><summary>A hundred times the statistics.</summary>Not a single event has been added to the sample.</details>
#
# **3. Five networks of five folds give scores to a training event. Which score may count in a yield?**
#
# <details><summary>The mean of all five, since it is the best one.</summary>Four of the five have trained on this event, and may know it by heart.</details>
# <details><summary>That of the one network which did not train on it.</summary>Right. This is its out-of-fold score, as honest as that of a test event.</details>
# <details><summary>None, since training events must never be counted.</summary>They must not be counted by a network that has trained on them. One has not.</details>
#
# **4. On the same test events network A has a loss smaller by 0.005 ± 0.002 (paired error) than network B. Each was trained once. What do you conclude?**
#
# <details><summary>A is better, at 2.5 standard deviations.</summary>The error knows the luck of the test events, but not that of the two trainings.</details>
# <details><summary>Nothing can be compared on the same events.</summary>On the contrary: the luck that both share cancels there.</details>
# <details><summary>That both should be trained again with other seeds, before anybody is sure.</summary>Right. The losses of two trainings of one network may differ by as much.</details>

# %% [markdown]
# ## What you can now do
#
# - recognise a cross-validation that leaks;
# - predict the spread of its folds, and say what this spread is not;
# - test a rule of statistics by an experiment of your own;
# - count every simulated event with a score that is honest;
# - say what an error knows, and what it does not.
#
# ## Further reading
#
# - Y. Bengio, Y. Grandvalet, *No Unbiased Estimator of the Variance of K-Fold Cross-Validation*, Journal of Machine Learning Research 5 (2004) 1089.
# - C. Nadeau, Y. Bengio, *Inference for the Generalization Error*, Machine Learning 52 (2003) 239.
# - R. R. Bouckaert, E. Frank, *Evaluating the Replicability of Significance Tests for Comparing Learning Algorithms*, PAKDD 2004, Lecture Notes in Computer Science 3056, 3.
# - T. G. Dietterich, *Approximate Statistical Tests for Comparing Supervised Classification Learning Algorithms*, Neural Computation 10 (1998) 1895.
# - S. Arlot, A. Celisse, *A survey of cross-validation procedures for model selection*, Statistics Surveys 4 (2010) 40, arXiv:0907.4728.
#
# Next: [chapter 7, significance](chapter7_significance.ipynb).
