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
# You have trained a network. Is it any good, and is it better than the single cut of chapter 1? In this chapter you open the test
# events, which it has never seen, and judge it. One number cannot do this: how good a network is depends on what you want from it. But
# there is a best possible score, and you are going to meet it first. In the end you will know what a score means, and what it does not.

# %% [markdown]
# ## What you will do
#
# - derive the best possible score where it is known, and watch a network find it;
# - look at the score of signal and background, on training and on test events;
# - weight the test events, so that they show what nature would;
# - draw the ROC curve, understand the area under it as a probability, and put the cut of chapter 1 on it;
# - find out what a working point costs, in events;
# - turn the score into a probability in nature's mixture of signal and background, and see where this fails.
#
# | time | needs | makes |
# |---|---|---|
# | 130 minutes | the events of chapter 1, the network of chapter 2 | the score of all test events |

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

import numpy as np
import pandas as pd
from scipy import stats

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
# ## 3.1 The best possible score
#
# Before we ask how good a network is: how good can any score be? Take one measured quantity $x$, with the density $s(x)$ for signal and $b(x)$ for background.
# Which rule keeps the most signal for a given amount of background? The answer is a theorem, the
# [lemma of Neyman and Pearson](../course/glossary.md#neyman-pearson): keep the events whose ratio $s(x)/b(x)$ is above some value. No other rule does better.
#
# So a score need not *be* this ratio. It is enough if it rises when the ratio rises. A famous one is the probability that an event at $x$ is signal. If a share $\pi$ of all
# events is signal, it is
#
# $$ p(x) = \frac{\pi\, s(x)}{\pi\, s(x) + (1-\pi)\, b(x)} . $$
#
# It also happens to be what a network looks for. Let $q$ be the share of signal at some $x$. The mean loss there is $-q\log p - (1-q)\log(1-p)$; its derivative with respect to $p$ vanishes
# at $p = q$, and $q$ is the fraction above. So a network that minimises the cross-entropy, and is good enough at it, finds the best score there is. Is it good enough? Let us try where the answer is known.

# %% [markdown]
# ### Exercise 3.1 – Two Gaussians (derive)
#
# Signal has a Gaussian density of width 1 around $+d/2$, background one around $-d/2$. A share $\pi$ of the events is signal. Derive $p(x)$. It becomes much simpler than it looks: you
# will recognise the function.


# %% tags=["exercise-3.1"]
def best_score(x, distance, share):
    """Return the probability of signal at x, if the means are +distance/2 and −distance/2 and both widths are 1."""
    ### BEGIN SOLUTION
    log_odds = distance * x + np.log(share / (1 - share))
    return 1 / (1 + np.exp(-log_odds))
    ### END SOLUTION


# %% tags=["check-3.1"]
best_score = checks.exercise_3_1(best_score)

# %% [markdown]
# A sigmoid of a linear function: a single neuron can do it, and its bias holds the share of signal. Now a network with a hidden layer of eight neurons, which knows nothing of Gaussians:

# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(SEED)
toy_label = (rng.random(20_000) < 0.4).astype(np.float32)
toy_x = rng.normal(np.where(toy_label == 1, 1.0, -1.0), 1.0).astype(np.float32)[:, None]
toy_network = network.build(1, hidden=(8,), normalise=toy_x, learning_rate=5e-3, seed=SEED)
training.fit(toy_network, toy_x, toy_label, epochs=20, batch_size=128, seed=SEED, progress=False)
x = np.linspace(-4, 4, 161)
found, exact = training.predict(toy_network, x[:, None].astype(np.float32)), best_score(x, 2.0, 0.4)
with plotting.use_style():
    fig, (ax, below) = plotting.new_figure(2, 1, width=5.8, height=4.4, sharex=True, height_ratios=(3, 2))
    ax.plot(x, exact, color="#222222", label="exact")
    ax.plot(x, found, "--", color="#D55E00", linewidth=2.2, label="network")
    ax.set(ylabel="probability of signal", ylim=(0, 1))
    ax.legend(loc="upper left")
    below.hist(
        [toy_x[toy_label == y, 0] for y in (0, 1)],
        bins=40,
        range=(-4, 4),
        histtype="step",
        color=["#0072B2", "#D55E00"],
        label=["background", "signal"],
    )
    below.set(xlabel="x", ylabel="events / bin", xlim=(-4, 4))
    below.legend(loc="upper left", fontsize=8.5)
