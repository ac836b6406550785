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
# an instructive manner. Then you write the function that makes it work, and find out what negative weights do to a training.

# %% [markdown]
# ## What you will do
#
# - put weights into the loss, and see whose mistakes it counts;
# - train with the weights as they are, and understand why the result calls everything background;
# - write the function that balances the weights, and a test that recognises a wrong one;
# - retrain, and compare all networks so far: ROC curves, and $s/\sqrt{b}$ with its error;
# - keep, flip or drop negative weights, and measure how wrong each is.
#
# | time | needs | makes |
# |---|---|---|
# | 90 minutes | the events of chapter 1, the networks of chapters 2 and 4 | a network trained with balanced weights, and one with raw weights |

# %%
from course import checks, interactive
from labcourse import features, metrics, network, outputs, plotting, samples, splitting, training, weights

import keras
import numpy as np
import pandas as pd

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
where the signal is about forty times denser than the background (each normalised to one), and with four momenta there is no such place. So the network is not wrong: it gives the right
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
# The mean weight is far from one, and so is the loss that Keras shows: it divides by the number of events. Adam copes with small gradients, but nobody can judge such a loss at a glance. And in a batch, the background
# weighs about forty times as much as the signal. So the first thing that the network learns is to say «background», and all scores crowd near zero. So we want weights that
#
# - keep the ratios *within* signal and *within* background as in nature,
# - give signal and background the same say,
# - have a mean of one, so that learning rate and loss keep their usual meaning,
# - are not negative. Why, we will see in section 5.5.

# %% [markdown]
# ## 5.3 Balanced weights

# %% [markdown]
# ### Exercise 5.4 – Balance (write code)
#
# Complete `balance` for arrays `weight` and `label` of shape `(n_events,)`; the label is 1 for signal and 0 for background. Take the absolute value of the weights. Scale the weights of each class by a
# factor, such that both classes have the same sum, and the mean over all events is one. Return an array of the same shape, and do not change the one that you were given.


# %% tags=["exercise-5.4"]
def balance(weight, label):
    """Return training weights: |w|, both classes with the same sum, mean one."""
    ### BEGIN SOLUTION
    balanced = np.abs(weight)
    for value in (0, 1):
        members = np.asarray(label) == value
        balanced[members] *= len(balanced) / 2 / balanced[members].sum()
    return balanced
    ### END SOLUTION


# %% tags=["check-5.4"]
balance = checks.exercise_5_4(balance)

# %% [markdown]
# Functions like this one are small, and used everywhere. A mistake in it would not stop any program. It would only make all networks a little worse, and nobody would notice. This is why programmers
# write *tests*: small programs that notice.

# %% [markdown]
# ### Exercise 5.5 – Test it (write code)
#
# Complete `is_balanced`. It gets the original weights, the labels, and weights that somebody claims are balanced. Return `True` if they are, and `False` if they are not:
# no weight is negative, both classes have the same sum, the mean is one, and within a class the weights are in proportion to the absolute value of the original ones.
# Decimals are never exact: compare them with `np.isclose(a, b, rtol=1e-3)` or `np.allclose`. The check gives your function right and wrong weights, and looks whether it notices.


# %% tags=["exercise-5.5"]
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


# %% tags=["check-5.5"]
is_balanced = checks.exercise_5_5(is_balanced)

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
# How many events is the background worth, in the sense of exercise 1.10?

# %%
for name, value in (("signal", 1), ("background", 0)):
    members = y_fit == value
    print(f"{name}: {members.sum()} events to fit, worth {weights.effective_number(b_fit[members]):.0f}")

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
# The validation loss is rougher than in chapter 4, and it may lie well away from the training loss, on either side. In the first epochs this is mostly the average over the epoch that you know from section 4.4.
# The roughness, and much of the distance that is left in the end, come from the few heavy events: one of them misplaced, and the loss changes visibly. That is the fluctuation of a small sample. Chapter 6 will tell how large it is.

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.roc({name: (test, score) for name, score in scores.items()})
plotting.show(
    fig,
    alt="ROC curves of four networks for expected test events. The two that were trained without weights lie clearly below the two that were trained with raw and with balanced "
    "weights, which are close to each other.",
)

