"""What a check finds: properties that hold or do not, and mistakes that it knows by name."""

from __future__ import annotations

import contextlib
import inspect
import math
import re
from collections.abc import Collection
from typing import Any, NoReturn

import numpy as np

from course.checks import cells
from course.checks.compare import alike, as_number, copied

Row = tuple[Any, str, str]
"""A mistake: what it gives, or a function that makes it; its name, in words; and a hint that teaches the idea."""

_EACH = "one value for each is asked for"
_EVERYWHERE: tuple[Row, ...] = (
    (lambda r: r[::-1] if isinstance(r, tuple) else ..., "the order is another one", "first what is named first"),
    (lambda r: ~r if r.dtype == bool else ..., "the mask is upside down", "true means: this is one of them"),
    (np.negative, "the sign is turned round", "what is subtracted from what?"),
    (np.square, "this is the square of what is asked for", "take the root"),
    (
        lambda r: np.sqrt(r) if np.max(r) > 0 else ...,
        "this is the root of what is asked for",
        "is there a root too much, or is something not squared?",
    ),
    (lambda r: 1 / r, "the fraction is upside down", "what stands on top belongs below"),
    (lambda r: 1 - r, "this is 1 minus what is asked for", "which of the two is asked for?"),
    (lambda r: 100 * r, "this is a hundred times what is asked for", "a share lies between 0 and 1"),
    (lambda r: r / (1 - r), "these are odds", "odds r belong to a share of r / (1 + r)"),
    (np.sum, "this is the sum of all", _EACH),
    (np.mean, "this is the mean of all", _EACH),
    (np.transpose, "the result lies on its side", "rows and columns have changed places: print the .shape"),
    (lambda r: r[..., None], "the result has a dimension too many", "take its column 0: [:, 0]"),
)
"""What is wrong with right results in every exercise: functions of them, tried after the mistakes of the exercise."""


_COMPARISON = r"(?:==|!=|<=|>=|<|>)"
_UNBRACKETED = rf"(?:{_COMPARISON}[^()&|\n]*[&|]|[&|][^()\n]*{_COMPARISON})"
_BRACKETS = (
    "put each comparison in brackets, (a == 1) & (b < 2): `&` and `|` join masks, and are done before == and <, "
    "which would compare what they have joined"
)
_HINTS = (
    (r": .*(ellipsis|'EllipsisType')", "a `...` in the cell is still to be filled in"),
    (r"TypeError.*: .*(bitwise_|invert|'r?(and|or)_'|for [&|]:)", _BRACKETS),
    (rf"ValueError.*: .*truth value.*\n.*{_UNBRACKETED}", _BRACKETS),
    (r"ValueError.*: .*truth value.*\n.*\bin\b", "`in` asks once for the whole column: use .isin(values) or np.isin"),
    (r"ValueError.*: .*truth value", "for arrays: & | ~ for and, or, not; np.maximum, np.where for max, if"),
    (r"ValueError.*: .*(broadcast|matmul|shape)", "the shapes do not fit: print the .shape of both arrays"),
    (
        r"TypeError.*: .*not callable",
        "what stands before the ( is no function: columns and elements take [ ], a product takes *; and if a cell has "
        "taken a function's name, as in `sum = 3`, then `del sum` gives it back",
    ),
    (r"TypeError.*: .*integer.*\n.*\.(max|min)\(", "np.max is of one array: element by element, np.maximum(0, x)"),
    (
        r"TypeError.*: .*(0-dimensional|length-1|must be real number|convert the series)",
        "math and float() take one number: for arrays use the functions of np, such as np.sqrt, np.cos and np.log",
    ),
    (
        r"IndexError.*: .*could not be broadcast",
        "rows and columns at once are pairs: x[rows][:, columns], or x[np.ix_(rows, columns)]",
    ),
    (r"IndexError.*: .*(too many indices|of dimension)", "the array has fewer dimensions: print its .shape"),
    (r"NameError", "is the name spelt as above, and has the cell that defines it been run?"),
    (r"KeyError", "is the name spelt as above? `.columns` lists those of a table, `.keys()` of a dictionary"),
    (r"AttributeError", "is the name behind the dot spelt right, and is this the type of object you expect?"),
    (r"IndexError", "an index is larger than the number of elements; counting starts at zero"),
    (r"RecursionError", "the function calls itself without end"),
    (r"TypeError", "an argument has another type, or there are more or fewer of them, than expected"),
)
"""What a student sees next to an exception: the hint of the first pattern that fits its types and its message and,
behind the end of that line, the student's own."""