plotting.show(
    fig,
    alt="Above, the exact probability of signal against x, a sigmoid, and the score of the network, which follows it. Below, the histograms of background around −1 and signal around +1.",
)
print(
    f"mean difference from the exact probability, over the events: {np.abs(training.predict(toy_network, toy_x) - best_score(toy_x[:, 0], 2.0, 0.4)).mean():.3f}"
)

# %% [markdown]
# It has found the best score, without being told what to look for. This is why networks are worth the trouble: with four inputs, or twenty-four, nobody knows $s(x)$ and $b(x)$, and nobody has to.
#
# Once there is a score, one decides by a cut, the *threshold*: above it an event counts as signal. Then each event is in one of four boxes, the
# [confusion matrix](../course/glossary.md#confusion-matrix):
#
# ![The scores of background and signal as two bell-shaped curves with a cut between them; what passes is hatched. Below, a table: signal passed is a true positive, signal rejected a false negative,
# background passed a false positive, background rejected a true negative. Beside it the ROC curve with the point of this cut.](../course/figures/confusion_and_working_point.svg)
# Move it; the score is $x$ itself. *With 2.4 % signal (that is what nature gives us), find a threshold for which more than half of the kept events are signal. What does it cost?*

# %% tags=["nbval-ignore-output"]
interactive.threshold()

# %% [markdown]
# ## 3.2 The score on training events
#
# Now your network. We begin with the events that it knows. `training.predict` applies it to all of them at once. The figure
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
# ### Exercise 3.2 – Where the classes cross (read a plot)
#
# At which score do the two curves cross? Read it from the figure, to within 0.05. Then look at the number that the
# next cell prints. A coincidence? (Section 3.1 knows why.)

# %% tags=["exercise-3.2"]
### BEGIN SOLUTION
counts = [np.histogram(score_train[y_train == y], 40, (0, 1), density=True)[0] for y in (0, 1)]
crossing = (np.cumsum(counts[0] - counts[1]).argmax() + 1) / 40
### END SOLUTION

# %% tags=["check-3.2"]
checks.exercise_3_2(crossing, score=score_train, label=y_train)

# %% tags=["nbval-ignore-output"]
train_share = float(y_train.mean(dtype=float))
print(f"share of signal among the training events: {train_share:.3f}")

# %% [markdown]
# No coincidence. Where both densities are equal, the formula gives $p = \pi$. It holds for the densities of the score as well, if the network has found $p(x)$: then all $x$ with the same score have the same ratio $s/b$.

# %% [markdown]
# ## 3.3 Test events
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

# %% [markdown]
# ### Exercise 3.3 – Signal and background above a cut (predict, then compute)
#
# More than a third of the simulated events are signal. In nature it is two or three in a hundred. Take the events with a score of at least 0.6: how many expected background events come with each
# expected signal event? Guess first. Then compute the number from `score_test`, `label` and `weight`.

# %% tags=["exercise-3.3"]
### BEGIN SOLUTION
passed = score_test >= 0.6
background_per_signal = weight[passed & (label == 0)].sum() / weight[passed & (label == 1)].sum()
### END SOLUTION

# %% tags=["check-3.3"]
checks.exercise_3_3(background_per_signal, events=test, score=score_test, cut=0.6)

