# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 5 – Event weights
#
# The network of chapter 4 answers the wrong question. It tells simulated signal from simulated background, each event counted once. But nature counts
# differently, and says so in the event weights. In this chapter the loss learns to count as nature does. The straightforward way fails in
# an instructive manner. Then you write the function that makes it work, see what the same four transverse momenta can do once the question is right, and find out when $|w|$ spoils a training, and how to cure it.

# %% [markdown]
# ## What you will do
#
# - put weights into the loss, and see whose mistakes it counts;
# - train with the weights as they are, and understand why the result calls everything background;
# - predict what a factor of a billion in all weights does to a training;
# - write the function that balances the weights, and a test that recognises a wrong one;
# - retrain, and compare all networks so far with the window of chapter 1;
# - see when $|w|$ spoils a training, and cure it.
#
# | time | needs | makes |
# |---|---|---|
# | 120 minutes | the events of chapter 1, the networks of chapters 2 and 4 | a network trained with balanced weights, and one with raw weights |

# %%
from course import checks, interactive, leaderboard, outputs
from labcourse import (
    features,
    metrics,
    network,
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
from scipy import stats

SEED = 5
COLUMNS = ["lep1_pt", "lep2_pt", "lep3_pt", "lep4_pt"]
keras.utils.set_random_seed(SEED)
chapter = outputs.Chapter(5, sources=samples.SIMULATED, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(5)

# %% [markdown]
# The parts are those of chapter 4. The test events are scaled up to the full luminosity, sample by sample.

# %%
events = chapter.read_table(1, "events")
train, test = splitting.split(events)
fit_events, validation = splitting.validation_split(train)
test = weights.match_yields(test, events)
x_fit, y_fit, w_fit = features.arrays(fit_events, COLUMNS)
x_validation, y_validation, w_validation = features.arrays(validation, COLUMNS)
x_test, y_test, w_test = features.arrays(test, COLUMNS)
w_fit, w_validation, w_test = (w.astype(float) for w in (w_fit, w_validation, w_test))
process_of = {name: samples.get(name).process for name in samples.SIMULATED}
process = test["sample"].astype(str).map(process_of).to_numpy()

# %% tags=["nbval-ignore-output"]
networks = {
    "first model": chapter.read_model(2, "first_model"),
    "early stopped": chapter.read_model(4, "early_stopped_model"),
}
scores = {name: training.predict(model, x_test) for name, model in networks.items()}

# %% [markdown]
# ## 5.1 A loss with weights
#
# So far the loss was a plain mean over events: $L = \frac{1}{n}\sum_i \ell_i$, where $\ell_i$ is the cross-entropy of event $i$. Now each event gets its weight:
#
# $$ L = \frac{\sum_i w_i\, \ell_i}{\sum_i w_i} . $$
#
# An event of weight 2 counts like two events of weight 1. So its gradient is twice as large as well, and the network tries twice as hard to get it right. This is all
# that weights do in a training: they say whose mistakes matter.

# %% [markdown]
# ### Exercise 5.1 – The weighted cross-entropy (write code)
#
# Complete the function for arrays `y` (0 or 1), `score` (between 0 and 1) and `weight`, each of shape `(n_events,)`. Some weights are negative, and count as they are.
# Return one number.


# %% tags=["exercise-5.1"]
def weighted_cross_entropy(y, score, weight):
    """Return the weighted mean of the events' cross-entropy."""
    ### BEGIN SOLUTION
    losses = -np.where(y == 1, np.log(score), np.log(1 - score))
    return (weight * losses).sum() / weight.sum()
    ### END SOLUTION


# %% tags=["check-5.1"]
weighted_cross_entropy = checks.exercise_5_1(weighted_cross_entropy)

# %% [markdown]
# (Keras divides by the number of events instead, for each batch. If the mean of the weights is one, both are the same on average. Remember this for later.)
#
# Whose mistakes did the early-stopped network try to avoid, and whose matter in nature? We split its loss by process. The columns say what share of the whole loss comes from
# each process: if events count once, and if they count with their weights.

# %% tags=["nbval-ignore-output"]
score = np.clip(scores["early stopped"].astype(float), 1e-7, 1 - 1e-7)
losses = -np.where(y_test == 1, np.log(score), np.log(1 - score))
pd.DataFrame(
    {
        name: {
            "mean loss": np.average(losses[process == name], weights=w_test[process == name]),
            "share, counted once": losses[process == name].sum() / losses.sum(),
            "share, weighted": (w_test * losses)[process == name].sum() / (w_test * losses).sum(),
        }
        for name in ("Higgs", "ZZ", "Z", "ttbar")
    }
).T.round(3)

# %% [markdown]
# Z and top-pair events have the largest loss of all. It is above $\log 2 = 0.69$: always answering one half would be better for them. Counted once, this hardly shows in the total. With weights, about half of the
# loss comes from just these events.

# %% [markdown]
# ## 5.2 The weights as they are
#
# So let us train with the weights as they are. Nothing else changes: the same layers, the same learning rate, the same batches. Thirty epochs are enough to see what happens.

# %% tags=["nbval-ignore-output"]
raw_model = network.build(4, normalise=x_fit, learning_rate=2e-4, seed=SEED)
history_raw = training.fit(
    raw_model,
    x_fit,
    y_fit,
    w_fit,
    validation_data=(x_validation, y_validation, w_validation),
    epochs=30,
    batch_size=128,
    seed=SEED,
)
networks["raw weights"] = raw_model
scores["raw weights"] = training.predict(raw_model, x_test)
fig, ax = plotting.score_by_class(test, scores["raw weights"])
plotting.show(
    fig,
    alt="Normalised score of the network that was trained with raw weights, for signal and background of the test events. Both classes lie at the far left: nearly all scores "
    "are far below one half.",
)

# %% [markdown]
# No event, or hardly any, reaches 0.5. Yet by one measure this network is splendid: its *accuracy*, the share of (expected) events on the right side of 0.5. You compute it now.

# %% [markdown]
# ### Exercise 5.2 – The weighted accuracy (write code)
#
# Complete the function for arrays of shape `(n_events,)`. An event is called signal if `score >= 0.5`. Return the sum of weights of the events that are called correctly, divided by the sum of all weights.


# %% tags=["exercise-5.2"]
def weighted_accuracy(y, score, weight):
    """Return the share of the expected events that lie on the right side of 0.5."""
    ### BEGIN SOLUTION
    is_right = (score >= 0.5) == (y == 1)
    return weight[is_right].sum() / weight.sum()
    ### END SOLUTION


# %% tags=["check-5.2"]
weighted_accuracy = checks.exercise_5_2(weighted_accuracy)

# %% tags=["nbval-ignore-output"]
answers = {**scores, "always background": np.zeros(len(test))}
pd.DataFrame(
    {
        name: {
            "weighted accuracy": weighted_accuracy(y_test, score, w_test),
            "expected signal kept": w_test[(score >= 0.5) & (y_test == 1)].sum(),
            "highest score": score.max(),
        }
        for name, score in answers.items()
    }
).T.round(4)

# %% [markdown]
# The network with raw weights is right about 97.6 % of all expected events, far better than the others. And it finds no Higgs boson, or hardly any. Whoever
# answers «background» without looking does as well.
#
# ![Three bars, divided into signal and background. Of the simulated events, 41 per cent are signal. Of the expected events, only 2.4 per cent are, so that calling everything background is right
# for 97.6 per cent. With balanced weights, both classes have one half.](../course/figures/class_weights.svg)

# %% [markdown]
# ### Exercise 5.3 – Why everything is background (in your words)
#
# Section 3.1 had a formula for the best possible score: the probability of signal, in the mixture that the loss counts. What is this probability in nature, on average, and what would it take for it
# to exceed one half? Is the network with raw weights then *wrong*? And why is the accuracy a bad measure here? Three or four sentences.

# %% tags=["exercise-5.3", "written"]
### BEGIN SOLUTION
answer_5_3 = """In the mixture of raw weights two or three events in a hundred are signal. The score, the local probability of signal, exceeds one half only
where the signal is about forty times denser than the background (each normalised to one), and with four momenta the network finds no such place. So the network is not wrong: it gives the right
probabilities, they are all small, and the cut at 0.5 is what makes no sense. Nor does it ignore the signal: each signal event has a small score and so a large loss, and together they make most of it. The accuracy
counts both classes by their size; when one of them is rare, ignoring it altogether costs almost nothing."""
### END SOLUTION

# %% tags=["check-5.3"]
checks.written("5.3", answer_5_3)

# %% [markdown]
# A cut can be put elsewhere. What counts is the *order* of the scores, and we will compare that below. First there is something else to see, in how the training went:

# %% tags=["nbval-ignore-output"]
per_batch = 128 / len(w_fit)
expected = {name: w_fit[y_fit == value].sum() * per_batch for name, value in (("signal", 1), ("background", 0))}
print(f"loss after the last epoch, as Keras reports it: {history_raw.history['loss'][-1]:.6f}")
print(f"mean weight: {w_fit.mean():.6f}, largest weight: {w_fit.max():.4f}")
print(f"sum of weights in a batch of 128: signal {expected['signal']:.4f}, background {expected['background']:.4f}")

# %% [markdown]
# The mean weight is far from one, and so is the loss that Keras shows: it divides by the number of events. Does it matter for the training? A constant factor on all weights is a constant factor on the loss, and on its gradient.
#
# ### Exercise 5.4 – A thousandth, a billionth (predict)
#
# Train the same network with weights that are all the same: $10^{-3}$ or $10^{-9}$ in place of 1. Once with plain gradient descent (`SGD`, a learning rate of 0.05, good for weights of 1), once with Adam. Which of these four trainings still get below the loss of knowing nothing? Read again how Adam makes its steps (section 2.6). Answer with a list of names such as `["SGD, weights 1e-3"]`; an empty list means none. Write down your guess, then run the cells.

# %% tags=["exercise-5.4"]
### BEGIN SOLUTION
still_learn = ["Adam, weights 1e-3"]
### END SOLUTION

# %% tags=["nbval-ignore-output"]
share = float(y_fit.mean())
know_nothing = -share * np.log(share) - (1 - share) * np.log(1 - share)
losses_of_factor = {}
for name, optimizer in (("SGD", keras.optimizers.SGD), ("Adam", keras.optimizers.Adam)):
    for factor in ("1", "1e-3", "1e-9"):
        trial = keras.Sequential(network.build(4, normalise=x_fit, seed=SEED).layers)
        # A last layer of zeros: the first answer is one half for every event, whatever the seed.
        trial.layers[-1].kernel.assign(np.zeros((60, 1)))
        trial.compile(optimizer=optimizer(learning_rate=0.05 if name == "SGD" else 2e-4), loss="binary_crossentropy")
        training.fit(
            trial, x_fit, y_fit, np.full(len(y_fit), float(factor)), epochs=3, batch_size=128, seed=SEED, progress=False
        )
        score = np.clip(training.predict(trial, x_validation).astype(float), 1e-7, 1 - 1e-7)
        loss = -np.where(y_validation == 1, np.log(score), np.log(1 - score)).mean()
        losses_of_factor[f"{name}, weights {factor}"] = loss
        print(f"{name}, weights {factor:5} loss of the validation events, each counted once: {loss:.4f}")
print(f"knowing nothing: {know_nothing:.4f}, always one half: {np.log(2):.4f}")

# %% tags=["check-5.4"]
checks.exercise_5_4(still_learn, losses=losses_of_factor, know_nothing=know_nothing)

# %% [markdown]
# With plain descent, steps shrink with the weights, and next to nothing is learnt. Adam divides by the size of the gradient, so a factor cancels: with a thousandth it learns nearly as with 1. But it divides by $\sqrt{v} + \epsilon$, with $\epsilon = 10^{-7}$, so that it never divides by zero. Weights of a billionth make gradients
# much smaller than that, and Adam stands still, too. Nobody gets a warning. So it is good practice to have a mean of one.
#
# In nature's weights there is another trouble. In a batch, the background
# weighs about forty times as much as the signal. So the first thing that the network learns is to say «background», and all scores crowd near zero. So we want [weights](../course/glossary.md#balanced-weights) that
#
# - keep the ratios *within* signal and *within* background as in nature,
# - give signal and background the same say,
# - have a mean of one, so that learning rate and loss keep their usual meaning,
# - are not negative, so that the loss has a lowest value. Section 5.5 asks what this costs.

# %% [markdown]
# ## 5.3 Balanced weights

# %% [markdown]
# ### Exercise 5.5 – Balance (write code)
#
# Complete `balance` for arrays `weight` and `label` of shape `(n_events,)`; the label is 1 for signal and 0 for background. Take the absolute value of the weights. Scale the weights of each class by a
# factor, such that both classes have the same sum, and the mean over all events is one. Return an array of the same shape, and do not change the one that you were given.


# %% tags=["exercise-5.5"]
def balance(weight, label):
    """Return training weights: |w|, both classes with the same sum, mean one."""
    ### BEGIN SOLUTION
    balanced = np.abs(weight)
    for value in (0, 1):
        members = np.asarray(label) == value
        balanced[members] *= len(balanced) / 2 / balanced[members].sum()
    return balanced
    ### END SOLUTION


# %% tags=["check-5.5"]
balance = checks.exercise_5_5(balance)

# %% [markdown]
# Functions like this one are small, and used everywhere. A mistake in it would not stop any program. It would only make all networks a little worse, and nobody would notice. This is why programmers
# write *tests*: small programs that notice.

# %% [markdown]
# ### Exercise 5.6 – Test it (write code)
#
# Complete `is_balanced`. It gets the original weights, the labels, and weights that somebody claims are balanced. Return `True` if they are, and `False` if they are not:
# no weight is negative, both classes have the same sum, the mean is one, and within a class the weights are in proportion to the absolute value of the original ones.
# Decimals are never exact: compare them with `np.isclose(a, b, rtol=1e-3)` or `np.allclose`. The check gives your function right and wrong weights, and looks whether it notices.


# %% tags=["exercise-5.6"]
def is_balanced(weight, label, balanced):
    """Return whether the balanced weights are right."""
    ### BEGIN SOLUTION
    is_right = balanced.min() >= 0 and np.isclose(balanced.mean(), 1, rtol=1e-3)
    is_right = is_right and np.isclose(balanced[label == 1].sum(), balanced[label == 0].sum(), rtol=1e-3)
    for value in (0, 1):
        size, new = np.abs(weight)[label == value], balanced[label == value]
        is_right = is_right and np.allclose(new / new.sum(), size / size.sum(), rtol=1e-3)
    return bool(is_right)
    ### END SOLUTION


# %% tags=["check-5.6"]
is_balanced = checks.exercise_5_6(is_balanced)

# %%
b_fit, b_validation = balance(w_fit, y_fit), balance(w_validation, y_validation)
for name, weight, label, balanced in (
    ("fit", w_fit, y_fit, b_fit),
    ("validation", w_validation, y_validation, b_validation),
):
    print(f"{name}: the balanced weights pass your test: {is_balanced(weight, label, balanced)}")
print("the same weights without balancing:", is_balanced(w_fit, y_fit, w_fit))
rare = fit_events["sample"].isin(["Zee", "Zmumu", "ttbar_lep"]).to_numpy()
print(
    f"Z and top pairs: {rare[y_fit == 0].mean():.3f} of the background events, "
    f"{b_fit[rare].sum() / b_fit[y_fit == 0].sum():.3f} of the balanced background weight"
)
zz_in_batch = 128 * b_fit[~rare & (y_fit == 0)].sum() / len(b_fit)
print(
    f"batches of 128 without any of them: {(1 - rare.mean()) ** 128:.0%}; "
    f"one of them weighs {b_fit[rare].mean():.1f} on average, all ZZ events of a batch {zz_in_batch:.1f}"
)

# %% [markdown]
# The validation events are balanced by themselves, so that their loss counts in the same way.
#
# There is a price. Z and top pairs are few, but heavy: now they carry about a third of the background's weight. Many batches hold none of them; in the others, a single one weighs as much as many ZZ events (the last line above).
# How many events is the background [worth](../course/glossary.md#effective-number) now?

# %%
for name, value in (("signal", 1), ("background", 0)):
    members = y_fit == value
    print(f"{name}: {members.sum()} events to fit, worth {weights.effective_number(b_fit[members]):.0f}")

# %% [markdown]
# ### Exercise 5.7 – How far apart may they be? (derive)
#
# The loss of the fit events and that of the validation events are weighted means over different events. Even if nothing is learnt by heart, they differ by chance. Predict by how much: let the losses of single events have the standard deviation `spread`, the same everywhere.
# What is the standard deviation of the *difference* of the two means, if the events have the weights `weight_a` and `weight_b`? (That the spread is the same for light and heavy events is a simplification. With equal weights, the variance of a mean is spread²/n. What takes the place of n?)


# %% tags=["exercise-5.7"]
def chance_distance(spread, weight_a, weight_b):
    """Return the standard deviation of the difference of two weighted means over independent events."""
    ### BEGIN SOLUTION
    n_a, n_b = (w.sum() ** 2 / (w**2).sum() for w in (weight_a, weight_b))
    return spread * np.sqrt(1 / n_a + 1 / n_b)
    ### END SOLUTION


# %% tags=["check-5.7"]
chance_distance = checks.exercise_5_7(chance_distance)

# %% tags=["nbval-ignore-output"]
early = np.clip(training.predict(networks["early stopped"], x_validation).astype(float), 1e-7, 1 - 1e-7)
each_loss = -np.where(y_validation == 1, np.log(early), np.log(1 - early))
spread = np.sqrt(np.average((each_loss - np.average(each_loss, weights=b_validation)) ** 2, weights=b_validation))
once = chance_distance(spread, np.ones(len(y_fit)), np.ones(len(y_validation)))
balanced_distance = chance_distance(spread, b_fit, b_validation)
print(f"losses of single events scatter by {spread:.2f}")
print(
    f"so by chance, fit and validation loss differ by {once:.4f} if events count once, by {balanced_distance:.4f} if they are balanced"
)

# %% [markdown]
# Keep this number for the figure that follows: it is your prediction.

# %% [markdown]
# ## 5.4 Once more, with balance
#
# The training of chapter 4 again: same network, same early stopping, balanced weights.

# %% tags=["nbval-ignore-output"]
balanced_model = network.build(4, normalise=x_fit, learning_rate=2e-4, seed=SEED)
history_balanced = training.fit(
    balanced_model,
    x_fit,
    y_fit,
    b_fit,
    validation_data=(x_validation, y_validation, b_validation),
    epochs=150,
    batch_size=128,
    seed=SEED,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)],
)
networks["balanced weights"] = balanced_model
scores["balanced weights"] = training.predict(balanced_model, x_test)
best_epoch = int(np.argmin(history_balanced.history["val_loss"])) + 1
fig, ax = plotting.losses(history_balanced, best_epoch=best_epoch)
plotting.show(
    fig,
    alt="Weighted training and validation loss against the epoch, with balanced weights. Both fall, and then the validation loss scatters around a constant value; "
    "it is rougher than in chapter 4. A star marks the best epoch.",
)

