"""When two answers are the same, and copies of arguments that an answer cannot spoil."""

from __future__ import annotations

import copy
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


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
    if hasattr(value, "__array__") and getattr(value, "ndim", 1) == 0:  # also a tensor
        value = np.asarray(value).item()
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def copied(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return copies of arguments; one that is called, and may keep count of its calls, is handed on as it is."""
    return tuple(each if callable(each) else copy.deepcopy(each) for each in given)


def in_form(result: Any, own: Any, given: tuple[Any, ...] = ()) -> Any:
    """Return a right result in the types of the course's ``own``, part by part, where that is of numbers.

    Lists, tuples, tables, tensors and arrays of objects become arrays, lists of parts tuples, whole numbers integers,
    arrays without dimensions numbers, and numbers those of NumPy. A column with the index of a table that was
    ``given`` stays.

    >>> in_form([[1, 2], [3, 4]], np.zeros(1)).shape, in_form([7.0, np.array(0.5)], (1, 1.0)), in_form("a", 1.0)
    ((2, 2), (7, 0.5), 'a')
    """
    if isinstance(own, tuple) and hasattr(result, "__len__") and len(result) == len(own):
        return tuple(map(in_form, result, own))
    is_numeric = isinstance(own, (int, float, np.generic, np.ndarray, pd.Series))
    if not is_numeric or (dtype := np.asarray(own).dtype).kind not in "biuf":
        return result
    if isinstance(result, pd.Series) and any(result.index.equals(getattr(table, "index", None)) for table in given):
        return result
    if isinstance(result, (tuple, list)) or (hasattr(result, "__array__") and not isinstance(result, np.generic)):
        try:
            array = result if isinstance(result, np.ndarray) else np.array(result)  # one that can be written to
            array = array if array.dtype.kind in "biuf" and array.size else array.astype(dtype)
        except (TypeError, ValueError):  # no numbers, or rows of several lengths
            return result
        if array.ndim:
            return array
        result = array.item()
    if dtype.kind == "f" and type(result) in (int, float):
        return result if type(own) is float else np.float64(result)  # which can be divided by zero
    is_whole = dtype.kind in "iu" and isinstance(result, (float, np.floating)) and float(result).is_integer()
    return int(result) if is_whole else result


def is_unchanged(data: Any, original: Any) -> bool:
    """Return whether an argument that was handed out as a copy is still what it was, to the last bit.

    Arrays, tables, numbers, texts, and containers of them are looked at.
    """
    if isinstance(original, (pd.DataFrame, pd.Series)):
        return original.equals(data)
    if isinstance(original, np.ndarray):
        same = np.shape(data) == original.shape
        return same and bool(np.all((data == original) | ((data != data) & (original != original))))
    if isinstance(original, (tuple, list)):
        return len(data) == len(original) and all(map(is_unchanged, data, original))
    if isinstance(original, dict):
        return data.keys() == original.keys() and all(is_unchanged(data[key], original[key]) for key in original)
    return data is original or not isinstance(original, (str, numbers.Number)) or bool(data == original)


def is_open(answer: Any) -> bool:
    """Return whether an answer is the stub: ``...``, or a tuple or list that holds it.

    >>> is_open(...), is_open((1, ...)), is_open(0)
    (True, True, False)
    """
    return answer is ... or (isinstance(answer, (tuple, list)) and any(part is ... for part in answer))