# %% [markdown]
# ## 3.4 Efficiency and purity
#
# The *signal efficiency* of a cut is the share of the signal that passes, the *background efficiency* that of the background:
#
# $$ \varepsilon_s = \frac{\sum_{\text{signal, passed}} w}{\sum_\text{signal} w}, \qquad
# \varepsilon_b = \frac{\sum_{\text{background, passed}} w}{\sum_\text{background} w} . $$
#
# The [*purity*](../course/glossary.md#purity) is the share of signal among the events that pass. Computer scientists call the first *recall* and the last *precision*.


# %%
def efficiencies(score, label, weight, cut):
    """Return (signal efficiency, background efficiency) of a cut, weighted: events pass if score >= cut."""
    passed = score >= cut
    return tuple(weight[passed & (label == y)].sum() / weight[label == y].sum() for y in (1, 0))


# %% [markdown]
# ### Exercise 3.4 – The doctor's question (derive)
#
# A test finds 95 % of those who are ill, and is wrong for only 5 % of those who are healthy. One person in a hundred is ill. Your test is positive: how probably are you ill? It is the same question as that for the purity of a cut. Derive it from the two efficiencies and from the
# share of signal among all events, before any cut.


# %% tags=["exercise-3.4"]
def purity(signal_efficiency, background_efficiency, share):
    """Return the share of signal among the events that pass a cut, if `share` is that among all events."""
    ### BEGIN SOLUTION
    signal = signal_efficiency * share
    background = background_efficiency * (1 - share)
    return signal / (signal + background)
    ### END SOLUTION


# %% tags=["check-3.4"]
purity = checks.exercise_3_4(purity)

# %% tags=["nbval-ignore-output"]
expected_share = total_signal / (total_signal + total_background)
print(f"the test of the doctor: {purity(0.95, 0.05, 0.01):.2f}")
rows = []
for cut in np.arange(0.1, 0.9, 0.1):
    e_s, e_b = efficiencies(score_test, label, weight, cut)
    raw_s, raw_b = efficiencies(score_test, label, np.ones(len(label)), cut)
    rows.append((cut, e_s, e_b, purity(e_s, e_b, expected_share), raw_b, purity(raw_s, raw_b, train_share)))
pd.DataFrame(
    rows,
    columns=[
        "cut",
        "signal efficiency",
        "background efficiency",
        "purity in nature",
        "background efficiency, counted once",
        "purity in the training",
    ],
).round(3)

# %% [markdown]
# For one process, a cut has the same efficiency wherever it is used. For the background as a whole, it depends on what that is made of: compare the two columns. And the purity depends, besides, on the share of signal. The same cut that is right more than eight times out of ten in the training is wrong nine times out of ten in nature.
#
# ## 3.5 The ROC curve
#
# Each cut is a compromise: a tight one loses signal, a loose one keeps background. Drawn against each other for all
# cuts, the two efficiencies make the [*ROC curve*](../course/glossary.md#roc-curve) (receiver operating characteristic; the name comes from radar).

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
# The area under this curve, the [*AUC*](../course/glossary.md#auc), sums it up in one number. It has a simple meaning. Draw one signal event and
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
# the heavy Z and top-pair events.) So how well do we know the AUC at all? We can find out with the [*bootstrap*](../course/glossary.md#bootstrap):
# invent other sets of test events that might have come out as well, by counting each event 0, 1, 2 … times, a
# random number from the Poisson distribution with mean 1. The spread of the AUC over such sets is its statistical
# uncertainty. (We invent 25 sets. With so many, the error itself is known to about 14 %. This takes a few seconds.)


# %% tags=["nbval-ignore-output"]
process = test["sample"].astype(str).map({name: samples.get(name).process for name in samples.SIMULATED}).to_numpy()
selections = {"all backgrounds": np.ones(len(test), bool)}
selections |= {name: (process == name) | (label == 1) for name in ("ZZ", "Z", "ttbar")}
aucs, errors = {}, {}
for name, chosen in selections.items():
    part, scores, w = test[chosen], score_test[chosen], weight[chosen]
    aucs[name] = metrics.auc(part, scores)
    errors[name] = np.std([metrics.auc(part, scores, w * rng.poisson(1, len(w))) for _ in range(25)])
