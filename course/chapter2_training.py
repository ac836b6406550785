# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 2 – Training
#
# Chapter 1 ended with a question: can a network beat one cut? The best single window in one momentum is a rule with two
# numbers, and you know what it reaches. A neural network looks at several momenta at once, and finds out by itself how to
# combine them. In this chapter you build one from its smallest part, the neuron, and train it. First you train a neuron
# by hand: with your own gradient, your own steps, and your own mistakes. Nothing in it is magic. (Whether your network
# beats the cut is answered at the end of chapter 3, on events that it has never seen.)

# %% [markdown]
# ## What you will do
#
# - set events aside that the network never sees, so that you can judge it fairly later;
# - turn the event table into the numbers that a network takes;
# - understand neurons, layers and activations, and count the parameters by hand;
# - derive what the training minimises, its gradient, and how long its steps may be;
# - train your first network, read its loss curve, save it and load it back.
#
# | time | needs | makes |
# |---|---|---|
# | 140 minutes | the preselected events of chapter 1 | your first network, and its training history |

# %%
import time

from course import checks, interactive, outputs
from labcourse import network, plotting, samples, splitting, training
from labcourse.plotting import style

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

SEED = 2
keras.utils.set_random_seed(SEED)
chapter = outputs.Chapter(2, sources=samples.SIMULATED, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(2)

# %% [markdown]
# The seed fixes everything random in this notebook: the initial state of the networks and the order of the events.
# Run it twice, and you get the same numbers. Choose another seed, and they change a little. How much is a question
# for chapter 6.

# %%
events = chapter.read_table(1, "events")
print(f"{len(events)} preselected events, {events['weight'].astype(float).sum():.1f} expected at 10 fb⁻¹")

# %% [markdown]
# ## 2.1 Training and test events
# Chapter 1 quoted its window on test events. Here is how they are drawn, and why. A network can learn its events by heart. Then it is right about each of them, and useless for all others. To find
# out, we need events that it has never seen. So we divide the events before we do anything else: 60 % are for
# training, 40 % are *test events*. Their labels and scores are not looked at until the network is finished.
#
# How should we divide them? Drawing lots looks natural, and has a trap. In the next chapter somebody draws again,
# and some events that trained the network are now called test events. Nobody notices. So here the *event itself*
# decides. In every sample, an event has a run number and an event number. A fixed recipe, a *hash*, stirs these two
# numbers until they look random:

# %%
number = splitting.uniform(events, salt="test")
events.assign(number=number)[["sample", "run", "event", "number"]].iloc[:5].round({"number": 4})

# %% [markdown]
# `number` is evenly distributed between 0 and 1. But it is not random at all: the same event gets the same number
# today, tomorrow, on another computer and in any order of the table. The text `salt` says what the numbers are for.
# Another text gives other numbers, which are independent of the first, so that a later division among the training
# events does not repeat this one.

# %% [markdown]
# ### Exercise 2.1 – Split by identity (write code)
#
# Complete `split`. It gets an event table and the fraction of training events, and returns two event tables,
# `(train, test)`. The events with the small numbers train. Whichever rows are added, removed or put in another order: every
# event must stay on its side.


# %% tags=["exercise-2.1"]
def split(events, train_fraction):
    """Divide an event table into training and test events, by the identity of the events.

    Returns (train, test), two event tables.
    """
    ### BEGIN SOLUTION
    trains = splitting.uniform(events, salt="test") < train_fraction
    return events[trains], events[~trains]
    ### END SOLUTION


# %% tags=["check-2.1"]
split = checks.exercise_2_1(split)

# %%
train, test = split(events, 0.6)
print(f"{len(train)} training events, {len(test)} test events: {len(train) / len(events):.4f} train")

# %% [markdown]
# The course's own function is `splitting.split(events)`. All later chapters call it, and get the same two parts.
#
# ### What the split keeps
#
# No event is in both parts. Each part also looks like the whole, or should: about 60 % of every sample, in raw and
# in expected events. *About*, because each event falls on one of the two sides as a coin falls. How far from 60 % may a share be
# before you should worry?
#
# ### Exercise 2.2 – How far may a share be off? (derive)
#
# A sample has the event weights $w_i$. Each event trains with the probability $f$, independently of all others. The share of the
# expected events that train is the sum of the weights on that side, divided by the sum of all. What is its standard deviation
# $\sigma$? Derive it with a pencil, and write it as a function. (One coin that shows 1 with probability $f$ and else 0: what is its
# variance? What is the variance of a sum of independent coins, each worth $w_i$?)


# %% tags=["exercise-2.2"]
def share_error(weights, fraction):
    """Return the standard deviation of the share of the expected events that falls on one side.

    weights: event weights of a sample, shape (n_events,); fraction: probability of that side for each event
    """
    ### BEGIN SOLUTION
    variance = fraction * (1 - fraction) * np.sum(weights**2)
    return np.sqrt(variance) / np.sum(weights)
    ### END SOLUTION


# %% tags=["check-2.2"]
share_error = checks.exercise_2_2(share_error)

# %% [markdown]
# With your function, the shares of all samples, their errors, and how many errors each is away from 0.6:

# %%
rows = {}
for name in events["sample"].unique():
    whole = events.loc[events["sample"] == name, "weight"].to_numpy(float)
    part = train.loc[train["sample"] == name, "weight"].to_numpy(float)
    rows[name] = {
        "raw": len(part) / len(whole),
        "expected": part.sum() / whole.sum(),
        "error": share_error(whole, 0.6),
    }
shares = pd.DataFrame(rows).T
shares["pull"] = (shares["expected"] - 0.6) / shares["error"]
shares.round({"raw": 4, "expected": 4, "error": 4, "pull": 1})

# %%
fig, ax = plotting.comparison(
    shares["expected"].to_dict(),
    shares["error"].to_dict(),
    xlabel="share of the expected events in the training part",
    reference=0.6,
)
plotting.stamp(ax)
plotting.show(
    fig,
    alt="Share of the expected events of each sample in the training part, with errors, and a dashed line at 0.6. "
    "The large samples lie close to the line and have small errors; the three rare backgrounds have errors of several per cent.",
)

# %% [markdown]
# If all is well, about two thirds of the pulls lie between −1 and 1, and one in twenty beyond ±2. The share that is farthest from 0.6 need not have the largest pull: its error may be large, too. The rare backgrounds consist of few events with large weights. Splitting them leaves even fewer, and
# their shares fluctuate. When we predict yields from test events later on, we will scale each sample back to its
# full yield. That removes the fluctuation of its size. It does not make the events more numerous.

# %% [markdown]
# ## 2.2 What the network gets
#
# A network takes an array of numbers: one row per event, one column per variable. These are its *inputs*, called $x$.
# For training, it also needs the right answers, the *labels* $y$: 1 for signal, 0 for background.
#
# Our first network gets four inputs, the transverse momenta of the leptons. You saw in chapter 1 that they separate
# somewhat. Every simulated event counts the same here: no weights yet. Chapter 5 is about what weights change.

# %%
COLUMNS = ["lep1_pt", "lep2_pt", "lep3_pt", "lep4_pt"]

# %% [markdown]
# ### Exercise 2.3 – Inputs and labels (write code)
#
# Complete `to_arrays`. It gets an event table and a list of columns. Return `(x, y)`, two NumPy arrays of type
# `np.float32`: `x` of shape `(n_events, n_columns)` and `y` of shape `(n_events,)`. The names of the signal samples
# are in `samples.SIGNAL`.


# %% tags=["exercise-2.3"]
def to_arrays(events, columns):
    """Return the input array x, shape (n_events, n_columns), and the labels y, shape (n_events,), both float32."""
    ### BEGIN SOLUTION
    x = events[columns].to_numpy(np.float32)
    y = events["sample"].isin(samples.SIGNAL).to_numpy(np.float32)
    return x, y
    ### END SOLUTION


# %% tags=["check-2.3"]
to_arrays = checks.exercise_2_3(to_arrays)

# %%
x_train, y_train = to_arrays(train, COLUMNS)
print("x", x_train.shape, x_train.dtype, "– the first event:", x_train[0])
print("y", y_train.shape, y_train.dtype, "– share of signal:", round(float(y_train.mean()), 3))

# %% [markdown]
# Somebody asked for that much signal when the events were simulated. In nature it is about ten among four hundred (chapter 1), so what this network learns is not yet what nature asks: chapter 5 brings the weights in.
#
# ### Batches
#
# The network does not see all events at once. It takes a few, a [*batch*](../course/glossary.md#batch), corrects itself a little, and takes the
# next. When all events have had their turn, one [*epoch*](../course/glossary.md#epoch) is over. Small batches mean many corrections, each from a
# noisy impression. Large batches mean few corrections, each well founded. We start with 128 events per batch.
# What is left over at the end makes a smaller batch: no event is left out.
#
# TensorFlow has a tool that hands over the events batch by batch, the *dataset*. It also shuffles them, anew for
# each epoch:

# %%
dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
dataset = dataset.shuffle(len(x_train), seed=SEED).batch(128)
n_batches = int(dataset.cardinality())
print(
    f"{len(x_train)} events make {n_batches} batches of 128; in the last one are {len(x_train) - 128 * (n_batches - 1)}"
)
for x_batch, y_batch in dataset.take(2):
    print("x", x_batch.shape, "y", y_batch.shape, "share of signal", round(float(y_batch.numpy().mean()), 2))

# %% [markdown]
# ## 2.3 Normalisation
#
# Momenta come in GeV, and their size is an accident of that unit. The leading lepton has some 70 GeV on average, the
# last one less than 20. A network starts from small random weights. It learns fastest if all inputs are about as large as 1 and
# centred at 0. So we [*standardise*](../course/glossary.md#standardisation) each input:
#
# $$ x' = \frac{x - \mu}{\sigma} , $$
#
# where $\mu$ is the mean of that input and $\sigma$ its standard deviation, both from the *training* events. Why
# from those alone? The numbers $\mu$ and $\sigma$ belong to the network, like everything else that it learns. Test
# events must not help to make it. In NumPy it is one line. Mind the second argument:


# %%
def standardise(x, reference):
    """Return (x − µ)/σ, with mean µ and standard deviation σ of each column of reference."""
    return (x - reference.mean(axis=0)) / reference.std(axis=0)


# %%
x_test, y_test = to_arrays(test, COLUMNS)
train_double, test_double = x_train.astype(float), x_test.astype(float)
(
    pd.DataFrame(
        {
            "mean [GeV]": train_double.mean(axis=0),
            "std [GeV]": train_double.std(axis=0),
            "mean, standardised": standardise(train_double, train_double).mean(axis=0),
            "std, standardised": standardise(train_double, train_double).std(axis=0),
            "mean, test": standardise(test_double, train_double).mean(axis=0),
            "std, test": standardise(test_double, train_double).std(axis=0),
        },
        index=COLUMNS,
    ).round(3)
    + 0.0
)  # adding zero turns −0.0 into 0.0

# %% [markdown]
# For the training events, means are 0 and widths are 1. For the test events they nearly are. (With Z → µµ
# of the release one width is clearly larger than 1: among the test events is a muon of several TeV, most likely
# mismeasured, and a standard deviation takes notice of a single such event.) In Keras, the library in which we write
# networks, this step is a layer of its own, `Normalization`. It learns $\mu$ and $\sigma$ when you call `adapt`:

# %%
normalisation = keras.layers.Normalization()
normalisation.adapt(x_train)
difference = np.abs(keras.ops.convert_to_numpy(normalisation(x_test)) - standardise(test_double, train_double)).max()
print("the layer and your function agree" if difference < 1e-3 else f"they differ by up to {difference}")

# %% [markdown]
# ## 2.4 The network
#
# A network is made of [*neurons*](../course/glossary.md#neuron). A neuron multiplies each input by a *weight*, adds up the products and a
# number of its own, the *bias*, and passes the sum through a function, the [*activation*](../course/glossary.md#activation-function):
#
# $$ \text{output} = f\Big(\sum_i w_i x_i + b\Big) . $$
#
# ![Four inputs, each with its weight, and a bias go into a sum; the sum goes through an activation f, and the output comes out. Beside it
# the curves of ReLU, sigmoid and tanh.](../course/figures/neuron_and_activations.svg)
#
# (These weights have nothing to do with event weights. The word is used for both, sadly.)
#
# (In the drawing the output is called $y$; tanh is an older activation.)
#
# Without the activation, neurons would be of little use: sums of sums are sums, and any number of layers would do
# no more than one. The activation makes the network *non-linear*. We use two:
#
# - *ReLU* sets negative sums to zero. It is quick, and is used inside the network.
# - The *sigmoid* squeezes any number between 0 and 1. It is used for the last neuron, whose output is the network's
#   answer: close to 1 means signal, close to 0 background. We call it the *score*.
#
# Neurons are arranged in *layers*. Every neuron of a layer gets the outputs of all neurons of the layer before.
# Such layers are called *dense*. Ours has four inputs, two *hidden* layers of 60 neurons each, and one output
# neuron:
#
# ![A network as circles in columns, connected by lines. On the left the four transverse momenta, then two hidden
# layers of sixty neurons, on the right a single neuron with a sigmoid, whose output is the score between zero and
# one. Below each layer stand the shapes of its weights and biases.](../course/figures/network_4_60_60_1.svg)
#
# In Keras, a network is written down layer by layer:

# %%
model = keras.Sequential(
    [
        keras.Input((4,), name="inputs"),
        normalisation,
        keras.layers.Dense(60, activation="relu", name="hidden_1"),
        keras.layers.Dense(60, activation="relu", name="hidden_2"),
        keras.layers.Dense(1, activation="sigmoid", name="score"),
    ],
    name="first_model",
)

# %% [markdown]
# ### Exercise 2.4 – Count the parameters (by hand)
#
# Weights and biases are the *parameters* of the network: what the training adjusts. How many does each dense layer
# have? Take a pencil and count, for the first hidden layer (4 inputs, 60 neurons), the second hidden layer (60
# inputs, 60 neurons) and the output layer (60 inputs, 1 neuron). Give three numbers.

# %% tags=["exercise-2.4"]
### BEGIN SOLUTION
parameters = (60 * 4 + 60, 60 * 60 + 60, 60 + 1)
### END SOLUTION

# %% tags=["check-2.4"]
checks.exercise_2_4(parameters)

# %%
model.summary()

# %% [markdown]
# Keras counts as you did: 4021 parameters to be trained. The nine others belong to the normalisation: four means,
# four variances and a counter. They are not trained.

# %% [markdown]
# ### Exercise 2.5 – Be the network (write code)
#
# Complete `forward`, which computes the score. `layers` is a list with one pair `(kernel, bias)` per layer: `kernel`
# has shape `(n_inputs, n_neurons)` and holds the weights, `bias` has shape `(n_neurons,)`. Hidden layers have a
# ReLU, the last layer a sigmoid. `x` has shape `(n_events, n_inputs)` and is standardised already. Return the
# score, shape `(n_events,)`. With `@` you multiply matrices, so that `x @ kernel` gives the sums of all neurons for
# all events at once.


# %% tags=["exercise-2.5"]
def forward(x, layers):
    """Return the score of a network, shape (n_events,).

    x: inputs, shape (n_events, n_inputs); layers: list of (kernel, bias), the last one is the output layer
    """
    ### BEGIN SOLUTION
    for kernel, bias in layers[:-1]:
        x = np.maximum(0, x @ kernel + bias)
    kernel, bias = layers[-1]
    score = 1 / (1 + np.exp(-(x @ kernel + bias)))
    return score[:, 0]
    ### END SOLUTION


# %% tags=["check-2.5"]
forward = checks.exercise_2_5(forward)

# %%
layers = [tuple(layer.get_weights()) for layer in model.layers if isinstance(layer, keras.layers.Dense)]
by_hand = forward(standardise(test_double, train_double), layers)
by_keras = training.predict(model, x_test)
print("shapes of the kernels:", *(kernel.shape for kernel, _ in layers))
print("your network and Keras agree" if np.allclose(by_hand, by_keras, atol=1e-4) else "they differ")

# %% [markdown]
# This is all that a trained network is: three kernels, three biases, and the few lines that you have just written.
# What is left is to find good values for the 4021 parameters.

# %% [markdown]
# ## 2.5 What the training minimises
#
# We need a number that says how wrong the network is: the [*loss*](../course/glossary.md#loss). Read the score $p$ as the probability that the
# event is signal. Then the probability that the network gives to the true answer is $p$ for a signal event and
# $1-p$ for a background event. The events are independent, so for all of them together these numbers are multiplied.
# The loss is minus the
# logarithm of this product, divided by the number of events:
#
# $$ L = -\frac{1}{n}\sum_{i=1}^{n} \Big( y_i \log p_i + (1-y_i)\log(1-p_i) \Big) . $$
#
# You know this from fitting: it is a negative log-likelihood. In machine learning it is called [*binary
# cross-entropy*](../course/glossary.md#cross-entropy). Each event adds one of two curves:

# %%
p = np.linspace(0.002, 0.998, 499)
with plotting.use_style():
    fig, ax = plotting.new_figure(width=5.6, height=3.4)
    ax.plot(p, -np.log(p), color=style.SIGNAL, label="signal: −log p")
    ax.plot(p, -np.log(1 - p), color=style.BACKGROUND, linestyle="--", label="background: −log(1 − p)")
    ax.set(xlabel="score p", ylabel="loss of one event", xlim=(0, 1), ylim=(0, 6))
    ax.legend(loc="upper center")
plotting.show(
    fig,
    alt="Two curves against the score p. The loss of a signal event is zero at p = 1 and grows without bound towards p = 0; that of a "
    "background event is the mirror image. They cross at p = 0.5, where both cost 0.69.",
)


# %%
def cross_entropy(y, p):
    """Return the mean binary cross-entropy of the scores p for the labels y."""
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


# %% [markdown]
# Being unsure costs a little. Being sure and wrong costs a lot.
#
# ### Exercise 2.6 – The price of knowing nothing (derive)
#
# Which loss should we expect before any training? A network that has understood nothing gives all events the same score $c$. A
# share $s$ of the events is signal. Which $c$ makes the loss smallest, and how small does it become? Take a pencil; then complete the
# function, which returns both numbers.


# %% tags=["exercise-2.6"]
def knowing_nothing(share):
    """Return (the best score that is the same for all events, its loss), if this share of the events is signal."""
    ### BEGIN SOLUTION
    loss = -share * np.log(share) - (1 - share) * np.log(1 - share)
    return share, loss
    ### END SOLUTION


# %% tags=["check-2.6"]
knowing_nothing = checks.exercise_2_6(knowing_nothing)

# %% tags=["nbval-ignore-output"]
signal_share = float(y_train.mean(dtype=float))
best_constant, know_nothing = knowing_nothing(signal_share)
untrained = np.clip(training.predict(model, x_train).astype(float), 1e-7, 1 - 1e-7)
print(f"always answering {best_constant:.3f}: loss {know_nothing:.3f}")
print(f"untrained network:     loss {cross_entropy(y_train.astype(float), untrained):.3f}")

# %% [markdown]
# This untrained network does worse than that: its opinions are random. (With another seed it may do a little better, by luck.) (Scores are kept away from exactly 0 and 1,
# where the logarithm would be infinite. Keras does so too.) A useful network must come out below the loss of
# knowing nothing.

# %% [markdown]
# ## 2.6 Training
#
# The loss is a function of 4021 parameters. Imagine a landscape, and walk downhill. The [*gradient*](../course/glossary.md#gradient) $\nabla L$
# points uphill, so every parameter $\theta$ makes a step against it:
#
# $$ \theta \to \theta - \eta \, \nabla_\theta L . $$
#
# The [*learning rate*](../course/glossary.md#learning-rate) $\eta$ (not the pseudorapidity) sets the length of the step. Around it runs a loop (Adam in the figure is explained below, validation events in chapter 4):
#
# ![The loop of one epoch: a batch of the shuffled training events, the prediction of its scores, the loss that compares them with the labels, the
# gradient, the update of the weights, and the next batch. After each epoch comes the loss of the validation events.](../course/figures/training_loop.svg)
#
# ### Train one neuron by hand
#
# Before we move 4021 parameters, move two. One neuron gets two inputs, the momenta of leptons 2 and 4, standardised. Its
# bias stays at zero, so that there is a landscape that one can draw. Its score is the sigmoid of a sum:
#
# $$ z = w_1 x_1 + w_2 x_2 , \qquad p = \frac{1}{1+e^{-z}} . $$
#
# ### Exercise 2.7 – The gradient (derive)
#
# You need the derivatives of $L$ with respect to the weights. Go by the chain rule: first $dL/dz$ of a single event. Write $p$ as the
# sigmoid, simplify until nothing is left to simplify, and you will find something so simple that you will not forget it. Then go on to
# the weights, and to the mean over the events.


# %% tags=["exercise-2.7"]
def gradient(x, y, weights):
    """Return the derivatives of the mean cross-entropy with respect to the weights, shape (n_inputs,).

    x: inputs, shape (n_events, n_inputs); y: labels, shape (n_events,); weights: shape (n_inputs,), without a bias
    """
    ### BEGIN SOLUTION
    p = 1 / (1 + np.exp(-(x @ weights)))
    return (p - y) @ x / len(y)
    ### END SOLUTION


# %% tags=["check-2.7"]
gradient = checks.exercise_2_7(gradient)

# %% [markdown]
# Whoever derives a gradient tests it. A small step to both sides, and the difference of the two losses must say the same as the
# formula. That takes no pencil, and finds every lost sign:

# %%
x_pair = standardise(train_double, train_double)[:, [1, 3]]
y_pair = y_train.astype(float)


def loss_of(weights):
    """Return the loss of the neuron with these two weights."""
    return cross_entropy(y_pair, 1 / (1 + np.exp(-(x_pair @ weights))))


start_weights, small = np.array([0.2, 0.5]), 1e-4
by_differences = [(loss_of(start_weights + d) - loss_of(start_weights - d)) / (2 * small) for d in small * np.eye(2)]
pd.DataFrame(
    {"your gradient": gradient(x_pair, y_pair, start_weights), "by differences": by_differences}, index=["w₁", "w₂"]
).round(6)

# %% [markdown]
# ### Exercise 2.8 – The descent (write code)
#
# Now the walk itself. Begin at `weights`, make `n_steps` steps against the gradient of all events, and keep the path. Return an array
# of shape `(n_steps + 1, n_inputs)`: the first row is where you started, the last one where you arrived. Use your `gradient`.


# %% tags=["exercise-2.8"]
def descend(x, y, weights, learning_rate, n_steps):
    """Return the weights before the first step and after each step, shape (n_steps + 1, n_inputs)."""
    ### BEGIN SOLUTION
    path = [weights]
    for _ in range(n_steps):
        weights = weights - learning_rate * gradient(x, y, weights)
        path.append(weights)
    return np.array(path)
    ### END SOLUTION


# %% tags=["check-2.8"]
descend = checks.exercise_2_8(descend)

# %% [markdown]
# This is your walk, in the landscape of your neuron. Move the step. Then change the learning rate: each one is a
# walk of its own. *Which learning rate arrives first? What do the two largest do, and along which direction?*

# %% tags=["nbval-ignore-output"]
interactive.descent(x_pair, y_pair, ["lep2_pt", "lep4_pt"], descend, start=start_weights)

# %% [markdown]
# Small steps creep. Larger ones arrive sooner. But some learning rates never arrive, however long one waits: they swing from one side of
# the valley to the other. Where is the border?
#
# Near its bottom every valley is a parabola. Along a direction with the *curvature* $c$ (the second derivative), the loss is
# $L = L_0 + \frac{c}{2} d^2$ at the distance $d$ from the bottom. In our landscape there are two such directions, and their curvatures can
# be measured: by differences again, now of your gradient.

# %%
bottom = descend(x_pair, y_pair, start_weights, 3.0, 100)[-1]
second_derivatives = np.array(
    [
        (gradient(x_pair, y_pair, bottom + d) - gradient(x_pair, y_pair, bottom - d)) / (2 * small)
        for d in small * np.eye(2)
    ]
)
curvatures, directions = np.linalg.eigh((second_derivatives + second_derivatives.T) / 2)
print(
    f"bottom at w₁ = {bottom[0]:.3f}, w₂ = {bottom[1]:.3f}: loss {loss_of(bottom):.4f}, knowing nothing {know_nothing:.4f}"
)
for curvature, direction in zip(curvatures, directions.T, strict=True):
    print(f"curvature {curvature:.4f} along ({direction[0]:+.2f}, {direction[1]:+.2f})")

# %% [markdown]
# ### Exercise 2.9 – The longest step (derive, and predict)
#
# One step with the learning rate $\eta$ takes the distance $d$ to which new distance? For which $\eta$ does the walk still come closer with
# each step? Derive the largest one, in terms of the curvature. Then compute the number for our landscape, from `curvatures`: beyond it
# a walk never comes to rest. Call it `longest_step`. (Which of the two curvatures decides?)

# %% tags=["exercise-2.9"]
### BEGIN SOLUTION
longest_step = 2 / curvatures.max()
### END SOLUTION

# %% tags=["check-2.9"]
longest_step = checks.exercise_2_9(longest_step, curvatures=curvatures)

# %% [markdown]
# A prediction is worth something when it can fail. Two hundred steps, with a learning rate just below yours and one just above:

# %%
walks = {}
for factor in (0.3, 0.95, 1.05):
    path = descend(x_pair, y_pair, start_weights, factor * longest_step, 200)
    walks[factor] = [loss_of(weights) for weights in path[-2:]]
    print(
        f"{factor:.2f} × your longest step: the loss ends at {walks[factor][0]:.4f}, {walks[factor][1]:.4f}; "
        f"at the bottom it is {loss_of(bottom):.4f}"
    )

# %% tags=["claim"]
assert walks[0.3][1] - loss_of(bottom) < 1e-6
assert walks[0.95][1] - loss_of(bottom) < 1e-3  # it comes to rest
assert walks[1.05][1] - loss_of(bottom) > 0.005  # it does not
assert loss_of(bottom) < know_nothing

# %% [markdown]
# That is the whole secret of the learning rate. The steepest direction sets the longest step, and the flattest one then needs many steps.
# The more the two differ, the slower the walk. Standardised inputs help: they make valleys rounder. And a single neuron has only
# one valley, so every walk that comes to rest ends at the same place.
#
# With hidden layers, the gradient goes by the chain rule as well, from the loss back through the layers: this is
# *backpropagation*. Keras does it for us. And each batch gives only an estimate of the gradient, so steps are noisy.

# %% [markdown]
# ### The refined walk
#
# In a landscape of 4021 dimensions nobody knows the steepest curvature, and it changes on the way. So we use a refined version of this
# walk, called [*Adam*](../course/glossary.md#adam). For each parameter it keeps a running mean of the gradient,
# which evens out the noise of small batches, and a running mean of its square. It divides the first by the root of
# the second. (It divides by $\sqrt{v}+\epsilon$ with $\epsilon = 10^{-7}$, to be safe from zero.) So a parameter with a steep gradient and one with a flat gradient make steps of similar size: at most about $\eta$, and less where the gradient changes its sign from batch to batch. Our learning rate is $2\cdot 10^{-4}$.

# %%
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-4),
    loss="binary_crossentropy",
    weighted_metrics=["accuracy"],
)

