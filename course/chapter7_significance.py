# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 7 – Significance
#
# Your networks give every event a score. A particle physicist wants something else: *is the Higgs boson there, and how
# sure are you?* In this chapter you learn to answer that question before looking at the data. You choose a cut on the
# score, you work out what it can show, and you compare the models of chapters 2, 4 and 5. Then, at the very end, you open
# the data.

# %% [markdown]
# ## What you will do
#
# - turn a count of events into a p-value and a significance;
# - find out when the popular estimate $s/\sqrt{b}$ may be used, and when it misleads;
# - scan a cut on the score, and choose the best one without fooling yourself;
# - take into account that neither the background nor the simulation is known perfectly;
# - open the data, once, and say honestly what they show.
#
# | time | needs | makes |
# |---|---|---|
# | 100 minutes | the events of chapter 1, the models of chapters 2, 4 and 5, collision data | scans, best cuts, a comparison of the models |

# %%
from course import checks, interactive
from labcourse import features, ntuple, outputs, plotting, selection, significance, splitting, training, weights

import numpy as np
import pandas as pd
from scipy import stats

chapter = outputs.Chapter(7, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(7)

# %% [markdown]
# ## 7.1 How surprising is a count?
#
# Suppose you expect $b = 9$ background events and count $n = 18$. Have you found something?
#
# Nobody can answer that with yes or no. What we *can* compute is how often background alone would do this. The assumption that
# there is only background is the *null hypothesis*. Counts of rare, independent events follow the Poisson distribution:
#
# $$ P(N = n \mid b) = \frac{b^n e^{-b}}{n!} . $$
#
# The *p-value* is the probability that background alone gives a count at least as large as the one we saw,
# $p = P(N \ge n \mid b)$. "At least as large", because an even larger count would have impressed us too.
#
# A p-value says how unusual our data are *if there is no signal*. It is not the probability that there is no signal.
# For that you would have to say how likely you thought the signal was in the first place.

# %% [markdown]
# ### Exercise 7.1 – The p-value (write code)
#
# Write `p_value(n, b)`: the probability to count `n` events or more when `b` are expected. `n` is a whole number and
# `b` a positive one, or both are arrays. `scipy.stats.poisson` knows the distribution: `pmf(n, b)` is the probability of exactly `n`, `cdf(n, b)` that of
# at most `n`, and `sf(n, b)` that of *more than* `n`. Far out in the tail, `1 - cdf` loses all its digits; `sf` does not.


# %% tags=["exercise-7.1"]
def p_value(n, b):
    """Probability that a Poisson background of mean b gives n events or more."""
    ### BEGIN SOLUTION
    return stats.poisson.sf(np.asarray(n) - 1, b)
    ### END SOLUTION


# %% tags=["check-7.1"]
p_value = checks.exercise_7_1(p_value)

# %%
print(f"18 events where 9 are expected: p = {p_value(18, 9.0):.4f}")

# %% [markdown]
# ### From p to Z
#
# Small p-values are hard to read. So we translate them: the *significance* $Z$ is the number of standard deviations above
# which a Gaussian has a tail of area $p$.

# %% [markdown]
# ![A Gaussian of width one around the background hypothesis. The area above Z = 2 is filled: it is the p-value, about two per cent. A table lists p-values for Z
# from 1 to 5, with evidence at 3 and discovery at 5.](../course/figures/p_value_significance.svg)
#
# Only the tail on the right counts: a deficit of events would not make us shout "signal!". Particle physicists have two conventions.
# Three sigma ($p = 0.00135$) is called *evidence*, five sigma ($p = 2.9\cdot10^{-7}$) a *discovery*. The bar
# is that high because we look in many places, and because not every uncertainty is known.

# %% [markdown]
# ### Exercise 7.2 – The significance (write code)
#
# Write `z_value(p)`, which turns a one-sided p-value (a number or an array) into $Z$. For a Gaussian, `scipy.stats.norm.sf(z)` is the area above
# `z`, and `isf` is its inverse.


# %% tags=["exercise-7.2"]
def z_value(p):
    """Significance of a one-sided p-value."""
    ### BEGIN SOLUTION
    return stats.norm.isf(p)
    ### END SOLUTION


# %% tags=["check-7.2"]
z_value = checks.exercise_7_2(z_value)

# %%
print(f"18 events where 9 are expected: Z = {z_value(p_value(18, 9.0)):.2f}")

# %% [markdown]
# ## 7.2 The short cut, and where it fails
#
# A Poisson distribution of mean $b$ has the width $\sqrt{b}$. If $s$ signal events come on top, the excess is $s/\sqrt{b}$ widths.
# You met this estimate in chapter 5. It is the most popular one:
#
# $$ Z \approx \frac{s}{\sqrt{b}} . $$
#
# It needs only the *expected* numbers of events. So it can be computed before anyone looks at the data.

# %% [markdown]
# ### Exercise 7.3 – The simple significance (write code)
#
# Write `simple(s, b)` for numbers or arrays of the same shape, with positive `b`.


# %% tags=["exercise-7.3"]
def simple(s, b):
    """Expected significance for many background events, s/√b."""
    ### BEGIN SOLUTION
    return s / np.sqrt(b)
    ### END SOLUTION


# %% tags=["check-7.3"]
simple = checks.exercise_7_3(simple)

# %% [markdown]
# ### A million experiments
#
# Let us test it on the example: nine signal events on top of nine of background, so that $s/\sqrt{b} = 3$. We repeat the
# experiment a million times on the computer, with background only. Such *toy experiments* are the
# physicist's wind tunnel: they need no formula at all. How often does background alone reach 18 events?

# %%
rng = np.random.default_rng(7)
toys = rng.poisson(9.0, size=1_000_000)
share = np.mean(toys >= 18)
print(f"toy experiments:       p = {share:.5f}   Z = {z_value(share):.2f}")
print(f"Poisson p-value:       p = {p_value(18, 9.0):.5f}   Z = {z_value(p_value(18, 9.0)):.2f}")
print(f"s/√b = {simple(9.0, 9.0):.0f} would mean p = {stats.norm.sf(simple(9.0, 9.0)):.5f}")

# %% [markdown]
# The toys agree with your p-value. The short cut is too optimistic: background reaches 18 events several times more often than
# "three sigma" promises. The reason is the shape of the Poisson distribution. Part of it is that counts are whole numbers, most of it that the distribution is skewed: its upper tail is longer than that of a Gaussian of
# the same width.
#
# How many toys does it take? Here they come in batches of a thousand. Press play and watch the share of toys with 18 events or more settle at the p-value. Its error is that of a counting
# experiment, $\sqrt{p(1-p)/N}$. *Find the number of batches from which on the error is a tenth of the share. Then raise $n$ by two: why are the same batches not enough any more?*

# %%
interactive.toys(18, 9.0)

# %% [markdown]
# How bad the short cut is depends on $b$. So we go through many values of $b$, and always choose the signal such that $s/\sqrt{b} = 3$. For each, we throw
# 20 000 experiments *with* signal, and take the median of their significances: half of all experiments would do better, half worse.

# %%
b_values = np.geomspace(1, 1000, 40)
s_values = 3 * np.sqrt(b_values)
counts = rng.poisson(s_values + b_values, size=(20_000, 40))
# More events are more significant: the median of the significances is the significance of the median count.
median_counts = np.median(counts, axis=0).astype(int)
median_z = [z_value(p_value(n, b)) for n, b in zip(median_counts, b_values, strict=True)]
asimov_z = significance.asimov(s_values, b_values)

with plotting.use_style():
    fig, ax = plotting.new_figure()
    ax.plot(b_values, simple(s_values, b_values), "--", color="#0072B2", label=r"$s/\sqrt{b}$")
    ax.plot(b_values, median_z, "o", color="#222222", markersize=4, label="median of toy experiments")
    ax.plot(b_values, asimov_z, color="#D55E00", label="Asimov formula (section 7.7)")
    ax.set(xscale="log", xlabel="expected background b [events]", ylabel="significance Z", ylim=(1.8, 3.3))
    ax.legend(loc="lower right")
plotting.show(
    fig,
    alt="Significance against the expected background from 1 to 1000 events on a logarithmic axis. The estimate s over root b is a "
    "flat line at 3. The Asimov formula starts below 2.3 at one background event and approaches 3 from below. The toy experiments lie below "
    "the formula, by up to one half at few events, where they jump because counts are whole numbers, and approach it.",
)

# %% [markdown]
# ### Exercise 7.4 – Where the short cut fails (read a plot)
#
# Look at the smooth curve. At which $b$ does $s/\sqrt{b}$ overestimate it by ten per cent, so that the curve passes
# $3/1.1 = 2.73$? Read it off as well as the logarithmic axis lets you; a factor of two does not matter.

# %% tags=["exercise-7.4"]
### BEGIN SOLUTION
b_ten_per_cent = np.interp(3 / 1.1, asimov_z, b_values)
### END SOLUTION

# %% tags=["check-7.4"]
checks.exercise_7_4(b_ten_per_cent)

# %% [markdown]
# (The toys lie a little below the curve, and jump, because counts are whole numbers: the p-value of a count includes all of that count's own probability.)
#
# The formula of the curve gives the rule: by its next order, $s/\sqrt{b}$ is too high by about $s/(6b)$ of itself. What counts is that the signal is small against the background. After a hard cut on a
# good score it need not be. We shall soon need something better.

# %% [markdown]
# ## 7.3 Scanning the cut
#
# Now the networks come in. We keep the events whose score is *at least* some cut value and count what is expected of signal and of
# background. A loose cut keeps all the signal and too much background; a hard cut throws away the signal too. Somewhere in between is
# the best.
#
# We load the models, and the same validation and test events as always. Both are only some of the simulated events. `match_yields` scales their weights
# up, sample by sample, so that each stands for the full 10 fb⁻¹.

# %%
events = chapter.read_table(1, "events")
train, test = splitting.split(events)
_, validation = splitting.validation_split(train)
validation = weights.match_yields(validation, events)
test = weights.match_yields(test, events)
inputs = list(ntuple.LEPTON_PT)

models = {
    "chapter 2": chapter.read_model(2, "first_model"),
    "chapter 4": chapter.read_model(4, "early_stopped_model"),
    "chapter 5": chapter.read_model(5, "balanced_model"),
}
x_validation, y_validation, w_validation = features.arrays(validation, inputs)
x_test, y_test, w_test = features.arrays(test, inputs)
score_validation = {name: training.predict(model, x_validation) for name, model in models.items()}
score_test = {name: training.predict(model, x_test) for name, model in models.items()}
print(f"{len(validation)} validation events, {len(test)} test events")

# %% [markdown]
# ### Exercise 7.5 – Signal and background above a cut (write code)
#
# Write `yields_above(score, label, weight, cuts)`. The first three are arrays of shape `(n_events,)`; a label is 1 for signal and 0 for
# background. Return two arrays, `(signal, background)`, with one entry for each cut: the sum of the weights of all events with `score >= cut`.
# A loop over the cuts is good enough here.


# %% tags=["exercise-7.5"]
def yields_above(score, label, weight, cuts):
    """Expected (signal, background) with score >= cut: two arrays of shape (n_cuts,)."""
    ### BEGIN SOLUTION
    signal = [weight[(score >= cut) & (label == 1)].sum() for cut in cuts]
    background = [weight[(score >= cut) & (label == 0)].sum() for cut in cuts]
    return np.array(signal), np.array(background)
    ### END SOLUTION


# %% tags=["check-7.5"]
yields_above = checks.exercise_7_5(yields_above)

# %% [markdown]
# The course's `significance.scan` does the same in one pass over the events, for a thousand cuts at once. It also counts raw events and
# computes errors, which we need in a moment. Both give the same yields:

# %% tags=["nbval-ignore-output"]
scan = significance.scan(
    score_validation["chapter 5"], y_validation, w_validation, measure=significance.simple, groups=validation["sample"]
)
some = scan.cut[::250]
signal, background = yields_above(score_validation["chapter 5"], y_validation, w_validation.astype(float), some)
pd.DataFrame(
    {
        "cut": some,
        "signal": signal,
        "signal (scan)": scan.signal[::250],
        "background": background,
        "background (scan)": scan.background[::250],
    }
).round(3)

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.significance_scan(scan, ylabel=r"$s/\sqrt{b}$")
axes[1].set_ylim(0, 1.2)
plotting.show(
    fig,
    alt="Two panels against the cut on the score of the network of chapter 5, for validation events. Above, expected signal and "
    "background fall as the cut gets harder, the background faster. Below, s over root b rises slowly from about one half to more than 0.8 and falls steeply "
    "beyond a cut of about 0.85; at the hardest cuts its statistical band gets wide.",
)

# %% [markdown]
# On the left of the figure every event is kept, and $s/\sqrt{b}$ is about one half, as in chapter 1. The cut helps. But look at
# the right end, where the band gets wide.

# %% [markdown]
# ## 7.4 How well does the simulation know?
#
# The background above a hard cut is a sum of a few weights. Had we simulated other events, the sum would be different.
# For $n$ events of weight one the uncertainty is $\sqrt{n}$. For weighted events it is
#
# $$ \sigma = \sqrt{\sum w^2} . $$
#
# This is the uncertainty of *our simulation*. It has nothing to do with the fluctuation of the real data, and we could make it smaller by
# simulating more. The two are often confused.

# %% [markdown]
# ### Exercise 7.6 – The error of a weighted sum (write code)
#
# Write `sum_and_error(weight)` for an array of weights. Return `(total, error)`: the sum of the weights, and its statistical error.
# Negative weights subtract from the sum. Think about what they do to the error. Of no weight at all, both are zero.


# %% tags=["exercise-7.6"]
def sum_and_error(weight):
    """Sum of weights and its statistical error."""
    ### BEGIN SOLUTION
    weight = np.asarray(weight, dtype=float)
    return weight.sum(), np.sqrt((weight**2).sum())
    ### END SOLUTION


# %% tags=["check-7.6"]
sum_and_error = checks.exercise_7_6(sum_and_error)

# %% [markdown]
# What this means for each background, for the validation events with the highest scores. We take the cut that keeps a fifth of the signal:

# %% tags=["nbval-ignore-output"]
hard = scan.cut[np.searchsorted(-scan.signal, -0.2 * scan.signal[0])]
above = validation[score_validation["chapter 5"] >= hard]
rows = {}
for name in ("llll", "Zee", "Zmumu", "ttbar_lep"):
    weight = above.loc[above["sample"] == name, "weight"].to_numpy(float)
    total, error = sum_and_error(weight)
    rows[name] = {"raw": len(weight), "expected": total, "error": error}
pd.DataFrame(rows).T.astype({"raw": int}).round(2)

# %% [markdown]
# The ZZ background is made of many simulated events with small weights: its error is small. Of Z and top pairs far fewer events are left, if any, and each counts for much more: a large part of an
# expected event, or even more than one. If a cut happens to fall just behind one of them, the background drops, and the significance jumps. Nothing in nature has changed.
#
# Worst of all is a row with no event left. It says $0 \pm 0$. Do we know that this background is exactly zero? Of course not: with other simulated events there might have been one. Statistics has an answer. Take every
# expectation as equally likely beforehand. After $n$ events of weight $w$, its distribution has the variance $(n+1)\,w^2$, and not $n w^2$. (Its most probable value is $n w$, which we keep.) So we add *one more event* of the mean size of a weight to $\sum w^2$, for each background sample. `significance.scan` does so
# if it is told the sample of each event, as `groups`. For thousands of events this changes nothing, and near zero it keeps us honest.

# %% [markdown]
# ### Exercise 7.7 – The best cut, with a guard (write code)
#
# Write `best_cut(scan, min_effective=25)`. The scan has the fields `cut`, `significance`, `background` and `background_error`, arrays of the same
# shape. Consider only cuts whose background is worth at least `min_effective` events, $(b/\sigma_b)^2$ being the *effective number* of chapter 1: with 25
# of them, the background is known to 20 per cent. Among those, return the *cut* (not its position) with the highest significance. Some
# entries of `significance` may be NaN; they must not win.


# %% tags=["exercise-7.7"]
def best_cut(scan, min_effective=25):
    """Cut of highest significance among those whose background is worth min_effective simulated events."""
    ### BEGIN SOLUTION
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = (scan.background / scan.background_error) ** 2
        usable = (effective >= min_effective) & np.isfinite(scan.significance)
    z = np.where(usable, scan.significance, -np.inf)
    return scan.cut[np.argmax(z)]
    ### END SOLUTION


# %% tags=["check-7.7"]
best_cut = checks.exercise_7_7(best_cut)

# %% tags=["nbval-ignore-output"]
for name, score in score_validation.items():
    scan = significance.scan(
        score, y_validation, w_validation, measure=significance.simple, groups=validation["sample"]
    )
    for guard in (1, 25):
        at = np.argmin(np.abs(scan.cut - best_cut(scan, min_effective=guard)))
        print(
            f"{name}, at least {guard:2d} effective events: cut {scan.cut[at]:.3f}, s/√b = {scan.significance[at]:.2f},"
            f" background {scan.background[at]:5.1f} ± {scan.background_error[at]:.1f}"
        )

# %% [markdown]
# Where both lines of a model agree, the guard had nothing to prevent this time. That is how insurance works.
#
# `significance.best` does the same, and returns the whole row of the scan. (As `groups` adds one more event of each sample to $\sigma_b^2$, $(b/\sigma_b)^2$ is a little less
# than the effective number of chapter 1.) We use it from now on.
#
# ### Move the cut
#
# Now look for the best cut by hand. The lower curves are $s/\sqrt{b}$ and the Asimov formula of section 7.7; as long as $s$ is small against $b$ they hardly differ. Everything left of the line is
# cut away. *Over which range of cuts is the significance the same within its error? Which cut there would you defend in front of a colleague?*

# %% tags=["nbval-ignore-output"]
interactive.cut(score_validation["chapter 5"], y_validation, w_validation, groups=validation["sample"])

# %% [markdown]
# ## 7.5 Chosen here, quoted there
#
# The guard is not enough. Each of the thousand values of the scan fluctuates with the simulated events it is made of. If we take the highest, we take a high
# fluctuation along. The maximum is *biased* upwards. The cure is simple: choose the cut on one set of events, quote the significance on another.
#
# How large is the bias? We divide the test events at random into halves, choose the cut on the first half, and compute the significance there and on the second
# half. Doing this 100 times gives an average.

# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(75)
score, sample = score_test["chapter 5"], test["sample"].to_numpy()
chosen, quoted = [], []
for _ in range(100):
    first = rng.random(len(test)) < 0.5
    half = significance.scan(score[first], y_test[first], 2 * w_test[first], groups=sample[first])
    best = significance.best(half)
    other = significance.scan(score[~first], y_test[~first], 2 * w_test[~first], cuts=[best.cut])
    chosen.append(best.significance)
    quoted.append(other.significance[0])
chosen, quoted = np.array(chosen), np.array(quoted)
print(f"where the cut was chosen: Z = {chosen.mean():.3f} on average")
print(f"on the other half:        Z = {quoted.mean():.3f}")
print(f"the first is higher in {np.mean(chosen > quoted):.0%} of the cases")

# %% [markdown]
# On average the first half flatters itself by the difference of these numbers. It holds for half of the test events; with more events it is smaller.

# %% [markdown]
# ### Exercise 7.8 – Why not on the test events? (in your words)
#
# Explain to a fellow student who has chosen the best cut on the test events why the significance quoted there is too
# optimistic. Would it also be wrong to choose the cut on the events that *trained* the network? And which events could we have used to choose between
# networks? Three or four sentences.

# %% tags=["exercise-7.8", "written"]
### BEGIN SOLUTION
answer_7_8 = """The best of many cuts is partly the best by luck: where background events with large weights happen to be missing,
the significance is high, and exactly such a place is picked. The same events then confirm the choice they have made
themselves. Training events are worse still, because the network has seen them: it separates them better than it
separates new events. Everything that is chosen (a cut, a network, the number of epochs) is chosen on validation events,
and the test events are asked once, for the number that is quoted."""
### END SOLUTION

# %% tags=["check-7.8"]
checks.written("7.8", answer_7_8)

# %% [markdown]
# ## 7.6 A yardstick
#
# How good could it get? Even a perfect network cannot remove all background. Some ZZ events lie under the peak of the Higgs boson and look just
# like it. As a yardstick, take a cut that keeps all the signal and leaves ten background events:

# %%
expected_signal = float(w_test[y_test == 1].sum(dtype=float))
ideal = float(significance.simple(expected_signal, 10.0))
print(f"s = {expected_signal:.1f}, b = 10: s/√b = {ideal:.2f}")

# %% [markdown]
# About three sigma: evidence, not a discovery. Keep this number in mind. It is no limit: the ten is a round number, a narrow window in the mass can leave fewer, and a fit to the mass uses more than one count. The four
# transverse momenta alone will not come near it.
#
# In 2012 ATLAS had about as many fb⁻¹, at lower energy. Four leptons alone gave 3.6σ (2.7 expected), and it took several channels together for five.

# %% [markdown]
# ## 7.7 A better formula
#
# In section 7.2 the smooth curve followed the toys. It comes from a likelihood ratio. For a data set in which every count is exactly what is expected,
# $n = s + b$ (the *Asimov data set*, named after a short story in which one single voter stands for the whole electorate), the median
# significance is, to very good approximation,
#
# $$ Z_A = \sqrt{2\left[(s+b)\ln\left(1+\frac{s}{b}\right) - s\right]} . $$
#
# For $s \ll b$ this becomes $s/\sqrt{b}$. Try it: expand the logarithm to second order.

# %% [markdown]
# ### Exercise 7.9 – The Asimov significance (write code)
#
# Write `asimov(s, b)` for numbers or arrays with positive `b`. `np.log1p(x)` is $\ln(1+x)$, and is precise for small $x$.


# %% tags=["exercise-7.9"]
def asimov(s, b):
    """Median significance expected of s signal events on b background events."""
    ### BEGIN SOLUTION
    return np.sqrt(2 * ((s + b) * np.log1p(s / b) - s))
    ### END SOLUTION


# %% tags=["check-7.9"]
asimov = checks.exercise_7_9(asimov)

# %%
print(f"yardstick: s/√b = {simple(expected_signal, 10.0):.2f}, Asimov {asimov(expected_signal, 10.0):.2f}")
print(f"no cut:    s/√b = {simple(expected_signal, 390.0):.2f}, Asimov {asimov(expected_signal, 390.0):.2f}")

# %% [markdown]
# By the better formula, the yardstick stays below three: not even evidence.

# %% [markdown]
# ### An uncertain background
#
# So far we behaved as if $b$ were known exactly. It is not: cross-sections are known to some per cent, efficiencies too, and Z events with two leptons from
# jets are notoriously hard to simulate. If the background is only known to $\pm\sigma_b$, then for $s \ll b$ the significance becomes
#
# $$ Z \approx \frac{s}{\sqrt{b + \sigma_b^2}} . $$
#
# The first term under the root is the Poisson fluctuation of the data. The second does not fade when more data come in: known to a fixed *percentage*, $\sigma_b^2$ grows as
# $b^2$, faster than $b$. `significance.asimov(s, b, sigma_b)` holds the full formula.

# %% tags=["nbval-ignore-output"]
score = score_validation["chapter 5"]
uncertain = {
    f"background known to {100 * size:.0f} %" if size else "background known exactly": significance.scan(
        score, y_validation, w_validation, measure=lambda s, b, size=size: significance.asimov(s, b, size * b)
    )
    for size in (0.0, 0.1, 0.3)
}
fig, ax = plotting.compare_scans(uncertain)
plotting.show(
    fig,
    alt="Asimov significance against the cut for a background known exactly, to 10 and to 30 per cent. The larger the uncertainty, the "
    "lower the curve, above all at loose cuts, where much background is left.",
)

# %% [markdown]
# At loose cuts, a background uncertainty of ten per cent costs more than half of the significance: ten per cent of 390 events are four times the
# whole signal. With hard cuts it matters less. An uncertain background therefore asks for a *purer* selection.

# %% [markdown]
# ## 7.8 The models compared
#
# Now everything is ready for an honest comparison. For each model: scan the validation events with the Asimov significance, take the best cut with the guard, and
# quote signal, background and significance on the *test* events. The error of $Z$ comes from the limited simulation, of signal and of background. In the last column
# the background is uncertain by ten per cent.
#
# (The model of chapter 2 was trained on all training events, the validation events among them. So its cut is not honest; after five epochs it hardly matters, as chapter 3 showed. Its numbers for test events are.)

# %% tags=["nbval-ignore-output"]
rows, best_cuts = {}, {}
for name in models:
    scan = significance.scan(score_validation[name], y_validation, w_validation, groups=validation["sample"])
    best = best_cuts[name] = significance.best(scan)
    quoted = significance.scan(score_test[name], y_test, w_test, cuts=[best.cut], groups=test["sample"])
    s, b = quoted.signal[0], quoted.background[0]
    rows[name] = {
        "best_cut": best.cut,
        "z_validation": best.significance,
        "s": s,
        "b": b,
        "b_error": quoted.background_error[0],
        "s_over_root_b": simple(s, b),
        "z": quoted.significance[0],
        "z_error": quoted.significance_error[0],
        "z_b_uncertain": significance.asimov(s, b, 0.1 * b),
    }
    chapter.write_table(f"scan_{name.replace(' ', '')}", pd.DataFrame(scan._asdict()))
comparison = pd.DataFrame(rows).T.rename_axis("model")
chapter.write_table("comparison", comparison.reset_index())
comparison.round(3)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.comparison(
    comparison["z"].to_dict(), comparison["z_error"].to_dict(), xlabel="expected significance Z (test events)"
)
plotting.show(
    fig,
    alt="Expected Asimov significance at the best cut with its statistical error, for the models of chapters 2, 4 and 5. All lie "
    "below one, far from the yardstick of section 7.6.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.significance_scan(
    significance.scan(score_test["chapter 5"], y_test, w_test, groups=test["sample"]), best=best_cuts["chapter 5"]
)
plotting.show(
    fig,
    alt="Yields and Asimov significance of test events against the cut for the network of chapter 5. A star marks the best cut and its "
    "significance, both from validation events.",
)

# %% [markdown]
# The curve is that of the test events, the star that of the validation events that chose the cut. If the star lies above the curve, part of that is the bias of section 7.5, and part may be chance.

# %% [markdown]
# Four transverse momenta raise the significance from one half to between 0.7 and 0.9, depending on the training. Is one model better than another? All share the same test events, so their errors move together, and a difference is known better than each of them.
#
# The *bootstrap* gives its error. Draw the test events anew, each once on average, but some twice and some not at all. Do so many times, and see how the difference scatters.

# %% tags=["nbval-ignore-output"]
columns = np.column_stack(
    [w_test * (score_test[name] >= best_cuts[name].cut) * (y_test == label) for label in (1, 0) for name in models]
)
columns = columns[columns.any(axis=1)]
rng = np.random.default_rng(78)
drawn = np.array([rng.poisson(1.0, len(columns)) @ columns for _ in range(300)])
drawn_z = pd.DataFrame(asimov(drawn[:, :3], drawn[:, 3:]), columns=list(models))
for first, second in (("chapter 2", "chapter 4"), ("chapter 4", "chapter 5")):
    difference, error = comparison["z"][second] - comparison["z"][first], (drawn_z[second] - drawn_z[first]).std()
    print(f"{second} minus {first}: {difference:.3f} ± {error:.3f}")

# %% [markdown]
# A difference smaller than about twice its error is nothing to be proud of.
#
# A significance depends only on the *order* of the events: any rising function of the score has the same best selection. So what has the training with weights changed? Where the network puts its effort. Without
# weights it hardly sees the Z and top-pair events, and mixes them up with the signal. In this analysis they make up a third of the background.

# %% [markdown]
# ### How much data would it take?
#
# Signal and background both grow with the luminosity $L$. Without systematic uncertainty, the significance grows as $\sqrt{L}$. We take the signal and background of
# chapter 5's best cut, and extrapolate: 10 fb⁻¹ is what the open data hold, 140 fb⁻¹ about what ATLAS recorded in good condition from 2015 to 2018 (at the same energy), and 3000 fb⁻¹ the plan until the 2040s.

# %% tags=["nbval-ignore-output"]
s, b = comparison.loc["chapter 5", ["s", "b"]]
luminosity = np.geomspace(10, 3000, 100)
factor = luminosity / 10
with plotting.use_style():
    fig, ax = plotting.new_figure()
    for size, color, dashes in ((0.0, "#0072B2", "-"), (0.03, "#009E73", "-."), (0.1, "#D55E00", "--")):
        label = f"background known to {100 * size:.0f} %" if size else "background known exactly"
        z = significance.asimov(s * factor, b * factor, size * b * factor)
        ax.plot(luminosity, z, dashes, color=color, label=label)
    for level, name in ((3, "evidence"), (5, "discovery")):
        ax.axhline(level, color="#6B6B6B", linestyle=":", linewidth=1)
        ax.annotate(name, (11, level + 0.1), color="#6B6B6B")
    ax.set(xscale="log", xlabel="luminosity [fb$^{-1}$]", ylabel="expected significance Z", ylim=(0, 8))
    ax.grid(which="both", alpha=0.3)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.95))