# %% [markdown]
# How far apart are the two curves in the end? Compare with your prediction. A distance of that size may be the luck of the two parts: in another division, the validation events would be the harder ones. This luck changes little from one epoch to the next, since the events stay the same. (The training loss is taken during the epoch, and heavy events scatter more than others: so the prediction is good to some ten per cent, no better.)
#
# The jumps from epoch to epoch are something else. There the *parameters* change: a batch with a heavy event makes a long step, and many heavy events move together.

# %% tags=["nbval-ignore-output"]
last_distance = history_balanced.history["val_loss"][best_epoch - 1] - history_balanced.history["loss"][best_epoch - 1]
print(
    f"validation minus training loss at the best epoch: {last_distance:+.4f}; predicted by chance: ±{balanced_distance:.4f}"
)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.roc({name: (test, score) for name, score in scores.items()})
plotting.show(
    fig,
    alt="ROC curves of four networks for expected test events. The two that were trained without weights lie clearly below the two that were trained with raw and with balanced "
    "weights, which are close to each other.",
)

# %% [markdown]
# Training with weights helps, as it should: the ROC curve counts expected events. And the network with raw weights, of which we did not think highly, is nearly as good as the balanced one. Its *order* of
# the events is right. This is no accident. The best score with raw weights and the best score with balanced weights are linked by the formula of exercise 3.10, which turns small probabilities
# into larger ones without changing their order. What balancing gains is in the training: a loss that can be read, gradients of the usual size, and scores for which 0.5 is a meaningful place.

