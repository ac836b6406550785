"""The fast training against `model.fit`: same batches, same updates, same callbacks, same numbers."""

import io
import math
import re
import sys
import types

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

from labcourse import compiled, network, progress, training
from labcourse.errors import BadInput

RNG = np.random.default_rng(11)
N = 331
X = RNG.normal(size=(N, 4)).astype(np.float32)
Y = (X.sum(axis=1) + RNG.normal(size=N) > 0).astype(np.float32)
WEIGHT = RNG.uniform(-0.2, 2, N).astype(np.float32)
VALIDATION = (X[:101] + 0.1, Y[:101], WEIGHT[:101])
ONE_STEP = {"batch_size": 512}
"""For tests in which the number of batches does not matter: there is no loop to compile then."""


def small(seed=1, **options):
    return network.build(4, (8,), seed=seed, learning_rate=0.01, **options)


def by_keras(model):
    """Let Keras train a model step by step: to compile what is compared with takes longer."""
    model.run_eagerly = True
    return model


def assert_same_weights(a, b, tolerance=0.0):
    for ours, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def assert_same_history(ours, theirs):
    assert list(ours.history) == list(theirs.history)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=3e-5, atol=1e-6, err_msg=name)


# --- models that a program trains: y, model and weights differ in kind ---


def weighted_classifier():
    model = small(normalise=X)
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["mae"], weighted_metrics=metrics)
    return model, X, Y, WEIGHT


def regression_with_momentum():
    model = keras.Sequential([layers.Dense(8, "tanh", kernel_regularizer="l2"), layers.Dense(2)])  # without an Input
    optimizer = keras.optimizers.SGD(0.05, momentum=0.7, nesterov=True, clipnorm=0.5)
    model.compile(optimizer, keras.losses.Huber(reduction="sum"))
    model(X[:1])
    return model, X, X[:, :2] * 2, None


def classes_with_schedule_and_average():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, "relu"), layers.BatchNormalization(), layers.Dense(3)])
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 5, 0.8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(rate, use_ema=True, ema_overwrite_frequency=4), loss, metrics=["accuracy"])
    return model, X, RNG.integers(0, 3, N), WEIGHT + 0.3


def functional():
    inputs = keras.Input((4,), name="relu")  # a name that is also an activation
    hidden = layers.Activation("relu", name="tanh")(layers.Dense(8)(inputs))
    hidden = layers.Add()([hidden, layers.Dense(8)(inputs[:, 2:])])
    model = keras.Model(inputs, layers.Dense(1, "sigmoid")(hidden))
    model.compile("rmsprop", keras.losses.MeanSquaredError())
    return model, X, Y, None


# --- models that Keras has to train ---


def two_inputs_two_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((1,), name="b")
    hidden = layers.Dense(8, "relu")(layers.Concatenate()([a, b]))
    model = keras.Model([a, b], [layers.Dense(1, name="mass")(hidden), layers.Dense(1, "sigmoid", name="y")(hidden)])
    model.compile("adam", ["mse", "binary_crossentropy"], loss_weights=[0.3, 1.0])
    return model, [X, X[:, :1] * 2], [X[:, :1], Y[:, None]], None


def own_loss(y, prediction):
    return keras.ops.mean(keras.ops.log(keras.ops.cosh(prediction - y)), axis=-1)


def of_layers(make_layers, optimizer="sgd", loss="mse", kind=keras.Sequential, **options):
    """Return a maker of a model with such layers before its last one."""

    def make():
        model = kind([keras.Input((4,)), *make_layers(), layers.Dense(1)])
        model.compile(optimizer() if callable(optimizer) else optimizer, loss, **options)
        return model, X, Y[:, None], WEIGHT

    return make


class Own(keras.Sequential):
    """A subclass may have its own training step."""


FAST = [weighted_classifier, regression_with_momentum, classes_with_schedule_and_average, functional]
KERAS = [
    two_inputs_two_outputs,
    of_layers(list, kind=Own),
    of_layers(list, loss=own_loss),
    of_layers(lambda: [layers.Lambda(lambda x: x * 2)]),
    of_layers(lambda: [keras.Sequential([layers.Dense(3)])]),
    of_layers(list, run_eagerly=True),
    of_layers(
        lambda: [layers.Dense(8, dtype="mixed_float16")],
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),
    ),
]


