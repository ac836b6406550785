"""What every answer check shares: what it prints, what it hands back, how it remembers.

A check is a function decorated with `exercise`. It receives the answer and a `Report` and says what
holds. The decorator looks after everything else: open exercises, exceptions and endless loops in the student's code,
the answer that the notebook goes on with, and the record of what is solved. A check never raises.

Only what the student's cell has made since the last check is judged. The course's own answer, an answer that was judged
before, and one whose cell ended in an error leave the record as it is. Answers in words are shown beside the course's.

>>> @exercise("0.1", make_fallback=lambda: lambda x: 2 * x)
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

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from course.checks import cells, registry
from course.checks.compare import is_open
from course.checks.findings import Report as Report
from course.checks.findings import Row as Row
from course.checks.progress import Verdict, publish, record_state, verdicts
from course.checks.watched import Watch, word_after

SECONDS_IN_SILENCE = 5.0
"""After this time a check says that it is still running, and how to stop it."""
_FEWEST_WORDS, _BETWEEN_SENTENCES = 4, re.compile(r"(?<=[.!?])\s+(?=[«(A-Z0-9ση√])")

_OWN = (
    "What is here is the course's own answer: no cell has put another in its place. Write yours under the same name, "
    "run its cell, and then this check."
)
_NOT_NEW = (
    "Your answer was not made again since its last check. If you have changed its cell, or a function that it "
    "uses, run that cell, and then this check."
)


def exercise(
    number: str,
    *,
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
    make_fallback : callable, optional
        Makes what the course goes on with from the context: for an answer that depends on numbers of its notebook.
    library : sequence of callables, optional
        Functions of the library that do what the exercise is about: to call them is to call the course's own answer.
    silence : float, optional
        Seconds after which the check says that it is still running, if it takes longer than others.
    """

    def own_answer(context: dict[str, Any]) -> Any:
        if make_fallback is None:
            return registry.course_answer(number)
        return ... if any(map(is_open, context.values())) else make_fallback(**context)

    def decorate(body: Callable[..., None]) -> Callable[..., Any]:
        @functools.wraps(body)
        def check(answer: Any = ..., **context: Any) -> Any:
            own, trouble = ..., []
            try:
                own = own_answer(context)
            except Exception as error:
                trouble = [f"  The course's own answer could not be made ({error}): run all cells above."]
            names, others = _names(number, body.__name__)
            run, before = cells.last_run(*names), verdicts.get(number, Verdict("open", handed_on=own))
            made = cells.made_of(run)
            # A function that was made again is another object. Numbers that are equal can be one object: of those only
            # a notebook knows whether they were made again.
            is_rerun = run is None or run is not before.run
            is_old = (answer is before.given or answer is before.handed_on) and (callable(answer) or not is_rerun)
            # The function judged last is judged again where what it calls was made anew.
            is_renewed = is_old and callable(answer) and not is_rerun and made != before.made
            answer = before.given if is_renewed else answer
            reason = _ended_in_error(run)
            if any(answer is each for each in ((own, *library) if inspect.isfunction(own) else library)):
                reason = reason or _OWN
            elif is_old and not is_renewed:
                reason = reason or (_OWN if before.state != "solved" and answer is not before.given else _NOT_NEW)
            report, state, handed_on = Report(), "open", own
            if not reason and not any(map(is_open, (answer, *context.values()))):
                with word_after(silence or SECONDS_IN_SILENCE):
                    state, handed_on, reason = Watch(answer, report, own, library).judge(body, context)
            if reason:
                lines = [f"exercise {number}: nothing is judged, and what is noted stays", f"  {reason}"]
                publish(number, [*lines, *before.lines], before)
                return before.handed_on
            if state == "wrong":
                report.lines += _bound_anew(number, others, run)
            elif state == "solved" and (anew := [*_bound_anew(number, others)]):  # the course asks for something else
                state, handed_on, report.lines = "wrong", own, anew
            lines = [*_lines(number, state, report, hands_on=own is not None), *trouble]
            # What no cell has bound since the last check was bound in another way, by no known cell.
            cell = cells.fingerprint(run.source) if run is not None and is_rerun else ""
            cell = before.cell if is_renewed else cell
            again = tuple(lines[1:]) if state == "wrong" else ()
            verdict = Verdict(state, run, made, cell, answer, handed_on, again)
            record_state(number, state, verdict)
            publish(number, lines, verdict)
            return handed_on

        # The wrapped signature would promise a report argument, which the decorator supplies.
        del check.__wrapped__
        return check

    return decorate