# %% [markdown]
# ### Between balance and nature
#
# There is more between the two. Say the signal class counts $w$ times as much as in the balanced training. Then the odds of signal, $p/(1-p)$, become $w$ times as large everywhere, and the score becomes
#
# $$ p' = \frac{w\,p}{w\,p + 1 - p} . $$
#
# For the best possible score this is exact. For a trained network it is an approximation, for two reasons. Its score is not quite the best possible one. And a network that is really trained with $w$ spends
# its effort on other mistakes. What the formula cannot change is the order of the events: the ROC curve stays as it is, and the events above 0.5 are those above $1/(1+w)$ before.
#
# Move the weight of the signal and watch the score, the yields above 0.5 and the accuracy. The dotted line is the weight that the signal has in nature. *Lower the weight until less than a
# hundredth of the signal is left above 0.5. Is nature below that point? What does the accuracy do on the way?*

# %% tags=["nbval-ignore-output"]
interactive.class_weight(scores["balanced weights"], y_test, w_test)

# %% [markdown]
# ### Against the window
#
# Now the comparison of chapter 3 again: each network's cut is chosen on validation events, where Z is largest, and quoted on the test events, beside the window of chapter 1 and the mass window. All see the same test events, so the differences are known better than the numbers themselves.


# %% tags=["nbval-ignore-output"]
def cut_for(score, efficiency):
    """Return the cut that keeps a share of the expected signal (exercise 3.8)."""
    signal = y_test == 1
    return np.quantile(score[signal], 1 - efficiency, weights=w_test[signal], method="inverted_cdf")