plotting.show(
    fig,
    alt="Expected significance against luminosity from 10 to 3000 inverse femtobarn. With an exactly known background it grows as the square "
    "root and passes three and five; with a background uncertain by three or ten per cent the curve flattens out.",
)

# %% [markdown]
# ### Exercise 7.10 – The luminosity for evidence (read a plot)
#
# At which luminosity, in fb⁻¹, would this cut give evidence ($Z = 3$) if the background were known exactly? A reading to within a quarter
# is good enough. And what happens if the background is uncertain by ten per cent?

# %% tags=["exercise-7.10"]
### BEGIN SOLUTION
luminosity_for_evidence = 10 * (3 / significance.asimov(s, b)) ** 2
### END SOLUTION

# %% tags=["check-7.10"]
checks.exercise_7_10(luminosity_for_evidence, s=s, b=b)

# %% [markdown]
# With an uncertain background, more data alone do not help: the significance ends at about $s/\sigma_b$. One needs a purer selection, or a
# better way to know the background. Both are coming: the first in chapter 8, the second right now.

# %% [markdown]
# ## 7.9 Opening the data
#
# Until now no cell of this course has looked at the data. (You may have seen their picture in the README; no choice of the course was made with it.) That was on purpose. Whoever sees the data while choosing a cut will, without noticing, choose one that
# pleases. So we fix everything first. This is called a *blind analysis*.
#
# The plan: the model of chapter 5, because its training weights were right, and its best cut, chosen on validation events. We count the data above the cut.