# %% [markdown]
# Training with weights helps, as it should: the ROC curve counts expected events. And the network with raw weights, of which we did not think highly, is about as good as the balanced one. Its *order* of
# the events is right. This is no accident. The best score with raw weights and the best score with balanced weights are linked by the formula of exercise 3.9, which turns small probabilities
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
# ### Exercise 5.6 – The significance estimate, with an error (write code)
#
# How significant would the signal be? Complete the function: it returns $(s/\sqrt{b},\ \sigma)$ for the events with `score >= cut`. Here $s$ and $b$ are sums of weights of signal (label 1) and background (label 0), and $\sigma$
# is the uncertainty that comes from the limited simulation of the background. With $\sigma_b = \sqrt{\sum w^2}$, error propagation gives
#
# $$ \sigma = \frac{1}{2}\,\frac{s}{\sqrt{b}}\,\frac{\sigma_b}{b} . $$


# %% tags=["exercise-5.6"]
def s_over_root_b(score, label, weight, cut):
    """Return (s/√b, its error from the simulated background) above a cut."""
    ### BEGIN SOLUTION
    passed = score >= cut
    s = weight[passed & (label == 1)].sum()
    background = weight[passed & (label == 0)]
    b, b_error = background.sum(), np.sqrt((background**2).sum())
    value = s / np.sqrt(b)
    return value, 0.5 * value * b_error / b
    ### END SOLUTION


# %% tags=["check-5.6"]
s_over_root_b = checks.exercise_5_6(s_over_root_b)

# %% [markdown]
# We compare the networks at the same signal efficiencies, as in section 3.4.


# %% tags=["nbval-ignore-output"]
def cut_for(score, efficiency):
    """Return the cut that keeps a share of the expected signal (exercise 3.7)."""
    signal = y_test == 1
    return np.quantile(score[signal], 1 - efficiency, weights=w_test[signal], method="inverted_cdf")


working_points = pd.DataFrame(
    {
        (f"signal efficiency {efficiency:.0%}", column): {
            name: s_over_root_b(score, y_test, w_test, cut_for(score, efficiency))[i] for name, score in scores.items()
        }
        for efficiency in (0.3, 0.5, 0.7)
        for i, column in enumerate(("s/√b", "error"))
    }
)
working_points.round(3)

# %% tags=["nbval-ignore-output"]
at_half = working_points["signal efficiency 50%"]
no_cut, _ = s_over_root_b(scores["first model"], y_test, w_test, -1.0)
fig, ax = plotting.comparison(
    at_half["s/√b"].to_dict(),
    at_half["error"].to_dict(),
    xlabel="s/√b at a signal efficiency of 50 %",
    reference=no_cut,
    reference_name="no cut",
)
plotting.show(
    fig,
    alt="Significance estimate at a signal efficiency of one half for four networks with errors, and a dashed line for no cut at all. The networks trained with weights are clearly "
    "better than those trained without.",
)

# %% [markdown]
# The dashed line is $s/\sqrt{b}$ without any cut. All networks see the same test events, so their errors are partly common, and the differences are more precise than the error bars suggest.

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
passing.round(3)

# %% [markdown]
# Here is where the gain comes from. At the same signal efficiency, far fewer Z and top-pair events pass. The network pays for this with some more ZZ: it has only four numbers, and cannot please everybody. But
# for the expected background as a whole, this is the better deal.

# %% [markdown]
# ### Exercise 5.7 – Reading the ROC curves (read a plot)
#
# Which share of the expected background passes if half of the signal is kept, with the balanced network? Read it from the ROC figure above, between 0 and 1, to within 0.03.

# %% tags=["exercise-5.7"]
### BEGIN SOLUTION
curve = metrics.roc_curve(y_test, scores["balanced weights"], w_test)
background_passing = np.interp(0.5, curve.signal_efficiency, curve.background_efficiency)
### END SOLUTION