window = leaderboard.baseline(chapter, test)
validation_at_full_yield = weights.match_yields(validation, events)
rows = []
for name in ("early stopped", "raw weights", "balanced weights"):
    on_validation = training.predict(networks[name], x_validation)
    scan = significance.scan(
        on_validation, y_validation, validation_at_full_yield["weight"], groups=validation["sample"]
    )
    clipped = np.clip(on_validation.astype(float), 1e-7, 1 - 1e-7)
    rows.append(
        leaderboard.row(
            name,
            test,
            scores[name] >= float(significance.best(scan).cut),
            window,
            score=scores[name],
            inputs="four pT",
            parameters=network.count_parameters([4, 60, 60, 1]),
            validation_loss=weighted_cross_entropy(y_validation, clipped, b_validation),
        )
    )
board = pd.DataFrame(rows).set_index("what")
chapter.write_table("leaderboard", pd.DataFrame(rows))
leaderboard.show(chapter)

# %% tags=["claim"]
assert board.loc["balanced weights", "gain"] > 3 * board.loc["balanced weights", "gain_error"]
assert board.loc["balanced weights", "gain"] > board.loc["early stopped", "gain"]

# %% [markdown]
# The draw of chapter 3 is over. The same four momenta, the same network, the same number of epochs to choose from: only the question has changed. (The validation loss in the table is that with balanced weights, for all of them. For raw weights it is large, since its scores are probabilities in nature's mixture.)

