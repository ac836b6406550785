"""The official files: download, check, unpack.

The course reads them from ``data/official`` as soon as a sample is complete there, and no notebook changes.
"""

from labcourse.opendata.archive import unpack
from labcourse.opendata.download import Outcome, download
from labcourse.opendata.integrity import GOOD, Holding, Verdict, examine, inventory, verify
from labcourse.opendata.manifest import Official, choose, mirrors, official
from labcourse.opendata.request import Patience

__all__ = [
    "GOOD",
    "Holding",
    "Official",
    "Outcome",
    "Patience",
    "Verdict",
    "choose",
    "download",
    "examine",
    "inventory",
    "mirrors",
    "official",
    "unpack",
    "verify",
]
