"""TensorFlow without its notes on the machine, which a notebook shows in red: no GPU, processor's instructions, XLA.

Most are kept back by a variable, which has to be set before the import. Some are written during the import, before
TensorFlow reads any setting, and straight to the file descriptor of standard error: what comes there is kept back, too,
and shown only if the import fails. Afterwards errors are exceptions, as everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["TensorFlow"]


class TensorFlow(MetaPathFinder):
    """What ``sys.meta_path`` begins with, so that the first ``import tensorflow`` is quiet, whoever asks for it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find TensorFlow as Python would, and let its import be quiet; leave everything else to Python."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: _quietly(load, module)  # type: ignore[method-assign]
        return spec


def _quietly(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    import tempfile

    try:
        log, standard_error = tempfile.TemporaryFile(), os.dup(2)  # noqa: SIM115
    except OSError:  # a full disk, or nothing to write to
        return load(module)
    with log:
        os.dup2(log.fileno(), 2)
        try:
            load(module)
        except BaseException:
            log.seek(0)
            os.write(standard_error, log.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
    return None