# %% tags=["nbval-ignore-output"]
passing = pd.DataFrame(
    {
        name: {
            background: w_test[(score >= cut_for(score, 0.5)) & (process == background)].sum()
            / w_test[process == background].sum()
            for background in ("ZZ", "Z", "ttbar")
        }
        for name, score in scores.items()
    }
).T

half = {
    name: (scores[name] >= cut_for(scores[name], 0.5)).astype(float) for name in ("early stopped", "balanced weights")
}
for row, of in (
    ("balanced minus early stopped", lambda d, w, mean: mean),
    ("its error", lambda d, w, mean: np.sqrt(np.sum((w * (d - mean)) ** 2)) / w.sum()),
):
    for background in passing.columns:
        d, w = (half["balanced weights"] - half["early stopped"])[process == background], w_test[process == background]
        passing.loc[row, background] = of(d, w, np.average(d, weights=w))
passing.round(3)

# %% [markdown]
# Here is where the gain over the network without weights comes from. At the same signal efficiency, far fewer Z and top-pair events pass. The network pays for this with some more ZZ: it has only four numbers, and cannot please everybody. But
# for the expected background as a whole, this is the better deal.

# %% [markdown]
# ## 5.5 Negative weights
#
# Some events have negative weights. In the official samples they come from calculations beyond the leading order of quantum field theory: a generator first produces too many events of some kind, and then others that are to be
# [*subtracted*](../course/glossary.md#negative-weight). Every sum over enough events is right, but only with the sign. (In the bundle, generators of leading order were used, and as many events as in the official files got a minus sign at random. There, signs change sums and no shape.)
#
# In a training, a negative weight is a strange thing. The loss of such an event is to become *large*: the network is rewarded for calling it signal. There are three ways to deal with it: *keep* the sign, take the *absolute* value (this is what your function does), or *drop* the event. Only the first is right on average. What do the
# other two do to a yield?

