"""The `mini` tree of the ATLAS Open Data: read it into the course's event table, and write it.

Only this room knows branch names and that energies are in MeV there.
"""

from labcourse.ntuple.reading import (
    EXTRA,
    LEPTON_PT,
    LOW_LEVEL,
    QUANTITIES,
    iterate,
    load,
    needed,
    read,
    read_sample,
)
from labcourse.ntuple.tree import chunks, recorded_sha256
from labcourse.ntuple.writing import write

__all__ = [
    "EXTRA",
    "LEPTON_PT",
    "LOW_LEVEL",
    "QUANTITIES",
    "chunks",
    "iterate",
    "load",
    "needed",
    "read",
    "read_sample",
    "recorded_sha256",
    "write",
]