# %% tags=["check-5.7"]
at_half_of_signal = {
    name: w_test[(score >= cut_for(score, 0.5)) & (y_test == 0)].sum() / w_test[y_test == 0].sum()
    for name, score in scores.items()
}
checks.exercise_5_7(background_passing, efficiencies=at_half_of_signal, model="balanced weights")

# %% [markdown]
# ## 5.5 Negative weights
#
# Some events have negative weights, in the course's samples above all Z events. They come from calculations beyond the leading order of quantum field theory: a generator first produces too many events of some kind, and then others that are to be
# *subtracted*. Every sum over enough events is right, but only with the sign. (In the bundle that comes with the course they are imitated: as many events get a minus sign as in the official samples.)
#
# In a training, a negative weight is a strange thing. The loss of such an event is to become *large*: the network is rewarded for calling it signal. Since the cross-entropy has no upper limit, the reward has none either. As long as there
# are enough events with positive weights in the neighbourhood, they win, and the sum is as it should be. With few events, an isolated negative one can be learnt by heart, and its loss then grows without limit. There are three ways to deal with them:
#
# - *keep* the sign;
# - take the *absolute* value (this is what your function does);
# - *drop* these events.
#
# Only the first is right on average. What do the other two cost? We measure it: for yields, for distributions, and for the trained network.

# %% [markdown]
# ### Exercise 5.8 – Three treatments (write code)
#
# Complete `treat`. `treatment` is one of the strings `"keep"`, `"absolute"`, `"drop"`. Return an array of the same shape as `weight`. For `"drop"`, set the negative weights to zero, so that the weights still match the events.


# %% tags=["exercise-5.8"]
def treat(weight, treatment):
    """Return the weights after a treatment of the negative ones: keep, absolute or drop."""
    ### BEGIN SOLUTION
    if treatment == "keep":
        return weight.copy()
    if treatment == "absolute":
        return np.abs(weight)
    return np.maximum(weight, 0)
    ### END SOLUTION


# %% tags=["check-5.8"]
treat = checks.exercise_5_8(treat)

# %% [markdown]
# ### Yields
#
# The bias of the yield is $\sum w' / \sum w - 1$, where $w'$ are the treated weights. The last column is the statistical uncertainty of the yield itself, for comparison.

# %%
rows = {}
for name in events["sample"].unique():
    w = events.loc[events["sample"] == name, "weight"].to_numpy(float)
    rows[name] = {"negative share": weights.negative_fraction(w)}
    rows[name] |= {treatment: treat(w, treatment).sum() / w.sum() - 1 for treatment in ("keep", "absolute", "drop")}
    rows[name]["statistical error"] = np.sqrt((w**2).sum()) / w.sum()
bias = pd.DataFrame(rows).T
bias.round(4)

# %% [markdown]
# ### Exercise 5.9 – The largest bias (read a table)
#
# For which sample does the absolute value change the yield most, and by how many per cent? Answer with a pair: the name of the sample as a string, and the number in per cent.

# %% tags=["exercise-5.9"]
### BEGIN SOLUTION
largest_bias = (bias["absolute"].idxmax(), 100 * bias["absolute"].max())
### END SOLUTION

# %% tags=["check-5.9"]
checks.exercise_5_9(largest_bias, bias=bias)

# %% [markdown]
# Two negative events among a hundred change the yield by four per cent if they are flipped: once for what they should have taken away, once for what they add. Dropping costs half of that. The bias is systematic: more simulated
# events would not make it smaller, while they would shrink the statistical error.
#
# ### Distributions
#
# A common factor could be corrected. But where negative weights crowd in one place, shapes change as well. Here are the four-lepton mass and the score of the balanced network, for Z events.