_SHARPEST_READING, _BLURRED_READING = 0.02, 0.3
"""A mistake is named if a reading lies within the relative precision of its value, and that within these bounds: no
figure is read better than to 2 %, and beyond 30 % nearly every number would be some mistake's."""


class StillOpen(BaseException):
    """A student's function returned the stub's ``...``."""


class Found(BaseException):
    """Something does not hold, and is noted: with that a check ends, so that one mistake is one line.

    As the one before, it is no `Exception`: nothing on the way may take it for one.
    """


class Report:
    """Collects what holds, in the order in which a check finds it, up to what does not.

    Where something does not hold, its methods raise `Found`.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[bool, str, str]] = []

    @property
    def is_right(self) -> bool:
        """Whether something was checked and all of it holds."""
        return bool(self.lines) and all(holds for holds, _, _ in self.lines)

    def holds(self, condition: Any, what: str, *, hint: str = "", mistake: str = "") -> None:
        """Note that ``what`` holds.

        Parameters
        ----------
        condition : bool, array of bool, or function without arguments
            An array holds if all its elements do. An exception in a function counts as "does not hold".
        what : str
            The property, in words that are true when it holds.
        hint, mistake : str
            Shown when it does not hold: what helps; and what went wrong, instead of ``what``.
        """
        try:
            is_true = bool(np.all(condition() if inspect.isfunction(condition) else condition))
        except Exception as error:
            raised, help_ = explain(error)
            self.wrong(f"{what}: {raised}", "; ".join(filter(None, (hint, help_))))
        if not is_true:
            self.wrong(mistake or what, hint)
        self.lines.append((True, what, hint))

    def agrees(self, answer: Any, course: Any, *cases: tuple[Any, ...], hint: str, relative: float = 1e-4) -> None:
        """Do as `holds` for whether an answer gives what the course's function gives for further arguments.

        They are to differ from those before in size and in values, so that no answer fits the crafted ones only.
        """
        self.holds(
            lambda: all(alike(answer(*case), course(*case), relative=relative) for case in cases),
            "right for other arguments as well",
            hint=hint,
        )

    def note(self, mistake: str, hint: str = "") -> None:
        """Note a mistake, at the end of a check."""
        self.lines.append((False, mistake, hint))

    def wrong(self, mistake: str, hint: str = "") -> NoReturn:
        """Note a mistake that the check recognises, and end it."""
        self.note(mistake, hint)
        raise Found

    def recognises(self, result: Any, *mistakes: Row, given: tuple[Any, ...] = (), right: Any = None) -> None:
        """End the check with the first of the mistakes that leads to a result, if one does.

        Parameters
        ----------
        result : object
            What the student's function returned for the arguments ``given``.
        mistakes : tuple
            ``(wrong, name, hint)``, see `Row`. If ``wrong`` is a function, it is called with ``given``.
        right : object
            The right result. It is never taken for a mistake, whatever the numbers happen to be. With it, mistakes
            are known that occur everywhere.
        """
        if right is not None and alike(result, right):
            return
        for wrong, name, hint in mistakes:
            if alike(result, wrong(*copied(given)) if callable(wrong) else wrong):
                self.wrong(name, hint)
        for wrong, name, hint in () if right is None else _EVERYWHERE:
            with contextlib.suppress(Exception):  # not all are for masks, for numbers, or for several results
                if alike(result, wrong(right if isinstance(right, tuple) else np.asarray(right))):
                    self.wrong(name, hint)

    def close(
        self, value: Any, expected: float, what: str, *, tolerance: float = 0.0, relative: float = 1e-5, hint: str = ""
    ) -> None:
        """Note that a number is ``expected``, within an absolute or a relative tolerance.

        The default is single precision.
        """
        number = as_number(value)
        if number is None:
            received = type(value).__name__
            if isinstance(value, str):
                received = "str: leave out the quotes"
            elif isinstance(value, tuple) and len(value) == 2:
                received = "two: decimals take a point, as in 0.5, and not a comma"
            elif shape := getattr(value, "shape", ()):
                received += f" of shape {shape}"
            self.wrong(f"{what}: expected a number, received {received}", hint)
        is_close = abs(number - expected) <= max(tolerance, relative * abs(expected))
        self.holds(math.isfinite(number) and is_close, what, hint=hint)

    def reading(
        self,
        answer: Any,
        expected: float,
        what: str,
        *mistakes: Row,
        tolerance: float = 0.0,
        relative: float = 0.0,
        hint: str = "",
    ) -> None:
        """Note that a number read off a figure or a table is ``expected`` within its precision.

        A wrong number is compared with those of typical mistakes, within the same precision, and the nearest is named.
        """
        number, margin = as_number(answer), max(tolerance, relative * abs(expected))
        if number is not None and math.isfinite(number) and abs(number - expected) > max(margin, 1e-9):
            precision = min(max(margin / abs(expected or math.inf), _SHARPEST_READING), _BLURRED_READING)
            off = {abs(number - row[0]) / (abs(row[0]) or 1e-9): row for row in mistakes if math.isfinite(row[0])}
            if min(off, default=math.inf) <= precision:
                self.wrong(*off[min(off)][1:])
        self.close(answer, expected, what, tolerance=tolerance, relative=relative, hint=hint)

    def name(
        self,
        answer: Any,
        names: Collection[str],
        right: Collection[str],
        what: str,
        *mistakes: Row,
        hint: str = "",
    ) -> None:
        """Note that one of ``names`` should be answered, and one that is ``right``; ``wrong`` may be several."""
        if not isinstance(answer, str):
            received = "a number" if as_number(answer) is not None else f"of type {type(answer).__name__}"
            self.wrong(f"this is {received}, and not a name", f'a string in quotes, such as "{next(iter(names), "")}"')
        for wrong, mistake, help_ in mistakes if answer not in right else ():
            if answer == wrong or (not isinstance(wrong, str) and answer in wrong):
                self.wrong(mistake, help_)
        if answer not in names:
            if meant := [name for name in names if name.casefold() == answer.strip().casefold()]:
                self.wrong("the name is spelt in another way", f'write it as in the table: "{meant[0]}"')
            quoted = ", ".join(f'"{name}"' for name in names)
            self.wrong(f"there is no such name: {answer[:40]!r}", f"one of {quoted}")
        self.holds(answer in right, what, hint=hint)

    def parts(self, result: Any, what: str, n: int = 2) -> list[Any]:
        """Return the ``n`` parts of a result. ``what`` names them: "raw, expected"."""
        several = isinstance(result, (tuple, list)) or (isinstance(result, np.ndarray) and result.ndim)
        if not several or len(result) != n:
            kind = f"one value is given, of type {type(result).__name__}"
            received = f"{len(result)} values are given" if several else kind
            self.wrong(f"{received} where {n} are asked for", f"they are {what}, in this order and separated by commas")
        return list(result)


def explain(error: BaseException) -> tuple[str, str]:
    """Return an exception in one line, with the line of the notebook cell it came from, and a hint."""
    message = ""
    with contextlib.suppress(Exception):  # an exception of the student's own may fail even at this
        message = str(error).strip().split("\n")[0][:200]
    what = type(error).__name__ + (f": {message}" if message else "")
    lines = cells.lines_of_answer(error)
    if lines is None:
        hint = "is it what the text above the exercise asks for, in type and shape?"
        return f"this answer cannot be used ({what})", hint
    what = f"your code raised {what}" + (f" (in the line `{lines[-1]}`)" if lines else "")
    # Neither the `in` of a loop nor words in quotes are what the hints look for.
    line = re.sub(r"\bfor\b.*?\bin\b|\"[^\"]*\"|'[^']*'", "", lines[-1] if lines else "")
    kinds = " ".join(base.__name__ for base in type(error).__mro__)
    told = f"{kinds}: {message}\n{line}"
    return what, next((hint for pattern, hint in _HINTS if re.search(pattern, told)), "")