# %% [markdown]
# `accuracy` plays no part in the training. It is only reported: the share of events on the right side of a score of 0.5. (It stands under `weighted_metrics` for chapter 5, where events get weights. Here all count the same.)
#
# From here on the network is written down, and compiled in this way, by `network.build`, and trained by `training.fit`. That function
# makes the same steps as Keras' own `model.fit`, only faster; section 2.7 shows that it does.

# %% [markdown]
# ### Exercise 2.10 – Why shuffle? (in your words)
#
# The event table is sorted: all signal samples first, then the background. What do you expect if the network is
# trained on it batch by batch, without shuffling? What will its scores look like at the end of the epoch? Write
# down your guess, then run the cells that follow: first the experiment, then the check.

# %% tags=["exercise-2.10", "written"]
### BEGIN SOLUTION
answer_2_10 = """Batches of signal alone only teach it to answer 1, whatever the inputs are. Then come batches of background
alone, and it learns to answer 0, and forgets. At the end of the epoch it calls nearly everything background: what came last counts most.
A shuffled batch is a small copy of the whole, so its gradient points, on average, in the right direction."""
### END SOLUTION

# %% tags=["nbval-ignore-output"]
signal_first = np.argsort(-y_train, kind="stable")
for shuffle in (False, True):
    trial = network.build(4, normalise=x_train, seed=SEED)
    training.fit(
        trial, x_train[signal_first], y_train[signal_first], epochs=1, shuffle=shuffle, seed=SEED, progress=False
    )
    scores = training.predict(trial, x_train)
    print(
        f"shuffle={shuffle!s:5}  mean score of signal {scores[y_train == 1].mean():.3f}, "
        f"of background {scores[y_train == 0].mean():.3f}"
    )

