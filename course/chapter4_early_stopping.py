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
# Chapter 3 has left you with two complaints about your network. It was trained for five epochs, because somebody said so, and its loss was
# still falling. And it lets too many rare background events pass. Which one first? Time comes first: as long as a network is half trained, nobody can
# say what is wrong with its question. So in this chapter we let it train to its end, find out what the end is, and see what is left of the second
# complaint. (That rest is chapter 5.)

# %% [markdown]
# ## What you will do
#
# - change one thing at a time, and find out what it takes to learn events by heart;
# - set *validation* events aside, and let them decide how long to train;
# - write the rule of early stopping, and use the one of Keras;
# - compare two networks event by event, and count how many of its parameters a network really uses;
# - see what more events bring, and what dropout and weight decay can do;
# - test whether a network is overtrained, with a statistical test for weighted events.
#
# | time | needs | makes |
# |---|---|---|
# | 130 minutes | the events of chapter 1, the network of chapter 2 | a network that was stopped in time, and its history |

# %%
from course import checks, interactive, outputs
from labcourse import features, metrics, network, plotting, samples, splitting, training, weights

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
# - A network *underfits* if it misses what the events have in common: it has too few neurons, or it has not had the time to use them.
# - It *overfits*, or is *overtrained*, if it follows every single event with all its fluctuations. On the events that it knows, it looks excellent.
#   But the next events are scattered differently, and there it fails.
#
# Let us provoke it. To see it we need events that the network does not know. We set some aside for this section only; section 4.2
# does it properly. We begin with a network that has a single hidden layer of two neurons, ten epochs of time and a learning rate of 0.002. A thousand events train it.
# Then we change one thing at a time: its *size* (two layers of 64 neurons in place of one of two), the number of *epochs* (ten times as many), the learning *rate* (0.005).

# %%
train, test = splitting.split(events)
known = train[splitting.uniform(train, salt="known") < 1000 / len(train)]
unknown = train[splitting.uniform(train, salt="known") > 1 - 5000 / len(train)]
x_known, y_known, _ = features.arrays(known, COLUMNS)
x_unknown, y_unknown, _ = features.arrays(unknown, COLUMNS)
print(f"{len(known)} events to train with, {len(unknown)} others to look at")

# %% [markdown]
# ### Exercise 4.1 – What does it take? (predict)
#
# Which of the three changes, made alone, is enough to learn the thousand events by heart, so that the loss of the unknown events turns and rises? Answer `"size"`, `"epochs"`, `"rate"` or `"none of them"`. Write down your guess and your reason; then run the cells that follow.

# %% tags=["exercise-4.1"]
### BEGIN SOLUTION
prediction = "none of them"
### END SOLUTION

# %% tags=["nbval-ignore-output"]
SETTINGS = {  # hidden layers, epochs, learning rate
    "base": ((2,), 10, 2e-3),
    "size": ((64, 64), 10, 2e-3),
    "epochs": ((2,), 100, 2e-3),
    "rate": ((2,), 10, 5e-3),
    "size and epochs": ((64, 64), 100, 2e-3),
    "all three": ((64, 64), 100, 5e-3),
}


def train_on_known(model, epochs):
    """Train on the thousand known events, follow the unknown ones, and return the history."""
    options = {"validation_data": (x_unknown, y_unknown), "epochs": epochs, "batch_size": 64, "seed": SEED}
    return training.fit(model, x_known, y_known, progress=False, **options)


histories = {}
for name, (hidden, epochs, learning_rate) in SETTINGS.items():
    trial = network.build(4, hidden=hidden, normalise=x_known, learning_rate=learning_rate, seed=SEED)
    histories[name] = train_on_known(trial, epochs)
    last, lowest = histories[name].history["val_loss"][-1], min(histories[name].history["val_loss"])
    print(
        f"{name:19} loss of known events {histories[name].history['loss'][-1]:.3f}, of others {last:.3f} (lowest {lowest:.3f})"
    )
