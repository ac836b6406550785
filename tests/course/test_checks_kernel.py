"""A tick is earned: checks in a real kernel, whose cells fail, are edited, skipped, interrupted or run twice."""

import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.checks.cells import fingerprint
from course.checks.progress import read_states
from labcourse import settings
from tests.kernel import Kernel
from workshop.authoring import source

RIGHT = "def is_neutral(events):\n    return sum(events[f'lep{i}_charge'] for i in (1, 2, 3, 4)) == 0"
WRONG = RIGHT.replace(", 4)", ")")
STUB = "def is_neutral(events):\n    # your code here\n    return ..."
CHECK = "is_neutral = checks.exercise_1_5(is_neutral)"


@pytest.fixture(scope="module")
def shared_kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    kernel("from course import checks, outputs\nfrom labcourse import selection, samples, weights\nimport numpy as np")
    yield kernel
    kernel.end()


@pytest.fixture
def kernel(shared_kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """The kernel as it was at the beginning, with records of its own."""
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(outputs))
    shared_kernel(
        f"import os; os.environ['LABCOURSE_OUTPUTS'] = {str(outputs)!r}\n"
        "from course.checks import cells, progress, registry\n"
        "progress.verdicts.clear(); progress._shown.clear(); del cells.runs[:-1]\n"
        "from course import checks, outputs\nfrom labcourse import selection, samples, weights"
    )
    return shared_kernel


@pytest.mark.parametrize("cell", [STUB, WRONG, "def is_neutral(events:\n    return True", "is_neutral = ..."])
def test_a_check_that_runs_again_solves_nothing(kernel: Kernel, cell: str) -> None:
    first = kernel(STUB, CHECK, cell, CHECK)
    for _ in range(3):
        again = kernel(CHECK)
        assert "solved" not in first.text + again.text
        assert "and then this check" in again.text
        assert again.state == first.state != "solved"
    assert read_states()["1.5"] == first.state


def test_a_right_answer_is_solved_once_its_cell_was_run(kernel: Kernel) -> None:
    assert kernel(STUB, CHECK, RIGHT, CHECK).text.startswith("exercise 1.5: solved")
    assert read_states() == {"1.5": "solved"}
    again = kernel(CHECK)  # whether the cell was edited in between, the kernel cannot know
    assert "solved" not in again.text
    assert "was not made again since its last check" in again.text
    assert (again.state, again.verdicts[-1]["cell"]) == ("solved", again.verdicts[0]["cell"])
    assert kernel(WRONG, CHECK).text.startswith("exercise 1.5: not yet")
    assert read_states() == {"1.5": "wrong"}
    for _ in range(2):  # all cells, twice
        assert kernel(RIGHT, CHECK).text.startswith("exercise 1.5: solved")


@pytest.mark.parametrize(("error", "line"), [("SyntaxError", "x = = 1"), ("ZeroDivisionError", "1 / 0")])
@pytest.mark.parametrize(
    ("check", "command"),
    [(CHECK, ""), (f"%%time\n{CHECK}", "%%capture\n"), (f"if True:\n    {CHECK}", "    "), ("go(is_neutral)", "")],
)
def test_an_answer_whose_cell_has_failed_is_not_judged(
    kernel: Kernel, error: str, line: str, check: str, command: str
) -> None:
    kernel("def go(answer):\n    return checks.exercise_1_5(answer)")
    assert kernel(RIGHT, CHECK).state == "solved"
    for answer in (RIGHT, WRONG):
        cell = f"{answer}\n{line}"
        said = kernel(command + cell if command.strip() else textwrap.indent(cell, command), check)
        assert f"The cell of your answer ended in {error}. Mend it" in said.text
        assert "solved" not in said.text
    assert "ended in" in kernel("   \n", check).text  # an empty cell changes nothing
    assert read_states() == {"1.5": "solved"}


