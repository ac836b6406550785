"""What every answer check shares: what it prints, what it hands back, how it remembers.

A check is a function decorated with `exercise`. It receives the answer and a `Report` and says what
holds. The decorator looks after everything else: open exercises, exceptions and endless loops in the student's code,
the answer that the notebook goes on with, and the record of what is solved. A check never raises.

Only what the student's cell has made since the last check is judged. The course's own answer, an answer that was judged
before, and one whose cell ended in an error leave the record as it is. Answers in words are shown beside the course's.

>>> @exercise("0.1", fallback=lambda x: 2 * x)
... def exercise_0_1(answer, report):
...     report.holds(answer(2) == 4, "doubles its argument", hint="multiply by two")
>>> mine = exercise_0_1(lambda x: x + x)
exercise 0.1: solved
  ✓ doubles its argument
>>> mine = exercise_0_1(...)
○ exercise 0.1 is still open; the course goes on with its own answer
>>> mine(3)
6
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from course.checks import cells, registry
from course.checks.compare import in_form, is_open
from course.checks.findings import Found, ReturnsNothing, StillOpen, explain
from course.checks.findings import Report as Report
from course.checks.findings import Row as Row
from course.checks.progress import Verdict, publish, record_state, verdict_here
from course.checks.watched import Seen, in_forms, watch

SECONDS_IN_SILENCE = 5.0
"""After this time a check says that it is still running, and how to stop it."""
_FEWEST_WORDS = 4

_OWN = (
    "What is here is the course's own answer: no cell has put another in its place. Write yours under the same name, "
    "run its cell, and then this check."
)
_CALLS_OWN = "Your function calls the course's own answer. Write yours, and then run this check."
_NOT_NEW = (
    "Your answer was not made again since its last check. If you have changed its cell, or a function that it "
    "uses, run that cell, and then this check."
)
_STOPPED = "It was stopped before its verdict. Run this cell again."


def exercise(
    number: str,
    *,
    fallback: Any = None,
    make_fallback: Callable[..., Any] | None = None,
    library: Sequence[Callable[..., Any]] = (),
    silence: float | None = None,
) -> Callable[[Callable[..., None]], Callable[..., Any]]:
    """Make a check of exercise ``number`` from a function ``(answer, report, **context)``.

    The check is called as ``check(answer, **context)``, prints its findings, and returns the answer if they are all
    right, else what the course goes on with: its own answer, which `labcourse build` has taken from the solution
    cell, or what is given here. A check whose result its cell does not keep returns None.

    Parameters
    ----------
    number : str
        Such as ``"1.2"``.
    fallback : object, optional
        What the course goes on with instead: the function of the library that the exercise is about, so that it is
        known as the course's own answer.
    make_fallback : callable, optional
        Makes that from the context: for an answer that depends on numbers of its notebook.
    library : sequence of callables, optional
        Functions of the library, of other arguments or results, that do what the exercise is about: to call them is
        to call the course's own answer.
    silence : float, optional
        Seconds after which the check says that it is still running, if it takes longer than others.
    """

    def own_answer(context: dict[str, Any]) -> Any:
        if make_fallback is None:
            return registry.course_answer(number) if fallback is None else fallback
        return ... if any(map(is_open, context.values())) else make_fallback(**context)

    def decorate(body: Callable[..., None]) -> Callable[..., Any]:
        @functools.wraps(body)
        def check(answer: Any = ..., **context: Any) -> Any:
            own, trouble = ..., ""
            try:
                own = own_answer(context)
            except Exception as error:
                trouble = f"  The course's own answer could not be made ({error}): run the cells above again, in order."
            course = own if inspect.isfunction(own) else None
            call = cells.arguments(cells.running.source, body.__name__)
            names, others = call or (registry.exercises()[number].names if number in registry.exercises() else (), ())
            run, before = cells.last_run(names), verdict_here(number)
            report, state, handed_on = Report(), "open", answer
            is_renewed = _is_renewed(answer, run, before)
            if before is not None and is_renewed:
                answer = handed_on = before.given
            reason = "" if is_renewed else _not_to_judge(answer, run, before, (course, *library))
            if not reason and not any(map(is_open, (answer, *context.values()))):
                with _word_after(silence or SECONDS_IN_SILENCE):
                    state, handed_on, reason = _examine(body, answer, report, context, course, library)
            if reason:
                lines = [f"exercise {number}: nothing is judged, and what is noted stays", f"  {reason}"]
                publish(number, [*lines, *(before.lines if before else ())], before)
                return before.handed_on if before else own
            if state == "wrong":
                report.lines += _bound_anew(number, others, run)
            elif state == "solved" and (anew := [*_bound_anew(number, others)]):  # the course asks for something else
                state, report.lines = "wrong", anew
            lines = [*_lines(number, state, report, hands_on=own is not None), *([trouble] if trouble else [])]
            handed_on = in_form(handed_on, own) if state == "solved" and own is not None else own
            # What was not bound by a cell since the last check, but in another way, is of no known cell.
            cell = before.cell if before and is_renewed else ""
            if run is not None and (before is None or run.order > before.order):
                cell = cells.fingerprint(run.source)
            again = tuple(lines[1:]) if state == "wrong" else ()
            verdict = Verdict(state, cells.running.order, cell, answer, handed_on, again)
            record_state(number, state, verdict)
            publish(number, lines, verdict)
            return handed_on

        # The wrapped signature would promise a report argument, which the decorator supplies.
        del check.__wrapped__
        return check

    return decorate


def _ended_in_error(run: cells.Run | None) -> str:
    """Return what to do where the cell of an answer did not run to its end; an empty text where it did."""
    if run is None or not run.error:
        return ""
    if run.error == "KeyboardInterrupt":
        return "The cell of your answer was stopped. Run it to its end, and then this check."
    return f"The cell of your answer ended in {run.error}. Mend it, run that cell, and then this check."


def _is_renewed(answer: Any, run: cells.Run | None, before: Verdict | None) -> bool:
    """Return whether the function judged last is to be judged again, since what it calls was made anew."""
    if before is None or run is None or run.order > before.order or not callable(before.given):
        return False
    return (answer is before.given or answer is before.handed_on) and cells.renewed(run, before.order)


def _not_to_judge(answer: Any, run: cells.Run | None, before: Verdict | None, course: Sequence[Any]) -> str:
    """Return why an answer is none to be judged, and what to do; an empty text if it is."""
    if reason := _ended_in_error(run):
        return reason
    if answer is not None and any(answer is each for each in course):
        return _OWN
    # A function that was made again is another object. Numbers that are equal can be one object: of those only a
    # notebook knows whether they were made again.
    is_old = callable(answer) or (run is not None and before is not None and run.order <= before.order)
    if before is None or not is_old or (answer is not before.given and answer is not before.handed_on):
        return ""
    return _OWN if before.state != "solved" and answer is not before.given else _NOT_NEW


def _bound_anew(number: str, names: Iterable[str], run: cells.Run | None = None) -> Iterator[tuple[bool, str, str]]:
    """Yield a line for each of the names, and of those that the run of an answer uses, that the student bound anew.

    Without a run, the student's cell may be a course's cell with other numbers in it, which uses the same names.
    """
    here = [each for each in registry.exercises().values() if each.number.startswith(number.split(".")[0] + ".")]
    answers = {name for exercise in here for name in exercise.names}
    for name in sorted({*names, *(cells.names_used(run.source) if run else ())} - answers):
        runs = cells.runs.get(name, [])
        course = [each for each in runs if cells.fingerprint(each.source) in registry.fingerprints()]
        if not course or runs[-1] in (course[-1], run) or cells.is_module(name):
            continue
        source = runs[-1].source
        if run is not None or not cells.names_used(course[-1].source) <= cells.names_used(source):
            line = next(line for line in source.splitlines() if name in line).strip()
            what = f"`{name}` is no longer the course's: a cell of yours has bound it anew (`{line[:80]}`)"
            yield False, what, f"take another name there, and run the course's cell that makes `{name}` again"


def _examine(
    body: Callable[..., None],
    answer: Any,
    report: Report,
    context: dict[str, Any],
    course: Callable[..., Any] | None,
    library: Sequence[Callable[..., Any]],
) -> tuple[str, Any, str]:
    """Return the state, the answer as it is handed on, and why there is no state if there is none."""
    if course is not None and not callable(answer):
        report.note(f"expected a function, received {type(answer).__name__}", "keep the line that begins with def")
        return "wrong", answer, ""
    seen = Seen()
    watched = watch(answer, seen, course, library) if inspect.isfunction(answer) or course is not None else answer
    try:
        # What NumPy and pandas warn about on crafted edge cases would only distract from the findings.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            body(watched, report, **context)
    except StillOpen:
        return "open", answer, ""
    except Found:
        pass
    except ReturnsNothing:
        report.note("your function returns nothing", "`print` only shows a value: end the function with `return`")
    except KeyboardInterrupt as interrupt:
        if (lines := cells.lines_of_answer(interrupt)) is None:
            return "", answer, _STOPPED
        where = f" in the line `{lines[-1]}`" if lines else ""
        report.lines.clear()
        report.note(
            f"your function was stopped{where}, before it came to an end",
            "does each loop end? a `while` needs a condition that becomes false, a `for` a list that does not grow",
        )
    except BaseException as error:  # of whatever kind: a check never raises
        report.note(*explain(error))
    if seen.calls_course:
        return "", answer, _CALLS_OWN
    if seen.spoilt:
        report.note(
            f"your function changes what it is given: {', '.join(sorted(seen.spoilt))}",
            "compute in new variables: *= and +=, and setting columns or elements, change the caller's own data",
        )
    return "solved" if report.is_right else "wrong", in_forms(answer, seen.form) if seen.differs else answer, ""


@contextlib.contextmanager
def _word_after(seconds: float) -> Iterator[None]:
    """Say that a check is still running, once it has run for some time."""
    text = f"Still running after {seconds:.0f} seconds. If it does not end, stop it (■): then it says where it was."
    # Not among what the check prints: outputs must not depend on how fast a machine is.
    timer = threading.Timer(seconds, lambda: print(text, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _lines(number: str, state: str, report: Report, *, hands_on: bool) -> list[str]:
    if state == "open":
        return [f"○ exercise {number} is still open" + "; the course goes on with its own answer" * hands_on]
    lines = [f"exercise {number}: {'solved' if state == 'solved' else 'not yet'}"]
    for holds, what, hint in report.lines:
        lines.append(f"  {'✓' if holds else '✗'} {what}")
        lines += [f"    hint: {hint}"] if hint and not holds else []
    if state != "solved" and hands_on:
        lines.append("  The course goes on with its own answer until yours is right.")
    return lines


def written(number: str, text: Any) -> None:
    """Show the course's answer to an exercise in words, once the student has tried.

    Words are not judged: to compare both answers point by point is the exercise. The points are the sentences
    of the course's answer.
    """
    exercises = registry.exercises()
    if number not in exercises or not (model := exercises[number].model):
        publish(number, [f"exercise {number}: there is no exercise of this number that is answered in words"], None)
        return
    call = cells.arguments(cells.running.source, "written")
    run = cells.last_run(call[0]) if call else None
    if reason := _ended_in_error(run):
        publish(number, [f"exercise {number}: nothing is judged", f"  {reason}"], verdict_here(number))
        return
    words = text.split() if isinstance(text, str) else []
    if len(words) < _FEWEST_WORDS:
        is_text = isinstance(text, str) or text is ...
        more = ("; write at least one sentence" if words else "") if is_text else "; write a text in quotes"
        state, lines = "open", [f"○ exercise {number} is still open{more}"]
    else:
        state, lines = "answered", [f"exercise {number}: answered"]
        if model.split() != words:
            lines.append("  Compare with the course's answer:")
            for point in _sentences(model):
                lines.append(textwrap.fill(point, 100, initial_indent="  · ", subsequent_indent="    "))
            lines.append(
                "  Which of these points does yours make? What does it say that is not among them, and is it right?"
            )
    record_state(number, state, Verdict(state, cells.running.order, cells.fingerprint(run.source) if run else ""))
    publish(number, lines, verdict_here(number))


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text.

    >>> _sentences("It falls by 0.5. Why? (a) Noise; (b) luck.")
    ['It falls by 0.5.', 'Why?', '(a) Noise; (b) luck.']
    """
    return re.split(r"(?<=[.!?])\s+(?=[«(A-Z0-9ση√])", " ".join(text.split()))
