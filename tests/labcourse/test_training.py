"""The fast training against `model.fit`: same batches, same updates, same callbacks, same numbers."""

from __future__ import annotations

import io
import math
import re
import signal
import sys
import threading
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from labcourse import inputs, network, progress, training
from labcourse.errors import BadInput
from labcourse.training import epoch

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


def assert_same_weights(a, b, tolerance=0.0):
    for ours, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def assert_same_history(ours, theirs):
    assert list(ours.history) == list(theirs.history)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=3e-5, atol=1e-6, err_msg=name)


# --- the models of the comparison with model.fit: y, model and weights differ in kind ---


def weighted_classifier():
    model = small(normalise=X)
    model.compile(
        keras.optimizers.Adam(0.01),
        "binary_crossentropy",
        metrics=["mae"],
        weighted_metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )
    return model, X, Y, WEIGHT


def regression_with_momentum():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "tanh", kernel_regularizer="l2"), layers.Dense(2)])
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.7, nesterov=True, clipnorm=0.5), keras.losses.Huber(reduction="sum")
    )
    return model, X, X[:, :2] * 2, None


def classes_with_schedule_and_average():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, "relu"), layers.BatchNormalization(), layers.Dense(3)])
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 5, 0.8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(rate, use_ema=True, ema_overwrite_frequency=4), loss, metrics=["accuracy"])
    return model, X, RNG.integers(0, 3, N), WEIGHT + 0.3


def two_inputs_two_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((1,), name="b")
    hidden = layers.Dense(8, "relu")(layers.Concatenate()([a, b]))
    model = keras.Model(
        [a, b], [layers.Dense(1, name="mass")(hidden), layers.Dense(1, "sigmoid", name="score")(hidden)]
    )
    model.compile("adam", ["mse", "binary_crossentropy"], loss_weights=[0.3, 1.0])
    return model, [X, X[:, :1] * 2], [X[:, :1], Y[:, None]], None