# %% tags=["nbval-ignore-output"]
z = events[events["sample"].isin(["Zee", "Zmumu"])]
z_score = training.predict(balanced_model, features.arrays(z, COLUMNS).x)
z_weight = z["weight"].to_numpy(float)
with plotting.use_style():
    fig, axes = plotting.new_figure(1, 2, width=8.4, height=3.8)
    for ax, values, edges, title in (
        (axes[0], z["m_llll"].to_numpy(float), np.linspace(80, 280, 11), plotting.axis_title("m_llll")),
        (axes[1], z_score, np.linspace(0, 1, 11), "score of the balanced network"),
    ):
        kept = metrics.histogram(values, treat(z_weight, "keep"), edges)
        ax.errorbar((edges[1:] + edges[:-1]) / 2, kept.content, kept.error, fmt="o", color="black", label="keep")
        for treatment, color, dashes in (("absolute", "#D55E00", "-"), ("drop", "#0072B2", "--")):
            content = metrics.histogram(values, treat(z_weight, treatment), edges).content
            ax.stairs(content, edges, color=color, linestyle=dashes, linewidth=1.8, label=treatment)
        ax.set(xlabel=title, ylabel="expected Z events / bin")
        plotting.stamp(ax)
    axes[0].legend()
plotting.show(
    fig,
    alt="Expected Z events against the four-lepton mass and against the score, with negative weights kept (points with errors), as absolute values and dropped (lines). Both lines lie on or above the points, by "
    "different amounts from bin to bin, and mostly within the errors.",
)

# %% tags=["nbval-ignore-output"]
z_cut = cut_for(scores["balanced weights"], 0.5)
near_higgs = z["m_llll"].between(115, 130).to_numpy()
regions = {"all": np.ones(len(z), bool), "115 ≤ m4l ≤ 130 GeV": near_higgs, "above the cut": z_score >= z_cut}
shape_bias = pd.DataFrame(
    {
        name: {
            "raw": mask.sum(),
            "negative": (z_weight[mask] < 0).sum(),
            "expected": z_weight[mask].sum(),
            "bias, absolute": treat(z_weight[mask], "absolute").sum() / z_weight[mask].sum() - 1,
            "bias, drop": treat(z_weight[mask], "drop").sum() / z_weight[mask].sum() - 1,
            "statistical error": np.sqrt((z_weight[mask] ** 2).sum()) / z_weight[mask].sum(),
        }
        for name, mask in regions.items()
    }
).T
shape_bias.astype({"raw": int, "negative": int}).round(4)

# %% [markdown]
# Do the rows differ by more than chance? Look at how many negative events each has. With a few, one cannot tell a common factor from a change of shape.
#
# In real generators negative weights depend on the kinematics, so no factor measured elsewhere corrects a region.

# %% [markdown]
# ### The trained network
#
# Now for the training. In each class we treat the weights, and scale them as before; with the sign kept, the sums count the signs. Each treatment is trained from the same start, and once more with another seed, so that we see what
# chance alone does. Larger batches and steps make it quick: batches of 512, a learning rate of 0.001, 15 epochs, no early stopping. All are judged by test events that *keep* their signs.


# %% tags=["nbval-ignore-output"]
def treated_weights(weight, label, treatment):
    """Treated weights, both classes with the same sum, mean one."""
    treated = treat(weight, treatment)
    for value in (0, 1):
        treated[label == value] *= len(label) / 2 / treated[label == value].sum()
    return treated


trained = {}
for treatment in ("keep", "absolute", "drop"):
    for seed in (SEED, SEED + 1):
        trial = network.build(4, normalise=x_fit, learning_rate=1e-3, seed=seed)
        training.fit(
            trial,
            x_fit,
            y_fit,
            treated_weights(w_fit, y_fit, treatment),
            epochs=15,
            batch_size=512,
            seed=seed,
        )
        trained[treatment, seed] = training.predict(trial, x_test).astype(float)
results = pd.DataFrame(
    {
        (treatment, f"seed {seed}"): {
            "AUC": metrics.auc(test, score),
            "s/√b at 50 %": s_over_root_b(score, y_test, w_test, cut_for(score, 0.5))[0],
            "error": s_over_root_b(score, y_test, w_test, cut_for(score, 0.5))[1],
        }
        for (treatment, seed), score in trained.items()
    }
).T
results.round(4)

# %% [markdown]
# The AUCs differ in the third or fourth decimal. To see whether the treatment matters at all, we compare the scores event by event: between treatments with the same seed, and between seeds with the same treatment.


# %% tags=["nbval-ignore-output"]
def distance(first, second):
    """Root mean square difference of two scores of test events (|w|: a distance must not become negative; this predicts nothing)."""
    return np.sqrt(np.average((first - second) ** 2, weights=np.abs(w_test)))