@pytest.mark.parametrize("make", FAST)
def test_agrees_with_keras(make, capsys):
    keras.utils.set_random_seed(4)
    theirs, x, y, weight = make()
    ours, *_ = make()
    by_keras(theirs)
    ours.set_weights(theirs.get_weights())
    cut = [a[:75] for a in (x, y, weight) if a is not None]
    options = {"validation_data": cut, "epochs": 2, "batch_size": 50, "shuffle": False}
    expected = theirs.fit(x, y, sample_weight=weight, **options, verbose=0)
    assert_same_history(training.fit(ours, x, y, weight, **options, progress=False), expected)
    assert_same_weights(ours, theirs, 2e-6)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations) == 2 * math.ceil(N / 50)
    assert capsys.readouterr().out == ""
    expected = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(training.predict(ours, x).reshape(expected.shape), expected, atol=1e-5)


@pytest.mark.parametrize("make", KERAS)
def test_what_a_program_cannot_do_is_for_keras(make):
    model, *arrays, _ = make()
    assert isinstance(compiled.program_of(model, arrays), str)


def test_several_inputs_and_outputs(capsys):
    model, x, y, _ = two_inputs_two_outputs()
    history = training.fit(model, x, y, validation_data=(x, y), epochs=1, **ONE_STEP, progress=False)
    assert "handed to model.fit" in capsys.readouterr().out
    assert {"val_mass_loss", "val_y_loss"} <= set(history.history)
    assert [scores.shape for scores in training.predict(model, x)] == [(N, 1), (N, 1)]


def test_other_back_ends_get_keras(monkeypatch, capsys):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    history = training.fit(small(), X, Y, epochs=2, **ONE_STEP, progress=False)
    assert len(history.history["loss"]) == 2
    assert "Keras runs on jax" in capsys.readouterr().out


@pytest.mark.parametrize("n_events", [1, 50, 51, 100])
def test_batches_at_the_edges(n_events):
    ours, theirs = small(), by_keras(small())
    theirs.fit(X[:n_events], Y[:n_events], batch_size=50, epochs=2, shuffle=False, verbose=0)
    training.fit(ours, X[:n_events], Y[:n_events], batch_size=50, epochs=2, shuffle=False)
    assert_same_weights(ours, theirs, 1e-6)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations)


def test_order_changes_from_epoch_to_epoch_and_is_that_of_the_events():
    ours, theirs = small(), by_keras(small())
    training.fit(ours, X, Y, WEIGHT, epochs=2, batch_size=50, seed=9)
    for number in range(2):
        order = np.random.default_rng([9, number]).permutation(N)
        for start in range(0, N, 50):
            rows = order[start : start + 50]
            theirs.train_on_batch(X[rows], Y[rows], WEIGHT[rows])
    assert_same_weights(ours, theirs, 1e-6)


def test_inputs_may_be_drawn_anew_each_epoch():
    ours, theirs = small(), by_keras(small())
    training.fit(ours, X, Y, epochs=3, batch_size=50, shuffle=False, each_epoch=lambda number: X + number)
    for number in range(3):
        theirs.fit(X + number, Y, epochs=1, batch_size=50, shuffle=False, verbose=0)
    assert_same_weights(ours, theirs, 1e-6)
    with pytest.raises(BadInput, match="each_epoch holds 50 events"):
        training.fit(ours, X, Y, epochs=1, each_epoch=lambda _: X[:50])


# --- one program for all models of an architecture ---


