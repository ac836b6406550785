"""Live figures: move a slider, and the picture and its numbers follow.

Each function returns a panel that shows itself as the last line of a cell: its sliders and picture, or a picture that
stays where they cannot live (print, HTML, a notebook opened again). `frame` is what all of them share.
"""

from course.interactive.descent import descent as descent
from course.interactive.events import event as event
from course.interactive.folds import folds as folds
from course.interactive.likelihood import likelihood as likelihood
from course.interactive.scores import class_weight as class_weight
from course.interactive.scores import cut as cut
from course.interactive.sculpting import sculpting as sculpting
from course.interactive.searching import searching as searching
from course.interactive.stopping import patience as patience
from course.interactive.threshold import threshold as threshold
