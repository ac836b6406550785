"""The stop button and Ctrl-C: what is finished is kept and said, and parts are not handed on as if whole."""

import re
import signal
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from labcourse import compiled, network, training
from labcourse.training import Interrupted
from tests.kernel import Kernel

RNG = np.random.default_rng(4)
X = RNG.normal(size=(300, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)
FOLD = np.arange(300) % 3
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")


def small(x: Any = None) -> Any:
    return network.build(3, (4,), seed=1)


def stop_at(epoch: int) -> Any:
    """Return a callback that interrupts a training half-way through an epoch."""
    import keras

    class Interrupt(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, number: int, logs: Any = None) -> None:
            if number == epoch:
                self.model.layers[0].kernel.assign(self.model.layers[0].kernel * 0)
                raise KeyboardInterrupt

    return Interrupt()


@pytest.mark.parametrize("finished", [0, 2])
def test_the_last_finished_epoch_stays_with_the_model(finished: int) -> None:
    stopped, whole = small(), small()
    arguments = {"x": X, "y": Y, "validation_data": (X, Y), "batch_size": 64}
    said = f"interrupted in epoch {finished + 1} of 9: .* as it was after epoch {finished},"
    with pytest.raises(Interrupted, match=said):
        training.fit(stopped, **arguments, epochs=9, callbacks=[stop_at(finished)])
    assert training.was_interrupted()
    history = stopped.history
    assert (history.interrupted, history.epoch) == (True, list(range(finished)))
    assert {len(values) for values in history.history.values()} <= {finished}
    if finished:
        training.fit(whole, **arguments, epochs=finished)
        # The optimizer went back too: going on gives what two more epochs give.
        assert int(stopped.optimizer.iterations) == int(whole.optimizer.iterations)
    for a, b in zip(stopped.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_signal_waits_for_the_end_of_what_tensorflow_traces() -> None:
    """A trace that is stopped half-way may end the process in TensorFlow's own code."""
    program, traced, handler = compiled.program_of(small()), [], signal.getsignal(signal.SIGINT)
    assert isinstance(program, compiled.Program)

    def function(x: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        traced.append("to its end")
        return 2 * x

    with pytest.raises(KeyboardInterrupt):
        program.call("double", function, np.float32(3))
    assert signal.getsignal(signal.SIGINT) is handler
    assert program.call("double", function, np.float32(3)) == 6
    assert traced == ["to its end"]


def test_what_keras_trains_is_marked_too() -> None:
    import keras

    def interrupt(batch: int, logs: Any = None) -> None:
        raise KeyboardInterrupt

    model = small()
    with pytest.raises(KeyboardInterrupt):
        training.fit(model, X, Y, epochs=2, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)])
    assert model.history.interrupted
    assert training.was_interrupted()


# A real kernel.


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(LABCOURSE_OUTPUTS=str(tmp_path_factory.mktemp("outputs")), MPLBACKEND="agg")
    yield kernel
    kernel.end()


SETUP = """
import numpy as np
from course import outputs
from labcourse import compiled, crossvalidation, network, training
x = np.random.default_rng(1).normal(size=(4000, 3)).astype(np.float32)
y = (x[:, 0] > 0).astype(np.float32)
chapter = outputs.Chapter(2, sources=())
compiled.XLA = False
build = lambda: network.build(3, (4,), seed=1)
"""


@unix_only
def test_the_stop_button(kernel: Kernel) -> None:
    assert kernel(SETUP).error == ""
    one = "training.fit(model, x, y, epochs=100_000, batch_size=16)"
    for cell in (one, f"for k in range(1000):\n    {one}"):  # in a loop the button means the loop
        text, error, _ = kernel(f"model = build()\n{cell}", interrupt_after=" left", cell="training")
        assert error == "Interrupted", text
        assert "KeyboardInterrupt: interrupted in epoch" in text
        assert "Traceback" not in text
    text, error, _ = kernel("print(model.history.interrupted, len(model.history.epoch) >= 1)")
    assert text.strip() == "True True"

    # What cells below compute may come from a part, until that training has come to its end, or is meant.
    write = "chapter.write_numbers({'epochs': len(model.history.epoch)})"
    text, error, _ = kernel(write)
    assert (error, "was interrupted, so numbers.json is not written" in text) == ("Unfinished", True)
    short = f"other = build()\n{one.replace('model', 'other').replace('100_000', '1')}"
    assert kernel(short, cell="another training").error == ""
    assert kernel(write).error == "Unfinished"
    assert kernel(short, cell="training").error == ""
    assert kernel(write).error == ""
    kernel(one, interrupt_after=" left", cell="training")
    assert kernel(write).error == "Unfinished"
    kernel("model.history.interrupted = False")
    assert kernel(write).error == ""

    folds = "folds = crossvalidation.cross_validate(build, x, y, np.arange(4000) % 4, epochs=15, batch_size=16)"
    text, error, _ = kernel(folds, interrupt_after="fold 2/4  epoch")
    assert error == "Interrupted", text
    assert re.search(r"KeyboardInterrupt: fold \d/4  interrupted in epoch", text)
