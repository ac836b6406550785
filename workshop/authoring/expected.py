"""Key numbers of the chapters beside the ones expected: ``tests/expected.json``.

The file holds, for the bundled and for the official samples, what each chapter's numbers should be::

    {"bundle": {"1": {"expected_llll": {"value": 267.3, "tolerance": 0.2}}},
     "official": {"1": {}},
     "seconds": {"1": 10}}

``seconds`` is a rough duration, for the time left that is shown during a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import samples, settings
from labcourse.files import read_json
from workshop.authoring.source import BuildError


class Number(NamedTuple):
    """One key number; ``expected`` and ``tolerance`` are None where nothing is expected of it."""

    name: str
    value: Any
    expected: float | None = None
    tolerance: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether it is within its bounds, or has none. A number that is missing or NaN is not right."""
        if self.expected is None or self.tolerance is None:
            return True
        return isinstance(self.value, (int, float)) and abs(self.value - self.expected) <= self.tolerance


def section() -> str:
    """Return which numbers to expect of the samples on the search path: ``official``, ``bundle``, or none, ``other``.

    Official files may be a part: the bundle stands in for the rest. Samples of another simulation are `other`, also
    where some of their files are the bundle's, as those of the rare backgrounds are at any scale.
    """
    sources = {samples.locate(name).source for name in samples.ALL}
    if not sources <= {"official", "bundle"}:
        return "other"
    return "official" if "official" in sources else "bundle"


def is_encore_bundled() -> bool:
    """Return whether the samples of 2025, which the encore alone reads, are those of the bundle."""
    return all(samples.locate(name).source == "bundle" for name in samples.names("2025"))


def read(home: Path) -> dict[str, Any]:
    """Read the expected numbers; of ``other`` samples nothing is expected, nor of the encore with official ones.

    Raises
    ------
    BuildError
        If the file is missing or is not JSON.
    """
    path = home / "tests" / "expected.json"
    try:
        content: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        how = settings.get_back("tests/expected.json")
        raise BuildError(f"The expected numbers cannot be read: {error}.", where=str(path), next_step=how) from error
    for name in () if is_encore_bundled() else ("bundle", "official"):
        content[name].pop("11", None)
    return {"other": {}, **content}


def compare(numbers: Mapping[str, Any], bounds: Mapping[str, Mapping[str, float]]) -> list[Number]:
    """Pair each number with its bounds; a number that is expected but absent has the value None.

    Examples
    --------
    >>> [n.is_right for n in compare({"auc": 0.8}, {"auc": {"value": 0.81, "tolerance": 0.02}})]
    [True]
    >>> bounds = {"auc": {"value": 0.81, "tolerance": 0.02}}
    >>> [compare(numbers, bounds)[0].is_right for numbers in ({}, {"auc": float("nan")}, {"auc": 0.84})]
    [False, False, False]
    """
    rows = [
        Number(name, numbers.get(name), float(bound["value"]), float(bound["tolerance"]))
        for name, bound in bounds.items()
    ]
    return rows + [Number(name, value) for name, value in numbers.items() if name not in bounds]