# %% tags=["nbval-ignore-output"]
model, cut = models["chapter 5"], best_cuts["chapter 5"].cut
kept = score_test["chapter 5"] >= cut
below_signal, below_background = (w_test[~kept & (y_test == label)].sum(dtype=float) for label in (1, 0))
expected_s, expected_b = comparison.loc["chapter 5", ["s", "b"]]
simulation_error = comparison.loc["chapter 5", "b_error"]
print(f"score ≥ {cut:.3f}")
print(f"expected above the cut: background {expected_b:.1f} ± {simulation_error:.1f}, signal {expected_s:.1f}")
print(f"expected significance {comparison.loc['chapter 5', 'z']:.2f}")
print(
    f"expected below the cut: background {below_background:.0f}, signal {below_signal:.1f}, which is "
    f"{below_signal / below_background:.1%} of it; a count fluctuates by {1 / np.sqrt(below_background):.1%}"
)

# %% [markdown]
# Stop for a moment and write down your guess: how many events, and which significance? An experiment that expects a significance $Z$ will see
# $Z \pm 1$. With the $Z$ above, it may well see a deficit, or two sigma.
#
# Now we open the data.

# %%
data = selection.preselect(ntuple.read_sample("data"))
print(f"{plotting.data_kind()}: {len(data)} events after the preselection")