def _names(number: str, function: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return the names in an answer, and in what else its check is given: by its call, if the running cell has one."""
    exercise = registry.exercises().get(number)
    source = cells.runs[-1].source if cells.runs else ""
    return cells.arguments(source, function) or (exercise.names if exercise else (), ())


def _ended_in_error(run: cells.Run | None) -> str:
    """Return what to do where the cell of an answer did not run to its end; an empty text where it did."""
    if run is None or not run.error:
        return ""
    if run.error == "KeyboardInterrupt":
        return "The cell of your answer was stopped. Run it to its end, and then this check."
    return f"The cell of your answer ended in {run.error}. Mend it, run that cell, and then this check."


def _bound_anew(number: str, names: Iterable[str], run: cells.Run | None = None) -> Iterator[tuple[bool, str, str]]:
    """Yield a line for each of the names, and of those that the run of an answer uses, that the student bound anew.

    Without a run, the student's cell may be a course's cell with other numbers in it, which uses the same names.
    """
    here = [each for each in registry.exercises().values() if each.number.startswith(number.split(".")[0] + ".")]
    answers = {name for exercise in here for name in exercise.names}
    for name in sorted({*names, *(cells.names_used(run.source) if run else ())} - answers):
        runs = [each for each in cells.runs if name in each.names]
        course = [each for each in runs if cells.fingerprint(each.source) in registry.fingerprints()]
        if not course or runs[-1] in (course[-1], run) or cells.is_module(name):
            continue
        source = runs[-1].source
        if run is not None or not cells.names_used(course[-1].source) <= cells.names_used(source):
            line = next(line for line in source.splitlines() if name in line).strip()
            what = f"`{name}` is no longer the course's: a cell of yours has bound it anew (`{line[:80]}`)"
            yield False, what, f"take another name there, and run the course's cell that makes `{name}` again"


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
    exercise, before = registry.exercises().get(number), verdicts.get(number, Verdict("open"))
    if exercise is None or not exercise.model:
        publish(number, [f"exercise {number}: there is no exercise of this number that is answered in words"], before)
        return
    run = cells.last_run(*_names(number, "written")[0])
    if reason := _ended_in_error(run):
        publish(number, [f"exercise {number}: nothing is judged", f"  {reason}"], before)
        return
    words = text.split() if isinstance(text, str) else []
    if len(words) < _FEWEST_WORDS:
        is_text = isinstance(text, str) or text is ...
        more = ("; write at least one sentence" if words else "") if is_text else "; write a text in quotes"
        state, lines = "open", [f"○ exercise {number} is still open{more}"]
    else:
        state, lines = "answered", [f"exercise {number}: answered"]
        if exercise.model.split() != words:
            lines.append("  Compare with the course's answer:")
            for point in _BETWEEN_SENTENCES.split(" ".join(exercise.model.split())):
                lines.append(textwrap.fill(point, 100, initial_indent="  · ", subsequent_indent="    "))
            lines.append(
                "  Which of these points does yours make? What does it say that is not among them, and is it right?"
            )
    verdict = Verdict(state, run, cells.made_of(run), cells.fingerprint(run.source) if run else "")
    record_state(number, state, verdict)
    publish(number, lines, verdict)