class OwnStep(keras.Model):
    """A subclass with its own training step and logs."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(x)[:, 0] - y) ** 4)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"fourth_power": loss}


def own_training_step():
    model = OwnStep()
    model.compile("rmsprop", "mse")
    model(X[:1])
    return model, X, Y, None


def own_loss(y, prediction):
    return keras.ops.mean(keras.ops.log(keras.ops.cosh(prediction - y)), axis=-1)


def loss_of_ones_own():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
    model.compile("adagrad", own_loss)
    return model, X, Y[:, None], WEIGHT


MODELS = [
    weighted_classifier,
    regression_with_momentum,
    classes_with_schedule_and_average,
    two_inputs_two_outputs,
    own_training_step,
    loss_of_ones_own,
]


@pytest.mark.parametrize("make", MODELS)
def test_agrees_with_keras(make):
    keras.utils.set_random_seed(4)
    theirs, x, y, weight = make()
    keras.utils.set_random_seed(4)
    ours, *_ = make()
    ours.set_weights(theirs.get_weights())
    own = make is own_training_step
    cut = keras.tree.map_structure(lambda a: a[:75], (x, y))
    validation = None if own else (*cut, None if weight is None else weight[:75])
    expected = theirs.fit(
        x, y, sample_weight=weight, validation_data=validation, epochs=3, batch_size=50, shuffle=False, verbose=0
    )
    if validation is not None and weight is None:
        validation = validation[:2]
    got = training.fit(ours, x, y, weight, validation_data=validation, epochs=3, batch_size=50, shuffle=False)
    assert_same_history(got, expected)
    assert_same_weights(ours, theirs, 2e-6)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations) == 3 * math.ceil(N / 50)


@pytest.mark.parametrize("n_events", [1, 50, 51, 100])
def test_batches_at_the_edges(n_events):
    ours, theirs = small(), small()
    x, y = X[:n_events], Y[:n_events]
    theirs.fit(x, y, batch_size=50, epochs=2, shuffle=False, verbose=0)
    training.fit(ours, x, y, batch_size=50, epochs=2, shuffle=False)
    assert_same_weights(ours, theirs, 1e-6)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations)


class Seen(keras.metrics.Metric):
    """Counts the events and adds up their labels: sums that every order of the events shares."""

    def __init__(self):
        super().__init__(name="seen")
        self.labels = self.add_weight(shape=(2,), initializer="zeros")

    def update_state(self, y, prediction, sample_weight=None):
        y = keras.ops.cast(y, "float32")
        self.labels.assign_add(keras.ops.stack([keras.ops.sum(y), keras.ops.sum(y * y)]))

    def result(self):
        return {"sum": self.labels[0], "squares": self.labels[1]}


def test_shuffled_epoch_visits_every_event_once():
    y = np.arange(N, dtype=np.float32)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Seen()])
    history = training.fit(model, y[:, None] * 0, y, epochs=3, batch_size=32).history
    assert history["sum"] == [y.sum()] * 3
    assert history["squares"] == pytest.approx([np.square(y, dtype=np.float64).sum()] * 3, rel=1e-6)


def test_order_changes_from_epoch_to_epoch_and_is_that_of_the_events():
    ours, theirs = small(), small()
    training.fit(ours, X, Y, WEIGHT, epochs=2, batch_size=50, seed=9)
    for number in range(2):
        order = np.random.default_rng([9, number]).permutation(N)
        for start in range(0, N, 50):
            rows = order[start : start + 50]
            theirs.train_on_batch(X[rows], Y[rows], WEIGHT[rows])
    assert_same_weights(ours, theirs, 1e-6)


def test_one_seed_repeats_bitwise():
    def run(seed):
        model = small(dropout=0.3)
        history = training.fit(model, X, Y, WEIGHT, validation_data=VALIDATION, epochs=3, batch_size=50, seed=seed)
        return model, history.history

    (first, one), (second, two), (third, three) = run(5), run(5), run(6)
    assert one == two
    assert_same_weights(first, second)
    assert one != three
    assert not np.array_equal(first.get_weights()[0], third.get_weights()[0])


def test_dropout_is_active_in_training_only():
    model = small(dropout=0.5)
    model.optimizer.learning_rate = 0.0
    history = training.fit(model, X, Y, validation_data=(X, Y), epochs=3, **ONE_STEP).history
    assert len(set(history["loss"])) == 3
    assert len(set(history["val_loss"])) == 1


def test_nothing_is_traced_again():
    def fit(n, seed, **options):
        model = small(seed, normalise=X * seed, **options)
        training.fit(
            model, X[:n], Y[:n], WEIGHT[:n], validation_data=(X[n:], Y[n:], WEIGHT[n:]), epochs=2, batch_size=16
        )
        return model

    model = fit(220, 1)
    engine = epoch.engine_for(model, (X[:2], Y[:2], WEIGHT[:2]))
    traces = engine.traces
    assert traces > 0
    for number, n in enumerate((221, 219, 220, 224, 213), start=2):
        again = fit(n, number)
        again.optimizer.learning_rate = 0.1
        assert epoch.engine_for(again, (X[:2], Y[:2], WEIGHT[:2])) is engine
    training.fit(model, X[:220], Y[:220], WEIGHT[:220], epochs=3, batch_size=16)
    assert engine.traces == traces


def test_schedules_share_a_program_and_are_those_of_keras():
    """Their numbers are no part of the program: networks for events of several numbers would each compile one."""

    def scheduled(length, seed):
        model = small(seed)
        rate = keras.optimizers.schedules.CosineDecay(1e-3, length, warmup_target=0.02, warmup_steps=length // 2)
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", weighted_metrics=[])
        return model

    engines = set()
    for length, seed in ((8, 1), (12, 2)):
        ours, theirs = scheduled(length, seed), scheduled(length, seed)
        for _ in range(2):  # the second training goes on with the schedule where the first one ended
            expected = theirs.fit(X, Y, sample_weight=WEIGHT, epochs=2, batch_size=100, shuffle=False, verbose=0)
            got = training.fit(ours, X, Y, WEIGHT, epochs=2, batch_size=100, shuffle=False)
            assert_same_history(got, expected)
        assert_same_weights(ours, theirs, 2e-6)
        engines.add(epoch.engine_for(ours, (X[:2], Y[:2], WEIGHT[:2])))
    (engine,) = engines
    assert engine.model is not ours


def test_models_that_share_a_program_do_not_share_their_state():
    """Each has its own weights, normalisation, seed and learning rate."""
    alone = []
    for seed in (1, 2):
        epoch._engines.clear()
        model = small(seed, normalise=X * seed + seed)
        training.fit(model, X, Y, epochs=2, batch_size=200)
        alone.append((model, training.predict(model, X)))
    epoch._engines.clear()
    for seed, (expected, prediction) in zip((1, 2), alone, strict=True):
        model = small(seed, normalise=X * seed + seed)
        training.fit(model, X, Y, epochs=2, batch_size=200)
        assert_same_weights(model, expected)
        assert np.array_equal(training.predict(model, X), prediction)
        assert model.predict(X, verbose=0)[:, 0] == pytest.approx(prediction, abs=1e-6)
    assert len(epoch._engines) == 2


def test_a_program_does_not_change_the_names_of_later_models():
    def names():
        keras.backend.clear_session()
        first = keras.Sequential([keras.Input((4,)), layers.Dense(2), layers.Dropout(0.1), layers.Dense(1)])
        first.compile("adam", "mse", metrics=[keras.metrics.MeanAbsoluteError()])
        if train:
            training.fit(first, X, Y[:, None], epochs=1, **ONE_STEP)
            training.predict(first, X)
        last = keras.Sequential([keras.Input((4,)), layers.Dense(2), layers.Dropout(0.1), layers.Dense(1)])
        return [last.name, *(layer.name for layer in last.layers)]

    train = False
    expected = names()
    train = True
    epoch._engines.clear()
    assert names() == expected


def test_a_program_does_not_consume_the_users_random_numbers():
    def run():
        keras.utils.set_random_seed(1)
        training.fit(network.build(4, (3,)), X, Y, epochs=1, **ONE_STEP)
        return network.build(4, (3,)).get_weights()[0]

    epoch._engines.clear()
    assert np.array_equal(run(), run())


def test_a_new_compilation_is_noticed():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    for loss in ("mse", own_loss, "mae", lambda y, p: own_loss(y, p) * 0):
        model.compile(keras.optimizers.SGD(0.1), loss)
        before = model.get_weights()[0]
        training.fit(model, X, Y[:, None], epochs=1, **ONE_STEP)
    assert np.array_equal(before, model.get_weights()[0])


def test_what_xla_cannot_compile_is_trained_without():
    class Unique(layers.Layer):
        def call(self, x):
            return x * tf.cast(tf.size(tf.unique(tf.reshape(x, [-1]))[0]) > 0, tf.float32)

    model = keras.Sequential([keras.Input((4,)), Unique(), layers.Dense(1)])
    model.compile("sgd", "mse")
    theirs = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    theirs.compile("sgd", "mse")
    theirs.set_weights(model.get_weights())
    training.fit(model, X, Y[:, None], epochs=1, shuffle=False)
    theirs.fit(X, Y[:, None], batch_size=128, epochs=1, shuffle=False, verbose=0)
    assert_same_weights(model, theirs, 1e-6)


def test_eager_models_are_trained_eagerly():
    model, theirs = small(), small()
    model.compile("sgd", "binary_crossentropy", run_eagerly=True)
    theirs.compile("sgd", "binary_crossentropy")
    training.fit(model, X, Y, epochs=1, shuffle=False)
    training.fit(theirs, X, Y, epochs=1, shuffle=False)
    assert_same_weights(model, theirs, 1e-6)


# --- callbacks ---


def test_early_stopping_restores_the_best_weights():
    def stop():
        return keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)

    ours, theirs = small(), small()
    options = {"validation_data": (X[:20], 1 - Y[:20]), "epochs": 20, "batch_size": 512, "shuffle": False}
    expected = theirs.fit(X, Y, **options, callbacks=[stop()], verbose=0)
    got = training.fit(ours, X, Y, **options, callbacks=[stop()])
    assert len(got.epoch) < 20
    assert_same_history(got, expected)
    assert_same_weights(ours, theirs, 1e-6)
    assert ours.evaluate(X[:20], 1 - Y[:20], verbose=0)[0] == pytest.approx(min(got.history["val_loss"]), rel=1e-5)


def test_learning_rate_callbacks_take_effect():
    schedule = [0.01, 0.0, 0.003]
    ours, theirs = small(), small()
    weights = []

    def callbacks():
        return [keras.callbacks.LearningRateScheduler(lambda number: schedule[number])]

    expected = theirs.fit(X, Y, epochs=3, **ONE_STEP, shuffle=False, callbacks=callbacks(), verbose=0)
    spy = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(ours.get_weights()[0]))
    got = training.fit(ours, X, Y, epochs=3, **ONE_STEP, shuffle=False, callbacks=[*callbacks(), spy])
    assert_same_history(got, expected)
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], weights[2])


def test_reduce_on_plateau_is_kept_in_the_model():
    model = small()
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=10)
    history = training.fit(model, X, Y, epochs=4, **ONE_STEP, callbacks=reduce).history
    assert history["learning_rate"] == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.00125)


def test_batch_callbacks_are_called_as_in_keras():
    class Diary(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.lines = []

    def note(name):
        def hook(self, *arguments, logs=None):
            numbers = [a for a in arguments if isinstance(a, int)]
            self.lines.append((name, *numbers, round(float((logs or {}).get("loss", 0)), 5)))

        return hook

    for phase in ("train", "test"):
        for end in ("begin", "end"):
            for what in ("", "batch_"):
                name = f"on_{phase}_{what}{end}"
                setattr(Diary, name, note(name))
    Diary.on_epoch_begin, Diary.on_epoch_end = note("epoch_begin"), note("epoch_end")
    ours, theirs, diaries = small(), small(), (Diary(), Diary())
    options = {"validation_data": VALIDATION, "epochs": 2, "batch_size": 100, "shuffle": False}
    theirs.fit(X, Y, sample_weight=WEIGHT, **options, callbacks=[diaries[1]], verbose=0)
    training.fit(ours, X, Y, WEIGHT, **options, callbacks=[diaries[0]])
    assert_same_weights(ours, theirs, 1e-6)
    for (name, *ours_numbers), (expected, *their_numbers) in zip(*(d.lines for d in diaries), strict=True):
        assert name == expected
        assert ours_numbers == pytest.approx(their_numbers, abs=2e-5)


def test_terminate_on_nan_stops_within_the_epoch():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e10), "mse")
    history = training.fit(model, X * 1e5, Y, epochs=50, batch_size=8, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert int(model.optimizer.iterations) < N // 8


def test_which_callbacks_need_batches(tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras")
    assert not inputs.acts_on_batches(checkpoint)
    assert not inputs.acts_on_batches(keras.callbacks.EarlyStopping())
    assert inputs.acts_on_batches(keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None))
    training.fit(small(), X, Y, epochs=1, **ONE_STEP, callbacks=[checkpoint])
    assert (tmp_path / "model.keras").is_file()


def test_history_stays_with_the_model():
    model = small()
    history = training.fit(model, X, Y, epochs=2, **ONE_STEP)
    assert model.history is history
    assert history.epoch == [0, 1]
    assert history.interrupted is False


# --- Ctrl-C ---


@pytest.mark.parametrize("shared", [True, False])
def test_interrupt_keeps_the_last_finished_epoch(shared, capsys):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, number, logs=None):
            if number == 2:
                # Half an epoch later, as it were.
                self.model.layers[0].kernel.assign(self.model.layers[0].kernel * 0)
                raise KeyboardInterrupt

        if not shared:

            def on_train_batch_end(self, batch, logs=None):
                pass

    stopped, whole = small(), small()
    history = training.fit(stopped, X, Y, validation_data=VALIDATION, epochs=9, **ONE_STEP, callbacks=[Interrupt()])
    expected = training.fit(whole, X, Y, validation_data=VALIDATION, epochs=2, **ONE_STEP)
    assert history.interrupted
    assert history.epoch == [0, 1]
    assert {name: len(values) for name, values in history.history.items()} == dict.fromkeys(expected.history, 2)
    assert_same_weights(stopped, whole, 0 if shared else 1e-6)
    assert "after epoch 2" in capsys.readouterr().out
    # The optimizer went back too: going on gives what two more epochs give.
    assert int(stopped.optimizer.iterations) == int(whole.optimizer.iterations)


def test_interrupt_before_the_first_epoch_is_finished_is_passed_on():
    def interrupt(*_):
        raise KeyboardInterrupt

    model = small()
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        training.fit(
            model, X, Y, epochs=3, **ONE_STEP, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=interrupt)]
        )
    for a, b in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_interrupt_by_a_real_signal():
    model = small()
    main = threading.main_thread().ident
    watch = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    start = keras.callbacks.LambdaCallback(on_epoch_end=lambda number, logs: number == 0 and watch.start())
    history = training.fit(model, X, Y, epochs=1_000_000, batch_size=50, callbacks=[start])
    watch.join()
    assert history.interrupted
    assert len(history.history["loss"]) == len(history.epoch) < 1_000_000
    assert int(model.optimizer.iterations) == len(history.epoch) * math.ceil(N / 50)


# --- bad input ---


def with_value(array, value, row=7):
    copy = array.astype(np.float64)
    copy.reshape(N, -1)[row, -1] = value
    return copy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": with_value(X, np.nan)}, r"x holds nan in row 7, column 3 \(1 of 331"),
        ({"x": with_value(X, -np.inf)}, "x holds -inf in row 7"),
        ({"x": with_value(X, 1e300)}, "too large for float32"),
        ({"y": with_value(Y, np.nan)}, "y holds nan in row 7"),
        ({"sample_weight": with_value(WEIGHT, np.inf)}, "sample_weight holds inf in row 7"),
        ({"sample_weight": WEIGHT * 0}, "weights are zero"),
        ({"x": X[:, :3]}, r"x has shape \(331, 3\). The model expects \(n_events, 4\)"),
        ({"x": X[0]}, r"x has shape \(4,\)"),
        ({"x": X[:0], "y": Y[:0]}, "x holds no events"),
        ({"x": X[:50]}, "x holds 50 events, y 331"),
        ({"y": np.stack([Y, Y], axis=1)}, r"y has shape \(331, 2\). The model gives \(n_events, 1\)"),
        ({"y": Y[:, None, None, None] * np.ones(3)}, "cannot be trained with these arrays"),
        ({"sample_weight": WEIGHT[:50]}, "sample_weight 50"),
        ({"sample_weight": WEIGHT[:, None]}, r"sample_weight has shape \(331, 1\)"),
        ({"x": X.astype(str)}, "array of <U"),
        ({"x": [[1.0, 2.0], [3.0]]}, "x is no array"),
        ({"validation_data": X}, "validation_data is neither"),
        ({"validation_data": (X, with_value(Y, np.nan))}, "validation y holds nan"),
        ({"validation_data": (X[:, :2], Y)}, r"validation x has shape \(331, 2\)"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 12.5}, "batch_size is 12.5"),
        ({"callbacks": [keras.callbacks.EarlyStopping]}, "is not a Keras callback"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(arguments, message):
    model = small()
    before = model.get_weights()
    with pytest.raises(BadInput, match=message):
        training.fit(model, **({"x": X, "y": Y, "epochs": 1} | arguments))
    for a, b in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_mixed_precision_is_trained_with_its_loss_scale():
    def make():
        model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu", dtype="mixed_float16"), layers.Dense(1)])
        model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=8.0), "mse")
        return model

    ours, theirs = make(), make()
    ours.set_weights(theirs.get_weights())
    theirs.fit(X, Y[:, None], batch_size=128, epochs=2, shuffle=False, verbose=0)
    training.fit(ours, X, Y[:, None], epochs=2, shuffle=False)
    assert_same_weights(ours, theirs, 1e-4)


def test_an_uncompiled_model_is_refused():
    with pytest.raises(BadInput, match="loss and optimizer"):
        training.fit(keras.Sequential([keras.Input((4,)), layers.Dense(1)]), X, Y, epochs=1)


def test_tables_lists_and_booleans_are_welcome():
    import pandas as pd

    models = [small() for _ in range(4)]
    training.fit(models[0], X, Y, epochs=1, **ONE_STEP)
    training.fit(models[1], pd.DataFrame(X), pd.Series(Y == 1), epochs=1, **ONE_STEP)
    training.fit(models[2], X.tolist(), Y.tolist(), epochs=1, **ONE_STEP)
    training.fit(models[3], list(X), list(Y), epochs=1, **ONE_STEP)
    for model in models[1:]:
        assert_same_weights(models[0], model)


# --- one cycle ---


@given(st.integers(2, 500), st.floats(1e-4, 1))
def test_cycle_rises_then_falls(n_steps, peak):
    rates = training.cycle(n_steps, peak)
    top = int(np.argmax(rates))
    assert rates.shape == (n_steps,)
    assert (rates > 0).all()
    assert rates.max() <= np.float32(peak)
    assert (np.diff(rates[: top + 1]) >= 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
    assert rates[-1] < rates[0] < peak


def test_one_cycle_learns_faster_and_puts_the_rate_back():
    slow, fast = (network.build(4, (8,), seed=1) for _ in range(2))
    x = np.tile(X, (10, 1))
    y = np.tile(Y, 10)
    plain = training.fit(slow, x, y, validation_data=(X, Y), epochs=5, batch_size=64).history
    cycled = training.one_cycle(fast, x, y, validation_data=(X, Y), epochs=5, batch_size=64).history
    assert cycled["val_loss"][-1] < plain["val_loss"][-1]
    assert float(fast.optimizer.learning_rate) == pytest.approx(2e-4)


def test_one_cycle_sets_the_rate_of_every_step():
    """Steps of plain gradient descent on a linear loss add up to the sum of the rates."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1.0), lambda y, prediction: -prediction)
    x = np.ones((70, 1), np.float32)
    training.one_cycle(model, x, x, epochs=2, batch_size=20, peak=0.5)
    assert model.get_weights()[0][0, 0] == pytest.approx(training.cycle(8, 0.5).sum(), rel=1e-5)


