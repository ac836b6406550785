"""The answer checks: one function an exercise, one folder a chapter.

``checks.exercise_1_2(preselect)`` prints what holds, what does not, and a hint. It returns what the
notebook goes on with: the student's answer when it is right, else the course's own.
``checks.written("1.5", answer)`` is for answers in words; ``checks.panel(1)`` shows where the student stands;
``checks.is_solved("1.2")`` is for tools that grade.
"""

from labcourse.checks.chapter1 import *
from labcourse.checks.chapter2 import *
from labcourse.checks.chapter3 import *
from labcourse.checks.chapter4 import *
from labcourse.checks.chapter5 import *
from labcourse.checks.chapter6 import *
from labcourse.checks.chapter7 import *
from labcourse.checks.chapter8 import *
from labcourse.checks.progress import is_solved as is_solved
from labcourse.checks.project import *
from labcourse.checks.standing import panel as panel
from labcourse.checks.words import written as written
