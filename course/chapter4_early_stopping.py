# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 4 – Early stopping
#
# Five epochs, you were told in chapter 2, and the loss was still falling. Why not fifty, or five thousand? A network that trains for too
# short a time has not learnt enough. One that trains for too long learns its events by heart. In this chapter you see both happen, and let the
# network find out by itself when to stop.

# %% [markdown]
# ## What you will do
#
# - train one network too little and another one too much, and recognise both from their loss curves;
# - set *validation* events aside, and let them decide how long to train;
# - write the rule of early stopping, and use the one of Keras;
# - test whether a network is overtrained, with a statistical test for weighted events;
# - find out which backgrounds the network still misjudges, and why longer training does not cure it.
#
# | time | needs | makes |
# |---|---|---|
# | 75 minutes | the events of chapter 1, the network of chapter 2 | a network that was stopped in time, and its history |

# %%
from course import checks, interactive
from labcourse import features, metrics, network, outputs, plotting, samples, splitting, training, weights

import keras
import numpy as np
import pandas as pd
from scipy import stats

SEED = 4
COLUMNS = ["lep1_pt", "lep2_pt", "lep3_pt", "lep4_pt"]
keras.utils.set_random_seed(SEED)
chapter = outputs.Chapter(4, sources=samples.SIMULATED, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(4)

# %%
events = chapter.read_table(1, "events")
first_model = chapter.read_model(2, "first_model")
print(f"{len(events)} preselected events")

# %% [markdown]
# ## 4.1 Too little and too much
#
# Training is fitting, and you know from the first-year lab what can go wrong in a fit. The same eleven points, three curves:
#
# ![Three curves fitted to the same eleven points, with ten further points to validate. A straight line misses the shape: both errors are large. A
# smooth curve of medium complexity follows it: both errors are small. A curve that goes through every point swings wildly between them: no error in training, a
# large one in validation.](../course/figures/under_over_training.svg)
#
# - An *undertrained* network (one also says: it *underfits*) is too simple. It has too few neurons, or has not had the time to use them.
# - An *overtrained* network (it *overfits*) follows every single event, with all its fluctuations. On the events that it knows, it looks excellent. But
#   the next events are scattered differently, and there it fails.
#
# Let us provoke both. To see them we need events that the network does not know. We set some aside for this section only; section 4.2
# does it properly. The first network has a single hidden layer of two neurons, and ten epochs of time.

# %%
train, test = splitting.split(events)
known = train[splitting.uniform(train, salt="known") < 1000 / len(train)]
unknown = train[splitting.uniform(train, salt="known") > 1 - 5000 / len(train)]
x_known, y_known, _ = features.arrays(known, COLUMNS)
x_unknown, y_unknown, _ = features.arrays(unknown, COLUMNS)
print(f"{len(known)} events to train with, {len(unknown)} others to look at")

# %% tags=["nbval-ignore-output"]
tiny = network.build(4, hidden=(2,), normalise=x_known, learning_rate=2e-3, seed=SEED)
history_tiny = training.fit(
    tiny, x_known, y_known, validation_data=(x_unknown, y_unknown), epochs=10, batch_size=64, seed=SEED
)
print(
    f"loss on events it knows: {history_tiny.history['loss'][-1]:.3f}, on others: {history_tiny.history['val_loss'][-1]:.3f}"
)

# %% [markdown]
# (About 0.68 is what knowing nothing costs: this network has not even begun. With a hundred epochs it would do better, so it is time that it lacks most.)
#
# The second one has 64 times as many neurons, ten times as many epochs and a larger learning rate, so that the effect is plain. It gets the same thousand events.

# %% tags=["nbval-ignore-output"]
large = network.build(4, hidden=(64, 64), normalise=x_known, learning_rate=5e-3, seed=SEED)
history_large = training.fit(
    large,
    x_known,
    y_known,
    validation_data=(x_unknown, y_unknown),
    epochs=100,
    batch_size=64,
    seed=SEED,
)
print(
    f"loss on events it knows: {history_large.history['loss'][-1]:.3f}, on others: {history_large.history['val_loss'][-1]:.3f}"
)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses(
    {"undertrained": history_tiny, "overtrained": history_large}, best_epoch={"overtrained": True}
)
plotting.show(
    fig,
    alt="Loss against the epoch of two networks that know a thousand events. The small network has ten epochs: both its losses are high and still falling. "
    "The large network has a hundred: its training loss keeps falling, its validation loss falls, turns after some epochs, and rises again.",
)

# %% [markdown]
# This figure holds the whole chapter. In both cases the training loss (solid) falls. It cannot tell the difference. The *validation loss* (dashed), which is
# the loss of the other events, can:
#
# - *undertrained*: both losses are high and close together, and both still fall;
# - *overtrained*: the training loss keeps falling, while the validation loss has turned and rises.

# %% [markdown]
# ### Exercise 4.1 – The turning point (read a plot)
#
# From which epoch on does the large network get worse for events that it does not know? Give the number of the epoch with the lowest
# validation loss. Read it from the figure as well as you can: a few epochs more or less do not matter.

# %% tags=["exercise-4.1"]
### BEGIN SOLUTION
turning_point = int(np.argmin(history_large.history["val_loss"])) + 1
### END SOLUTION

# %% tags=["check-4.1"]
checks.exercise_4_1(turning_point, history=history_large.history)

# %% [markdown]
# Look at what happens after the turning point. The loss punishes most what is certain and wrong (section 2.5). The overtrained network has become
# too sure of itself, also where it is wrong.
#
# The remedy that helps most is not in the network: more events. With all training events, nobody can learn them by heart in a few epochs. But
# then, how many epochs are too many?

# %% [markdown]
# ## 4.2 Validation events
#
# Somebody has to say when to stop. The training events cannot, as we have seen. The test events could, but then they would take part in making the network, and
# could no longer judge it. So we need a third part: the *validation events*.
#
# (We do look at the test events at the end of several chapters, to learn. Strictly, each look that changes what we do next uses them up a little.)
#
# We divide the training events once more, two to one, and again by their identity:
#
# ![Each event has a fixed number between 0 and 1, made from its run, its event number and a seed. Below 0.6 it is for training, above for the test. The training
# events are divided once more: two thirds change the weights, one third validates and decides when to stop. The test events are looked at last,
# once.](../course/figures/train_test_validation_split.svg)
#
# To tell them from all training events, we call the two thirds that change the weights the *fit events*.

# %% [markdown]
# ### Exercise 4.2 – Three parts (write code)
#
# Complete `three_parts`. It gets an event table and returns three event tables, `(fit_events, validation, test)`. Two functions do the work: `splitting.split(events)`
# returns training and test events, and `splitting.validation_split(table)` divides a table in two, first the events to fit and then those to validate.
# The test events have to be those of chapter 3.


# %% tags=["exercise-4.2"]
def three_parts(events):
    """Divide an event table in three: (fit_events, validation, test)."""
    ### BEGIN SOLUTION
    train, test = splitting.split(events)
    fit_events, validation = splitting.validation_split(train)
    return fit_events, validation, test
    ### END SOLUTION


# %% tags=["check-4.2"]
three_parts = checks.exercise_4_2(three_parts)

# %%
fit_events, validation, test = three_parts(events)
x_fit, y_fit, _ = features.arrays(fit_events, COLUMNS)
x_validation, y_validation, _ = features.arrays(validation, COLUMNS)
for name, part in (("fit", fit_events), ("validation", validation), ("test", test)):
    print(f"{name:11}{len(part):7d} events, {len(part) / len(events):.3f} of all")

# %% [markdown]
# ### Exercise 4.3 – What validation costs (in your words)
#
# Validation events are lost for the fit. Why do we not take just a hundred of them? And why not half of all training events? What is gained
# and what is lost in each case? Two or three sentences.

# %% tags=["exercise-4.3", "written"]
### BEGIN SOLUTION
answer_4_3 = """With a hundred validation events the validation loss would be so uncertain that its minimum is mostly a matter of chance:
we would stop at a random epoch, and the loss we quote would be worth little. With half of the events the validation loss is known precisely, but the network
is fitted to fewer events, so it overtrains sooner and its best loss is worse. A fifth to a third is a usual compromise;
the more events there are in all, the smaller the share that is enough."""
### END SOLUTION

# %% tags=["check-4.3"]
checks.written("4.3", answer_4_3)

# %% [markdown]
# ## 4.3 Patience
#
# The rule seems simple: stop when the validation loss rises. But it does not fall smoothly. Batches are drawn at random, so it jumps up and down from epoch to epoch.
# Whoever stops at the first rise stops too early. So we are patient: we go on for some epochs, and see whether a new best loss comes. The number of epochs that
# we wait is called the *patience*. If it is used up, we stop, and go back to the weights of the *best* epoch.
#
# ![Training and validation loss against the epoch. The training loss falls all the time. The validation loss has its minimum at epoch 13. With a patience of five
# epochs the training stops after epoch 18, and the weights of epoch 13 are restored.](../course/figures/early_stopping.svg)

# %% [markdown]
# ### Exercise 4.4 – Early stopping (write code)
#
# Complete `best_and_last`. `losses` is the list of validation losses, the first one after epoch 1. Follow it from the beginning. An epoch is the new best one if its
# loss is *lower* than all before. Training stops after the epoch at which `patience` epochs in a row have brought no new best loss; what comes later in the list is never
# looked at. If that does not happen, it ends with the list. Return `(best_epoch, last_epoch)`, counted from 1.


# %% tags=["exercise-4.4"]
def best_and_last(losses, patience):
    """Follow validation losses with early stopping; return (best_epoch, last_epoch), counted from 1."""
    ### BEGIN SOLUTION
    best_epoch = 1
    for epoch, loss in enumerate(losses, start=1):
        if loss < losses[best_epoch - 1]:
            best_epoch = epoch
        if epoch - best_epoch >= patience:
            return best_epoch, epoch
    return best_epoch, len(losses)
    ### END SOLUTION


# %% tags=["check-4.4"]
best_and_last = checks.exercise_4_4(best_and_last)

# %% [markdown]
# What would your rule have done to the overtrained network? The patience makes a difference:

# %% tags=["nbval-ignore-output"]
rows = {}
for patience in (1, 2, 5, 10, 20):
    best_epoch, last_epoch = best_and_last(history_large.history["val_loss"], patience)
    rows[patience] = {
        "best epoch": best_epoch,
        "last epoch": last_epoch,
        "validation loss": history_large.history["val_loss"][best_epoch - 1],
    }
pd.DataFrame(rows).T.rename_axis("patience").astype({"best epoch": int, "last epoch": int}).round(4)

# %% [markdown]
# A small patience may stop at a jump. A large one costs time: each training goes on for that many epochs in vain. But it does no harm otherwise, because we go back
# to the best epoch.
#
# Move it yourself. Here are the recorded losses of the overtrained network again. The star is the epoch to which the training goes back, and the line is where it stops. What
# comes after the line is pale: with this patience, nobody would ever have seen it. The hatched epochs were trained in vain. *Find the smallest patience with which nothing is lost
# against the best epoch of all. What do you pay for one epoch more of patience, and what would you choose if you did not know the curve in advance?*

# %% tags=["nbval-ignore-output"]
interactive.patience(history_large)

# %% [markdown]
# ### Exercise 4.5 – The callback (write code)
#
# Keras has this rule as a *callback*, an object that is asked after every epoch. Make a `keras.callbacks.EarlyStopping` that watches the validation loss (which Keras calls
# `"val_loss"`) with a patience of 10 epochs, and goes back to the best epoch. (Look at its documentation: `help(keras.callbacks.EarlyStopping)`. One of its
# defaults is not what we want.)

# %% tags=["exercise-4.5"]
### BEGIN SOLUTION
stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)
### END SOLUTION