def test_one_cycle_refuses_what_it_cannot_steer():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
    with pytest.raises(BadInput, match="schedule of its own"):
        training.one_cycle(model, X, Y)
    with pytest.raises(BadInput, match="peak"):
        training.one_cycle(small(), X, Y, peak=0)


# --- predict ---


@pytest.mark.parametrize("batch_size", [1, 50, 331, 400])
@pytest.mark.parametrize("n_events", [0, 1, 50, 331])
def test_predict_agrees_with_keras(n_events, batch_size):
    if batch_size == 1 and n_events > 50:
        pytest.skip("one event at a time is tested with fewer")
    model = small(normalise=X, dropout=0.5)
    got = training.predict(model, X[:n_events], batch_size=batch_size)
    assert got.shape == (n_events,)
    assert got.dtype == np.float32
    if n_events:
        np.testing.assert_allclose(got, model.predict(X[:n_events], verbose=0)[:, 0], atol=1e-6)


def test_predict_keeps_the_outputs_apart():
    model, x, *_ = two_inputs_two_outputs()
    mass, score = training.predict(model, x, batch_size=100)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(mass, expected[0], atol=1e-5)
    np.testing.assert_allclose(score, expected[1], atol=1e-5)
    classes, *_ = classes_with_schedule_and_average()
    assert training.predict(classes, X).shape == (N, 3)