# %% tags=["check-2.10"]
checks.written("2.10", answer_2_10)

# %% [markdown]
# ### Eight neurons bend the line
# Your neuron has to put a straight line through the plane. With a bias the line need not go through the middle. (A bias is the weight of an input that is always 1: so your `descend` can do it.)

# %%
with_ones = np.column_stack([x_pair, np.ones(len(x_pair))])
best_line = descend(with_ones, y_pair, np.zeros(3), 3.0, 100)[-1]
loss_of_line = cross_entropy(y_pair, 1 / (1 + np.exp(-(with_ones @ best_line))))
print(f"one neuron without bias: loss {loss_of(bottom):.4f}; with bias, the best straight line: {loss_of_line:.4f}")

# %% [markdown]
# No straight line can do better than that. But Higgs events lie in a band near its lower left
# corner, with background on both sides. Now the same two inputs go to a hidden layer of eight neurons. Where the sum of a
# hidden neuron changes its sign, its ReLU has a kink, and there the surface may bend. On the solid line the score is 0.5;
# forty events of each class are drawn, signal as squares, background as circles.
#
# *In which epoch does the loss fall clearly below that of the best straight line, and when does a second solid line appear? What can two lines do that one cannot?* (Then put a 1 in place of the 8, and run the cell again.)