# %% tags=["nbval-ignore-output"]
score_data = training.predict(model, data[inputs].to_numpy(np.float32))
n_above, n_below = int((score_data >= cut).sum()), int((score_data < cut).sum())
pd.DataFrame(
    {"data": [n_above, n_below], "background": [expected_b, below_background], "signal": [expected_s, below_signal]},
    index=["above the cut", "below the cut"],
).round(1)

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.score_stacked(test, score_test["chapter 5"], data_score=score_data, cut=cut)
plotting.show(
    fig,
    alt="Score of the network of chapter 5 for simulated processes, stacked, and for data as points with error bars. A vertical line marks the "
    "cut.",
)

# %% [markdown]
# ### Can we trust the expected background?
#
# Look *below* the cut first. Much of the signal lies there too. But among so many background events it is about one per cent, much less than the fluctuation of the count (see the last line above). So
# data and simulated background should agree.
#
# With the course's pseudo-data they agree within the fluctuations, as they come from the same simulation. With the real ATLAS data they do not: before any cut
# there are about a quarter more events than expected. That is no new particle. The official samples that the course uses do not hold every background (Z → ττ and WZ are left out, and the release has no gg → ZZ),
# some cross-sections are too low, and leptons that come out of jets are hard to simulate. Whoever compares the count above the cut with the simulation alone would take this mismatch for a signal.
#
# The remedy: use the data below the cut, a *control region*, to set the normalisation, and take from the simulation only the ratio of above to below:
#
# $$ b_\text{above} = n_\text{below}\cdot \frac{b_\text{above}^\text{sim}}{b_\text{below}^\text{sim}}, \qquad
# \sigma_b = \frac{b_\text{above}}{\sqrt{n_\text{below}}} . $$