def test_schedules_share_a_program_and_are_those_of_keras():
    """Their numbers are no part of the program: networks for events of several numbers would each compile one."""

    def scheduled(length, seed):
        model = small(seed)
        rate = keras.optimizers.schedules.CosineDecay(1e-3, length, warmup_target=0.02, warmup_steps=length // 2)
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", weighted_metrics=[])
        return model

    programs = set()
    for length, seed in ((8, 1), (12, 2)):
        ours, theirs = scheduled(length, seed), by_keras(scheduled(length, seed))
        for _ in range(2):  # the second training goes on with the schedule where the first one ended
            expected = theirs.fit(X, Y, sample_weight=WEIGHT, batch_size=100, shuffle=False, verbose=0)
            got = training.fit(ours, X, Y, WEIGHT, epochs=1, batch_size=100, shuffle=False)
            assert_same_history(got, expected)
        assert_same_weights(ours, theirs, 2e-6)
        programs.add(compiled.program_of(ours, (X, Y)))
    assert len(programs) == 1


def test_models_that_share_a_program_do_not_share_their_state():
    """Each has its own weights, normalisation, seed and learning rate."""

    def run(seed):
        model = small(seed, normalise=X * seed + seed, dropout=0.2)
        model.optimizer.learning_rate = 0.01 * seed
        training.fit(model, X, Y, epochs=2, batch_size=200)
        return model, training.predict(model, X)

    compiled.program_from.cache_clear()
    alone, prediction = run(1)
    compiled.program_from.cache_clear()
    run(2)
    model, got = run(1)
    assert_same_weights(model, alone)
    assert np.array_equal(got, prediction)
    assert model.predict(X, verbose=0)[:, 0] == pytest.approx(prediction, abs=1e-6)
    assert compiled.program_from.cache_info().currsize == 2  # one trains, one predicts


def test_a_program_leaves_names_and_random_numbers_of_later_models_alone():
    def build():
        return keras.Sequential([keras.Input((4,)), layers.Dense(2), layers.Dropout(0.1), layers.Dense(1)])

    def after(train):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        first = build()
        first.compile("adam", "mse", metrics=[keras.metrics.MeanAbsoluteError()])
        if train:
            compiled.program_from.cache_clear()
            training.fit(first, X, Y[:, None], epochs=1, **ONE_STEP)
            training.predict(first, X)
        last = build()
        return [last.name, *(layer.name for layer in last.layers)], last.get_weights()[0].tolist()

    assert after(train=True) == after(train=False)


def test_xla_repeats_bitwise_and_what_it_cannot_compile_is_trained_without(monkeypatch):
    compile_ = tf.function

    def no_xla(*_):
        raise tf.errors.UnimplementedError(None, None, "no XLA here")

    def train(seed=5, *, anew=True, xla=True):
        monkeypatch.setattr(compiled, "XLA", xla)
        if anew:
            compiled.program_from.cache_clear()
        history = training.fit(model := small(), X, Y, WEIGHT, epochs=2, batch_size=50, seed=seed)
        return history.history, model

    (one, first), (two, second), (three, third) = train(), train(anew=False), train(6, anew=False)
    assert one == two
    assert_same_weights(first, second)
    assert one != three
    assert not np.array_equal(first.get_weights()[0], third.get_weights()[0])
    assert_same_weights(first, train(xla=False)[1], 2e-6)
    monkeypatch.setattr(tf, "function", lambda f, jit_compile=None, **o: no_xla if jit_compile else compile_(f, **o))
    assert_same_weights(first, train()[1], 2e-6)
    compiled.program_from.cache_clear()


# --- callbacks ---


def test_early_stopping_restores_the_best_weights():
    def stop():
        return keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)

    ours, theirs = (network.build(4, (50,), learning_rate=0.03, seed=1, normalise=X) for _ in range(2))
    y = RNG.integers(0, 2, N)
    options = {"validation_data": (X[:60], 1 - y[:60]), "epochs": 30, "batch_size": 50, "shuffle": False}
    got = training.fit(ours, X, y, **options, callbacks=[stop()])
    expected = by_keras(theirs).fit(X, y, **options, callbacks=[stop()], verbose=0)
    assert len(got.epoch) == len(expected.epoch) < 30
    assert_same_weights(ours, theirs, 1e-5)
    assert ours.history is got


def test_callbacks_at_the_end_of_an_epoch_see_and_change_the_model():
    model, weights = small(), []
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=10)
    spy = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(model.get_weights()[0]))
    history = training.fit(model, X, Y, epochs=4, **ONE_STEP, callbacks=[reduce, spy]).history
    assert history["learning_rate"] == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.00125)
    assert not np.array_equal(weights[1], weights[2])


def test_callbacks_of_batches_are_called_by_keras(capsys):
    batches = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    history = training.fit(small(), X, Y, epochs=2, batch_size=100, callbacks=spy, progress=False)
    assert batches == [0, 1, 2, 3] * 2
    assert history.epoch == [0, 1]
    assert "a callback acts on batches" in capsys.readouterr().out
    with pytest.raises(BadInput, match="each_epoch is not for this training: a callback acts"):
        training.fit(small(), X, Y, epochs=2, callbacks=spy, each_epoch=lambda _: X)


# --- bad input ---


