"""The stop button and Ctrl-C: what is finished is kept and said, and parts are not handed on as if whole."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labcourse import crossvalidation, network, outputs, progress, training
from labcourse.errors import BadInput, Interrupted, Unfinished

RNG = np.random.default_rng(4)
X = RNG.normal(size=(300, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)
FOLD = np.arange(300) % 3


def small(x: Any = None) -> Any:
    return network.build(3, (4,), seed=1)


def stop_at(epoch: int, training_number: int = 1) -> Callable[[], list[Any]]:
    """Return a maker of callbacks that interrupt the n-th training at an epoch."""
    import keras

    count = [0]

    def interrupt(number: int, logs: Any = None) -> None:
        if count[0] == training_number and number == epoch:
            raise KeyboardInterrupt

    def callbacks() -> list[Any]:
        count[0] += 1
        return [keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)]

    return callbacks


def test_early_stopping_keeps_the_best_epoch_when_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    best: list[Any] = []

    class Scripted(keras.callbacks.Callback):  # type: ignore[misc]
        """Lets epoch 2 look best."""

        def on_epoch_end(self, number: int, logs: Any) -> None:
            logs["val_loss"] = [3.0, 1.0, 2.0, 2.0][number]
            if number == 1:
                best.extend(self.model.get_weights())

    stopping = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    model = small()
    history = training.fit(
        model, X, Y, validation_data=(X, Y), epochs=9, batch_size=64, callbacks=[Scripted(), stopping, *stop_at(3)()]
    )
    assert (history.interrupted, history.epoch) == (True, [0, 1, 2])
    for a, b in zip(best, model.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert "as it was after epoch 2, the best one" in capsys.readouterr().out


def test_interrupted_at_the_very_end_it_is_complete() -> None:
    import keras

    def interrupt(logs: Any = None) -> None:
        raise KeyboardInterrupt

    history = training.fit(
        small(), X, Y, epochs=2, batch_size=64, callbacks=[keras.callbacks.LambdaCallback(on_train_end=interrupt)]
    )
    assert (history.interrupted, history.epoch) == (False, [0, 1])


def test_an_interrupted_network_is_not_handed_on_unless_meant() -> None:
    model = small()
    history = training.fit(model, X, Y, epochs=5, batch_size=64, callbacks=stop_at(2)())
    with outputs.Chapter(2, sources=()) as chapter:
        with pytest.raises(Unfinished, match=r"was interrupted, so first_model.keras(.|\n)*Run the cell"):
            chapter.write_model("first_model", model)
        history.interrupted = False
        chapter.write_model("first_model", model)


def test_finished_folds_are_kept_and_going_on_gives_what_all_at_once_gives(capsys: pytest.CaptureFixture[str]) -> None:
    def run(**options: Any) -> crossvalidation.Folds:
        return crossvalidation.cross_validate(small, X, Y, FOLD, epochs=3, batch_size=64, seed=7, **options)

    whole = run()
    with pytest.raises(Interrupted):
        run(callbacks=stop_at(1, training_number=3))
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "interrupted in fold 3 of 3: the first 2 are kept" in said
    kept = crossvalidation.kept
    assert kept is not None
    assert len(kept.models) == len(kept.histories) == len(kept.losses) == 2
    rest = run(finished=kept)
    assert np.array_equal(rest.losses, whole.losses)
    assert np.array_equal(rest.best_epochs, whole.best_epochs)
    assert rest.histories == whole.histories
    assert rest.models[0] is kept.models[0]
    for a, b in zip(rest.models[2].get_weights(), whole.models[2].get_weights(), strict=True):
        assert np.array_equal(a, b)
    with pytest.raises(BadInput, match="3 folds are finished, and there are only 2"):
        crossvalidation.cross_validate(small, X, Y, FOLD % 2, epochs=1, batch_size=64, finished=whole)
    with pytest.raises(Interrupted):
        run(callbacks=stop_at(1))
    assert "none is finished" in capsys.readouterr().out
    assert crossvalidation.kept is not None
    assert crossvalidation.kept.models == []


def test_the_time_left_counts_the_folds_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(progress.Line, "show", lambda self, text: shown.append(text))
    monkeypatch.setattr("labcourse.training.session.time.monotonic", iter(range(1000)).__next__)
    crossvalidation.cross_validate(small, X, Y, FOLD, epochs=2, batch_size=64)
    lines = [line for line in shown if "left" in line]
    # One second an epoch by this clock: five epochs are left after the first, one after the last but one.
    assert [line.rsplit("  ", 1)[1] for line in lines] == [
        f"at most {n:.1f} s left" for n in (5.0, 4.0, 3.0, 2.0, 1.0, 0.0)
    ]


# A real kernel.


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[str, str]]]:
    """Return a runner of cells: (text shown, name of the error); ``stop_after`` presses the stop button."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager()
    environment = os.environ | {"LABCOURSE_OUTPUTS": str(tmp_path_factory.mktemp("outputs")), "MPLBACKEND": "agg"}
    manager.start_kernel(env=environment, cwd=str(Path(__file__).parents[2]))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(code: str, stop_after: str = "", cell: str = "") -> tuple[str, str]:
        request = {"code": code, "silent": False, "store_history": True, "stop_on_error": False}
        client.shell_channel.send(client.session.msg("execute_request", request, metadata={"cellId": cell or code}))
        text, error, stopped = "", "", False
        while True:
            message = client.get_iopub_msg(timeout=60)
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                text += content["text"]
            elif kind in ("display_data", "update_display_data", "execute_result"):
                text = text.rsplit("\r", 1)[0] + "\r" + content["data"]["text/plain"]
            elif kind == "error":
                error, text = content["ename"], text + "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle" and "parent" not in content:
                return text, error
            if stop_after and stop_after in text and not stopped:
                stopped = True
                manager.interrupt_kernel()

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


