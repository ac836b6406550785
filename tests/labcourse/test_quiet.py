"""No red lines of TensorFlow in a healthy notebook; all of them where it cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labcourse import settings
from workshop.authoring import source

TRAINING = """
import numpy as np
x = np.random.default_rng(1).random((200, 2), np.float32)
training.fit(network.build(2, seed=1), x, x[:, 0] > 0.5, epochs=1)
print("trained")
"""


def test_a_notebook_that_trains_writes_nothing_to_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_client.manager import start_new_kernel

    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(settings.home()))
    (chapter,) = source.read_all(settings.home(), [2])
    imports = next(cell.text for cell in chapter.cells if cell.text.startswith("import")).split("\n\nSEED")[0]
    outputs: dict[str, str] = {"stdout": "", "stderr": ""}

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            outputs[message["content"]["name"]] += message["content"]["text"]

    manager, client = start_new_kernel()
    try:
        for code in (imports, TRAINING):
            client.execute_interactive(code, output_hook=keep, timeout=300)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert outputs == {"stdout": "trained\n", "stderr": ""}


def test_every_chapter_imports_the_course_before_tensorflow() -> None:
    for chapter in source.read_all(settings.home()):
        code = "\n".join(cell.text for cell in chapter.cells if cell.kind == "code")
        assert 0 <= code.find("from labcourse import") < (code + "\nimport keras").find("import keras"), chapter.name


@pytest.mark.parametrize(("fails", "said"), [("", ""), ("raise ImportError('no AVX')", "a red line\n")])
def test_what_tensorflow_writes_at_its_import_is_shown_if_that_fails(tmp_path: Path, fails: str, said: str) -> None:
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text(f"import os\nos.write(2, b'a red line\\n')\n{fails}\n")
    code = (
        "import importlib.util, os, labcourse\n"
        "importlib.util.find_spec('tensorflow')  # as libraries look whether it is there\n"
        "try:\n    import tensorflow\nexcept ImportError as error:\n    print(error)\n"
        "os.write(2, b'later\\n'); print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    )
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{settings.home()}"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == f"{said}later\n"
    assert done.stdout.split() == [*(["no", "AVX"] if fails else []), "3"]