# %% [markdown]
# ### Exercise 7.11 – The background from data (write code)
#
# Write `background_from_data(n_below, b_below, b_above)`: the count of data below the cut, and the simulated background below and above. Return
# `(b, sigma_b)`: the background to expect above the cut, and its uncertainty from the Poisson fluctuation of `n_below`.


# %% tags=["exercise-7.11"]
def background_from_data(n_below, b_below, b_above):
    """Background above the cut, normalised to the data below it, and its uncertainty."""
    ### BEGIN SOLUTION
    b = n_below * b_above / b_below
    return b, b / np.sqrt(n_below)
    ### END SOLUTION


# %% tags=["check-7.11"]
background_from_data = checks.exercise_7_11(background_from_data)

# %% [markdown]
# The simulation's statistical error comes on top, in quadrature. The significance of a *count* $n$ follows from the same likelihood as the Asimov formula,
# with $n$ in place of $s + b$: `significance.observed(n, b, sigma_b)`. Negative values mean a deficit.

# %% tags=["nbval-ignore-output"]
b_data, sigma_data = background_from_data(n_below, below_background, expected_b)
estimates = {
    "simulation": (expected_b, simulation_error),
    "normalised to data": (b_data, np.hypot(sigma_data, b_data * simulation_error / expected_b)),
}
rows = {}
for name, (b, sigma_b) in estimates.items():
    z = significance.observed(n_above, b, sigma_b)
    rows[name] = {
        "observed": n_above,
        "background": b,
        "error": sigma_b,
        "Z": z,
        "p": significance.p_value(z),
        "p (b exact)": p_value(n_above, b),
        "Z expected": significance.asimov(expected_s, b, sigma_b),
    }