# %% tags=["nbval-ignore-output"]
pair = x_train[:, [1, 3]]
bending = network.build(2, hidden=(8,), normalise=pair, learning_rate=1e-3, seed=SEED)
plane_x, plane_y = np.meshgrid(np.linspace(5, 80, 100), np.linspace(5, 40, 100))
plane = np.column_stack([plane_x.ravel(), plane_y.ravel()])

trained = 0
with plotting.use_style():
    fig, axes = plotting.new_figure(2, 2, width=7.2, height=5.2, sharex=True, sharey=True)
    for ax, epochs in zip(axes.flat, (0, 1, 2, 40), strict=True):
        if epochs > trained:
            training.fit(bending, pair, y_train, epochs=epochs - trained, seed=epochs, progress=False)
            trained = epochs
        loss = cross_entropy(y_train.astype(float), training.predict(bending, pair).astype(float))
        score = training.predict(bending, plane).reshape(plane_x.shape)
        surface = ax.contourf(plane_x, plane_y, score, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.5)
        ax.contour(plane_x, plane_y, score, levels=[0.5], colors="black", linewidths=2)
        for y, color, marker in ((0, style.BACKGROUND, "o"), (1, style.SIGNAL, "s")):
            ax.plot(*pair[y_train == y][:40].T, marker, color=color, markersize=4, markeredgecolor="white")
        ax.set(xlim=(5, 80), ylim=(5, 40), title=f"{epochs} epochs: loss {loss:.3f}")
    fig.supxlabel(style.axis_title("lep2_pt"))
    fig.supylabel(style.axis_title("lep4_pt"))
    fig.colorbar(surface, ax=axes, label="score")