def test_predict_needs_no_compilation_and_follows_new_weights():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    first = training.predict(model, X)
    model.set_weights([w * 2 for w in model.get_weights()])
    np.testing.assert_allclose(training.predict(model, X), 2 * first, rtol=1e-5)


def test_predict_names_bad_events():
    with pytest.raises(BadInput, match="x holds nan in row 7"):
        training.predict(small(), with_value(X, np.nan))
    with pytest.raises(BadInput, match=r"\(331, 3\)"):
        training.predict(small(), X[:, :3])


# --- progress ---


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_silent_where_nobody_watches(capfd):
    training.fit(small(), X, Y, epochs=2, **ONE_STEP)
    out, _ = capfd.readouterr()
    assert out == ""


def test_terminal_sees_one_line_rewritten(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    training.fit(small(), X, Y, validation_data=VALIDATION, epochs=3, **ONE_STEP)
    text = terminal.getvalue()
    assert text.count("\n") == 1
    assert "at most" in text
    last = text.rstrip("\n").split("\r")[-1]
    assert last.startswith("epoch 3/3  loss 0.")
    assert "val_loss 0." in last
    terminal.truncate(0)
    training.fit(small(), X, Y, epochs=3, **ONE_STEP, progress=False)
    assert terminal.getvalue().strip("\0") == ""


def test_notebook_stores_one_output(monkeypatch):
    import IPython

    outputs = []

    class Handle:
        def update(self, output, raw):
            outputs[0] = output

    def display(output, raw, display_id):
        outputs.append(output)
        return Handle()

    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", display)
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
    terminal.truncate(0)
    assert list(progress.each([])) == []
    assert terminal.getvalue().strip("\0") == ""