pd.DataFrame({"AUC": aucs, "error": errors}).round(4)

# %% [markdown]
# The AUC depends on which background you ask for. Against ZZ, of which the network saw many thousands of events, it is
# good, and precisely known. Against Z and top pairs it is much closer to one half: the network tells both from the signal only
# poorly. They were too few among the training events to matter, so it never learnt what they look like. Their errors
# are large as well, since few events of each are left to test with. Keep this in mind for chapters 4 and 5.

# %% [markdown]
# ### Exercise 3.6 – The AUC of two Gaussians (derive)
#
# Back to the two Gaussians of section 3.1, at the distance $d$. What is their AUC, exactly? Draw a signal value and a background value: how is their *difference* distributed? (`scipy.stats.norm.cdf(z)` is the probability that a
# standard Gaussian is below `z`.) How far must they be apart for the AUC that your network has?


# %% tags=["exercise-3.6"]
def gaussian_auc(distance):
    """Return the AUC of two Gaussians of width 1 whose means are `distance` apart."""
    ### BEGIN SOLUTION
    return stats.norm.cdf(distance / np.sqrt(2))
    ### END SOLUTION


# %% tags=["check-3.6"]
gaussian_auc = checks.exercise_3_6(gaussian_auc)

# %% tags=["nbval-ignore-output"]
toy_score = training.predict(toy_network, toy_x)
few_toys = slice(0, 2000)
print(
    f"two Gaussians at distance 2: exactly {gaussian_auc(2.0):.4f}, by your pairs {area(toy_score[few_toys], toy_label[few_toys], np.ones(2000)):.4f}"
)
distances = np.linspace(0, 4, 401)
like = distances[np.argmin(np.abs([gaussian_auc(d) - aucs["all backgrounds"] for d in distances]))]
print(
    f"your network, with an AUC of {aucs['all backgrounds']:.3f}, tells signal from background like Gaussians at distance {like:.2f}"
)

# %% [markdown]
# ### The cut of chapter 1 on the curve
#
# A window in one variable is a rule with one signal and one background efficiency: a single point. If it lies below the curve, the network is better: with the same background it keeps more signal.

# %% tags=["nbval-ignore-output"]
window = leaderboard.baseline(chapter, test)
with plotting.use_style():
    fig, axes = plotting.new_figure(1, 2, width=8, height=4, sharey=True)
    for ax, w, name in zip(
        axes, (np.ones(len(test)), weight), ("each event counted once", "expected events"), strict=True
    ):
        curve = metrics.roc_curve(label, score_test, w)
        ax.plot(curve.background_efficiency, curve.signal_efficiency, label=f"network: AUC {curve.auc:.3f}")
        e_s, e_b = efficiencies(window.astype(float), label, w, 1.0)
        at_same_background = np.interp(e_b, curve.background_efficiency, curve.signal_efficiency)
        print(
            f"{name}: the window keeps {e_s:.3f} of the signal and {e_b:.3f} of the background; there the network keeps {at_same_background:.3f}"
        )
        ax.plot(e_b, e_s, "*", color="#E69F00", markersize=14, markeredgecolor="black", label="window of chapter 1")
        ax.plot((0, 1), (0, 1), ":", color="#6B6B6B")
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="background efficiency", title=name)
        ax.legend(loc="lower right", fontsize=9)
    axes[0].set_ylabel("signal efficiency")
plotting.show(
    fig,
    alt="Two ROC curves of the network with a star for the window of chapter 1. With each simulated event counted once the star lies below the curve; with expected events it lies on it.",
)

