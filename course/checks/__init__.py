"""The answer checks: one function an exercise, one folder a chapter.

``checks.exercise_1_2(preselect)`` prints what holds, what does not, and a hint. It returns what the
notebook goes on with: the student's answer when it is right, else the course's own.
``checks.written("1.5", answer)`` is for answers in words; ``checks.panel(1)`` shows where the student stands;
``checks.is_solved("1.2")`` is for tools that grade.
"""

from course.checks.chapter1 import *
from course.checks.chapter2 import *
from course.checks.chapter3 import *
from course.checks.chapter4 import *
from course.checks.chapter5 import *
from course.checks.chapter6 import *
from course.checks.chapter7 import *
from course.checks.chapter8 import *
from course.checks.progress import is_solved as is_solved
from course.checks.project import *
from course.checks.standing import panel as panel
from course.checks.words import written as written