SETUP = """
import numpy as np
from labcourse import crossvalidation, network, outputs, training
x = np.random.default_rng(1).normal(size=(4000, 3)).astype(np.float32)
y = (x[:, 0] > 0).astype(np.float32)
chapter = outputs.Chapter(2, sources=())
build = lambda: network.build(3, (4,), seed=1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_the_stop_button(kernel: Callable[..., tuple[str, str]]) -> None:
    assert kernel(SETUP) == ("", "")
    one = "training.fit(build(), x, y, epochs=100_000, batch_size=16)"
    training_cell = f"history = {one}\nmodel = history.model"
    text, error = kernel(training_cell, " left")
    assert error == "", text
    assert "interrupted in epoch" in text
    text, error = kernel("print(history.interrupted, len(history.epoch) == len(history.history['loss']) >= 1)")
    assert text.strip() == "True True"
    text, error = kernel("chapter.write_model('first_model', model)")
    assert (error, "run the cell" in text.lower()) == ("Unfinished", True)

    # In a loop the button means the loop; what the cell would hand on is a part.
    loop = f"for k in range(1000):\n    print('training', k)\n    {one}"
    text, error = kernel(loop, " left")
    assert error == "Interrupted", text
    assert "Traceback" not in text
    assert "training 1" in text
    assert "training 2" not in text
    both = f"{one}\nchapter.write_numbers({{'a': 1}})"
    text, error = kernel(both, " left")
    assert (error, "numbers.json is not written" in text) == ("Unfinished", True)

    # Cells below know of the training, too, until its cell was run to its end. One that failed was not.
    write = "chapter.write_numbers({'epochs': len(history.epoch)})"
    text, error = kernel(write)
    assert (error, bool(re.search(r"in cell \[\d+\] was interrupted, so numbers.json", text))) == ("Unfinished", True)
    kernel(f"1 / 0\n{training_cell}", cell=training_cell)
    for cell in (training_cell, loop, both):
        assert kernel(write)[1] == "Unfinished"
        text, error = kernel(cell.replace("100_000", "1").replace("1000", "2"), cell=cell)
        assert error == "", text  # what trains and writes in one cell is repeated as one
    text, error = kernel(write)
    assert ("are kept" in text, error) == (True, "")

    # Who means it can hand on a part.
    kernel("history = training.fit(model, x, y, epochs=100_000, batch_size=16)", " left")
    assert kernel(write)[1] == "Unfinished"
    kernel("history.interrupted = False")
    assert kernel(write)[1] == ""

    text, error = kernel(
        "folds = crossvalidation.cross_validate(build, x, y, np.arange(4000) % 4, epochs=15, batch_size=16)",
        "fold 3/4  epoch",
    )
    assert error == "Interrupted", text
    assert "Traceback" not in text
    assert "are kept, and finished=crossvalidation.kept goes on from there" in text
    text, _ = kernel("print(len(crossvalidation.kept.models), 'folds' in globals())")
    assert text.split()[0] in "23"
    assert text.split()[1] == "False"


# A run of notebooks.

CHAPTER = """# %%
import time
from labcourse import outputs

chapter = outputs.Chapter({number}, sources=[])
{read}
chapter.write_numbers({{"answer": {number}}})

# %%
time.sleep({seconds})
"""
RUN = """
import pathlib, sys
from labcourse import settings
from workshop import cli
from workshop.authoring import expected
settings.home = lambda: pathlib.Path({home!r})
expected.section = lambda: "bundle"
sys.argv = ["labcourse", {command}]
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
@pytest.mark.parametrize(("command", "how"), [("run", signal.SIGINT), ("solve", signal.SIGTERM)])
def test_ctrl_c_or_kill_in_a_run_of_notebooks(tmp_path: Path, command: str, how: signal.Signals) -> None:
    from workshop.authoring import build

    home = tmp_path / "home"
    (home / "course" / "chapters").mkdir(parents=True)
    (home / "tests").mkdir()
    for number, seconds, read in ((1, 0, ""), (2, 300, "chapter.read_numbers(1)")):
        text = CHAPTER.format(number=number, seconds=seconds, read=read)
        (home / "course" / "chapters" / f"{outputs.CHAPTERS[number]}.py").write_text(text)
    (home / "tests" / "expected.json").write_text(json.dumps({"bundle": {}, "official": {}}))
    build.build(home)
    workspace = "notebooks" if command == "solve" else "solutions"
    with outputs.Chapter(2, sources=(), workspace=workspace) as chapter:
        chapter.write_numbers({"mine": 7})
    written = outputs.folder(2, workspace) / "numbers.json"
    arguments = "'run'" if command == "run" else "'solve', '2'"
    code = RUN.format(home=str(home), command=arguments)
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (written.is_file() and '"answer": 2' in written.read_text()):
        assert time.monotonic() < deadline
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(how)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "interrupted in cell 2; run this chapter again" in err
    assert "finished before: 1" in err
    assert "Traceback" not in err
    assert "memory" not in err
    outputs.Chapter(2, sources=(), workspace=workspace).close()  # the kernel is gone, and its lock
    assert outputs.read_numbers(1, workspace) == {"answer": 1}
    # A solve undoes what it had begun; a run of the solutions has nobody's work to spare.
    assert outputs.read_numbers(2, workspace) == ({"mine": 7} if command == "solve" else {"answer": 2})