# %% [markdown]
# ### Exercise 3.7 – Why does the window keep up? (in your words)
#
# Counted once each, the network beats the window clearly. In expected events, little or nothing is left of this advantage. Both judge the same events. What has changed? And whose fault is it: that of the four momenta, of the network, or of its training?

# %% tags=["exercise-3.7", "written"]
### BEGIN SOLUTION
answer_3_7 = """In expected events a third of the background is Z and top pairs, which are less than one per cent of the simulated events. The network was trained
with every event counted once, so it has learnt to tell the Higgs boson from ZZ, and hardly anything about the others; in nature it is judged on them as well. The
window was chosen with event weights. So it is the training: it answered another question than the one that is asked here."""
### END SOLUTION

# %% tags=["check-3.7"]
checks.written("3.7", answer_3_7)

# %% [markdown]
# ## 3.6 What a working point costs
#
# A cut on the score is called a *working point*. Often one starts from the signal: it is rare, and we want to keep,
# say, 80 % of it. What does the cut have to be?

# %% [markdown]
# ### Exercise 3.8 – The cut for an efficiency (write code)
#
# Return the tightest cut whose signal efficiency is at least `efficiency`. It is the score of a signal event: sort
# the signal by score, highest first, add up the weights, and stop as soon as the share is reached. Mind that sums
# of decimals may miss their target by a rounding error.


# %% tags=["exercise-3.8"]
def cut_for(score, label, weight, efficiency):
    """Return the largest cut that keeps at least the given share of the expected signal."""
    ### BEGIN SOLUTION
    signal_score, signal_weight = score[label == 1], weight[label == 1]
    order = np.argsort(-signal_score)
    kept = np.cumsum(signal_weight[order]) / signal_weight.sum()
    return signal_score[order][np.argmax(kept >= efficiency - 1e-9)]
    ### END SOLUTION


# %% tags=["check-3.8"]
cut_for = checks.exercise_3_8(cut_for)

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
# about 0.7 near a signal efficiency of 70 to 80 %, and falls again for tighter cuts: four transverse momenta are not
# enough to discover the Higgs boson. Chapter 7 is about the best cut, and about what
# significance means.

# %% [markdown]
# ### Exercise 3.9 – Choose a working point (in your words)
#
# Which kind of working point would you choose for each of these, and why? (a) A first filter, after which a slower
# and better analysis looks at what is left. (b) A measurement of the angles between the leptons in Higgs decays.
# (c) A display of a few events for the visitors' centre, most of which should be Higgs bosons.

# %% tags=["exercise-3.9", "written"]
### BEGIN SOLUTION
answer_3_9 = """(a) A loose one, with a signal efficiency of 95 % or more: what the filter loses is lost for good, and the background can still be
removed later. (b) A medium one: both lost signal and remaining background make the result less precise, so one looks for the best compromise, and
checks that the cut does not favour certain angles. (c) Where the purity is highest, and that need not
be the tightest cut: with this network it is about one in ten at best, so it cannot be done with these four variables alone."""
### END SOLUTION

# %% tags=["check-3.9"]
checks.written("3.9", answer_3_9)

# %% [markdown]
# ## 3.7 What the score means
#
# The network says 0.8. Is this event a Higgs boson with a probability of 80 %? A score is called [*calibrated*](../course/glossary.md#calibration) if
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
# Close to the diagonal. But how close? By eye, nobody can say: most errors are smaller than the markers. Divide each deviation by its error, and look at these [*pulls*](../course/glossary.md#pull). If the score were calibrated, about two thirds of them would lie between −1 and 1.

# %% tags=["nbval-ignore-output"]
bins = np.minimum((10 * score_test).astype(int), 9)
n_in_bin = np.bincount(bins, minlength=10)
filled = n_in_bin > 20  # where there are fewer events, the error is no Gaussian one
mean_score = np.bincount(bins, weights=score_test, minlength=10)[filled] / n_in_bin[filled]
signal_in_bin = np.bincount(bins, weights=label, minlength=10)[filled] / n_in_bin[filled]
pulls = (signal_in_bin - mean_score) / np.sqrt(mean_score * (1 - mean_score) / n_in_bin[filled])
print("pulls, from low scores to high ones:", *np.round(pulls, 1))
print(f"χ² = {np.sum(pulls**2):.0f} for {len(pulls)} bins")

