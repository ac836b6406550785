"""No red lines of TensorFlow in a healthy notebook.

That a notebook which trains writes nothing to standard error is seen in `tests/browser`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labcourse import settings
from workshop.authoring import source


def test_every_chapter_imports_the_course_before_tensorflow() -> None:
    for chapter in source.read_all(settings.home()):
        code = "\n".join(cell.text for cell in chapter.cells if cell.kind == "code")
        assert 0 <= code.find("from labcourse import") < (code + "\nimport keras").find("import keras"), chapter.name


@pytest.mark.parametrize("fails", ["", "raise ImportError('no AVX')"])
def test_what_tensorflow_writes_at_its_import_is_not_shown(tmp_path: Path, fails: str) -> None:
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
    assert done.stderr == "later\n"
    assert done.stdout.split() == [*(["no", "AVX"] if fails else []), "3"]
