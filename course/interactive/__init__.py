"""Live figures: move a slider, and the picture and its numbers follow.

Each function returns a panel that shows itself as the last line of a cell: its sliders and picture, or a picture that
stays where they cannot live (print, HTML, a notebook opened again). `frame` is what all of them share.
"""

from course.interactive.descent import descent
from course.interactive.events import event
from course.interactive.folds import folds
from course.interactive.likelihood import likelihood
from course.interactive.scores import class_weight, cut
from course.interactive.sculpting import sculpting
from course.interactive.searching import searching
from course.interactive.stopping import patience
from course.interactive.threshold import threshold

__all__ = [
    "class_weight",
    "cut",
    "descent",
    "event",
    "folds",
    "likelihood",
    "patience",
    "sculpting",
    "searching",
    "threshold",
]
