"""Live figures: move a slider, and the picture and its numbers follow.

Each function returns a panel that shows itself as the last line of a cell: its sliders and picture, or a picture that
stays where they cannot live (print, HTML, a notebook opened again). Files: one a figure; `surface` draws what `neuron`
and `small_network` have in common, `frame` is what all of them share.
"""

from course.interactive.cuts import cut
from course.interactive.experiments import toys
from course.interactive.hidden import small_network
from course.interactive.reweighting import class_weight
from course.interactive.single import neuron
from course.interactive.stopping import patience

__all__ = ["class_weight", "cut", "neuron", "patience", "small_network", "toys"]
