"""Live figures: move a slider, and the picture and its numbers follow.

Each function returns a panel that shows itself as the last line of a cell: its sliders and picture, or a picture that
stays where they cannot live (print, HTML, a notebook opened again). Files: one a figure; `surface` draws what `neuron`
and `small_network` have in common, `frame` is what all of them share.
"""

from labcourse.interactive.cuts import cut
from labcourse.interactive.experiments import toys
from labcourse.interactive.hidden import small_network
from labcourse.interactive.reweighting import class_weight
from labcourse.interactive.single import neuron
from labcourse.interactive.stopping import patience

__all__ = ["class_weight", "cut", "neuron", "patience", "small_network", "toys"]