plotting.show(
    fig,
    alt="Four times the plane of the transverse momenta of the second and fourth lepton, coloured by the score of a network with one small hidden layer, with signal squares and background circles. Before the training the surface has nothing to do with them. After one epoch a solid line separates a low corner from the rest; from the second epoch on two lines enclose a band, in which most of the signal lies.",
)

# %% tags=["claim"]
assert loss < loss_of_line - 0.03

# %% [markdown]
# Two lines enclose a band: inside it the score is above one half, on both sides below. A single neuron has one line, so that the background beyond it is on the right side, and that before it on the wrong one. (Which epochs? Here the
# loss is below that of the best line after one epoch: a bent line is better than a straight one. The second line comes with the second epoch.)
#
# ### Five epochs
#
# Now we train for good: a fresh network, five epochs, shuffled.

# %% tags=["nbval-ignore-output"]
first_model = network.build(4, normalise=x_train, learning_rate=2e-4, seed=SEED)
start = time.perf_counter()
history = training.fit(first_model, x_train, y_train, epochs=5, batch_size=128, seed=SEED)
course_seconds = time.perf_counter() - start
print(f"five epochs: {course_seconds:.1f} s")

# %% tags=["nbval-ignore-output"]
fig, ax = plotting.losses(history)
plotting.show(
    fig,
    alt="Training loss against the epoch, from one to five. It falls steeply from the first epoch to the second and then ever more slowly.",
)
print(f"for comparison: knowing nothing but the share of signal costs {know_nothing:.3f}")