# %% tags=["check-4.5"]
stopping = checks.exercise_4_5(stopping)

# %% [markdown]
# ## 4.4 A network that stops in time
#
# Now for all fit events: the network of chapter 2, with the same layers, learning rate and batches. Only the number of epochs is open. It has at most 150,
# and the validation events decide.

# %% tags=["nbval-ignore-output"]
model = network.build(4, normalise=x_fit, learning_rate=2e-4, seed=SEED)
history = training.fit(
    model,
    x_fit,
    y_fit,
    validation_data=(x_validation, y_validation),
    epochs=150,
    batch_size=128,
    seed=SEED,
    callbacks=[stopping],
)
best_epoch, last_epoch = best_and_last(history.history["val_loss"], patience=10)
print(
    f"trained for {len(history.history['loss'])} epochs; your rule says {last_epoch}, and that epoch {best_epoch} is the best"
)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses(history, best_epoch=best_epoch)
floor, ceiling = min(history.history["val_loss"] + history.history["loss"]), history.history["val_loss"][0]
ax.set_ylim(floor - 0.05 * (ceiling - floor), ceiling)
plotting.show(
    fig,
    alt="Training and validation loss against the epoch. Both fall steeply during the first epochs and then slowly. The validation loss jumps up and down a little, "
    "and is flat in the last ten epochs. A star marks the best epoch.",
)

