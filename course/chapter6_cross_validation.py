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
# Is a network with a validation loss of 0.51 better than one with 0.52? With other validation events, both numbers would have been different. In the
# last chapter a few heavy events made the loss jump. So before you compare networks, you have to know how far such a number can be trusted. Cross-validation uses every
# training event for validation once. It gives a better number, an idea of its spread, and several ways to fool oneself. You will see three of them.

# %% [markdown]
# ## What you will do
#
# - divide the training events into folds, and write the loop of a cross-validation;
# - reuse a network from fold to fold, against all advice, and measure what leaks;
# - compute mean and spread of the validation loss, and find out what the spread is *not*;
# - compare two networks fold by fold, and decide which one to take.
#
# | time | needs | makes |
# |---|---|---|
# | 75 minutes | the events of chapter 1 | the losses of two networks in all folds |

# %%
from course import checks
from labcourse import (
    crossvalidation,
    features,
    network,
    outputs,
    plotting,
    progress,
    samples,
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
print(f"{len(train)} training events; the {len(test)} test events stay closed in this chapter")

# %% [markdown]
# ## 6.1 Folds
#
# The training events are divided into $k$ parts of about the same size, the *folds*. Then $k$ networks are trained. Network $i$ trains on all folds but fold $i$, and is validated on
# fold $i$. In the end each event has validated exactly once, and trained $k-1$ times.
#
# ![Cross-validation with three folds. Three fresh networks are trained, each on two of the folds, and validated on the third. The three validation losses give a mean and a
# spread. Any two networks share a fold of training events.](../course/figures/k_folds.svg)
#
# The figure has three folds; we take five. As always, the identity of an event decides in which fold it is:

# %%
K = 5
fold = splitting.folds(train, K)
print("events of each fold:", np.bincount(fold).tolist())

# %% [markdown]
# ### Exercise 6.1 – Who trains, who validates (write code)
#
# Complete `fold_masks`. `fold` is the array with the fold of each event, shape `(n_events,)`, counted from 0. Return two masks of the same shape, `(trains, validates)`, for the network
# with this `number`.


# %% tags=["exercise-6.1"]
def fold_masks(fold, number):
    """Return the masks (trains, validates) for the network of one fold."""
    ### BEGIN SOLUTION
    return fold != number, fold == number
    ### END SOLUTION


# %% tags=["check-6.1"]
fold_masks = checks.exercise_6_1(fold_masks)

# %% [markdown]
# ## 6.2 A fresh network for each fold
#
# Each of the five networks has to start from nothing. This is why we do not pass a network to the cross-validation, but a *function* that makes one. Everything that remembers belongs in this function: the weights and biases, the
# optimizer (Adam keeps running means of the gradient), and the normalisation (which must not know the validation events).

# %% [markdown]
# ### Exercise 6.2 – A model factory (write code)
#
# Complete `build_model`. It returns a new, compiled network 4-60-60-1 from `network.build`, normalised with the events `x`, shape `(n_events, 4)`, and with a learning rate of 0.001. A second
# call has to return another network.


# %% tags=["exercise-6.2"]
def build_model(x):
    """Return a fresh, compiled network whose inputs are normalised with the events x."""
    ### BEGIN SOLUTION
    return network.build(4, normalise=x, learning_rate=1e-3)
    ### END SOLUTION


# %% tags=["check-6.2"]
build_model = checks.exercise_6_2(build_model)

# %% [markdown]
# ### Exercise 6.3 – The loop (write code)
#
# Complete `run_folds`. It gets two functions and the array `fold`. `build_model()` makes a network. `train_and_validate(model, trains, validates)` trains it on the events of one mask and returns its loss for the events of
# the other. For each fold, from 0 to `fold.max()`, make a network, and use your masks. Return the losses as an array of shape `(k,)`.


# %% tags=["exercise-6.3"]
def run_folds(build_model, train_and_validate, fold):
    """Train and validate a fresh network for each fold; return the losses, shape (k,)."""
    ### BEGIN SOLUTION
    losses = []
    for number in range(fold.max() + 1):
        trains, validates = fold_masks(fold, number)
        losses.append(train_and_validate(build_model(), trains, validates))
    return np.array(losses)
    ### END SOLUTION


# %% tags=["check-6.3"]
run_folds = checks.exercise_6_3(run_folds)

# %% [markdown]
# ### What leaks if the network is not fresh
#
# How bad would it be to build *one* network and hand it from fold to fold? It happens easily: one line in the wrong place is enough. Let us measure it. We take few events, so that a network can learn them by heart, and a training that is long enough to do so. Each event counts the
# same. Besides the loss of each fold, we note the loss for other events that no fold contains.

# %% tags=["nbval-ignore-output"]
few = splitting.uniform(train, salt="few") < 1000 / len(train)
others = splitting.uniform(train, salt="few") > 1 - 5000 / len(train)
x_few, y_few, fold_few = x[few], y[few], splitting.folds(train[few], K)


def loss_of(model, events):
    """Mean cross-entropy of a network for the events of a mask."""
    score = np.clip(training.predict(model, x[events]).astype(float), 1e-7, 1 - 1e-7)
    return -np.mean(np.where(y[events] == 1, np.log(score), np.log(1 - score)))


def train_for_long(model, trains, validates):
    """Train for 40 epochs; return the loss of the validation events, and note that of other events."""
    line.show(f"{name} network, fold {len(losses_of_others) + 1} of {K}")
    training.fit(model, x_few[trains], y_few[trains], epochs=40, batch_size=64, seed=SEED, progress=False)
    losses_of_others.append(loss_of(model, others))
    members = np.flatnonzero(few)[validates]
    return loss_of(model, members)


# The normalisation knows the events of all folds here, in fresh and in reused networks alike, so it cannot make the difference.
one_model = network.build(4, normalise=x_few, learning_rate=2e-3, seed=SEED)
leak = {}
with progress.Line() as line:
    for name, build in (
        ("fresh", lambda: network.build(4, normalise=x_few, learning_rate=2e-3, seed=SEED)),
        ("reused", lambda: one_model),
    ):
        losses_of_others = []
        leak[name] = run_folds(build, train_for_long, fold_few)
        leak[f"{name}, other events"] = np.array(losses_of_others)
leak = pd.DataFrame(leak, index=pd.RangeIndex(1, K + 1, name="fold"))
leak.round(3)

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, ax = plotting.new_figure()
    for name, color, dashes, marker in (("fresh", "#0072B2", "-", "o"), ("reused", "#D55E00", "--", "s")):
        ax.plot(
            leak.index,
            leak[name],
            color=color,
            linestyle=dashes,
            marker=marker,
            label=f"{name} network, validation loss of the fold",
        )
        ax.plot(
            leak.index,
            leak[f"{name}, other events"],
            color=color,
            linestyle=":",
            marker=marker,
            fillstyle="none",
            label=f"{name} network, loss of other events",
        )
    ax.set(xlabel="fold", ylabel="loss (binary cross-entropy)", xticks=leak.index)
    ax.tick_params(axis="x", which="minor", length=0)
    ax.set_ylim(top=ax.get_ylim()[1] + 0.4 * np.ptp(ax.get_ylim()))
    ax.legend(loc="upper left")
plotting.show(
    fig,
    alt="Validation loss of five folds for fresh networks and for one network that is reused from fold to fold. Folds differ, but from the second one on the reused network has the lower loss. For "
    "other events, which no fold contains, its loss is from then on higher than that of the fresh networks, and highest in the last fold.",
)

# %% [markdown]
# In the first fold both are the same network. (The filled points scatter from fold to fold, as there are only some two hundred events in each. Compare the two networks in the same fold.) From then on the reused network validates on events that it has met
# before: fold 2 was among its training events when fold 1 was held out. It remembers them, and looks better than it is. For events that it has never seen (open points), it has become *worse*, because it is overtrained more with each fold. The
# cross-validation would have told us the opposite of the truth.

# %% [markdown]
# ### Exercise 6.4 – The size of the leak (read a plot)
#
# By how much is the reused network's validation loss too good in the last fold? Read the loss of the fresh network minus the loss of the reused one (filled points).

# %% tags=["exercise-6.4"]
### BEGIN SOLUTION
leak_size = leak["fresh"].iloc[-1] - leak["reused"].iloc[-1]
### END SOLUTION

# %% tags=["check-6.4"]
checks.exercise_6_4(leak_size, losses=leak)

# %% [markdown]
# The course's function `crossvalidation.cross_validate` does what your loop does, and refuses a network that has been trained before. It calls `build_model` with the training inputs of each fold.

# %% [markdown]
# ## 6.3 Mean and spread
#
# Now all training events, with the weights of chapter 5. They are balanced in each fold by itself, so that each validation loss counts in the same way.
#
# Two choices keep this honest. There is no early stopping: it would choose the best epoch on the very events that are to judge, and the loss would come out a little too good. Instead, each network trains for 15 epochs in batches of 512, after which
# the loss of the large network falls only slowly (`folds_large.histories` has it for every epoch). And all settings are fixed before we look at any loss.

# %%
balanced = np.empty(len(w), np.float32)
for number in range(K):
    members = fold == number
    balanced[members] = weights.balance(w[members], y[members])

# %% tags=["nbval-ignore-output"]
folds_large = crossvalidation.cross_validate(
    build_model, x, y, fold, sample_weight=balanced, epochs=15, batch_size=512, seed=SEED
)
print("validation losses:", *folds_large.losses.round(4))

# %% [markdown]
# ### Exercise 6.5 – Mean and spread (write code)
#
# Complete the function for a list or an array of losses, and return `(mean, spread)`. The spread is the sample standard deviation: since the mean is taken from the same losses, divide the sum of squares by $k-1$ (`ddof=1`).


# %% tags=["exercise-6.5"]
def mean_and_spread(losses):
    """Return mean and sample standard deviation of the losses."""
    ### BEGIN SOLUTION
    return np.mean(losses), np.std(losses, ddof=1)
    ### END SOLUTION


# %% tags=["check-6.5"]
mean_and_spread = checks.exercise_6_5(mean_and_spread)

# %% tags=["nbval-ignore-output"]
mean, spread = mean_and_spread(folds_large.losses)
fig, ax = plotting.fold_losses({"60-60": folds_large.losses})
plotting.show(
    fig,
    alt="Validation loss of each of five folds for the network with 60 and 60 neurons, with their mean as a line and their spread as a band.",
)

# %% [markdown]
# This is the answer to the question at the beginning: the loss on a fifth of the training events is uncertain by about the spread. The difference of two such losses is uncertain by $\sqrt{2}$ times the spread, if they come from *different* events.
#
# ### Where does the spread come from?
#
# Two things change from fold to fold: the events, and the random numbers (initial weights, order of the batches). We separate them: the first fold again, three times more with other seeds.

# %% tags=["nbval-ignore-output"]
trains, validates = fold_masks(fold, 0)
seed_losses = [folds_large.losses[0]]
for seed in range(3):
    trial = network.build(4, normalise=x[trains], learning_rate=1e-3, seed=100 + seed)
    trial_history = training.fit(
        trial,
        x[trains],
        y[trains],
        balanced[trains],
        validation_data=(x[validates], y[validates], balanced[validates]),
        epochs=15,
        batch_size=512,
        seed=100 + seed,
    )
    seed_losses.append(trial_history.history["val_loss"][-1])
effective = np.mean([weights.effective_number(balanced[(fold == number) & (y == 0)]) for number in range(K)])
print(f"spread over folds: {spread:.4f}, spread over seeds in one fold: {np.std(seed_losses, ddof=1):.4f}")
print(
    f"background events of a fold: {np.mean([np.sum((fold == number) & (y == 0)) for number in range(K)]):.0f}, worth {effective:.0f}"
)

# %% [markdown]
# Compare the two spreads: the events usually matter more than the seed. The reason is in the last line. About a third of the background's weight is carried by one per cent of its events, so that a fold is worth far fewer events than
# it holds.

# %% [markdown]
# ## 6.4 What the spread is not
#
# It is tempting to call $\text{spread}/\sqrt{k}$ the error of the mean, and to quote the loss as mean ± error. This formula needs *independent* measurements. Are they?

# %% [markdown]
# ### Exercise 6.6 – What two folds share (write code)
#
# Complete `shared_fraction`: which share of the training events of network `first` are also training events of network `second`? (Network $i$ trains on the events with `fold != i`.)


# %% tags=["exercise-6.6"]
def shared_fraction(fold, first, second):
    """Share of the first network's training events that the second one trains on as well."""
    ### BEGIN SOLUTION
    in_first, in_second = fold != first, fold != second
    return (in_first & in_second).sum() / in_first.sum()
    ### END SOLUTION


# %% tags=["check-6.6"]
shared_fraction = checks.exercise_6_6(shared_fraction)

# %%
print(
    f"networks 1 and 2 share {shared_fraction(fold, 0, 1):.3f} of their training events; (k − 2)/(k − 1) = {(K - 2) / (K - 1):.3f}"
)
print(f"with ten folds it would be {8 / 9:.3f}")

# %% [markdown]
# The networks are relatives. If the training events happen to be unlucky, all five suffer together, and their spread does not show it. Also the events that validate one network have trained the others. Bengio and Grandvalet proved
# that no formula turns the losses of a cross-validation into an unbiased estimate of the variance of their mean, if it is to hold for every problem.
#
# ### An experiment about experiments
#
# How wrong is the naive error? To find out we need many independent experiments, and we can have them: we cut the training events into experiments of 200 events each. A neural network for each would take too long, so a simpler classifier stands in: a
# least-squares fit of the labels ±1 by a quadratic function of the logarithms of the momenta. In each experiment we do a cross-validation with five folds. Then we do it again and again with other folds of the *same* events, which gives more and more
# fold losses, and an ever smaller naive error.

# %% tags=["nbval-ignore-output"]
z = np.log(x.astype(float))
z = np.clip((z - z.mean(axis=0)) / z.std(axis=0), -2.5, 2.5)
inputs = np.column_stack([np.ones(len(z)), z, *(z[:, i] * z[:, j] for i in range(4) for j in range(i, 4))])
target = 2.0 * y - 1
order = np.argsort(splitting.uniform(train, salt="experiments"))
experiments = order[: 200 * min(500, len(order) // 200)].reshape(-1, 200)


def squared_loss(rows, trains):
    """Fit the target on some of the rows; return the mean squared deviation on the others."""
    a, b = inputs[rows[trains]], target[rows[trains]]
    solution = np.linalg.solve(a.T @ a + 1e-3 * np.eye(a.shape[1]), a.T @ b)
    return np.mean((inputs[rows[~trains]] @ solution - target[rows[~trains]]) ** 2)


rng = np.random.default_rng(SEED)
fold_losses = np.array(
    [
        [
            [squared_loss(rows, part != number) for number in range(K)]
            for part in (rng.permutation(200) % K for _ in range(8))
        ]
        for rows in progress.each(list(experiments), "experiment")
    ]
)
print("experiments, repetitions, folds:", fold_losses.shape)

# %% [markdown]
# We have five, twenty or forty fold losses for each experiment. The *true* error of their mean is known now: it is the spread of the mean over independent experiments.

# %% tags=["nbval-ignore-output"]
rows = {}
for repetitions in (1, 4, 8):
    of_experiment = fold_losses[:, :repetitions].reshape(len(experiments), -1)
    true = of_experiment.mean(axis=1).std(ddof=1)
    naive = np.sqrt(np.mean(of_experiment.var(axis=1, ddof=1)) / of_experiment.shape[1])
    rows[of_experiment.shape[1]] = {"true error": true, "naive error": naive, "naive / true": naive / true}
naive_errors = pd.DataFrame(rows).T.rename_axis("fold losses")
naive_errors.round(4)

# %% [markdown]
# (Each error is the root of a mean variance, as variances add up and their roots do not.) For a single cross-validation the naive error is about right here, because each fold has other validation events; nobody guarantees it. Now
# repeat the cross-validation. The naive error shrinks, while the true one hardly changes. One could make it as small as one likes, without a single new event. This is how a difference becomes «significant» by computing time.

# %% [markdown]
# ### Exercise 6.7 – The spread and the error (in your words)
#
# A report says: «Our network has a validation loss of 0.512 ± 0.001, where the error is the spread of 50 cross-validations divided by $\sqrt{250}$.» What do you answer? What does the spread tell, and where would independent information have to
# come from? Two to four sentences.

# %% tags=["exercise-6.7", "written"]
### BEGIN SOLUTION
answer_6_7 = """The 250 losses are not independent: they come from the same events, in ever new divisions, and any two networks share most of their training events. So the error
does not fall with √250; beyond the first few repetitions nothing new is learnt. The spread of single folds tells how much a loss varies if it is measured on a fifth of the events, no more. Independent information
only comes from new events, such as the test events, or events that are simulated anew."""
### END SOLUTION

# %% tags=["check-6.7"]
checks.written("6.7", answer_6_7)

# %% [markdown]
# ### A careful error
#
# Nadeau and Bengio proposed a simple correction for repeated divisions of the same events. For $J$ losses with the sample variance $S^2$, each from $n_\text{train}$ training and $n_\text{val}$ validation events, the error of the mean is estimated as
#
# $$ \sigma = \sqrt{\Big(\frac{1}{J} + \frac{n_\text{val}}{n_\text{train}}\Big)\, S^2} . $$
#
# The second term does not shrink with the number of repetitions. It is an approximation: it assumes a certain correlation between the losses, and tends to be too careful.

# %% [markdown]
# ### Exercise 6.8 – The corrected error (write code)
#
# Complete the function. `losses` is an array with all $J$ losses. Return one number.


# %% tags=["exercise-6.8"]
def corrected_error(losses, n_training, n_validation):
    """Return the corrected error of the mean of fold losses (Nadeau and Bengio 2003)."""
    ### BEGIN SOLUTION
    return np.sqrt((1 / len(losses) + n_validation / n_training) * np.var(losses, ddof=1))
    ### END SOLUTION


# %% tags=["check-6.8"]
corrected_error = checks.exercise_6_8(corrected_error)

# %% tags=["nbval-ignore-output"]
naive_errors["corrected error"] = [
    np.sqrt(np.mean([corrected_error(losses[:repetitions].reshape(-1), 160, 40) ** 2 for losses in fold_losses]))
    for repetitions in (1, 4, 8)
]
naive_errors["corrected / true"] = naive_errors["corrected error"] / naive_errors["true error"]
naive_errors.round(4)

# %% [markdown]
# Too careful, as announced, most so for a single cross-validation. But it does not shrink to nothing. If you need an error, take this one, and say so; no formula is right for all problems.

# %% [markdown]
# ## 6.5 Comparing two networks
#
# Would a smaller network do? We compare 60-60 with two hidden layers of 20 neurons. Both get the same folds. A fold with difficult events is difficult for both, so we do not compare two means with their spreads, but the losses *fold by fold*. In the difference, what both
# have in common drops out.


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
losses.assign(difference=losses["20-20"] - losses["60-60"]).round(4)

# %% tags=["nbval-ignore-output"]
fig, axes = plotting.paired_folds(losses["60-60"], losses["20-20"], names=("60-60", "20-20"))
plotting.show(
    fig,
    alt="Left: validation losses of both networks, joined by a line for each fold. Right: the loss of the small network "
    "minus that of the large one for each fold, with mean and spread. The differences vary less than the losses.",
)

# %% [markdown]
# ### Exercise 6.9 – Fold by fold (read a plot)
#
# In how many of the five folds is the network 60-60 better (its loss is lower)? And what is the mean difference, loss of the small network minus loss of the large one? Answer with a pair `(number of folds, mean difference)`.

# %% tags=["exercise-6.9"]
### BEGIN SOLUTION
difference = losses["20-20"] - losses["60-60"]
comparison = (int((difference > 0).sum()), difference.mean())
### END SOLUTION

# %% tags=["check-6.9"]
checks.exercise_6_9(comparison, losses=losses)

# %% tags=["nbval-ignore-output"]
paired = (losses["20-20"] - losses["60-60"]).to_numpy()
n_validation = len(train) / K
n_training = len(train) - n_validation
paired_error = corrected_error(paired, n_training, n_validation)
print(f"spread of the losses:      {spread:.4f}")
print(f"spread of the differences: {paired.std(ddof=1):.4f}")
print(f"mean difference: {paired.mean():.4f} ± {paired_error:.4f} (corrected error)")

# %% [markdown]
# Look at the two spreads. Compared by their means, a difference of this size is lost in the spread of the losses. Compared in pairs, it is seen better: what a fold does to both networks has dropped out.
#
# What is left in the differences has two causes. The two networks misjudge different heavy events. And there is the luck of a seed: compare $\sqrt{2}$ times its spread, which section 6.3 gives for the large network, with the spread of the differences. Each
# fold has a seed of its own. So this luck differs from fold to fold, and the spread of the differences holds it.
#
# Now mind the error of the mean difference. A naive $t$-test takes the differences for independent. In section 6.4 this went well for a single cross-validation, since each fold has other validation events. In a difference much of what they do drops out. What
# the folds share, their training events, then counts for more, and the test may be too sure. Dietterich
# measured how often such tests report a difference where there is none, and warns of them. And with five folds the error itself is uncertain by a third: a difference of twice its error proves little.
#
# Mind also *what* was compared: two networks that were trained in one way. With a longer training the smaller one might catch up, and the folds say nothing about that.
#
# There is one more choice that can fool you. Suppose you compare twenty networks in this way, and keep the best. Its mean loss is the lowest of twenty numbers, so it is a bit too good, like the loss of the best epoch. This is why the test events stay closed until everything is chosen.

# %% [markdown]
# ### Exercise 6.10 – Which one do you take? (in your words)
#
# Decide between the two networks. Say what the comparison shows and how sure you are. The large network has 4021 parameters, the small one 541: does that matter here? And would you decide differently if the small network were a thousand times
# faster? Two to four sentences.

# %% tags=["exercise-6.10", "written"]
### BEGIN SOLUTION
answer_6_10 = """In our run the large network has the lower loss in most of the folds, in the mean by about 0.003, with a corrected error
of about the same size. That is hardly more than the error, and five folds tell it only roughly: the large network is probably
the better one, but the comparison does not prove it. It has seven times the parameters, but both train in seconds, so we take
it, and know that the small one would do nearly as well. If the small one were a thousand times faster, we would take that: a
gain that may be chance is not worth the price, and even one that is real can be too small to matter, which the significance
of chapter 7 decides."""
### END SOLUTION

# %% tags=["check-6.10"]
checks.written("6.10", answer_6_10)

# %% [markdown]
# ## 6.6 Handing on

# %% tags=["nbval-ignore-output"]
table = losses.reset_index().melt(id_vars="fold", var_name="model", value_name="validation_loss")
chapter.write_table("fold_losses", table[["model", "fold", "validation_loss"]])
numbers = {
    "loss_mean": mean,
    "loss_spread": spread,
    "loss_spread_seeds": np.std(seed_losses, ddof=1),
    "loss_mean_small": losses["20-20"].mean(),
    "difference_mean": paired.mean(),
    "difference_spread": paired.std(ddof=1),
    "difference_error": paired_error,
    "folds_won": int((paired > 0).sum()),
    "leak_last_fold": leak["fresh"].iloc[-1] - leak["reused"].iloc[-1],
    "leak_other_events": leak["fresh, other events"].iloc[-1] - leak["reused, other events"].iloc[-1],
    "shared_fraction": shared_fraction(fold, 0, 1),
    "naive_over_true_once": naive_errors["naive / true"].iloc[0],
    "naive_over_true_repeated": naive_errors["naive / true"].iloc[-1],
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
# - A network that is reused has seen its validation events. Its loss looks better and better while it becomes worse.
# - The mean over the folds uses all events. The spread tells how much the loss of one fold varies. Here it comes above all from the few heavy events.
# - The folds share most of their training events. The spread divided by $\sqrt{k}$ is no independent error, and repeating does not help. A corrected error is more careful.
# - Two networks are compared fold by fold, on the same events: the differences spread less than the losses.
# - Whatever is chosen by validation has to be judged on other events in the end.
#
# ## Further reading
#
# - Y. Bengio, Y. Grandvalet, *No Unbiased Estimator of the Variance of K-Fold Cross-Validation*, Journal of Machine Learning Research 5 (2004) 1089.
# - C. Nadeau, Y. Bengio, *Inference for the Generalization Error*, Machine Learning 52 (2003) 239.
# - T. G. Dietterich, *Approximate Statistical Tests for Comparing Supervised Classification Learning Algorithms*, Neural Computation 10 (1998) 1895.
# - S. Arlot, A. Celisse, *A survey of cross-validation procedures for model selection*, Statistics Surveys 4 (2010) 40, arXiv:0907.4728.
#
# Next: [chapter 7, significance](chapter7_significance.ipynb).