# %% [markdown]
# One thing to know about this curve: Keras averages the loss over the batches of an epoch, *while* the network is
# learning. The first point therefore contains the beginner's mistakes.

# %% [markdown]
# ### Exercise 2.11 – What the loss curve does not tell (in your words)
#
# The training loss fell with every epoch. Does this show that the network recognises Higgs bosons in events that it
# has never seen? What would you look at to find out? Two or three sentences.

# %% tags=["exercise-2.11", "written"]
### BEGIN SOLUTION
answer_2_11 = """No. The training loss is measured on the events that the network was fitted to, and it would also fall if the network
learnt them by heart. One has to compute loss and scores for events that took no part in the training, such as the test events.
If both agree and lie below the loss of knowing nothing, the network has learnt something general; if the training loss is lower by more than its error, it has begun to memorise."""
### END SOLUTION

# %% tags=["check-2.11"]
checks.written("2.11", answer_2_11)

# %% [markdown]
# ## 2.7 The same steps, faster
#
# Keras' own training is called `model.fit`. It takes the dataset, which shuffles by itself: hence `shuffle=False`. One epoch takes a few
# seconds, on a slow computer ten or more, and says nothing until the end. (Keras starts its clock only when everything is prepared;
# ours counts the preparation, too.)

# %% tags=["nbval-ignore-output"]
start = time.perf_counter()
model.fit(dataset, epochs=1, shuffle=False, verbose=2)
keras_seconds = time.perf_counter() - start
print(f"one epoch by model.fit: {keras_seconds:.1f} s, {1000 * keras_seconds / n_batches:.1f} ms per step")
print(f"five epochs by training.fit: {course_seconds:.1f} s, {1000 * course_seconds / (5 * n_batches):.2f} ms per step")