# %% [markdown]
# This looks different from the figure in section 4.1. The validation loss does not rise: it becomes flat. There are many more events than parameters, so overtraining is mild. Still, the
# best epoch comes well after the fifth. (The last epochs, after the star, are the patience.)
#
# Do not be puzzled if the validation loss lies *below* the training loss. The training loss of an epoch is an average over batches, *during* which the network got better; the validation loss is measured at the end of
# the epoch. And the validation events may happen to be a little easier.

# %% [markdown]
# ### Evaluation on both
#
# Is the network any better than the one of chapter 2? We compute the loss of both networks, on fit events and on validation events. The training loss in
# the figure is an average over an epoch. Here we take the networks as they are.
#
# A loss is a mean over events, so it has a statistical error. Without it nobody can say whether a difference means anything.

# %% [markdown]
# ### Exercise 4.6 – A loss with an error (write code)
#
# Complete `loss_and_error` for arrays `y` (0 or 1) and `score`, shape `(n_events,)`. The loss is the mean cross-entropy, as in exercise 2.8. Its error is the standard deviation of
# the single events' losses, divided by $\sqrt{n}$. Return `(loss, error)`. Keep it finite for scores of exactly 0 and 1: use `np.clip(score, 1e-7, 1 - 1e-7)`, as Keras does.