# %% [markdown]
# The picture looked nearly perfect, and is not: pulls of several errors, too many and too large for chance. The deviations are small, about a hundredth, but they are there. At the minimum of the cross-entropy, for infinitely many events, a network would be calibrated; yours is not there. Longer training brings it closer: chapter 4 will tell how close.
#
# Now the same with expected events, that is, with weights:

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
# The formula of section 3.1 shows the way out. The densities $s(x)$ and $b(x)$ stay the same, and only the share $\pi$ changes to $\pi'$.

# %% [markdown]
# ### Exercise 3.10 – Another mixture (derive)
#
# Write the formula for both mixtures, eliminate $s/b$, and derive the new probability $p'$ from the old one. (Multiply out, so that nothing is divided by $1-p$: scores of exactly 0 and 1 stay what they are.) Arguments: `score` is an array of scores $p$, `share` is the share of signal $\pi$ in the training,
# and `new_share` the share $\pi'$ for which you want the probability. Return an array of the shape of `score`. (This is Bayes' theorem, though it does not look like it.)


# %% tags=["exercise-3.10"]
def to_mixture(score, share, new_share):
    """Return the probability of signal in a mixture with another share of signal."""
    ### BEGIN SOLUTION
    signal = score * new_share / share
    background = (1 - score) * (1 - new_share) / (1 - share)
    return signal / (signal + background)
    ### END SOLUTION


# %% tags=["check-3.10"]
to_mixture = checks.exercise_3_10(to_mixture)

# %% tags=["nbval-ignore-output"]
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
# ### Exercise 3.11 – A score of 0.8 (in your words)
#
# A friend has applied your network to a collision event and tells you: «The score is 0.8, so this is a Higgs boson
# with 80 % probability!» What do you answer? Name two reasons.

# %% tags=["exercise-3.11", "written"]
### BEGIN SOLUTION
answer_3_11 = """First, 80 % holds in the mixture of the training, where more than a third of the events are signal. In nature it is two or three in a hundred, and
with that share the same score means a probability of about one in eight. Second, even this needs a background that is composed as in the
training, and simulated correctly: Z and top-pair events, which the network hardly knows, can have high scores too."""
### END SOLUTION

# %% tags=["check-3.11"]
checks.written("3.11", answer_3_11)

# %% [markdown]
# ## 3.8 Network against window

# Now the question of the beginning: is the network better than one cut? The cut on its score is chosen on training events, where the expected significance $Z$ (not the boson) is largest, and quoted on test events, as the window was in chapter 1. Both judge the same test events, so the difference is known better than if they were independent.

# %% tags=["nbval-ignore-output"]
train_at_full_yield = weights.match_yields(train, events)
on_training = significance.scan(
    score_train, features.labels(train), train_at_full_yield["weight"], groups=train["sample"]
)
best_cut = float(significance.best(on_training).cut)
passes = score_test >= best_cut
row = leaderboard.row(
    "first network",
    test,
    passes,
    window,
    score=score_test,
    inputs="four pT",
    parameters=network.count_parameters([4, 60, 60, 1]),
)
chapter.write_table("leaderboard", pd.DataFrame([row]))
print(f"score ≥ {best_cut:.2f}; Z of the network minus Z of the window: {row['gain']:+.3f} ± {row['gain_error']:.3f}")
leaderboard.show(chapter)

# %% tags=["claim"]
assert abs(row["gain"]) < 0.1
assert np.sum(pulls**2) > 2 * len(pulls)