@pytest.mark.parametrize(
    "code",
    [
        "is_neutral = selection.is_neutral",
        "from labcourse.selection import is_neutral",
        "is_neutral = lambda events: selection.is_neutral(events)",
        "import functools\nis_neutral = functools.partial(selection.is_neutral)",
        f"{WRONG}\n{CHECK}\nold = is_neutral\ndef is_neutral(events, f=old):\n    return f(events)",
    ],
)
def test_the_course_function_is_no_answer(kernel: Kernel, code: str) -> None:
    assert "the course's own answer" in kernel(code, CHECK).text
    assert read_states().get("1.5", "open") != "solved"
    assert kernel("is_neutral is registry.course_answer('1.5')").text == "True\n"


def test_numbers_are_told_from_the_course_answer_too(kernel: Kernel) -> None:
    kernel(
        "from course.checks.report import exercise\n"
        "@exercise('1.6', make_fallback=lambda n: n)\n"
        "def exercise_1_6(answer, report, *, n):\n"
        "    report.close(answer, n, 'is the number')\n"
        "checks.exercise_1_6, n = exercise_1_6, 7"
    )
    check = "number = checks.exercise_1_6(number, n=n)"
    assert kernel("number = ...", check).state == "open"
    assert "course's own answer" in kernel(check).text
    said = kernel("number = 7", check)  # for Python the very same object
    assert said.text.startswith("exercise 1.6: solved")


def test_an_endless_loop_says_so_and_ends_in_one_line(kernel: Kernel) -> None:
    kernel("from course.checks import report\nreport.SECONDS_IN_SILENCE = 0.2")
    kernel("def is_neutral(events):\n    while True:\n        events = events[:]")
    begin = time.monotonic()
    said = kernel(CHECK, interrupt_after="Still running after")
    assert time.monotonic() - begin < 30
    assert said.error == ""
    lines = [line for line in said.text.splitlines() if "✗" in line]
    assert len(lines) == 1
    assert "your function was stopped in the line `" in lines[0]
    assert "hint: does each loop end?" in said.text
    assert "Traceback" not in said.text
    assert said.state == "wrong"
    assert kernel("is_neutral is registry.course_answer('1.5')").text == "True\n"


def test_an_interrupted_check_has_no_verdict(kernel: Kernel) -> None:
    kernel("from course.checks import report\nreport.SECONDS_IN_SILENCE = 0.2\nimport time")
    kernel(
        "@report.exercise('1.5')\n"
        "def exercise_1_5(answer, report):\n    time.sleep(30)\n"
        "own, checks.exercise_1_5 = checks.exercise_1_5, exercise_1_5"
    )
    said = kernel(RIGHT, CHECK, interrupt_after="Still running after")
    kernel("checks.exercise_1_5 = own")
    assert "stopped before its verdict" in said.text
    assert (said.error, said.state) == ("", "open")
    assert read_states() == {}


def test_a_name_of_the_course_that_was_bound_anew_is_named(kernel: Kernel) -> None:
    first = source.read_all(settings.home(), [1])[0].cells
    imports = next(cell.text for cell in first if "chapter = outputs" in cell.text).replace(", solution=True", "")
    code = "def is_neutral(events):\n    return np.sum([events[f'lep{i}_charge'] for i in (1, 2, 3)], axis=0) == 0"
    right = code.replace("2, 3", "2, 3, 4")
    # The course's own imports, and the student's, are no reason.
    assert "no longer the course's" not in kernel(imports, imports, "import numpy as np", code, CHECK).text
    said = kernel("def helper(): ...\nnp = helper", right, CHECK)
    assert "✗ `np` is no longer the course's: a cell of yours has bound it anew (`np = helper`)" in said.text
    assert kernel("import numpy as np", right, CHECK).state == "solved"


def test_an_answer_to_what_the_course_does_not_ask_is_not_solved(kernel: Kernel) -> None:
    chapter = source.read_all(settings.home(), [2])[0].cells
    given = next(cell.text for cell in chapter if cell.text.startswith("bottom = descend"))
    kernel(
        "import numpy as np\nx_pair = y_pair = start_weights = None\nsmall, know_nothing = 1e-4, 0.68",
        "descend = lambda *_: [np.zeros(2)]\nloss_of = lambda _: 0.6",
        "gradient = lambda x, y, w: np.array([0.1, 0.16]) * w",
        given,
    )
    answer = "longest_step = 2 / curvatures.max()"
    check = "checks.exercise_2_9(longest_step, curvatures=curvatures)"
    wrong = "curvatures = np.array([0.5, 1.0])"
    for code, state in ((wrong, "wrong"), (f"{given}\nprint(bottom)", "solved"), (given, "solved")):
        said = kernel(code, answer, check)
        assert said.state == state
        bound = f"✗ `curvatures` is no longer the course's: a cell of yours has bound it anew (`{code}`)"
        assert (bound in said.text) is (state == "wrong")