# %% tags=["exercise-4.6"]
def loss_and_error(y, score):
    """Return (mean cross-entropy, its statistical error)."""
    ### BEGIN SOLUTION
    score = np.clip(score.astype(float), 1e-7, 1 - 1e-7)
    losses = -np.where(y == 1, np.log(score), np.log(1 - score))
    return losses.mean(), losses.std() / np.sqrt(len(losses))
    ### END SOLUTION


# %% tags=["check-4.6"]
loss_and_error = checks.exercise_4_6(loss_and_error)

# %% tags=["nbval-ignore-output"]
score_fit, score_validation = training.predict(model, x_fit), training.predict(model, x_validation)
rows = {}
for name, on_fit, on_validation in (
    ("first model (chapter 2)", training.predict(first_model, x_fit), training.predict(first_model, x_validation)),
    ("early stopped", score_fit, score_validation),
):
    (fit_loss, fit_error), (validation_loss, validation_error) = (
        loss_and_error(y_fit, on_fit),
        loss_and_error(y_validation, on_validation),
    )
    rows[name] = {
        "fit": fit_loss,
        "validation": validation_loss,
        "error": validation_error,
        "gap": validation_loss - fit_loss,
        "error of the gap": np.hypot(fit_error, validation_error),
    }
losses = pd.DataFrame(rows).T
losses.round(4)

# %% [markdown]
# The *gap* between validation and fit is what overtraining looks like in one number. Compare it with its error: without overtraining, both parts still differ by chance. (The first
# model was trained on the validation events too, so its gap can only be chance.)
#
# Is the new network better? Its validation loss is lower, but by no more than one or two times the error. Do not give up too early: both networks were judged on the *same* events. An event that is difficult for one is
# difficult for the other. So we take the difference event by event, and look at the mean of the differences and at *its* error:


# %% tags=["nbval-ignore-output"]
def event_losses(score):
    """Cross-entropy of each validation event."""
    score = np.clip(score.astype(float), 1e-7, 1 - 1e-7)
    return -np.where(y_validation == 1, np.log(score), np.log(1 - score))


gain = event_losses(training.predict(first_model, x_validation)) - event_losses(score_validation)
gain_error = gain.std() / np.sqrt(len(gain))
print(f"mean gain: {gain.mean():.4f} ± {gain_error:.4f}, that is {gain.mean() / gain_error:.1f} times its error")

# %% [markdown]
# In pairs, the gain is seen much better. Longer training has paid off, though modestly: for these four inputs, five epochs were not far from the best. In chapter 6 we will use pairs again.
#
# Be careful with this error. It knows only that the events fluctuate. Another seed moves the gain as well, perhaps by more than this error (chapter 6). Nor is the comparison quite fair: the first model had trained on
# these events, and the new one had chosen its epoch on them. So trust its sign more than its size.

# %% [markdown]
# ## 4.5 The overtraining check
#
# One number can hide a lot. So experiments also compare the whole distribution of the score, for events that the network knows and events that it does not know, class by class. If the
# network is not overtrained, both are drawn from the same distribution. Chance alone makes them differ. Is the difference larger than that? This is a *two-sample test*.
#
# Let two histograms have contents $a_i$ and $b_i$, each divided by its sum, with squared errors $\sigma_{a,i}^2$ and $\sigma_{b,i}^2$. For weighted events the squared error of a bin is the sum of
# the *squared* weights (divided by the square of the sum, as well). Then
#
# $$ \chi^2 = \sum_i \frac{(a_i-b_i)^2}{\sigma_{a,i}^2+\sigma_{b,i}^2} . $$
#
# If both come from the same distribution, $\chi^2$ is about as large as the number of degrees of freedom: the number of filled bins, less one, because both sums are fixed to one. The *p-value* is the
# probability that chance alone makes $\chi^2$ this large or larger.

# %% [markdown]
# ### Exercise 4.7 – The two-sample test (write code)
#
# Complete `two_samples`. It gets values and weights of two samples, shape `(n_a,)` and `(n_b,)`, and the edges of the bins. Return `(chi2, ndf)`. Leave out bins in which both samples are
# empty. `np.histogram(values, edges, weights=...)[0]` gives sums of weights.


# %% tags=["exercise-4.7"]
def two_samples(values_a, weight_a, values_b, weight_b, edges):
    """Compare the shapes of two weighted samples; return (chi2, ndf)."""
    ### BEGIN SOLUTION
    shapes, variances = [], []
    for values, weight in ((values_a, weight_a), (values_b, weight_b)):
        content = np.histogram(values, edges, weights=weight)[0]
        squares = np.histogram(values, edges, weights=weight**2)[0]
        shapes.append(content / content.sum())
        variances.append(squares / content.sum() ** 2)
    variance = variances[0] + variances[1]
    filled = variance > 0
    chi2 = ((shapes[0] - shapes[1])[filled] ** 2 / variance[filled]).sum()
    return chi2, filled.sum() - 1
    ### END SOLUTION


# %% tags=["check-4.7"]
two_samples = checks.exercise_4_7(two_samples)

# %% [markdown]
# First we look at the overtrained network of section 4.1, with ten bins as it knows so few events. Each event counts the same, as in the training.

# %% tags=["nbval-ignore-output"]
score_known, score_unknown = training.predict(large, x_known), training.predict(large, x_unknown)
fig, ax = plotting.overtraining(
    (known, score_known, np.ones(len(known))),
    (unknown, score_unknown, np.ones(len(unknown))),
    names=("known", "unknown"),
    bins=10,
)
plotting.show(
    fig,
    alt="Score of the overtrained network. For the events that it knows, filled areas, signal lies mostly at high scores and background at low ones. For other events, "
    "points, both classes reach further to the wrong side; the legend gives small probabilities.",
)