large = trial

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, axes = plotting.new_figure(2, 3, width=8, height=4.6, sharey=True)
    for ax, (name, history) in zip(axes.flat, histories.items(), strict=True):
        epochs = np.arange(1, len(history.history["loss"]) + 1)
        ax.plot(epochs, history.history["loss"], color="#222222", label="known events")
        ax.plot(epochs, history.history["val_loss"], "--", color="#0072B2", label="others")
        ax.set(title=name, ylim=(0.35, 0.75), xlim=(0, len(epochs) + 1))
        ax.xaxis.get_major_locator().set_params(integer=True)
    for ax in axes[1]:
        ax.set_xlabel("epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    axes[0, 0].legend(fontsize=8.5)
plotting.show(
    fig,
    alt="Six small figures of the loss against the epoch: base, size, epochs, rate, size and epochs, all three. In the first four the losses of known and of "
    "unknown events stay close together. In the last two the loss of the known events keeps falling while that of the others turns and rises, steepest with all three.",
)

# %% tags=["check-4.1"]
checks.exercise_4_1(prediction, histories={name: history.history for name, history in histories.items()})

# %% tags=["claim"]
assert all(
    histories[name].history["val_loss"][-1] < min(histories[name].history["val_loss"]) + 0.01
    for name in ("size", "epochs", "rate")
)
assert histories["all three"].history["val_loss"][-1] > min(histories["all three"].history["val_loss"]) + 0.03

# %% [markdown]
# Learning by heart takes room *and* time. Two neurons have no room, whatever time they have. A large network needs time to use its room. The learning rate decides how much happens in that time: a much larger one could take the place of epochs.
#
# Look at the last two figures, after the dashed curve has turned. But for a jump now and then, the solid curve goes on falling: nothing in it tells that something goes wrong. And the dashed one rises above the place where it turned, most in the last figure: the loss punishes most what is certain and wrong (section 2.5), and the overtrained network has become too sure of itself.

# %% [markdown]
# ## 4.2 Validation events
#
# Somebody has to say when to stop. The training events cannot, as we have seen. The test events could, but then they would take part in making the network, and
# could no longer judge it. So we need a third part: the [*validation events*](../course/glossary.md#validation-events).
#
# (We do look at the test events at the end of several chapters, to learn. Strictly, each look that changes what we do next uses them up a little.)
#
# We divide the training events once more, two to one, and again by their identity, with another salt:
#
# ![Each event has a fixed number between 0 and 1, made from its run, its event number and a salt. Below 0.6 it is for training, above for the test. The training
# events are divided once more: two thirds change the weights, one third validates and decides when to stop. The test events are looked at last,
# once.](../course/figures/train_test_validation_split.svg)
#
# To tell them from all training events, we call the two thirds that change the weights the *fit events*.

# %% [markdown]
# ### Exercise 4.2 – How many are enough? (derive)
#
# The validation loss is a mean over events. How many events does it take until its statistical error is as small as `error`? `losses` are those of some events, enough to see how they scatter. Complete the function; it returns the number.


# %% tags=["exercise-4.2"]
def events_needed(losses, error):
    """Return how many events are needed until the error of their mean loss is `error`.

    losses: the losses of some events, shape (n_events,)
    """
    ### BEGIN SOLUTION
    return np.ceil((np.std(losses) / error) ** 2)
    ### END SOLUTION


# %% tags=["check-4.2"]
events_needed = checks.exercise_4_2(events_needed)

# %%
fit_events, validation = splitting.validation_split(train)
x_fit, y_fit, _ = features.arrays(fit_events, COLUMNS)
x_validation, y_validation, _ = features.arrays(validation, COLUMNS)


def event_losses(y, score):
    """Return the cross-entropy of each event, finite for scores of exactly 0 and 1, as in Keras."""
    score = np.clip(np.asarray(score, float), 1e-7, 1 - 1e-7)
    return -np.where(y == 1, np.log(score), np.log(1 - score))


first_losses = event_losses(y_validation, training.predict(first_model, x_validation))
for error in (0.05, 0.01, 0.0025):
    print(f"for a loss known to ±{error}: {events_needed(first_losses, error):6.0f} events")
for name, part in (("fit", fit_events), ("validation", validation), ("test", test)):
    print(f"{name:11}{len(part):7d} events, {len(part) / len(events):.3f} of all")

# %% [markdown]
# ### Exercise 4.3 – What validation costs (in your words)
#
# Validation events are lost for the fit. Why do we not take just a hundred of them? And why not half of all training events? What is gained
# and what is lost in each case? Two or three sentences.

# %% tags=["exercise-4.3", "written"]
### BEGIN SOLUTION
answer_4_3 = """With a hundred validation events chance moves the minimum: we would stop at a random epoch, mostly too early, and the
loss we quote would be worth little. With half of the events the validation loss is known precisely, but the network
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
# we wait is called the [*patience*](../course/glossary.md#early-stopping). If it is used up, we stop, and go back to the weights of the *best* epoch.
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
    best_epoch, last_epoch = best_and_last(histories["all three"].history["val_loss"], patience)
    rows[patience] = {
        "best epoch": best_epoch,
        "last epoch": last_epoch,
        "validation loss": histories["all three"].history["val_loss"][best_epoch - 1],
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
interactive.patience(histories["all three"])

# %% [markdown]
# Keras has this rule as a *callback*, an object that is asked after every epoch. One of its defaults is not what we want: left alone, it stops and keeps the *last* weights, those after the
# patience. So we ask for the best ones.

# %%
stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)

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
# ### Is it better?
#
# Is the new network any better than the one of chapter 2? The mean loss of each on the validation events has an error of about 0.003 in the bundle. (For 0.0025, your `events_needed` asks for more events than it has.) A difference that is smaller
# than that seems hopeless. Do not give up too early: both networks judge the *same* events. An event that is difficult for one is difficult for the other.
#
# ### Exercise 4.5 – In pairs (derive)
#
# Two networks give the same events the values $a_i$ and $b_i$ (losses, or something else). Return the mean of $a-b$ and the statistical error of *this* mean. Let events have weights $w_i$, as
# we need them below: the mean is then weighted, and for its error remember how an error of a weighted sum is made in chapter 1. With all weights equal to 1, your result must be the
# standard deviation of the differences divided by $\sqrt n$.


# %% tags=["exercise-4.5"]
def paired(a, b, weight):
    """Return (the weighted mean of a − b, its statistical error); a, b, weight: one number per event."""
    ### BEGIN SOLUTION
    difference = a - b
    mean = np.sum(weight * difference) / np.sum(weight)
    error = np.sqrt(np.sum((weight * (difference - mean)) ** 2)) / np.sum(weight)
    return mean, error
    ### END SOLUTION


# %% tags=["check-4.5"]
paired = checks.exercise_4_5(paired)

# %% tags=["nbval-ignore-output"]
score_fit, score_validation = training.predict(model, x_fit), training.predict(model, x_validation)
losses_fit, losses_validation = event_losses(y_fit, score_fit), event_losses(y_validation, score_validation)
first_losses_fit = event_losses(y_fit, training.predict(first_model, x_fit))
gain, gain_error = paired(first_losses, losses_validation, np.ones(len(validation)))
rows = {
    "first model (chapter 2)": (first_losses.mean(), first_losses.std() / np.sqrt(len(validation))),
    "early stopped": (losses_validation.mean(), losses_validation.std() / np.sqrt(len(validation))),
    "difference, as if they were independent": (
        gain,
        np.hypot(first_losses.std(), losses_validation.std()) / np.sqrt(len(validation)),
    ),
    "difference, in pairs": (gain, gain_error),
}
pd.DataFrame(rows, index=["validation loss", "error"]).T.round(5)

# %% [markdown]
# In pairs, the gain is seen much better. Longer training has paid off, though modestly: for these four inputs, five epochs were not far from the best.
#
# Be careful with this error. It knows only that the events fluctuate. Another seed moves the gain as well, perhaps by more than this error (chapter 6 measures it). Nor is the comparison quite fair: the first model had trained on
# these events, and the new one had chosen its epoch on them. So trust its sign more than its size.
#
# And the calibration, which chapter 3 complained about? Its $\chi^2$ for both networks, on the validation events:

# %% tags=["nbval-ignore-output"]
for name, scores in (("first model", training.predict(first_model, x_validation)), ("early stopped", score_validation)):
    bins = np.minimum((10 * scores).astype(int), 9)
    n_in_bin = np.bincount(bins, minlength=10)
    filled = n_in_bin > 20
    mean_score, share = (np.bincount(bins, v, 10)[filled] / n_in_bin[filled] for v in (scores, y_validation))
    chi2 = np.sum((share - mean_score) ** 2 * n_in_bin[filled] / (mean_score * (1 - mean_score)))
    print(f"{name}: χ² = {chi2:.0f} for {filled.sum()} bins")

# %% [markdown]
# If it has fallen, time has helped; as long as it is well above the number of bins, the score is not calibrated yet.
#
# ### How many parameters does it use?
#
# The new network has seen the fit events and not the validation events. So its loss is lower on the former: there is a [*gap*](../course/glossary.md#overtraining). Does it mean that it is overtrained? A gap is what every fit has. Think of a straight line through
# points: it lies closer to the points that it was fitted to than to new ones. For a maximum-likelihood fit with $p$ parameters to many events $n$, of a function that can be the true one, it can be shown that on average the loss of the fitted events is *lower* than that of the true function by $p/2n$, and the loss of new events *higher* by $p/2n$.
#
# A part of the gap is chance, since fit and validation events are different events. But the first model has seen both kinds alike. What gap it has *is* that chance: a *control*. So take first minus new model, event by event, once on the fit events and once on the validation events. By how much the first mean is larger is the gap beyond chance.

# %% tags=["nbval-ignore-output"]
n_fit = len(fit_events)
on_validation, on_fit = gain, paired(first_losses_fit, losses_fit, np.ones(n_fit))[0]
excess_gap = on_fit - on_validation
excess_error = np.hypot(gain_error, paired(first_losses_fit, losses_fit, np.ones(n_fit))[1])
print(
    f"gap of the new network {losses_validation.mean() - losses_fit.mean():+.5f}, of the first model {first_losses.mean() - first_losses_fit.mean():+.5f}"
)
print(f"gap beyond chance: {excess_gap:.5f} ± {excess_error:.5f}, with n = {n_fit} fit events")

# %% [markdown]
# ### Exercise 4.6 – Effective parameters (derive)
#
# The network has 4021 parameters, but early stopping does not let it use them all. Take the gap beyond chance, and turn the argument round: how many parameters of an ordinary fit would make such a gap? Compute the number
# from `excess_gap` and `n_fit`, and call it `effective_parameters`. What do you say to it?

# %% tags=["exercise-4.6"]
### BEGIN SOLUTION
effective_parameters = excess_gap * n_fit
### END SOLUTION

# %% tags=["check-4.6", "nbval-ignore-output"]
effective_parameters = checks.exercise_4_6(effective_parameters, excess_gap=excess_gap, n_fit=n_fit)

# %% tags=["nbval-ignore-output"]
print(f"{model.count_params() - 9} parameters act like {effective_parameters:.0f} ± {excess_error * n_fit:.0f}")

# %% [markdown]
# That is why a network with thousands of parameters does not learn a few ten thousand events by heart at once. It starts from small weights, walks downhill, and is stopped: it reaches only what is near. The number of parameters says little
# about how complicated a network is. How long it has trained says more.

# %% [markdown]
# ## 4.5 What more events bring
#
# The same network with fewer events, always with early stopping, and always judged on the same validation events: a [*learning curve*](../course/glossary.md#learning-curve). (Fewer events make fewer steps per epoch, so these small trainings have smaller batches and a larger
# learning rate.) *Before you run it: from 1000 to 10 000 events, what will the loss gain? And from 10 000 to all?*

# %% tags=["nbval-ignore-output"]
number = splitting.uniform(fit_events, salt="learning curve")
curve = {}
for n_events in (300, 1000, 3000, 10_000):
    few = number < n_events / n_fit
    trial = network.build(4, normalise=x_fit[few], learning_rate=1e-3, seed=SEED)
    training.fit(
        trial,
        x_fit[few],
        y_fit[few],
        validation_data=(x_validation, y_validation),
        epochs=100,
        batch_size=32,
        seed=SEED,
        progress=False,
        callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)],
    )
    trial_losses = event_losses(y_validation, training.predict(trial, x_validation))
    trial_on_fit = event_losses(y_fit[few], training.predict(trial, x_fit[few]))
    curve[int(few.sum())] = {
        "validation loss": trial_losses.mean(),
        "worse than with all events by": paired(trial_losses, losses_validation, np.ones(len(validation)))[0],
        "error": paired(trial_losses, losses_validation, np.ones(len(validation)))[1],
        "fit loss": trial_on_fit.mean(),
    }
curve[n_fit] = {
    "validation loss": losses_validation.mean(),
    "worse than with all events by": 0,
    "error": 0,
    "fit loss": losses_fit.mean(),
}
learning_curve = pd.DataFrame(curve).T.rename_axis("events")
learning_curve.round(4)

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, ax = plotting.new_figure(width=5.8, height=3.6)
    ax.plot(learning_curve.index, learning_curve["validation loss"], "s--", color="#0072B2", label="validation loss")
    ax.plot(learning_curve.index, learning_curve["fit loss"], "o-", color="#222222", label="loss of the fit events")
    ax.set(xscale="log", xlabel="events to train with", ylabel="loss")
    ax.legend()
plotting.show(
    fig,
    alt="Loss against the number of training events on a logarithmic axis, from 300 to all. The validation loss falls steeply up to a few thousand events and slowly afterwards; "
    "the loss of the fit events lies below it and comes close to it for many events.",
)

# %% [markdown]
# (The solid curve jumps: a thousand events may be easier or harder than the next thousand.) More events are the best remedy against learning by heart. But each tenfold number brings less than the one before: four momenta do not hold more. Whoever wants a much lower loss needs other inputs, and not more events of the same kind. (That is chapter 8.)
#
# ## 4.6 Other remedies
#
# Where events are few, one can forbid a network to use all its room. Two ways are in wide use:
#
# - [*weight decay*](../course/glossary.md#regularisation): in each step all weights also shrink by a small factor, so only those survive that the loss keeps alive;
# - [*dropout*](../course/glossary.md#dropout): in each step of the training, every neuron of a layer is switched off with a certain probability, so that no neuron can rely on another one.
#
# ### Exercise 4.7 – Dropout (derive)
#
# Write what dropout does in a training step. `x` holds the outputs of a layer, shape `(n_events, n_neurons)`. Each of these numbers is set to zero with the probability `rate`, independently of all others. Those that stay must be multiplied
# by a factor, so that the sums which the next layer computes are *on average* as large as without dropout. (Because when the training is over, nobody is switched off any more.) Which factor? `rng` is a generator of NumPy, such as
# `np.random.default_rng(1)`; `rng.random(shape)` gives numbers between 0 and 1.


# %% tags=["exercise-4.7"]
def dropout(x, rate, rng):
    """Return x with each number set to zero with probability `rate`, and the others scaled so that means are kept."""
    ### BEGIN SOLUTION
    stays = rng.random(x.shape) >= rate
    return np.where(stays, x / (1 - rate), 0)
    ### END SOLUTION


# %% tags=["check-4.7"]
dropout = checks.exercise_4_7(dropout)

# %% [markdown]
# In Keras it is a layer, `keras.layers.Dropout(rate)`, and weight decay is a part of the optimizer `AdamW`. Both go to the large network of section 4.1, with its thousand events and its hundred epochs:

# %% tags=["nbval-ignore-output"]


def large_network(rate=0.0, weight_decay=0.0):
    """Return the large network of section 4.1 with dropout after both hidden layers, and with weight decay."""
    keras.utils.set_random_seed(SEED)
    normalisation = keras.layers.Normalization()
    normalisation.adapt(x_known)
    layers = [keras.Input((4,)), normalisation]
    for _ in range(2):
        layers += [keras.layers.Dense(64, activation="relu"), keras.layers.Dropout(rate)]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    optimizer = keras.optimizers.AdamW(learning_rate=5e-3, weight_decay=weight_decay)
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    return model


remedies = {
    "nothing": {},
    "dropout": {"rate": 0.3},
    "weight decay": {"weight_decay": 0.3},
    "both": {"rate": 0.3, "weight_decay": 0.3},
}
loss_of_each = {}
for name, settings in remedies.items():
    trial = large_network(**settings)
    train_on_known(trial, epochs=100)
    loss_of_each[name] = event_losses(y_unknown, training.predict(trial, x_unknown))
stopped = large_network()
stop_early = keras.callbacks.EarlyStopping(monitor="val_loss", patience=20, restore_best_weights=True)
training.fit(
    stopped,
    x_known,
    y_known,
    validation_data=(x_unknown, y_unknown),
    epochs=100,
    batch_size=64,
    seed=SEED,
    progress=False,
    callbacks=[stop_early],
)
loss_of_each["early stopping"] = event_losses(y_unknown, training.predict(stopped, x_unknown))
best_remedy = min(loss_of_each, key=lambda name: loss_of_each[name].mean())
rows = {}
for name, values in loss_of_each.items():
    difference, error = paired(values, loss_of_each[best_remedy], np.ones(len(values)))
    rows[name] = {"loss of others": values.mean(), "above the best": difference, "its error": error}
remedy_table = pd.DataFrame(rows).T
remedy_table.round(4)

# %% [markdown]
# ### Exercise 4.8 – Which remedies would you not give up? (choose)
#
# Look at the table, and judge with its errors. Which of the remedies cannot be told from the best one, within two errors of the paired difference? Give all of their names as a list, the best one included.

# %% tags=["exercise-4.8"]
### BEGIN SOLUTION
as_good_as_the_best = [name for name, row in remedy_table.iterrows() if row["above the best"] <= 2 * row["its error"]]
### END SOLUTION

# %% tags=["check-4.8", "nbval-ignore-output"]
checks.exercise_4_8(as_good_as_the_best, table=remedy_table)

# %% [markdown]
# Each remedy mends most of the damage. (Early stopping has chosen its epoch on these very events, which flatters it a little.) None reaches what ten times as many events reach. The best one differs from problem to problem, and even from seed to seed: so the names matter less than the habit of measuring. We stay with early stopping, which
# costs nothing but the validation events.

# %% [markdown]
# ## 4.7 The overtraining check
#
# One number can hide a lot. So experiments also compare the whole distribution of the score, for events that the network knows and events that it does not know, class by class. Chance makes them
# differ, and so does fitting itself, a little (section 4.4). Is the difference larger than chance can make? This is a *two-sample test*.
#
# Let two histograms have contents $a_i$ and $b_i$, each divided by its sum, with squared errors $\sigma_{a,i}^2$ and $\sigma_{b,i}^2$. For weighted events the squared error of a bin is the sum of
# the *squared* weights (divided by the square of the sum, as well). Then
#
# $$ \chi^2 = \sum_i \frac{(a_i-b_i)^2}{\sigma_{a,i}^2+\sigma_{b,i}^2} . $$
#
# If both come from the same distribution, $\chi^2$ is about as large as the number of degrees of freedom: the number of filled bins, less one, because both sums are fixed to one. The [*p-value*](../course/glossary.md#p-value) is the
# probability that chance alone makes $\chi^2$ this large or larger.

# %% [markdown]
# ### Exercise 4.9 – The two-sample test (write code)
#
# Complete `two_samples`. It gets values and weights of two samples, shape `(n_a,)` and `(n_b,)`, and the edges of the bins. Return `(chi2, ndf)`. Leave out bins in which both samples are
# empty. `np.histogram(values, edges, weights=...)[0]` gives sums of weights.


# %% tags=["exercise-4.9"]
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


# %% tags=["check-4.9"]
two_samples = checks.exercise_4_9(two_samples)

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
# Some words of caution. A large p-value does not prove that a network is free of overtraining: with few events, the test sees little, and with weights fewer events count. And a small p-value
# does not make a network useless. An overtrained network may still be the better one on unknown events. What decides is its performance on *those*; its performance on known
# events is to be ignored.
#
# And where does a p-value as small as that of the overtrained network come from? Look at its bins:

# %% tags=["nbval-ignore-output"]
edges = np.linspace(0, 1, 11)
of_known, of_unknown = (
    np.histogram(s[y == 0], edges)[0] for s, y in ((score_known, y_known), (score_unknown, y_unknown))
)
shape_known, shape_unknown = of_known / of_known.sum(), of_unknown / of_unknown.sum()
variance = of_known / of_known.sum() ** 2 + of_unknown / of_unknown.sum() ** 2
pd.DataFrame(
    {"known": of_known, "others": of_unknown, "part of χ²": (shape_known - shape_unknown) ** 2 / variance},
    index=pd.Index([f"{low:.1f} – {low + 0.1:.1f}" for low in edges[:-1]], name="score of background"),
).round(1)

# %% [markdown]
# A bin with hardly any known event, or none, gives $\chi^2$ its largest part. Your formula takes the error of such a bin from what happens to be there: of one event it is far too small, and of none it is zero. The legends of the figure are more careful: they merge bins with few events, and take the
# errors from both samples together. Their p-values are larger by many powers of ten. The verdict is the same, but neither p-value is good to the last digit: where events are few, $\chi^2$ does not follow its distribution.

# %% [markdown]
# ## 4.8 What is left of the second complaint
#
# Now the network is trained to its end. Does it still let the rare backgrounds pass, the Z and top-pair events of chapter 3? First, how many of them has it met?

# %%
process_of = {name: samples.get(name).process for name in samples.SIMULATED}
background = fit_events[features.labels(fit_events) == 0]
rare_shares = (
    pd.DataFrame({"raw": 1.0, "expected": background["weight"].astype(float)})
    .groupby(background["sample"].astype(str).map(process_of))
    .sum()
)
rare_shares = (rare_shares / rare_shares.sum()).rename_axis("background")
rare_shares.round(4)

# %% [markdown]
# In the loss, every event counts the same. Z and top pairs together are less than one per cent of the background events, but about a third of the background that nature makes. Two things could have helped them: five epochs were too few to learn so rare events, or no number of epochs
# is enough, as they hardly count. We ask the test events, background by background. The AUC against one background is the mean, over its events, of the share of the signal that scores higher. A mean over events: so your `paired` gives
# the difference of two networks and its error. (It knows how the background events fluctuate, and not those of the signal, which matter little here; nor does it know what another seed would do.)

# %% tags=["nbval-ignore-output"]
test = weights.match_yields(test, events)
x_test, y_test, weight = features.arrays(test, COLUMNS)
weight = weight.astype(float)
process = test["sample"].astype(str).map(process_of).to_numpy()


def signal_above(score):
    """Return, for each event, the share of the expected signal with a higher score."""
    order = np.argsort(score[y_test == 1])
    sums = np.append(0, np.cumsum(weight[y_test == 1][order]))
    return 1 - sums[np.searchsorted(score[y_test == 1][order], score, side="right")] / sums[-1]


score, first_score = training.predict(model, x_test), training.predict(first_model, x_test)
above, first_above = signal_above(score), signal_above(first_score)
rows = {}
for name, part in [(name, process == name) for name in ("ZZ", "Z", "ttbar")] + [("all, as expected", y_test == 0)]:
    gain_of_auc, its_error = paired(above[part], first_above[part], weight[part])
    rows[name] = {
        "AUC, first model": np.average(first_above[part], weights=weight[part]),
        "AUC, early stopped": np.average(above[part], weights=weight[part]),
        "difference": gain_of_auc,
        "its error": its_error,
    }
against = pd.DataFrame(rows).T
against.round(4)

# %% tags=["claim"]
assert against.loc["Z", "difference"] > 2 * against.loc["Z", "its error"]  # time has helped against Z …
assert against.loc["Z", "AUC, early stopped"] < against.loc["ZZ", "AUC, early stopped"]  # … and is no cure

# %% [markdown]
# Time has helped against Z: with more epochs even rare events are learnt a little. (For ZZ and top pairs, another seed can move the difference by more than its error.) But against Z and top pairs the network is still much weaker than against ZZ. What else is there?

# %% [markdown]
# ### Exercise 4.10 – Why is it not enough? (in your words)
#
# Z and top-pair events look different from Higgs events. (Their third and fourth leptons often come from jets, and are soft.) Why does the network learn so little of it, though it had all the time it wanted? And why did the validation loss not raise the alarm?
# Two or three sentences.

# %% tags=["exercise-4.10", "written"]
### BEGIN SOLUTION
answer_4_10 = """In the loss every simulated event counts once, and of a hundred background events fewer than one is Z or a top pair. The gradient is made
by ZZ and Higgs events; if it pays to call soft leptons Higgs because ZZ has harder ones, the few others are given up. More epochs help a little, but the loss
that is minimised is the wrong one. The validation events have the same composition and were counted in the same way, so the validation loss
is blind to it as well. It takes a loss that counts events as nature does."""
### END SOLUTION

# %% tags=["check-4.10"]
checks.written("4.10", answer_4_10)

# %% [markdown]
# ## 4.9 Handing on

# %% tags=["nbval-ignore-output"]
chapter.write_model("early_stopped_model", model)
history_table = pd.DataFrame(history.history, index=pd.RangeIndex(1, len(history.history["loss"]) + 1, name="epoch"))
chapter.write_table("history_long", history_table)
numbers = {
    "best_epoch": best_epoch,
    "epochs": len(history_table),
    "turning_point_overtrained": int(np.argmin(histories["all three"].history["val_loss"])) + 1,
    "overtrained_gap": histories["all three"].history["val_loss"][-1] - histories["all three"].history["loss"][-1],
    "fit_loss": losses_fit.mean(),
    "validation_loss": losses_validation.mean(),
    "validation_loss_first_model": first_losses.mean(),
    "gain": gain,
    "gain_error": gain_error,
    "effective_parameters": effective_parameters,
    "loss_with_1000_events": learning_curve["validation loss"].iloc[1],
    "p_value_overtrained": p_values["overtrained"],
    "p_value_early_stopped": p_values["early stopped"],
    "auc_raw_test": metrics.auc(test, score, np.ones(len(test))),
    "auc_test": metrics.auc(test, score),
    "gain_of_auc_z": against.loc["Z", "difference"],
    "raw_share_rare": rare_shares.loc[["Z", "ttbar"], "raw"].sum(),
    "expected_share_rare": rare_shares.loc[["Z", "ttbar"], "expected"].sum(),
}
chapter.write_numbers(numbers)
pd.Series(numbers).round(4)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(4)

# %% [markdown]
# ## Summary
# - Learning by heart takes room and time: a large network, and many epochs. Only events that the network does not know can show it.
# - Validation events decide when to stop; test events stay out of it.
# - Early stopping waits for a better epoch as long as its patience lasts, and then goes back to the best one.
# - Two networks are compared event by event. The error of a paired difference is smaller than that of each, the more so the more alike they are: for these losses six times.
# - A fit has a gap, on average $p/n$ for maximum likelihood. A stopped network acts as if it had far fewer parameters than it has.
# - More events are the best remedy, as long as the curve still falls; dropout, weight decay and early stopping help where events are few.
# - A two-sample test compares the scores of known and unknown events. What counts in the end is the performance on unknown events.
# - Time has helped against Z events, but it is no cure: the network is well trained for a question that counts simulated events.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. The training loss of a network is 0.40, its validation loss 0.47, and both have been constant for ten epochs. Is it overtrained?**
#
# <details><summary>Yes: the two losses differ.</summary>Not necessarily. Every fit has a gap. Compare the validation loss with its own minimum, or with that of another network.</details>
# <details><summary>One cannot say from these numbers alone.</summary>Right. A gap alone says little. If the validation loss never was lower, nothing is lost.</details>
# <details><summary>No: the training loss does not fall any more.</summary>The training loss cannot say anything about unknown events.</details>
#
# **2. Early stopping with a patience of 1 ends after four epochs. What has probably happened?**
#
# <details><summary>The network is overtrained after four epochs.</summary>Hardly. From epoch to epoch the validation loss jumps, and one jump is enough for such an impatient rule.</details>
# <details><summary>The validation loss has jumped up once.</summary>Right. Patience is there because single jumps mean nothing.</details>
# <details><summary>The learning rate is too small.</summary>Then the loss would fall slowly, but it would fall.</details>
#
# **3. Two networks have the validation losses 0.4612 ± 0.0030 and 0.4640 ± 0.0030, on the same events. Are they different?**
#
# <details><summary>No: the errors overlap.</summary>These errors hold mostly what both have in common. Look at the differences, event by event.</details>
# <details><summary>The paired difference and its error decide.</summary>Right. Easy and difficult events are the same for both, and drop out of the difference.</details>
# <details><summary>Yes: 0.4612 is smaller.</summary>A difference without an error says nothing.</details>
#
# **4. A learning curve is flat from 30 000 events on. What helps most to lower the loss?**
#
# <details><summary>Simulate ten times as many events.</summary>The curve says that this brings next to nothing.</details>
# <details><summary>Stronger dropout.</summary>That fights overfitting, and a flat learning curve says that there is hardly any.</details>
# <details><summary>Better inputs.</summary>Right. The network has taken from these inputs what they hold.</details>

# %% [markdown]
# ## What you can now do
#
# - say from two curves whether a network underfits or overfits, and which setting is to blame;
# - choose the number of validation events, and stop a training in time;
# - compare two networks with an error that deserves its name;
# - choose among more events, dropout, weight decay and early stopping, and justify it with numbers.
#
# ## Further reading
#
# - L. Prechelt, *Early Stopping – But When?*, in: Neural Networks: Tricks of the Trade, Lecture Notes in Computer Science 1524 (1998) 55.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press (2016), chapter 7: regularization.
# - N. D. Gagunashvili, *Chi-square tests for comparing weighted histograms*, Nucl. Instrum. Meth. A 614 (2010) 287, arXiv:0905.4221.
#
# Next: [chapter 5, event weights](chapter5_event_weights.ipynb).
