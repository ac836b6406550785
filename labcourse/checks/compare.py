"""When two answers are the same, and copies of arguments that an answer cannot spoil."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["alike", "as_number", "copied", "in_arrays", "is_unchanged"]


def alike(answer: Any, expected: Any, *, relative: float = 1e-4) -> bool:
    """Return whether an answer is the expected one in shape and, to single precision, in value.

    Numbers, arrays, tuples, lists, dictionaries and pandas objects are compared part by part, and the kind of
    container does not matter. NaN agrees with NaN: where a mistake leads to it, that is how it is recognised.

    >>> alike((1, np.float32(0.1)), [1.0, 0.1]), alike([1, 2], [1, 2, 3]), alike({"a": 1}, {"a": 2}), alike("a", "a")
    (True, False, False, True)
    """
    try:
        if isinstance(expected, Mapping):
            return (
                isinstance(answer, Mapping)
                and {str(key) for key in answer} == {str(key) for key in expected}
                and all(alike(answer[key], value, relative=relative) for key, value in expected.items())
            )
        if isinstance(expected, (tuple, list)) and not isinstance(answer, (np.ndarray, pd.Series, str, Mapping)):
            return len(answer) == len(expected) and all(
                alike(part, wanted, relative=relative) for part, wanted in zip(answer, expected, strict=True)
            )
        first, second = np.asarray(answer), np.asarray(expected)
        if first.shape != second.shape:
            return False
        if first.dtype.kind not in "biuf" or second.dtype.kind not in "biuf":
            return bool(np.all(first == second))
        if (first.dtype.kind == "b") != (second.dtype.kind == "b"):
            return False
        first, second = first.astype(float), second.astype(float)
        scale = np.max(np.abs(second[np.isfinite(second)]), initial=0.0)
        return bool(np.allclose(first, second, rtol=relative, atol=1e-3 * relative * scale, equal_nan=True))
    except Exception:  # whatever cannot be compared is not the same
        return False


def as_number(value: Any) -> float | None:
    """Return a real number of any type, also in an array without dimensions, as a float; else None.

    >>> as_number(np.float32(0.5)), as_number(np.array(2)), as_number(True), as_number("1"), as_number([1.0])
    (0.5, 2.0, None, None, None)
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def copied(data: Any) -> Any:
    """Return a copy of arrays, tables, and containers of them; anything else is handed on as it is."""
    if isinstance(data, (np.ndarray, pd.DataFrame, pd.Series)):
        return data.copy()
    if isinstance(data, tuple):
        parts = [copied(part) for part in data]
        return type(data)(*parts) if hasattr(data, "_fields") else tuple(parts)
    if isinstance(data, list):
        return [copied(part) for part in data]
    if isinstance(data, dict):
        return {key: copied(value) for key, value in data.items()}
    return data


def in_arrays(result: Any) -> Any:
    """Return a result with arrays of numbers in place of lists of them, also where it is a tuple; others as they are.

    >>> in_arrays([[1, 2], [3, 4]]).shape, in_arrays((0.5, [1.0, 2.0])), in_arrays([[1], []])
    ((2, 2), (0.5, array([1., 2.])), [[1], []])
    """
    if isinstance(result, list):
        try:
            array = np.asarray(result)
        except ValueError:  # rows of several lengths
            return result
        return array if array.dtype.kind in "biuf" and array.size else result
    if type(result) is tuple:
        parts = tuple(map(in_arrays, result))
        return result if all(a is b for a, b in zip(parts, result, strict=True)) else parts
    return result


def is_unchanged(data: Any, original: Any) -> bool:
    """Return whether an argument that was handed out as a copy is still what it was, to the last bit."""
    if data is original:
        return True
    if isinstance(original, (pd.DataFrame, pd.Series)):
        return original.equals(data)
    if isinstance(original, np.ndarray):
        same = np.shape(data) == original.shape
        return same and bool(np.all((data == original) | ((data != data) & (original != original))))
    if isinstance(original, (tuple, list)):
        return len(data) == len(original) and all(map(is_unchanged, data, original))
    if isinstance(original, dict):
        return data.keys() == original.keys() and all(is_unchanged(data[key], original[key]) for key in original)
    return bool(data == original)