def with_value(array, value, row=7):
    copy = array.astype(np.float64)
    copy.reshape(N, -1)[row, -1] = value
    return copy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": with_value(X, np.nan)}, r"x holds nan in row 7, column 3 \(1 of 331"),
        ({"x": with_value(X, 1e300)}, r"x holds 1e\+300 in row 7"),
        ({"sample_weight": with_value(WEIGHT, np.inf)}, "sample_weight holds inf in row 7"),
        ({"x": X[:, :3]}, r"x has shape \(331, 3\). Expected \(n_events, 4\)"),
        ({"x": X[:0], "y": Y[:0]}, "x holds no events"),
        ({"y": np.stack([Y, Y], axis=1)}, r"y has shape \(331, 2\). Expected \(n_events, 1\)"),
        ({"sample_weight": X}, r"sample_weight has shape \(331, 4\)"),
        ({"x": X.astype(str)}, "array of <U"),
        ({"validation_data": (X, with_value(Y, np.nan))}, "validation y holds nan"),
        ({"epochs": 0}, "epochs 0"),
        ({"model": keras.Sequential([keras.Input((4,)), layers.Dense(1)])}, "compiled False"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(arguments, message):
    model = small()
    before = model.get_weights()
    with pytest.raises(BadInput, match=message):
        training.fit(**({"model": model, "x": X, "y": Y, "epochs": 1} | arguments))
    for a, b in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_tables_lists_and_booleans_are_welcome():
    given = ((X, Y), (pd.DataFrame(X), pd.Series(Y == 1)), (X.tolist(), Y.tolist()), (list(X), Y[:, None].astype(int)))
    models = [small() for _ in given]
    for model, (x, y) in zip(models, given, strict=True):
        training.fit(model, x, y, epochs=1, **ONE_STEP)
        assert_same_weights(models[0], model)


# --- predict ---


def test_predict_agrees_with_keras():
    model = small(normalise=X, dropout=0.5)
    expected = model.predict(X, verbose=0)[:, 0]
    for n_events, batch_size in ((0, 50), (1, 50), (50, 50), (331, 50), (331, 331), (331, 400)):
        got = training.predict(model, X[:n_events], batch_size=batch_size)
        assert (got.shape, got.dtype) == ((n_events,), np.float32)
        np.testing.assert_allclose(got, expected[:n_events], atol=1e-6)


def test_predict_needs_no_compilation_and_follows_new_weights():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    first = training.predict(model, X)
    assert first.shape == (N, 3)
    model.set_weights([w * 2 for w in model.get_weights()])
    np.testing.assert_allclose(training.predict(model, X), 2 * first, rtol=1e-5)


def test_predict_names_bad_events():
    with pytest.raises(BadInput, match="x holds nan in row 7"):
        training.predict(small(), with_value(X, np.nan))


# --- progress ---


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_terminal_sees_one_line_rewritten(monkeypatch, capfd):
    training.fit(small(), X, Y, epochs=2, **ONE_STEP)
    assert capfd.readouterr().out == ""  # where nobody watches
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    training.fit(small(), X, Y, validation_data=VALIDATION, epochs=3, **ONE_STEP)
    text = terminal.getvalue()
    assert text.count("\n") == 1
    assert "at most" in text
    assert re.fullmatch(r"epoch 3/3  loss 0\.\d{4}  val_loss 0\.\d{4}  .* s\x1b\[K\n", text.split("\r")[-1])
    terminal.truncate(0)
    training.fit(small(), X, Y, epochs=3, **ONE_STEP, progress=False)
    assert terminal.getvalue().strip("\0") == ""


def test_notebook_stores_one_output(monkeypatch):
    import IPython

    outputs = []
    handle = types.SimpleNamespace(update=lambda output, raw: outputs.__setitem__(0, output))
    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", lambda output, raw, display_id: outputs.append(output) or handle)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0)
    training.fit(small(), X, Y, epochs=4, **ONE_STEP)
    assert len(outputs) == 1
    assert outputs[0]["text/plain"].startswith("epoch 4/4  loss")


def test_a_loop_says_where_it_is_and_how_long_the_rest_takes(monkeypatch):
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert list(progress.each((300.0, 1200.0, 2000.0), "{:g} GeV")) == [300, 1200, 2000]
    shown = [line.removesuffix("\x1b[K") for line in terminal.getvalue().rstrip("\n").split("\r")[1:]]
    assert [line.split("  ")[0] for line in shown] == ["1/3", "2/3", "3/3", "3/3"]
    assert shown[0] == "1/3  300 GeV"
    assert re.fullmatch(r"2/3  1200 GeV, \d+ (s|min \d\d s) left", shown[1])
    assert re.fullmatch(r"3/3  2000 GeV, \d+ (s|min \d\d s)", shown[-1])