observed = pd.DataFrame(rows).T
observed.round(3)

# %% [markdown]
# Compare the two rows. «p (b exact)» leaves the uncertainty of the background out; «Z expected» includes it, so it is lower than the value of the plan. With pseudo-data they agree within their errors, as they should. With the real data the first would pass for evidence, or nearly; the second shows how much of that was an imperfect simulation.
#
# ### What does the cut select?
#
# The network never saw the four-lepton mass. So the mass can tell us what it has selected.

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.mass_before_after(test, score_test["chapter 5"], cut, data=data, data_score=score_data)
plotting.show(
    fig,
    alt="Four-lepton mass from 80 to 250 GeV before and after the cut, simulated processes stacked and data as points. Before the cut ZZ "
    "dominates above 180 GeV. After the cut most of it is gone, the Higgs peak at 125 GeV stands out more, and Z and top pairs lie around it.",
)

# %% [markdown]
# The cut removes most of the ZZ background above 180 GeV, and keeps the region around 125 GeV. The momenta alone tell a heavy system from a light one. But look at the shape of the
# background too. Besides the Z bosons at 91 GeV that decay to four leptons, what is left of it forms a broad hump, from about 120 to 170 GeV, on and above the peak. A cut on a score changes the distributions of all variables that are related to its inputs. A bump after the cut
# is not yet a particle. We come back to this in chapter 8.