distances = {f"{t}, two seeds": distance(trained[t, SEED], trained[t, SEED + 1]) for t in ("keep", "absolute", "drop")}
distances |= {
    f"keep and {t}, same seed": np.mean([distance(trained["keep", s], trained[t, s]) for s in (SEED, SEED + 1)])
    for t in ("absolute", "drop")
}
fig, ax = plotting.comparison(distances, xlabel="typical difference of the scores (root mean square)", reference=0.0)
plotting.show(
    fig,
    alt="Root mean square difference of the scores of pairs of networks: three pairs with the same treatment and different seeds, and two with the same seed and different treatments.",
)

# %% [markdown]
# If the seed alone changes the scores by as much as the treatment or more (compare the points), it hardly matters for the training which one we take. With few negative weights this is what to expect. It is a convention: a network trained with $|w|$ solves a slightly different
# problem, and is not quite the best one for ours, but its cut is as valid as any other.
#
# The yields are another matter. There the bias is about as large as the statistical error of a small simulation, and unlike that error it does not shrink with a larger one.

# %% [markdown]
# ### Exercise 5.10 – Where is it allowed? (in your words)
#
# A colleague uses $|w|$ everywhere: in the training, for the expected background, in the ROC curve. Where does this do harm, and where not? Would your answer be the same for a generator in which every third event has a negative
# weight? Three or four sentences.

# %% tags=["exercise-5.10", "written"]
### BEGIN SOLUTION
answer_5_10 = """In the training it is allowed: the weights there only say whose mistakes count, and any network may be used as long as its performance is then measured correctly. For
the expected background, the ROC curve and everything else that predicts what nature shows, the sign has to stay; with |w| the background is systematically too large, and more simulation does not mend it.
With a third of negative weights, |w| would weigh regions of cancelling events far too much, by a factor of three in all, so that also the trained network would be clearly worse than possible. Then it would be worth finding out where the negative
weights are, or to keep the signs in the training, with many events and large batches."""
### END SOLUTION

# %% tags=["check-5.10"]
checks.written("5.10", answer_5_10)

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
    "significance_early_stopped": at_half.loc["early stopped", "s/√b"],
    "significance_balanced": at_half.loc["balanced weights", "s/√b"],
    "passing_z_early_stopped": passing.loc["early stopped", "Z"],
    "passing_z_balanced": passing.loc["balanced weights", "Z"],
    "bias_absolute_zee": bias.loc["Zee", "absolute"],
    "bias_drop_zee": bias.loc["Zee", "drop"],
    **{f"auc_{treatment}": results.loc[treatment, "AUC"].mean() for treatment in ("keep", "absolute", "drop")},
    "distance_seeds": np.mean([distances[f"{t}, two seeds"] for t in ("keep", "absolute", "drop")]),
    "distance_absolute": distances["keep and absolute, same seed"],
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
# - Balanced weights keep the ratios within each class, give both the same sum, and have a mean of one. The order of the scores is the same in principle, but the loss can be read, and 0.5 is a meaningful cut.
# - Trained with weights, the network rejects far more Z and top-pair events, at the price of some more ZZ, and the significance grows.
# - Negative weights stay negative in every prediction. In the training, $|w|$ is a convention; with few negative weights its effect is small, as a comparison with another seed shows.
#
# ## Further reading
#
# - P. Baldi, P. Sadowski, D. Whiteson, *Searching for exotic particles in high-energy physics with deep learning*, Nature Commun. 5 (2014) 4308, arXiv:1402.4735.
# - S. Frixione, B. R. Webber, *Matching NLO QCD computations and parton shower simulations*, JHEP 06 (2002) 029, arXiv:hep-ph/0204244 (where negative weights come from).
# - B. Nachman, J. Thaler, *Neural resampler for Monte Carlo reweighting with preserved uncertainties*, Phys. Rev. D 102 (2020) 076004, arXiv:2007.11586.
#
# Next: [chapter 6, cross-validation](chapter6_cross_validation.ipynb).