# %% [markdown]
# And now the network that stopped in time:

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.overtraining(
    (fit_events, score_fit, np.ones(len(fit_events))),
    (validation, score_validation, np.ones(len(validation))),
    names=("fit", "validation"),
    bins=20,
)
plotting.show(
    fig,
    alt="Score of the early-stopped network. For both classes the points of the validation events follow the areas of the fit events closely; the small differences are what chance can make.",
)

# %% [markdown]
# Your test puts a number to it. We add up $\chi^2$ and degrees of freedom of the two classes. The third row uses the event weights, to see what matters for nature.


# %% tags=["nbval-ignore-output"]
def overtraining_test(a, score_a, b, score_b, edges, weighted=False):
    """Test both classes; return χ², degrees of freedom and p-value."""
    chi2, ndf = 0.0, 0
    for label in (0, 1):
        of_a, of_b = features.labels(a) == label, features.labels(b) == label
        weight_a, weight_b = (t["weight"].to_numpy(float) if weighted else np.ones(len(t)) for t in (a, b))
        found = two_samples(score_a[of_a], weight_a[of_a], score_b[of_b], weight_b[of_b], edges)
        chi2, ndf = chi2 + found[0], ndf + found[1]
    return {"χ²": chi2, "degrees of freedom": ndf, "p-value": stats.chi2.sf(chi2, ndf)}


tests = {
    "overtrained": overtraining_test(known, score_known, unknown, score_unknown, np.linspace(0, 1, 11)),
    "early stopped": overtraining_test(fit_events, score_fit, validation, score_validation, np.linspace(0, 1, 21)),
    "early stopped, weighted": overtraining_test(
        fit_events, score_fit, validation, score_validation, np.linspace(0, 1, 21), weighted=True
    ),
}
p_values = {name: float(row["p-value"]) for name, row in tests.items()}
pd.DataFrame(tests).T.astype({"degrees of freedom": int}).round({"χ²": 1})

# %% [markdown]
# ### Exercise 4.8 – Which one is overtrained? (read a plot)
#
# Look at the two figures and the table. For which network is «the two samples differ by chance only» the worst explanation? Answer with its name in the table, as a string.

# %% tags=["exercise-4.8"]
### BEGIN SOLUTION
suspect = min(p_values, key=p_values.get)
### END SOLUTION

# %% tags=["check-4.8"]
checks.exercise_4_8(suspect, p_values=p_values)

# %% [markdown]
# Some words of caution. A large p-value does not prove that a network is free of overtraining: with few events, the test sees little, and with weights fewer events count. And a small p-value
# does not make a network useless. An overtrained network may still be the better one on unknown events. What decides is its performance on *those*; its performance on known
# events is to be ignored.
#
# And where a bin holds few events, or a few heavy ones, your formula takes its error from too few of them, and $\chi^2$ no longer follows its distribution. The legends of the figures are more careful: they merge such bins, and take the
# errors from both samples together. For the network that stopped in time both agree. For the overtrained one, with its thousand events, your $\chi^2$ is much the larger. The verdict is the same, but do not believe its p-value to the last digit, nor
# the third one.

# %% [markdown]
# ## 4.6 The rare backgrounds
#
# The network was stopped at the right moment. Is it a good network now? In chapter 3 you saw Z and top-pair events at high scores. Has longer training
# helped? Let us see how many of them the network has met.

# %% [markdown]
# ### Exercise 4.9 – Raw and expected shares (write code)
#
# Complete `shares` for arrays `process` (names) and `weight` of background events, shape `(n_events,)`. Return a dictionary with an entry `(raw_share, expected_share)` for each name in
# `np.unique(process)`: its share of the events, and its share of the sum of weights. Weights can be negative, and stay so.


# %% tags=["exercise-4.9"]
def shares(process, weight):
    """Return {name: (raw share, expected share)} of each process."""
    ### BEGIN SOLUTION
    return {
        name: (np.mean(process == name), weight[process == name].sum() / weight.sum()) for name in np.unique(process)
    }
    ### END SOLUTION


# %% tags=["check-4.9"]
shares = checks.exercise_4_9(shares)

# %%
process_of = {name: samples.get(name).process for name in samples.SIMULATED}
fit_process = fit_events["sample"].astype(str).map(process_of).to_numpy()
is_background = fit_process != "Higgs"
of_background = shares(fit_process[is_background], fit_events["weight"].to_numpy(float)[is_background])
pd.DataFrame(of_background, index=["raw share", "expected share"]).T.round(4)