# %% [markdown]
# ### Where does an excess lie?
#
# There is a sharper test. Nearly all Higgs bosons lie between 115 and 130 GeV. Whatever is above the cut but *outside* this window is nearly all background. If data exceed the
# expectation there too, the expectation is wrong, and an excess inside means little. (The mass was not given to the network. It is related to the momenta, so compare with the simulation, not with a flat line.)


# %%
def in_window(table):
    return ((table["m_llll"] >= 115) & (table["m_llll"] < 130)).to_numpy()


def expected(selected, label):
    """Expected events of the test events in a mask, with a label: sum and statistical error."""
    return sum_and_error(w_test[selected & (y_test == label)])


# %% tags=["nbval-ignore-output"]
rows = {}
for place, inside in (("in the window", True), ("outside the window", False)):
    for side, above in (("above the cut", True), ("below the cut", False)):
        simulated = (in_window(test) == inside) & (kept == above)
        count = ((in_window(data) == inside) & ((score_data >= cut) == above)).sum()
        b, error = expected(simulated, 0)
        rows[f"{side}, {place}"] = {
            "data": count,
            "background": b,
            "error": error,
            "signal": expected(simulated, 1)[0],
            "data / background": count / b,
            "its error": count / b * np.hypot(1 / np.sqrt(max(count, 1)), error / b),
        }