# %% [markdown]
# A draw: 4021 parameters are no better than one window with two numbers. That is a disappointment, and the most useful result of this chapter. Two complaints are left:
# - the network has not come to the end of its training: its loss still falls;
# - it was asked the wrong question: in the training every simulated event counts once, in nature it does not.
#
# The second is the greater one. But a network that is half trained cannot show what a better question brings. So *time* comes first, in chapter 4, and then the *weights*, in chapter 5. (Hold your breath: with the same four inputs there is much to win.)
#
# ## 3.9 Handing on

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
    "calibration_chi2": np.sum(pulls**2),
    "rejection_at_80": at_80["background rejection"],
    "significance_at_80": at_80["s/√b"],
    "gain_over_the_window": row["gain"],
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
# - The best possible score is the ratio of the densities, or anything that rises with it. A network that minimises the cross-entropy looks for it.
# - A network is judged on events that it has never seen. Here training and test events agree: five epochs have not
#   made it memorise.
# - A cut has an efficiency for each process. Its purity depends on the mixture that it is used on: in nature signal is rare.
# - The ROC curve shows all compromises between signal and background efficiency. The AUC is the probability that a
#   signal event beats a background event.
# - The score is a probability in the mixture of the training, not in nature. Bayes' theorem
#   corrects for another share, not for another composition.
# - In expected events, your network and one window of chapter 1 cannot be told apart.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. Somebody squares all scores of a network. What happens to its ROC curve?**
#
# <details><summary>Nothing.</summary>Right. Squaring keeps the order of the scores, and the curve knows only the order.</details>
# <details><summary>It comes closer to the diagonal.</summary>No. Each cut has a squared cut that keeps exactly the same events.</details>
# <details><summary>One must train again to know.</summary>No. The scores of all events are known, and their order stays the same.</details>
#
# **2. A network with an AUC of 0.99 selects events of which one in ten is signal. Is that possible?**
#
# <details><summary>No: with 0.99 almost everything that is selected is signal.</summary>No. The AUC knows nothing of how rare signal is.</details>
# <details><summary>Only if it is overtrained.</summary>No. It may be as good on unknown events, and signal may be very rare.</details>
# <details><summary>Yes, if signal is rare enough.</summary>Right. The purity depends on the share of signal before the cut.</details>
#
# **3. Which number says how good the network is for a measurement in nature?**
#
# <details><summary>Its accuracy on test events.</summary>No. It counts simulated events, in a mixture that nature does not have.</details>
# <details><summary>Its score, averaged over signal events.</summary>No. Scores can be moved at will without changing what a cut selects.</details>
# <details><summary>The significance at a cut that was chosen on other events.</summary>Right. It weights events as nature does, and nothing was chosen on the events that it is quoted for.</details>
#
# **4. A calibrated score of 0.7 is used where signal is ten times rarer than in the training. What does it mean there?**
#
# <details><summary>Still a probability of 70 %.</summary>No. Calibration holds for the mixture in which it was found.</details>
# <details><summary>A smaller probability, which one can compute if the densities have stayed the same.</summary>Right. That is exercise 3.10; and if the background has another composition, not even that holds.</details>
# <details><summary>Nothing at all.</summary>Too strict. The order of the events is still that of the ratio of the densities.</details>

# %% [markdown]
# ## What you can now do
#
# - write down the best possible score where the densities are known, and say what a network looks for where they are not;
# - judge a network by efficiencies, purity, ROC curve and AUC, and say which of them depends on the mixture;
# - test a calibration with pulls, and move it to another mixture;
# - compare a network with a plain cut, with an error on the difference.
#
# ## Further reading
#
# - T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27 (2006) 861.
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, *On Calibration of Modern Neural Networks*, arXiv:1706.04599.
# - K. Cranmer, J. Pavez, G. Louppe, *Approximating Likelihood Ratios with Calibrated Discriminative Classifiers*,
#   arXiv:1506.02169.
#
# Next: [chapter 4, early stopping](chapter4_early_stopping.ipynb).