# %% [markdown]
# Our network is tiny. The arithmetic for a batch takes less than the last of these numbers. A step of Keras takes far longer: between two batches, Keras returns to Python, fetches the next events one by one, and starts the machinery
# again. For the large networks of today's research this does not matter. For ours it is nearly all.
#
# Therefore the course has `training.fit`. It takes the same events in the same batches and makes the same steps
# with the same optimizer. But all batches of an epoch are one compiled program, which does not return to Python in
# between. Do not believe it: test it. Two networks start from the same weights. One is trained by Keras, the other
# by the course, without shuffling, so that the batches are the same. (A few seconds.)

# %% tags=["nbval-ignore-output"]
x_few, y_few = x_train[::10], y_train[::10]
unshuffled = tf.data.Dataset.from_tensor_slices((x_few, y_few)).batch(128)
plain, compiled = (network.build(4, normalise=x_train, seed=SEED) for _ in range(2))
plain.fit(unshuffled, epochs=2, shuffle=False, verbose=0)
training.fit(compiled, x_few, y_few, epochs=2, shuffle=False, progress=False)
fit_difference = max(
    float(np.abs(a - b).max()) for a, b in zip(plain.get_weights(), compiled.get_weights(), strict=True)
)
print(f"largest difference in any of the {plain.count_params()} parameters: {fit_difference:.0e}")