pd.DataFrame(rows).T.astype({"data": int}).round(2)

# %% [markdown]
# Compare the ratio of data to background in the two rows *outside the window*. If it is the same above and below the cut, the normalisation may be carried over.
# With pseudo-data both should be compatible with one. With the real data both are above one, so the simulation misses a good part of the background. Within their errors the two ratios
# agree; the errors tell how large a difference could still hide.
#
# Had the two ratios differed, the significance above would mean little, however large. A control region helps only if it speaks for the background that is left above the cut. Here
# the two hold different events: about half of the background below the cut is ZZ with a mass above 180 GeV, of which little is left above the cut. Always test a method where you know the answer.

# %% [markdown]
# ### The mass window, for comparison
#
# If you know that the mass is 125 GeV, you need no network: a window is enough. We count inside, and take the events outside as the control region.

# %%
window_s = expected(in_window(test), 1)[0]
window_b, window_error = expected(in_window(test), 0)
outside_b = expected(~in_window(test), 0)[0]
window_n, outside_n = int(in_window(data).sum()), int((~in_window(data)).sum())
b_window, sigma_window = background_from_data(outside_n, outside_b, window_b)
sigma_window = np.hypot(sigma_window, b_window * window_error / window_b)
window_expected = significance.asimov(window_s, b_window, sigma_window)
window_z = significance.observed(window_n, b_window, sigma_window)
print(
    f"115–130 GeV: expected signal {window_s:.1f}, background {b_window:.1f} ± {sigma_window:.1f}, observed {window_n}"
)
print(
    f"expected significance {window_expected:.2f}, observed {window_z:.2f} (p = {significance.p_value(window_z):.3f})"
)

# %% [markdown]
# Compare the expected significances: one well-chosen variable beats the network on four momenta. That is a lesson as well: physics knowledge is worth a lot. But it took the knowledge *where* to look. A
# network that is given all four-vectors can find such combinations by itself, and in chapter 8 it will.

# %% [markdown]
# ### Exercise 7.12 – What the data say (in your words)
#
# Write the last paragraph of your lab report. Give the observed count, the expected background and the significance at the cut. Say whether you have
# found the Higgs boson, what limits you, and what such a selection can show with 10 fb⁻¹. Mention one thing that would have been dishonest.

# %% tags=["exercise-7.12", "written"]
### BEGIN SOLUTION
answer_7_12 = """Above a cut that was fixed before the data were opened we counted 81 events of pseudo-data (in our run), on a background of 62 ± 5
that was normalised to the data below the cut: a significance of 1.8, where 0.7 was expected. With so little expected,
anything from −1 to about 2.5 would be unsurprising, and a value in this range is no evidence for the Higgs boson, and no
sign against it. The four transverse
momenta leave dozens of background events for a handful of signal, and the rare backgrounds are known from far fewer
simulated events than ZZ. With 10 fb⁻¹ such a selection cannot show more; it would take ten times the data or more, or the mass. It would have been dishonest to move the cut
after seeing the data, to compare with a simulation that does not describe the control region, or to quote the mass
window instead because its number happens to look better."""
### END SOLUTION

# %% tags=["check-7.12"]
checks.written("7.12", answer_7_12)

# %% tags=["nbval-ignore-output"]
chapter.write_table("observed", observed.rename_axis("background_from").reset_index())
chapter.write_numbers(
    {
        **{f"z_{name.replace(' ', '')}": row["z"] for name, row in comparison.iterrows()},
        "z_error_chapter5": comparison.loc["chapter 5", "z_error"],
        "ideal": ideal,
        "best_cut": cut,
        "expected_signal_above": expected_s,
        "expected_background_above": expected_b,
        "data_preselected": len(data),
        "observed_above": n_above,
        "z_observed": observed.loc["normalised to data", "Z"],
        "z_window_expected": window_expected,
        "z_window_observed": window_z,
    }
)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(7)

# %% [markdown]
# ## Summary
#
# - A p-value says how often background alone gives at least what was seen; $Z$ is the same number in Gaussian widths.
# - $s/\sqrt{b}$ is fine if the signal is small against the background: it is too high by about $s/(6b)$ of itself. The Asimov formula is better, and toys decide.
# - The best cut is chosen on validation events, guarded against cuts that leave a few heavy simulated events, and quoted on test events.
# - An uncertain background caps the significance: more data do not help then, a purer selection does.
# - Four transverse momenta lift the expected significance from one half to between 0.7 and 0.9. A cut that kept all the signal and ten background events would give not quite three.
# - Data are opened last, with the plan fixed, and the background is checked, and normalised, where the signal is negligible against it.
#
# ## Further reading
#
# - G. Cowan, K. Cranmer, E. Gross, O. Vitells, *Asymptotic formulae for likelihood-based tests of new physics*, Eur. Phys. J. C 71 (2011)
#   1554, arXiv:1007.1727.
# - T.-P. Li, Y.-Q. Ma, *Analysis methods for results in gamma-ray astronomy*, Astrophys. J. 272 (1983) 317.
# - ATLAS Collaboration, *Observation of a new particle in the search for the Standard Model Higgs boson with the ATLAS detector at the
#   LHC*, Phys. Lett. B 716 (2012) 1, arXiv:1207.7214.
# - L. Lyons, *Open statistical issues in particle physics*, Ann. Appl. Stat. 2 (2008) 887, arXiv:0811.1663.
#
# Next: [chapter 8, low-level variables](chapter8_low_level_variables.ipynb).
