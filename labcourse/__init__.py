"""Support package of the lab course «Hunt for the Higgs Boson with Neural Networks».

Each module is one idea; import the ones you need, for instance::

    from labcourse import ntuple, selection
    events = selection.preselect(ntuple.read_sample("llll"))

Nothing heavy is imported here, so that ``import labcourse`` costs nothing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

__version__ = "0.1.0"

TENSORFLOW_FIRST = sys.platform == "darwin"
"""Whether TensorFlow has to be loaded before Arrow. It takes seconds, so elsewhere only who needs it waits for it."""


class _QuietTensorFlow(MetaPathFinder):
    """The first import of TensorFlow, without its notes on the machine, which a notebook shows in red.

    Most are kept back by a variable that has to be set before. Some are written during the import, before TensorFlow
    reads any setting, straight to the file descriptor of standard error. (If it fails, its exception says why.)

    On some Macs TensorFlow waits for ever for itself if Arrow, which pandas loads, came first: there it comes first.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find TensorFlow as Python would, and leave everything else to Python."""
        if name == "pyarrow" and TENSORFLOW_FIRST:
            with contextlib.suppress(ImportError):  # who needs TensorFlow will say that it is missing
                importlib.import_module("tensorflow")
        if name != "tensorflow":
            return None
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        spec: Any = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = functools.partial(_quietly, spec.loader.exec_module)
        return spec


def _quietly(load: Any, module: Any) -> None:
    try:
        standard_error = os.dup(2)
    except OSError:  # nothing to write to
        return load(module)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            load(module)
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


sys.meta_path.insert(0, _QuietTensorFlow())
