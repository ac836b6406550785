# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 3 – Evaluation
#
# You have trained a network. Is it any good? In this chapter you open the test events, which it has never seen, and
# judge it. You will find that one number cannot do this: how good a network is depends on what you want from it.
# And you will find out what its score means, and what it does not.

# %% [markdown]
# ## What you will do
#
# - look at the score of signal and background, on training and on test events;
# - weight the test events, so that they show what nature would;
# - draw the ROC curve, and understand the area under it as a probability;
# - find out what a working point costs, in events;
# - turn the score into a probability in nature's mixture of signal and background, and see where this fails.
#
# | time | needs | makes |
# |---|---|---|
# | 90 minutes | the events of chapter 1, the network of chapter 2 | the score of all test events |

# %%
from course import checks
from labcourse import features, metrics, outputs, plotting, samples, splitting, training, weights

import numpy as np
import pandas as pd

SEED = 3
COLUMNS = ["lep1_pt", "lep2_pt", "lep3_pt", "lep4_pt"]
chapter = outputs.Chapter(3, sources=samples.SIMULATED, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(3)

# %%
events = chapter.read_table(1, "events")
model = chapter.read_model(2, "first_model")
train, test = splitting.split(events)
print(f"{len(train)} training events, {len(test)} test events")

# %% [markdown]
# ## 3.1 The score on training events
#
# We begin with the events that the network knows. `training.predict` applies it to all of them at once. The figure
# shows the score of signal and background, each scaled to the same area. Every simulated event counts the same here
# (`weight=np.ones`), as in the training.

# %% tags=["nbval-ignore-output"]
x_train, y_train, _ = features.arrays(train, COLUMNS)
score_train = training.predict(model, x_train)
fig, ax = plotting.score_by_class(train, score_train, weight=np.ones(len(train)))
plotting.show(
    fig,
    alt="Normalised distributions of the network's score for signal and background among training events. The background piles up at "
    "low scores, the signal at high ones, and the two overlap widely.",
)

# %% [markdown]
# The network has learnt something: signal tends to the right, background to the left. It has not learnt everything:
# the two overlap widely, and hardly any event gets a score near 1. Four momenta tell only so much.

# %% [markdown]
# ### Exercise 3.1 – Where the classes cross (read a plot)
#
# At which score do the two curves cross? Read it from the figure, to within 0.05. Then look at the number that the
# next cell prints. A coincidence?

# %% tags=["exercise-3.1"]
### BEGIN SOLUTION
counts = [np.histogram(score_train[y_train == y], 40, (0, 1), density=True)[0] for y in (0, 1)]
crossing = (np.cumsum(counts[0] - counts[1]).argmax() + 1) / 40
### END SOLUTION

# %% tags=["check-3.1"]
checks.exercise_3_1(crossing, score=score_train, label=y_train)

# %% tags=["nbval-ignore-output"]
train_share = float(y_train.mean(dtype=float))
print(f"share of signal among the training events: {train_share:.3f}")

# %% [markdown]
# No coincidence. Suppose the network could find the best possible answer. For inputs $x$, signal events have the
# density $s(x)$ and background events $b(x)$, and the share of signal is $\pi$. The score that minimises the
# cross-entropy is the probability of signal at that $x$:
#
# $$ p(x) = \frac{\pi\, s(x)}{\pi\, s(x) + (1-\pi)\, b(x)} . $$
#
# Why? Let $q$ be the share of signal at that $x$. The mean loss there is $-q\log p - (1-q)\log(1-p)$. Its derivative
# with respect to $p$ vanishes at $p = q$, and $q$ is the fraction above.
#
# Where both densities are equal, this is $\pi$. The same holds for the
# densities of the score, since all $x$ with the same score have the same ratio $s/b$. We will need this formula again.

# %% [markdown]
# ## 3.2 Test events
#
# Now we open the test events. First, each counts the same again, so that we can compare with the training events.
# We compare the loss (of chapter 2), and the *accuracy*: the share of events that lie on the right side of a cut at
# 0.5. The error of a loss is the standard deviation of the single events' losses, divided by $\sqrt{n}$.

# %% tags=["nbval-ignore-output"]
x_test, y_test, _ = features.arrays(test, COLUMNS)
score_test = training.predict(model, x_test)
rows = {}
for name, y, score in (("training", y_train, score_train), ("test", y_test, score_test)):
    p = np.clip(score.astype(float), 1e-7, 1 - 1e-7)
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    rows[name] = {
        "events": len(y),
        "loss": loss.mean(),
        "error of the loss": loss.std() / np.sqrt(len(y)),
        "accuracy": ((score >= 0.5) == (y == 1)).mean(),
    }
losses = pd.DataFrame(rows).T
losses.round(4)

# %% tags=["nbval-ignore-output"]
loss_difference = losses.loc["test", "loss"] - losses.loc["training", "loss"]
difference_error = np.hypot(*losses["error of the loss"])
print(f"test minus training: {loss_difference:.4f} ± {difference_error:.4f}")

# %% [markdown]
# Compare the difference of the two losses with its error, $\sqrt{\sigma_1^2 + \sigma_2^2}$. Differences of about one
# error, or two, are what chance alone makes. The network has not learnt its events by heart. With some four
# thousand parameters and many more events, five epochs are not enough for that. In chapter 4 we train longer.

# %% [markdown]
# ### Exercise 3.2 – Why test events? (in your words)
#
# The numbers are nearly the same. Why do we insist on test events, and do not simply use the larger number of
# training events to measure how good the network is? And why may we not use the test events to choose, say, the
# best number of epochs?

# %% tags=["exercise-3.2", "written"]
### BEGIN SOLUTION
answer_3_2 = """On training events the network may be better than it really is, because its parameters were fitted to these very events and their
fluctuations. That both agree is something we know only because we have looked at events it was not fitted to.
Whatever is chosen on some events is fitted to their fluctuations too: if the test events choose the number of epochs, they have become training events
of a kind, and no longer give an unbiased answer. For such choices one needs a third set, the validation events."""
### END SOLUTION

# %% tags=["check-3.2"]
checks.written("3.2", answer_3_2)

# %% [markdown]
# ### What nature would show
#
# So far, simulated events were counted. In nature, processes come in other proportions. From here on each event
# counts with its weight. The test events are only 40 % of all events, so their weights have to be scaled up, sample
# by sample, until each sample stands for its full yield again.

# %%
test = weights.match_yields(test, events)
label = features.labels(test)
weight = test["weight"].to_numpy(float)
total_signal, total_background = weight[label == 1].sum(), weight[label == 0].sum()
print(f"expected at 10 fb⁻¹: {total_signal:.2f} signal, {total_background:.1f} background")

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.score_stacked(test, score_test)
plotting.show(
    fig,
    alt="Expected test events against the score, processes stacked, on a logarithmic axis. ZZ dominates at low scores, the Higgs boson is a thin layer "
    "on top, and Z and top-pair events make up much of the background at medium and high scores.",
)

# %% [markdown]
# This is a different picture. The signal, more than a third of the simulated events, is a thin layer. And processes
# that hardly appeared among the training events are now prominent.

# %% [markdown]
# ### Exercise 3.3 – Signal and background above a cut (read a plot or a table)
#
# Take the events with a score of at least 0.6. How many expected background events come with each expected signal
# event? The figure gives you an idea. Compute the number from `score_test`, `label` and `weight`.

# %% tags=["exercise-3.3"]
### BEGIN SOLUTION
passed = score_test >= 0.6
background_per_signal = weight[passed & (label == 0)].sum() / weight[passed & (label == 1)].sum()
### END SOLUTION

# %% tags=["check-3.3"]
checks.exercise_3_3(background_per_signal, events=test, score=score_test, cut=0.6)

# %% [markdown]
# ## 3.3 The ROC curve
#
# To use the score, we cut on it: events with a score of at least the cut pass. The *signal efficiency* is the share
# of the signal that passes, the *background efficiency* that of the background:
#
# $$ \varepsilon_s = \frac{\sum_{\text{signal, passed}} w}{\sum_\text{signal} w}, \qquad
# \varepsilon_b = \frac{\sum_{\text{background, passed}} w}{\sum_\text{background} w} . $$

# %% [markdown]
# ### Exercise 3.4 – Efficiencies (write code)
#
# Complete the function. `score`, `label` and `weight` are arrays of shape `(n_events,)`; the label is 1 for signal
# and 0 for background. An event passes if `score >= cut`. Return `(signal_efficiency, background_efficiency)`.


# %% tags=["exercise-3.4"]
def efficiencies(score, label, weight, cut):
    """Return (signal efficiency, background efficiency) of a cut, weighted."""
    ### BEGIN SOLUTION
    passed = score >= cut
    signal, background = label == 1, label == 0
    signal_efficiency = weight[signal & passed].sum() / weight[signal].sum()
    background_efficiency = weight[background & passed].sum() / weight[background].sum()
    return signal_efficiency, background_efficiency
    ### END SOLUTION


# %% tags=["check-3.4"]
efficiencies = checks.exercise_3_4(efficiencies)

# %% tags=["nbval-ignore-output"]
pd.DataFrame(
    [(cut, *efficiencies(score_test, label, weight, cut)) for cut in np.arange(0.1, 0.9, 0.1)],
    columns=["cut", "signal efficiency", "background efficiency"],
).round(3)

# %% [markdown]
# Each cut is a compromise: a tight one loses signal, a loose one keeps background. Drawn against each other for all
# cuts, the two efficiencies make the *ROC curve* (receiver operating characteristic; the name comes from radar).

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.roc({"test events": (test, score_test)}, cut=0.5)
plotting.show(
    fig,
    alt="ROC curve of the test events: signal efficiency against background efficiency, from (0, 0) to (1, 1). It lies well above the "
    "diagonal, which stands for no separation. A marker shows the cut at 0.5.",
)

# %% [markdown]
# ### The area under the curve
#
# The area under this curve, the *AUC*, sums it up in one number. It has a simple meaning. Draw one signal event and
# one background event by lot. The AUC is the probability that the signal event has the higher score:
#
# $$ \text{AUC} = \frac{\sum_i \sum_j w_i w_j \,\big[\, p_i > p_j \,\big]}{\sum_i w_i \sum_j w_j},
# \qquad i \in \text{signal},\ j \in \text{background} . $$
#
# The bracket is 1 if it is true, 0 if it is not, and one half if both scores are the same. A network that guesses
# has an AUC of 0.5, a perfect one of 1. (With negative weights this is no longer strictly a probability, but the
# formula stands.)

# %% [markdown]
# ### Exercise 3.5 – The AUC is a probability (write code)
#
# Write this formula for arrays `score`, `label` and `weight` of a few hundred events. Compare every signal event
# with every background event: `a[:, None] - b[None, :]` gives all differences, shape `(n_signal, n_background)`.
# Weights may be negative. Return one number.


# %% tags=["exercise-3.5"]
def area(score, label, weight):
    """Return the weighted probability that a signal event has a higher score than a background event."""
    ### BEGIN SOLUTION
    signal, background = label == 1, label == 0
    difference = score[signal][:, None] - score[background][None, :]
    won = (difference > 0) + 0.5 * (difference == 0)
    pairs = weight[signal][:, None] * weight[background][None, :]
    return (pairs * won).sum() / pairs.sum()
    ### END SOLUTION


# %% tags=["check-3.5"]
area = checks.exercise_3_5(area)

# %% [markdown]
# For all test events, that would be a billion pairs or more. There is a quicker way: sort the events by score, and add up
# the weights from the highest score down. This gives the ROC curve at all cuts at once, and its area with the
# trapezoid rule. Both ways agree:

# %% tags=["nbval-ignore-output"]
few = np.random.default_rng(SEED).choice(len(test), 2000, replace=False)
order = np.argsort(-score_test[few])
signal_efficiency, background_efficiency = (
    np.cumsum(np.where(label[few][order] == y, weight[few][order], 0)) / weight[few][label[few] == y].sum()
    for y in (1, 0)
)
print(f"2000 test events, all pairs:       {area(score_test[few], label[few], weight[few]):.4f}")
print(f"2000 test events, cumulative sums: {np.trapezoid(signal_efficiency, background_efficiency):.4f}")
print(f"all test events:                   {metrics.auc(test, score_test):.4f}")

# %% [markdown]
# The first two agree to many digits. The third is another number. (In two thousand events there are only a few of
# the heavy Z and top-pair events.) So how well do we know the AUC at all? We can find out with the *bootstrap*:
# invent other sets of test events that might have come out as well, by counting each event 0, 1, 2 … times, a
# random number from the Poisson distribution with mean 1. The spread of the AUC over such sets is its statistical
# uncertainty. (We invent 25 sets. With so many, the error itself is known to about 14 %. This takes a few seconds.)


# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(SEED)
selections = {"all backgrounds": np.ones(len(test), bool)}
process = test["sample"].astype(str).map({name: samples.get(name).process for name in samples.SIMULATED}).to_numpy()
selections |= {name: (process == name) | (label == 1) for name in ("ZZ", "Z", "ttbar")}
aucs, errors = {}, {}
for name, chosen in selections.items():
    part, scores, w = test[chosen], score_test[chosen], weight[chosen]
    aucs[name] = metrics.auc(part, scores)
    errors[name] = np.std([metrics.auc(part, scores, w * rng.poisson(1, len(w))) for _ in range(25)])
fig, ax = plotting.comparison(aucs, errors, xlabel="AUC of test events: signal against each background", reference=0.5)
plotting.stamp(ax, luminosity=None)
plotting.show(
    fig,
    alt="AUC of the test events with errors, for signal against all backgrounds together, against ZZ, Z and top pairs alone. The AUC "
    "against ZZ is large and precise; those against Z and top pairs are not far above one half and have large errors.",
)

# %% [markdown]
# The AUC depends on which background you ask for. Against ZZ, of which the network saw many thousands of events, it is
# good, and precisely known. Against Z and top pairs it is much closer to one half: the network tells both from the signal only
# poorly. They were too few among the training events to matter, so it never learnt what they look like. Their errors
# are large as well, since few events of each are left to test with. Keep this in mind for chapters 4 and 5.

# %% [markdown]
# ### Exercise 3.6 – Reading the ROC curve (read a plot)
#
# At a signal efficiency of 80 %, what is the *background rejection* $1/\varepsilon_b$? Read the background
# efficiency from the ROC curve and give one over it.

# %% tags=["exercise-3.6"]
### BEGIN SOLUTION
curve = metrics.roc_curve(label, score_test, weight)
rejection = 1 / np.interp(0.8, curve.signal_efficiency, curve.background_efficiency)
### END SOLUTION

# %% tags=["check-3.6"]
checks.exercise_3_6(rejection, events=test, score=score_test, efficiency=0.8)

# %% [markdown]
# ## 3.4 What a working point costs
#
# A cut on the score is called a *working point*. Often one starts from the signal: it is rare, and we want to keep,
# say, 80 % of it. What does the cut have to be?

# %% [markdown]
# ### Exercise 3.7 – The cut for an efficiency (write code)
#
# Return the tightest cut whose signal efficiency is at least `efficiency`. It is the score of a signal event: sort
# the signal by score, highest first, add up the weights, and stop as soon as the share is reached. Mind that sums
# of decimals may miss their target by a rounding error.


# %% tags=["exercise-3.7"]
def cut_for(score, label, weight, efficiency):
    """Return the largest cut that keeps at least the given share of the expected signal."""
    ### BEGIN SOLUTION
    signal_score, signal_weight = score[label == 1], weight[label == 1]
    order = np.argsort(-signal_score)
    kept = np.cumsum(signal_weight[order]) / signal_weight.sum()
    return signal_score[order][np.argmax(kept >= efficiency - 1e-9)]
    ### END SOLUTION


# %% tags=["check-3.7"]
cut_for = checks.exercise_3_7(cut_for)

# %% tags=["nbval-ignore-output"]
rows = []
for target in (1.0, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3):
    cut = cut_for(score_test, label, weight, target)
    passed = score_test >= cut
    s, b = weight[passed & (label == 1)].sum(), weight[passed & (label == 0)].sum()
    b_error = np.sqrt((weight[passed & (label == 0)] ** 2).sum())
    rows.append(
        {
            "signal efficiency": s / total_signal,
            "cut": cut,
            "background rejection": total_background / b,
            "s": s,
            "b": b,
            "error of b": b_error,
            "b per s": b / s,
            "s/√b": s / np.sqrt(b),
        }
    )
working_points = pd.DataFrame(rows)
working_points.round(3)

# %% [markdown]
# `s` and `b` are expected events in 10 fb⁻¹. `error of b` is the statistical uncertainty of the simulation: how
# well we know $b$. The significance estimate $s/\sqrt{b}$ was about one half without a cut. It rises to
# about 0.7 near a signal efficiency of 70 to 80 %, and falls again for tighter cuts: four momenta are not
# enough to discover the Higgs boson. Chapter 7 is about the best cut, and about what
# significance means.

# %% [markdown]
# ### Exercise 3.8 – Choose a working point (in your words)
#
# Which kind of working point would you choose for each of these, and why? (a) A first filter, after which a slower
# and better analysis looks at what is left. (b) A measurement of the angles between the leptons in Higgs decays.
# (c) A display of a few events for the visitors' centre, most of which should be Higgs bosons.

# %% tags=["exercise-3.8", "written"]
### BEGIN SOLUTION
answer_3_8 = """(a) A loose one, with a signal efficiency of 95 % or more: what the filter loses is lost for good, and the background can still be
removed later. (b) A medium one: both lost signal and remaining background make the result less precise, so one looks for the best compromise, and
checks that the cut does not favour certain angles. (c) As tight as possible, since purity is all that counts; but with this network even
the highest scores are mostly background, so it cannot be done with these four variables alone."""
### END SOLUTION

# %% tags=["check-3.8"]
checks.written("3.8", answer_3_8)

# %% [markdown]
# ## 3.5 What the score means
#
# The network says 0.8. Is this event a Higgs boson with a probability of 80 %? A score is called *calibrated* if
# among the events with a score of $p$ a share $p$ is signal. Let us see, for test events that count the same each,
# as in the training:

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.calibration({"each event counts the same": (test, score_test, np.ones(len(test)))})
plotting.show(
    fig,
    alt="Reliability diagram: share of signal among test events against the mean score of ten bins, with every simulated event counted once. The points lie "
    "close to the diagonal, but for the last, which has few events and a large error. Below, the number of events of each bin.",
)

# %% [markdown]
# Close to the diagonal: the score is a good estimate of the probability. This is what minimising the cross-entropy
# is meant to achieve. (Only few events have the highest scores, and there the points say little.) Now the same with expected events, that is, with weights:

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.calibration(
    {"each event counts the same": (test, score_test, np.ones(len(test))), "expected events": (test, score_test)}
)
plotting.show(
    fig,
    alt="Reliability diagram with two curves. With every simulated event counted once the points follow the diagonal. With expected events they "
    "lie close to zero at all scores.",
)

# %% [markdown]
# Whatever the score, nearly all expected events are background. The score is the probability in the mixture *of the
# training*, where signal is common. In nature it is rare, two or three events in a hundred.
#
# The formula of section 3.1 shows the way out. The densities $s(x)$ and $b(x)$ stay the same, and only the share
# $\pi$ changes to $\pi'$. Eliminate $s/b$ from the formulas for both mixtures, and you get (this is Bayes'
# theorem):
#
# $$ p' = \frac{p\,\dfrac{\pi'}{\pi}}{p\,\dfrac{\pi'}{\pi} + (1-p)\,\dfrac{1-\pi'}{1-\pi}} . $$

# %% [markdown]
# ### Exercise 3.9 – Another mixture (write code)
#
# Complete the function: `score` is an array of scores $p$, `share` is the share of signal $\pi$ in the training,
# and `new_share` the share $\pi'$ for which you want the probability. Return an array of the shape of `score`.


# %% tags=["exercise-3.9"]
def to_mixture(score, share, new_share):
    """Return the probability of signal in a mixture with another share of signal."""
    ### BEGIN SOLUTION
    signal = score * new_share / share
    background = (1 - score) * (1 - new_share) / (1 - share)
    return signal / (signal + background)
    ### END SOLUTION


# %% tags=["check-3.9"]
to_mixture = checks.exercise_3_9(to_mixture)

# %% tags=["nbval-ignore-output"]
expected_share = total_signal / (total_signal + total_background)
probability = to_mixture(score_test.astype(float), train_share, expected_share)
print(f"share of signal: {train_share:.3f} in the training, {expected_share:.4f} expected in nature")
for score in (0.5, 0.8):
    p = to_mixture(np.array([score]), train_share, expected_share)[0]
    print(f"a score of {score} becomes a probability of {p:.3f}")

# %% [markdown]
# Is this probability calibrated now? We ask twice. First, we keep the events as they were mixed in the training,
# and change only the share of signal: all signal events get one weight, all background events another. Second, we
# take the expected events, with their own weights.

# %% tags=["nbval-ignore-output"]
share_test = float(label.mean(dtype=float))
new_share_only = np.where(label == 1, expected_share / share_test, (1 - expected_share) / (1 - share_test))
limit = 0.2
fig, (ax, below) = plotting.calibration(
    {
        "only the share changed": (test, probability, new_share_only),
        "expected events": (test, probability),
    },
    bins=np.array([0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, limit]),
)
ax.set(xlim=(0, limit), ylim=(0, limit))
below.set_xlabel("corrected probability (mean of the bin)")
plotting.show(
    fig,
    alt="Reliability diagram of the corrected probability, up to 0.2. Where only the share of signal is changed, the points lie near the diagonal. "
    "With expected events they fall below it at high probabilities.",
)

# %% [markdown]
# If only the share changes, the corrected score is about as good a probability as the score was before. With
# expected events it is too optimistic where it is high. Nothing is wrong with Bayes' theorem. But we assumed that
# $s(x)$ and $b(x)$ stay the same, and they do not. In the training nearly all background was ZZ; in nature about a
# third is Z and top pairs, which get high scores far more often. That is why the probability is too optimistic. (The
# signal changes as well: half of it was made in vector boson fusion in the training, in nature less than a tenth. This
# effect is smaller.)
#
# Bayes' theorem repairs a change of the share, but not a change of the composition. One could read the right probability
# off the figure. But the network would still put the events in the wrong order. It has to be told in the training, by
# event weights: chapter 5.

# %% [markdown]
# ### Exercise 3.10 – A score of 0.8 (in your words)
#
# A friend has applied your network to a collision event and tells you: «The score is 0.8, so this is a Higgs boson
# with 80 % probability!» What do you answer? Name two reasons.

# %% tags=["exercise-3.10", "written"]
### BEGIN SOLUTION
answer_3_10 = """First, 80 % holds in the mixture of the training, where more than a third of the events are signal. In nature it is two or three in a hundred, and
with that share the same score means a probability of about one in eight. Second, even this needs a background that is composed as in the
training, and simulated correctly: Z and top-pair events, which the network hardly knows, can have high scores too."""
### END SOLUTION

# %% tags=["check-3.10"]
checks.written("3.10", answer_3_10)

# %% [markdown]
# ## 3.6 Handing on

# %% tags=["nbval-ignore-output"]
scores = test[["sample", "weight"]].assign(label=label, score=score_test)[["sample", "label", "weight", "score"]]
chapter.write_table("test_scores", scores)
at_80 = working_points.iloc[3]
numbers = {
    "auc_raw_training": metrics.auc(train, score_train, np.ones(len(train))),
    "auc_raw_test": metrics.auc(test, score_test, np.ones(len(test))),
    "auc_test": aucs["all backgrounds"],
    "auc_test_error": errors["all backgrounds"],
    "auc_test_zz": aucs["ZZ"],
    "loss_training": losses.loc["training", "loss"],
    "loss_test": losses.loc["test", "loss"],
    "rejection_at_80": at_80["background rejection"],
    "significance_at_80": at_80["s/√b"],
    "expected_share": expected_share,
}
chapter.write_numbers(numbers)
pd.Series(numbers).round(4)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(3)

# %% [markdown]
# ## Summary
#
# - A network is judged on events that it has never seen. Here training and test events agree: five epochs have not
#   made it memorise.
# - With weights, the test events show what nature would: little signal, and backgrounds that were rare in the
#   training.
# - The ROC curve shows all compromises between signal and background efficiency. The AUC is the probability that a
#   signal event beats a background event.
# - A working point has a price: expected signal events lost, background events kept. Four momenta give some
#   separation, but far from enough.
# - The score is a probability in the mixture of the training, not in nature. Bayes' theorem
#   corrects for another share, not for another composition.
#
# ## Further reading
#
# - T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27 (2006) 861.
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, *On Calibration of Modern Neural Networks*, arXiv:1706.04599.
# - K. Cranmer, J. Pavez, G. Louppe, *Approximating Likelihood Ratios with Calibrated Discriminative Classifiers*,
#   arXiv:1506.02169.
#
# Next: [chapter 4, early stopping](chapter4_early_stopping.ipynb).
