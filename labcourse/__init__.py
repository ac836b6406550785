"""Support package of the lab course «Hunt for the Higgs Boson with Neural Networks».

Each module is one idea; import the ones you need, for instance::

    from labcourse import ntuple, selection
    events = selection.preselect(ntuple.read_sample("llll"))

Nothing heavy is imported here, so that ``import labcourse`` costs nothing.
"""

__version__ = "0.1.0"

import sys

from labcourse import quiet

# Also where the student's cell imports TensorFlow, or Keras.
sys.meta_path.insert(0, quiet.TensorFlow())