# %%
rows = {}
for name in events["sample"].unique():
    w = events.loc[events["sample"] == name, "weight"].to_numpy(float)
    rows[name] = {
        "negative share": weights.negative_fraction(w),
        "absolute": np.abs(w).sum() / w.sum() - 1,
        "drop": np.maximum(w, 0).sum() / w.sum() - 1,
        "statistical error": np.sqrt((w**2).sum()) / w.sum(),
    }
bias = pd.DataFrame(rows).T
bias.round(4)

# %% [markdown]
# Two negative events among a hundred change the yield by four per cent if they are flipped: once for what they should have taken away, once for what they add. Dropping costs half of that. For Z → ee the bias of the absolute value is about twice the statistical error, for Z → µµ about half of it. And unlike the error it does not shrink with more simulation.
#
# With so few negative weights, a *training* hardly notices. But other generators have a third of them, and they crowd in certain places. So let them hurt. In the following toy there is one quantity $x$; signal is a Gaussian around 1, background one around 0, both of width 1. (Exercise 3.6 tells the best AUC.) The generator of the background
# produces too much around $x = 1.5$, and subtracts it again with negative weights: 20 % of its events. All sums are right.

# %%
toy_rng = np.random.default_rng(SEED)


def toy(n):
    """Return x, labels and weights of n signal events, and of a background with negative weights that cluster."""
    extra = n // 3
    x_of = [toy_rng.normal(1, 1, n), toy_rng.normal(0, 1, n), toy_rng.normal(1.5, 0.3, 2 * extra)]
    w_of = [np.ones(n), np.ones(n), np.repeat([1.0, -1.0], extra)]
    y_of = [np.full(len(part), value) for part, value in zip(x_of, (1.0, 0.0, 0.0), strict=True)]
    return np.concatenate(x_of).astype(np.float32)[:, None], np.concatenate(y_of), np.concatenate(w_of)


x_toy, y_toy, w_toy = toy(40_000)
x_judge, y_judge, w_judge = toy(40_000)
edges = np.linspace(-3, 4, 36)
with plotting.use_style():
    fig, ax = plotting.new_figure(width=6, height=3.6)
    of_background = y_toy == 0
    for w, color, dashes, name in (
        (w_toy, "#0072B2", "-", "background, with signs"),
        (np.abs(w_toy), "#222222", ":", "background, |w|"),
    ):
        ax.stairs(
            np.histogram(x_toy[of_background, 0], edges, weights=w[of_background])[0],
            edges,
            color=color,
            linestyle=dashes,
            linewidth=1.8,
            label=name,
        )
    ax.stairs(
        np.histogram(x_toy[~of_background, 0], edges)[0],
        edges,
        color="#D55E00",
        linestyle="--",
        linewidth=1.8,
        label="signal",
    )
    ax.set(xlabel="x", ylabel="sum of weights / bin")
    ax.legend()