# %% [markdown]
# The difference is what remains of rounding in 32-bit numbers.
#
# ## 2.8 Save and load
#
# The network is worth keeping. A file with the ending `.keras` holds the layers, all parameters and the state of
# the optimizer. `chapter.write_model` puts it into `data/outputs/`, where the next chapters find it.

# %%
chapter.write_model("first_model", first_model)
loaded = chapter.read_model(2, "first_model")

# %% [markdown]
# Is the loaded network the same? We ask for equality in every bit, for all test events. (Their scores are compared,
# but not looked at until chapter 3.)

# %%
is_same = np.array_equal(training.predict(first_model, x_test), training.predict(loaded, x_test))
print("the loaded network predicts exactly the same:", is_same)

# %% [markdown]
# The history and the key numbers are kept as well.

# %% tags=["nbval-ignore-output"]
history_table = pd.DataFrame(history.history, index=pd.RangeIndex(1, len(history.history["loss"]) + 1, name="epoch"))
chapter.write_table("history", history_table)
chapter.write_numbers(
    {
        "raw_train": len(train),
        "raw_test": len(test),
        "parameters": network.count_parameters([4, 60, 60, 1]),
        "loss_of_knowing_nothing": know_nothing,
        "longest_step": longest_step,
        "loss_of_one_neuron": loss_of(bottom),
        "loss_first_epoch": history.history["loss"][0],
        "loss_last_epoch": history.history["loss"][-1],
        "difference_from_keras": fit_difference,
        "loaded_predicts_the_same": int(is_same),
    }
)
history_table.round(4)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(2)

# %% [markdown]
# ## Summary
#
# - An event's own numbers decide whether it trains or tests. So it stays on its side in every chapter.
# - Inputs are standardised with mean and width of the training events; the labels are 1 for signal and 0 for
#   background.
# - A neuron is a weighted sum, a bias and an activation. The network 4-60-60-1 has 4021 parameters.
# - Training minimises the cross-entropy, a negative log-likelihood, in small steps against its gradient. For a neuron the gradient is
#   the mean of $(p-y)\,x$; for a network the chain rule carries it back through the layers.
# - With steps longer than two divided by the steepest curvature, a walk never comes to rest: it swings from side to side. Adam finds a length for each parameter.
# - After five epochs the loss is well below that of knowing nothing. Whether the network is better than one cut, this does not say.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. A network is trained with labels 1 and 0. Its loss, the cross-entropy, is 0.69 on events of which half are signal. What does this number show?**
#
# <details><summary>No more than always answering 0.5 would.</summary>Right. The answer 0.5 for everything costs log 2 = 0.69. (The order of the scores may still be good: a network that is too sure of itself has a large loss.)</details>
# <details><summary>A good deal: the score is right for 69 % of the events.</summary>No. A loss is no share of events. Compare it with what knowing nothing costs.</details>
# <details><summary>It is worse than guessing, since 0.69 is above 0.5.</summary>No. 0.5 is a score, 0.69 is a loss: guessing 0.5 costs just this loss.</details>
#
# **2. Mean and width for standardising are taken from all events, the test events included. What is wrong with it?**
#
# <details><summary>Nothing: no labels are used.</summary>Almost. The effect is small here. But the test events have helped to make the network that they are to judge.</details>
# <details><summary>The test events have helped to make the network.</summary>Right. Mean and width belong to the network. With many events it changes little; the habit matters where it changes much.</details>
# <details><summary>The training becomes unstable.</summary>No. The numbers are almost the same, so the training is too. It is the judgement that is no longer independent.</details>
#
# **3. The loss goes down and up by turns, and each swing is larger than the one before. What helps?**
#
# <details><summary>More epochs.</summary>No. If each step overshoots by more than the last one, more steps make it worse.</details>
# <details><summary>A larger learning rate, to get out of the valley.</summary>No. The valley is where we want to go.</details>
# <details><summary>A smaller learning rate.</summary>Right. The step is longer than two divided by the curvature: it lands farther from the bottom than it started.</details>
# <details><summary>Shuffling.</summary>No. That helps where batches differ from each other. A descent with all events at once swings in this way, too.</details>
#
# **4. A network of dense layers without any activation but the last sigmoid: what can it do that one neuron cannot?**
#
# <details><summary>Bend the line where its score is 0.5.</summary>No. Without activations the layers are one matrix after the other, and their product is one matrix: the line stays straight.</details>
# <details><summary>Nothing.</summary>Right. Products of matrices are matrices. It has more parameters, and can do no more than a single neuron.</details>
# <details><summary>Use more inputs.</summary>No. A single neuron takes as many inputs as one likes.</details>

# %% [markdown]
# ## What you can now do
#
# - divide events so that nobody can mix them up later, and say how far a share may be off;
# - write a network, its loss and its gradient in NumPy, and test a gradient by differences;
# - recognise a learning rate that is too large, and say why;
# - train a network in Keras, and know which loss it must at least beat.
#
# ## Further reading
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press (2016), chapter 6: feedforward networks.
# - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, arXiv:1412.6980.
# - D. Guest, K. Cranmer, D. Whiteson, *Deep Learning and its Application to LHC Physics*, Ann. Rev. Nucl. Part.
#   Sci. 68 (2018) 161, arXiv:1806.11484.
# - The Keras documentation, *Training and evaluation with the built-in methods*, keras.io.
#
# Next: [chapter 3, evaluation](chapter3_evaluation.ipynb).