# %% [markdown]
# In the loss, every event counts the same. Z and top pairs together are less than one per cent of the background events, so their mistakes hardly show in it. But
# they are about a third of the background that nature makes. What does the network do with them? We take the test events, weighted to the full luminosity.

# %% tags=["nbval-ignore-output"]
test = weights.match_yields(test, events)
x_test, y_test, weight = features.arrays(test, COLUMNS)
weight = weight.astype(float)
process = test["sample"].astype(str).map(process_of).to_numpy()


def half_of_signal(score):
    """Return the cut on a score that keeps half of the expected signal."""
    signal = process == "Higgs"
    return float(np.quantile(score[signal], 0.5, weights=weight[signal], method="inverted_cdf"))


score = training.predict(model, x_test)
cut = half_of_signal(score)
fig, ax = plotting.score_stacked(test, score, cut=cut)
plotting.show(
    fig,
    alt="Expected test events against the score of the early-stopped network, stacked by process on a logarithmic axis. ZZ falls towards high scores. Z and top-pair events "
    "do not: right of the cut that keeps half of the signal they are a large part of the background.",
)

# %% [markdown]
# The line marks the cut that keeps half of the signal. How much of each process passes it? The column `first model` tells what passes the network of chapter 2, at the cut
# with which it keeps half of the signal as well. As in section 4.4, the difference is known better than each of the two: most events pass both, or none.


# %% tags=["nbval-ignore-output"]
def passing(passed):
    """Share of the expected events of each process that pass, and its error."""
    rows = {}
    for name in ("Higgs", "ZZ", "Z", "ttbar"):
        w, kept = weight[process == name], passed[process == name]
        share = w[kept].sum() / w.sum()
        rows[name] = {
            "share": share,
            "error": np.sqrt(np.sum((w * (kept - share)) ** 2)) / w.sum(),
            "expected": w[kept].sum(),
        }
    return pd.DataFrame(rows).T


def error_of_difference(name):
    """Error of the difference of the two shares: event by event, as both models judge the same events."""
    here = process == name
    moved, w = (score >= cut)[here].astype(float) - first_passed[here], weight[here]
    return np.sqrt(np.sum((w * (moved - np.sum(w * moved) / w.sum())) ** 2)) / w.sum()


first_score = training.predict(first_model, x_test)
passed = passing(score >= cut)
first_passed = first_score >= half_of_signal(first_score)
passed["first model"] = passing(first_passed)["share"]
passed["difference"] = passed["share"] - passed["first model"]
passed["its error"] = [error_of_difference(name) for name in passed.index]
fig, ax = plotting.comparison(
    passed["share"].to_dict(),
    passed["error"].to_dict(),
    xlabel="share of the expected events that pass the cut",
    reference=0.5,
)
ax.set_xlim(left=0)
plotting.show(
    fig,
    alt="Share of the expected test events that pass the cut: one half of the Higgs events by construction, a small share of ZZ, and several times larger "
    "shares of Z and of top pairs, with larger errors.",
)
passed.round(3) + 0.0  # no zero with a minus sign

# %% [markdown]
# ### Exercise 4.10 – The most dangerous background (read a plot)
#
# Which background passes the cut most easily? Read its name from the figure and give it as a string. (If two agree within their errors, either will do.)

# %% tags=["exercise-4.10"]
### BEGIN SOLUTION
most_dangerous = passed["share"].drop("Higgs").idxmax()
### END SOLUTION

# %% tags=["check-4.10"]
checks.exercise_4_10(most_dangerous, efficiency=passed["share"], error=passed["error"])

# %% [markdown]
# Has longer training helped? Look at the differences and their errors. Perhaps somewhat fewer Z events pass than after five epochs. But the shares of Z and top pairs are still several times that of ZZ: this is no cure.
#
# A single number for each: one AUC for simulated events, each counted once, and one for expected events. The first counts events as the training does. The second is what
# we care about. It is lower, for both networks.