plotting.show(
    fig,
    alt="Sum of weights against x. The background with signs is a Gaussian around 0, the signal one around 1. With absolute weights the background has a tall narrow peak at 1.5, where the signal is high.",
)

# %% [markdown]
# ### Exercise 5.8 – A cure (derive)
#
# One cannot simply leave out signs: the network would believe in the peak. But one can give *other* weights to the same events. Divide the range of $x$ into bins. In each bin, replace all weights by positive ones that
# are in proportion to $|w|$, and have the sum that the weights with signs have in this bin. Derive the factor for a bin, and complete the function. `position` holds the number of the bin of each event (0, 1, 2 …). Where a bin's sum comes out negative, by chance, its events get the weight zero.


# %% tags=["exercise-5.8"]
def positive_weights(position, weight):
    """Return weights ≥ 0 in proportion to |weight| within each bin, with the sums of the weights with signs."""
    ### BEGIN SOLUTION
    signed = np.bincount(position, weights=weight)
    absolute = np.bincount(position, weights=np.abs(weight))
    factor = np.maximum(signed, 0) / np.where(absolute > 0, absolute, 1)
    return np.abs(weight) * factor[position]
    ### END SOLUTION


# %% tags=["check-5.8"]
positive_weights = checks.exercise_5_8(positive_weights)

# %% [markdown]
# Three networks on this toy: with the signs, with $|w|$, and with your weights. All are judged by other events of the toy, with their signs. *Predict the order before you run it.*

# %% tags=["nbval-ignore-output"]
cured = w_toy.copy()
cured[of_background] = positive_weights(np.digitize(x_toy[of_background, 0], edges), w_toy[of_background])
toy_aucs = {}
for name, w in (("with signs", w_toy), ("absolute", np.abs(w_toy)), ("your positive weights", cured)):
    scaled = w.copy()
    for value in (0, 1):
        scaled[y_toy == value] *= len(w) / 2 / w[y_toy == value].sum()
    trial = network.build(1, hidden=(16, 16), normalise=x_toy, learning_rate=3e-3, seed=SEED)
    training.fit(trial, x_toy, y_toy, scaled, epochs=6, batch_size=1024, seed=SEED, progress=False)
    toy_aucs[name] = metrics.roc_curve(y_judge, training.predict(trial, x_judge), w_judge).auc
    print(f"{name:28} AUC {toy_aucs[name]:.3f}")
print(f"{'the best possible':28} AUC {stats.norm.cdf(1 / np.sqrt(2)):.3f}")

# %% tags=["claim"]
assert toy_aucs["absolute"] < toy_aucs["your positive weights"] - 0.05
assert toy_aucs["your positive weights"] > 0.75

# %% [markdown]
# With $|w|$ the network believes in a background that is not there, and gives the best events away; no number of events mends that. With the signs it comes as close to the best possible score as with your weights: on average over many events the signs are right.
# Only, its loss has no lowest value any more: a large network that finds a lonely negative event can push its loss without end. Your weights are safe from that. Here the
# bins are in one variable; with many variables, a network can learn the factor in place of the bins (Nachman and Thaler, see below).

# %% [markdown]
# ### Exercise 5.9 – Where is it allowed? (in your words)
#
# A colleague uses $|w|$ everywhere: in the training, for the expected background, in the ROC curve. Where does this do harm, and where not? Would your answer be the same for a generator in which every third event has a negative
# weight? Three or four sentences.

# %% tags=["exercise-5.9", "written"]
### BEGIN SOLUTION
answer_5_9 = """In the training it is allowed as long as negative weights are few: the weights there only say whose mistakes count, and any network may be used if its performance is measured correctly. For
the expected background, the ROC curve and everything else that predicts what nature shows, the sign has to stay; with |w| the background is systematically too large, and more simulation does not mend it.
With a third of negative weights, |w| weighs regions of cancelling events far too much, so that also the trained network is clearly worse than possible, as in the toy. Then one keeps the signs, with many events, or replaces
the weights by positive ones with the same sums."""
### END SOLUTION

# %% tags=["check-5.9"]
checks.written("5.9", answer_5_9)

# %% [markdown]
# ## 5.6 Handing on

# %% tags=["nbval-ignore-output"]
chapter.write_model("balanced_model", balanced_model)
chapter.write_model("raw_weights_model", raw_model)
for name, history in (("balanced", history_balanced), ("raw", history_raw)):
    index = pd.RangeIndex(1, len(history.history["loss"]) + 1, name="epoch")
    chapter.write_table(f"history_{name}", pd.DataFrame(history.history, index=index))