def test_a_skipped_check_is_seen(kernel: Kernel) -> None:
    states = "print(progress.states_here(1))"
    assert "unchecked" not in kernel(STUB, states).text
    words = 'answer_1_8 = """Because the beams know no direction around them."""'
    assert kernel(WRONG, words, states).text == "{'1.5': 'unchecked', '1.8': 'unchecked'}\n"
    said = kernel("from course import outputs\noutputs._publish(1, {'x': 1})")
    assert said.text == "1 key numbers of chapter 1 are kept; 1.5 is not checked; 1.8 is not checked\n"
    kernel(CHECK, 'checks.written("1.8", answer_1_8)')
    assert kernel(states).text == "{'1.5': 'wrong', '1.8': 'answered'}\n"
    assert kernel(WRONG, states).text == "{'1.5': 'wrong', '1.8': 'answered'}\n"  # the same once more


def test_a_verdict_says_which_text_it_has_judged(kernel: Kernel) -> None:
    """The class report believes it for a cell with this text only."""
    kernel(f"# mine\n{RIGHT}\n\n")
    for _ in range(2):  # the check alone once more
        assert kernel(CHECK).verdicts[-1]["cell"] == fingerprint(RIGHT)
    said = kernel(WRONG, CHECK, f"exec({RIGHT!r})", CHECK)  # of no known cell
    assert said.text.startswith("exercise 1.5: solved")
    assert not said.verdicts[-1]["cell"]


def test_the_panel_follows_in_what_stays_and_in_the_widget(kernel: Kernel) -> None:
    """A page that is loaded again still follows the widget."""
    assert "solved" not in kernel("checks.panel(1)").text
    assert "✓ solved: 1.5\n" in kernel(RIGHT, CHECK).text
    assert "✓ solved: 1.5\n" in kernel("print(progress._shown[-1][2].outputs[0]['data']['text/plain'])").text


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "ZeroDivisionError"])
def test_a_panel_that_fails_or_is_stopped_ends_no_cell(kernel: Kernel, error: str) -> None:
    fail = f"drawn = progress._content\ndef fail(chapter): raise {error}\nprogress._content = fail"
    said = kernel("checks.panel(1)", fail, RIGHT, CHECK)
    kernel("progress._content = drawn")
    assert (said.error, said.state) == ("", "solved")
    assert "Error in callback" not in said.text


def test_a_function_that_an_answer_calls_is_part_of_it(kernel: Kernel) -> None:
    states = "print(progress.states_here(1))"
    helper = "def total(events):\n    return sum(events[f'lep{i}_charge'] for i in (1, 2, 3, 4))"
    wrong = helper.replace(", 4)", ")")
    answer = "def is_neutral(events):\n    return total(events) == 0"
    assert kernel(wrong, answer, CHECK).state == "wrong"
    assert "nothing is judged" in kernel(CHECK).text
    assert "'1.5': 'unchecked'" in kernel(helper, states).text
    said = kernel(CHECK)
    assert said.text.startswith("exercise 1.5: solved")
    assert kernel("is_neutral is registry.course_answer('1.5')").text == "False\n"
    assert said.verdicts[-1]["cell"] == fingerprint(answer)
    assert "'1.5': 'solved'" in kernel(helper, "import numpy as np", states).text  # the same once more
    assert "nothing is judged" in kernel(CHECK).text
    assert "'1.5': 'unchecked'" in kernel(wrong, states).text
    assert kernel(CHECK).text.startswith("exercise 1.5: not yet")
    assert read_states() == {"1.5": "wrong"}