# %% tags=["nbval-ignore-output"]
raw_auc, auc = metrics.auc(test, score, np.ones(len(test))), metrics.auc(test, score)
pd.DataFrame(
    {
        "first model (chapter 2)": [
            metrics.auc(test, first_score, np.ones(len(test))),
            metrics.auc(test, first_score),
        ],
        "early stopped": [raw_auc, auc],
    },
    index=["each event counted once", "expected events"],
).T.round(4)

# %% [markdown]
# ### Exercise 4.11 – Why are they misplaced? (in your words)
#
# Z and top-pair events look different from Higgs events. (Their third and fourth leptons often come from jets, and are soft.) Why does the network not learn it, however long it is
# trained? And why did the validation loss not raise the alarm? Two or three sentences.

# %% tags=["exercise-4.11", "written"]
### BEGIN SOLUTION
answer_4_11 = """In the loss every simulated event counts once, and of a hundred background events fewer than one is Z or a top pair. The gradient is made
by ZZ and Higgs events; if it pays to call soft leptons Higgs because ZZ has harder ones, the few others are given up, and training longer is no cure, since
the loss that is minimised is the wrong one. The validation events have the same composition and were counted in the same way, so the validation loss
is blind to it as well. It takes a loss that counts events as nature does."""
### END SOLUTION

# %% tags=["check-4.11"]
checks.written("4.11", answer_4_11)

# %% [markdown]
# ## 4.7 Handing on

# %% tags=["nbval-ignore-output"]
chapter.write_model("early_stopped_model", model)
history_table = pd.DataFrame(history.history, index=pd.RangeIndex(1, len(history.history["loss"]) + 1, name="epoch"))
chapter.write_table("history_long", history_table)
numbers = {
    "best_epoch": best_epoch,
    "epochs": len(history_table),
    "turning_point_overtrained": int(np.argmin(history_large.history["val_loss"])) + 1,
    "overtrained_gap": history_large.history["val_loss"][-1] - history_large.history["loss"][-1],
    "fit_loss": losses.loc["early stopped", "fit"],
    "validation_loss": losses.loc["early stopped", "validation"],
    "validation_loss_first_model": losses.loc["first model (chapter 2)", "validation"],
    "gain": gain.mean(),
    "gain_error": gain_error,
    "p_value_overtrained": p_values["overtrained"],
    "p_value_early_stopped": p_values["early stopped"],
    "auc_raw_test": raw_auc,
    "auc_test": auc,
    "passing_zz": passed.loc["ZZ", "share"],
    "passing_z": passed.loc["Z", "share"],
    "passing_ttbar": passed.loc["ttbar", "share"],
    "raw_share_rare": sum(of_background[name][0] for name in ("Z", "ttbar")),
    "expected_share_rare": sum(of_background[name][1] for name in ("Z", "ttbar")),
}
chapter.write_numbers(numbers)
pd.Series(numbers).round(4)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(4)

# %% [markdown]
# ## Summary
#
# - The training loss always falls. Only events that the network does not know show whether it has learnt something general.
# - Undertrained: both losses are high and still fall. Overtrained: the validation loss has turned and rises.
# - Validation events decide when to stop; test events stay out of it.
# - Early stopping waits for a better epoch as long as its patience lasts, and then goes back to the best one. With all our events, overtraining is mild, and the best epoch comes well after the fifth, with a loss that is only a little better.
# - A two-sample test compares the score of known and unknown events. A large p-value is no proof, and what counts in the end is the performance on unknown events.
# - The network is well trained for the wrong question: it counts simulated events. The rare backgrounds, less than a hundredth of the events but about a third of what is expected, pass the cut several times more easily than ZZ.
#
# ## Further reading
#
# - L. Prechelt, *Early Stopping – But When?*, in: Neural Networks: Tricks of the Trade, Lecture Notes in Computer Science 1524 (1998) 55.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press (2016), chapter 7: regularization.
# - N. D. Gagunashvili, *Chi-square tests for comparing weighted histograms*, Nucl. Instrum. Meth. A 614 (2010) 287, arXiv:0905.4221.
#
# Next: [chapter 5, event weights](chapter5_event_weights.ipynb).