numbers = {
    "best_epoch": best_epoch,
    "validation_loss_balanced": history_balanced.history["val_loss"][best_epoch - 1],
    "accuracy_raw_weights": weighted_accuracy(y_test, scores["raw weights"], w_test),
    "highest_score_raw_weights": scores["raw weights"].max(),
    "auc_first_model": metrics.auc(test, scores["first model"]),
    "auc_early_stopped": metrics.auc(test, scores["early stopped"]),
    "auc_raw_weights": metrics.auc(test, scores["raw weights"]),
    "auc_balanced": metrics.auc(test, scores["balanced weights"]),
    "gain_early_stopped": board.loc["early stopped", "gain"],
    "gain_balanced": board.loc["balanced weights", "gain"],
    "z_balanced": board.loc["balanced weights", "z"],
    "passing_z_early_stopped": passing.loc["early stopped", "Z"],
    "passing_z_balanced": passing.loc["balanced weights", "Z"],
    "bias_absolute_zee": bias.loc["Zee", "absolute"],
    "bias_drop_zee": bias.loc["Zee", "drop"],
    "auc_toy_absolute": toy_aucs["absolute"],
    "auc_toy_cured": toy_aucs["your positive weights"],
}
chapter.write_numbers(numbers)
pd.Series(numbers).round(4)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(5)

# %% [markdown]
# ## Summary
#
# - Weights in the loss say whose mistakes count. Without them, the network optimises for a world that consists of simulated events.
# - With raw weights the signal is a few per cent of everything: all scores are small, and calling everything background is right for about 97.6 % of the expected events. Accuracy is no measure for rare signals.
# - A common factor on all weights does not matter to Adam, until it is so small that gradients fall below $\epsilon$.
# - Balanced weights keep the ratios within each class, give both the same sum, and have a mean of one.
# - Trained with weights, the same network with the same four momenta clearly beats the window of chapter 1. Against the network without weights, it rejects far more Z and top-pair events, at the price of some more ZZ.
# - A few heavy events make a sample worth fewer events than it has. What fit and validation loss differ by can be predicted from that number.
# - Negative weights stay negative in every prediction. In a training $|w|$ is harmless where they are few, and spoils it where they are many and crowd.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. A search has one signal event in a thousand. A classifier has an accuracy of 99.9 %. How good is it?**
#
# <details><summary>Nobody can say from this number.</summary>Right. Calling everything background reaches the same accuracy.</details>
# <details><summary>Excellent: it is wrong for one event in a thousand.</summary>That one event may be all the signal there is.</details>
# <details><summary>It is overtrained.</summary>Accuracy on which events? And why should a large one mean overtraining?</details>
#
# **2. All weights of a training are multiplied by 100. What changes with Adam?**
#
# <details><summary>The steps become a hundred times longer.</summary>With plain descent they would. Adam divides by the size of the gradient.</details>
# <details><summary>Next to nothing, but for the loss that is printed.</summary>Right. The factor cancels in each step.</details>
# <details><summary>The order of the scores turns round.</summary>A common positive factor changes nobody's preference.</details>
#
# **3. A background sample has 300 events, of which one carries half of the weight. About how many events is it worth?**
#
# <details><summary>300, since there are 300 events.</summary>With equal weights it would be so. Compute (Σw)²/Σw².</details>
# <details><summary>About 150, half of them.</summary>The single heavy event dominates the sum of the squares.</details>
# <details><summary>About four, hardly more than the heavy one.</summary>Right. (Σw)²/Σw² is about 1/(½)² = 4.</details>
#
# **4. Where must the sign of a negative weight always be kept?**
#
# <details><summary>In the training, or the loss is wrong.</summary>There it may be replaced, as long as the network is judged correctly afterwards.</details>
# <details><summary>In every number that predicts what nature shows.</summary>Right. Only with the signs do the sums come out as they should.</details>
# <details><summary>Nowhere: a yield cannot be negative.</summary>The sum is not negative. Without the signs it is too large.</details>

# %% [markdown]
# ## What you can now do
#
# - train a network for the mixture that counts, and say what its score then means;
# - write and test the function that balances weights;
# - predict how far two weighted losses differ by chance;
# - say when negative weights are harmless, and what to do when they are not.
#
# ## Further reading
#
# - P. Baldi, P. Sadowski, D. Whiteson, *Searching for exotic particles in high-energy physics with deep learning*, Nature Commun. 5 (2014) 4308, arXiv:1402.4735.
# - S. Frixione, B. R. Webber, *Matching NLO QCD computations and parton shower simulations*, JHEP 06 (2002) 029, arXiv:hep-ph/0204244 (where negative weights come from).
# - B. Nachman, J. Thaler, *Neural resampler for Monte Carlo reweighting with preserved uncertainties*, Phys. Rev. D 102 (2020) 076004, arXiv:2007.11586.
#
# Next: [chapter 6, cross-validation](chapter6_cross_validation.ipynb).
