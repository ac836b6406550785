# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Appendix – Ten digits
#
# No physics for half an hour. Here a network reads handwriting. You know each of its parts from chapter 2; new is that there are ten
# classes instead of two. And the end is about something that every search for a particle has to get right: a test that is fair.
#
# ## What you will do
#
# - predict the loss of a network that knows nothing, and see it;
# - say how often a reader is right, and how well you know that;
# - find the two digits that are confused most, and see what it does if one hand writes in training and test.
#
# | time | needs | makes |
# |---|---|---|
# | 30 minutes | chapter 2 in your head, nothing on the disk | nothing that another chapter reads |

# %%
import math

from course import checks, outputs
from labcourse import plotting, training

import keras
import numpy as np
import pandas as pd
from sklearn import datasets, linear_model, model_selection

SEED = 2
chapter = outputs.Chapter(10, sources=(), solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(10)

# %% [markdown]
# ## 10.1 The pictures
#
# scikit-learn brings 1797 pictures of handwritten digits. Each has 8 × 8 pixels, and a pixel is a number from 0 to 16: how much ink there is.
# So a picture is an event with 64 variables. Here is one of each digit, and the mean of all.

# %%
bunch = datasets.load_digits()
pictures, digits = (bunch.data / 16).astype(np.float32), bunch.target.astype(np.int32)
means = np.array([pictures[digits == digit].mean(axis=0) for digit in range(10)])
examples = np.array([pictures[digits == digit][0] for digit in range(10)])
fig, axes = plotting.new_figure(2, 10, width=7.2, height=1.7)
for row, (title, shown) in zip(axes, {"one": examples, "mean": means}.items(), strict=True):
    row[0].set_ylabel(title)
    for ax, picture in zip(row, shown, strict=True):
        ax.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.minorticks_off()
plotting.show(
    fig,
    alt="Two rows of ten small grey pictures, the digits 0 to 9. Above one picture of each digit, coarse but easy to read; below the mean of all its pictures, blurred.",
)

# %% [markdown]
# How shall we test? By the page of the data set, 13 people wrote these pictures (E. Alpaydin and C. Kaynak, *Optical recognition of handwritten digits*, UCI 1998). It does not say who wrote which, but neighbours
# in the file are probably of one hand. So we cut the file into four *blocks*, in the order of the file. Each block is read by a network that was trained with the other three: in the end every
# picture has been read once, by a network that has not seen it. (Chapter 6 makes a method of this.)

# %%
blocks = model_selection.KFold(4)


def read_by_networks(folds):
    """Return the probabilities of the ten digits, shape (n_pictures, 10), and the loss by epoch in the first fold."""
    probabilities, losses = np.zeros((len(digits), 10)), []
    for train, test in folds.split(pictures):
        keras.utils.set_random_seed(SEED)
        layers = keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")
        network = keras.Sequential([keras.Input((64,)), *layers])
        network.compile(optimizer=keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy")
        x, y = pictures[train], digits[train]
        before = -np.log(training.predict(network, x)[np.arange(len(y)), y].astype(float)).mean()
        history = training.fit(network, x, y, epochs=30, batch_size=64, seed=SEED, progress=False)
        losses.append([before, *history.history["loss"]])
        probabilities[test] = training.predict(network, pictures[test])
    return probabilities, losses[0]


# %% [markdown]
# The last layer, *softmax*, turns ten numbers $z_d$ into ten probabilities that add up to one: $p_d = e^{z_d} / \sum_k e^{z_k}$. With two
# classes it is the sigmoid. The loss is the mean of $-\ln p_d$, where $d$ is the digit that is really there.
#
# ### Exercise 10.1 – Ten classes, no idea (predict)
#
# A network has no idea, and knows it. All ten digits are equally frequent. Which loss does it have? Say it before you train: a number, or a formula.

# %% tags=["exercise-10.1"]
### BEGIN SOLUTION
loss_of_no_idea = math.log(10)
### END SOLUTION

# %% tags=["check-10.1"]
loss_of_no_idea = checks.exercise_10_1(loss_of_no_idea)

# %% tags=["nbval-ignore-output"]
probabilities, loss = read_by_networks(blocks)
fig, ax = plotting.new_figure(width=5.4, height=3.4)
ax.plot(loss, "o-", markersize=4, label="network")
ax.axhline(loss_of_no_idea, linestyle="--", color="#D55E00", label="no idea")
ax.set(xlabel="epoch (0: before training)", ylabel="loss", yscale="log")
ax.legend(loc="center right")
plotting.show(
    fig,
    alt="The loss of the training against the epoch, logarithmic. Before training it lies a little above the dashed line of a network without an idea; the first epoch is below it, and after thirty epochs it is a hundred times smaller.",
)

# %% [markdown]
# The untrained network starts a little *above* the line. Its weights are random, so it has opinions, and they are worth nothing. To know that you know nothing is better.

# %% [markdown]
# ## 10.2 How good is it?
#
# ### Exercise 10.2 – Right, give or take (write code)
#
# Write `accuracy(probabilities, digits)`: the share of the pictures whose most probable digit is the true one, and the statistical error of this share. Return both. Each
# picture is a coin that shows "right" with the same probability; exercise 2.2 has the variance of a coin. `probabilities` has the shape `(n, 10)`, `digits` the shape `(n,)`.


# %% tags=["exercise-10.2"]
def accuracy(probabilities, digits):
    """Return the share of pictures that are read right, and its statistical error."""
    ### BEGIN SOLUTION
    share = np.mean(np.argmax(probabilities, axis=1) == digits)
    return share, np.sqrt(share * (1 - share) / len(digits))
    ### END SOLUTION


# %% tags=["check-10.2"]
accuracy = checks.exercise_10_2(accuracy)

# %% [markdown]
# Good, compared with what? Two plain readers take the same test. One compares a picture with the mean of each digit, made of the training pictures only, and takes the nearest. The other is *logistic
# regression*: the network without its hidden layer (scikit-learn also keeps its weights small).

# %% tags=["nbval-ignore-output"]
nearest = np.zeros_like(probabilities)
for train, test in blocks.split(pictures):
    means = np.array([pictures[train][digits[train] == digit].mean(axis=0) for digit in range(10)])
    nearest[test] = -np.linalg.norm(pictures[test][:, None] - means, axis=2)
logistic = model_selection.cross_val_predict(
    linear_model.LogisticRegression(max_iter=2000), pictures, digits, cv=blocks, method="predict_proba"
)
readers = {"nearest mean": nearest, "logistic regression": logistic, "network": probabilities}
found = pd.DataFrame({name: accuracy(p, digits) for name, p in readers.items()}, index=["accuracy", "error"]).T
found.round(4)

# %% tags=["nbval-ignore-output"]
right = {name: p.argmax(axis=1) == digits for name, p in readers.items()}
by_network, by_regression = right["network"], right["logistic regression"]
mine, plain = int(np.sum(by_network & ~by_regression)), int(np.sum(by_regression & ~by_network))
gain, gain_error = (mine - plain) / len(digits), math.sqrt(mine + plain) / len(digits)
print(
    f"right: {mine} pictures by the network only, {plain} by logistic regression only: {gain:+.4f} ± {gain_error:.4f}"
)

# %% [markdown]
# Nearly all that is won is won without a hidden layer. Both read the same pictures, so only those tell them apart that one reads right and the other does not. Look how many of its own errors
# the gain of the network is worth. Whoever wants to say that it is better needs more pictures.

# %% [markdown]
# ## 10.3 Which ones are confused?
#
# ### Exercise 10.3 – Lookalikes (write code)
#
# Write `most_confused(digits, read)`. It gets the true digits and the ones that were read, two arrays of whole numbers, and returns the two different digits that are taken for one another most often,
# whichever of both was written; the smaller one first.


# %% tags=["exercise-10.3"]
def most_confused(digits, read):
    """Return the two digits that are confused most, the smaller one first."""
    ### BEGIN SOLUTION
    count = np.zeros((10, 10), int)
    np.add.at(count, (digits, read), 1)
    both = np.triu(count + count.T, 1)
    return tuple(int(digit) for digit in np.unravel_index(both.argmax(), both.shape))
    ### END SOLUTION


# %% tags=["check-10.3"]
most_confused = checks.exercise_10_3(most_confused)

# %% tags=["nbval-ignore-output"]
read = probabilities.argmax(axis=1)
small, large = (int(digit) for digit in most_confused(digits, read))
table = pd.crosstab(digits, read).reindex(index=range(10), columns=range(10), fill_value=0)
fig, ax = plotting.new_figure(width=4.8, height=4.2)
ax.imshow(np.sqrt(table), cmap="Greys")
for (true, taken), number in np.ndenumerate(table.to_numpy()):
    ax.text(taken, true, number or "", ha="center", va="center", color="white" if number > 50 else "black", fontsize=9)
ax.set(xlabel="read as", ylabel="true digit", xticks=range(10), yticks=range(10))
ax.minorticks_off()
plotting.show(
    fig,
    alt="A table of ten times ten counts, the true digit downwards and the one that was read to the right. Between 150 and 180 pictures of each digit stand on the diagonal; beside it are single mistakes and a few pairs with more.",
)
print(f"confused most: {small} and {large}, {table.loc[small, large] + table.loc[large, small]} times")

# %% tags=["nbval-ignore-output"]
confused = np.flatnonzero(((digits == small) & (read == large)) | ((digits == large) & (read == small)))[:8]
fig, axes = plotting.new_figure(1, len(confused), width=0.9 * len(confused), height=1.2, squeeze=False)
for ax, i in zip(axes[0], confused, strict=True):
    ax.imshow(pictures[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(f"{digits[i]} read as {read[i]}", fontsize=8)
    ax.set_axis_off()
plotting.show(
    fig,
    alt="Up to eight pictures of the two digits that are confused most. Above each stands the true digit and the one that was read. Some are hard for a person, too.",
)

# %% [markdown]
# Look at them: what is missing, or too much? Often it is one stroke, a pixel or two wide, that tells both digits apart. Do not take the winner too seriously: a count of $n$ has an error of about
# $\sqrt n$, and the next pairs are not far behind. With another seed another pair may win.

# %% [markdown]
# ## 10.4 The same hand
#
# Now shuffle the pictures before they are divided, as nearly everybody does. Networks, number of pictures and seed stay as they are. Will the accuracy rise, fall, or stay?
# Make up your mind before you run the cell.

# %% tags=["nbval-ignore-output"]
shuffled, _ = read_by_networks(model_selection.KFold(4, shuffle=True, random_state=SEED))
for name, p in {"in blocks": probabilities, "shuffled": shuffled}.items():
    print("{:<10} {:.4f} ± {:.4f}".format(name, *accuracy(p, digits)))
by_block = [accuracy(probabilities[test], digits[test]) for _, test in blocks.split(pictures)]
print("the blocks ", *(f"{share:.3f} ± {error:.3f}" for share, error in by_block), sep="  ")

# %% [markdown]
# It rises, by several of its errors, and no network has become better. The likely reason: shuffled, pictures of each hand are in the training, and the network has met the hand that it reads. A post office reads the letters of
# strangers. For it the lower number is the honest one. You also see that the error of a coin is too small: the four blocks differ by more than theirs, since pictures of one hand are no independent coins.
#
# In physics it is the same. One simulated collision that was used twice, or one event that was reconstructed in two ways, is one hand. That is why this course divides by the identity of events.

# %% tags=["nbval-ignore-output"]
numbers = {"loss_of_no_idea": loss_of_no_idea, "loss_untrained": loss[0], "loss_first_epoch": loss[1]}
numbers |= {f"accuracy_{name.replace(' ', '_')}": share for name, share in found["accuracy"].items()}
chapter.write_numbers(numbers | {"accuracy_shuffled": accuracy(shuffled, digits)[0]})

# %% tags=["nbval-ignore-output"]
checks.panel(10)

# %% [markdown]
# ## What you can now do
#
# - name the loss of a reader who knows nothing, for any number of classes;
# - quote how often a network is right, with an error, and say what this error leaves out;
# - find out which classes are confused, and look at the cases;
# - say whether a test is fair for the use that a network is made for.
