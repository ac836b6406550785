"""The official files: download, check, unpack.

The course reads them from ``data/official`` as soon as a sample is complete there, and no notebook changes.
"""

from workshop.opendata.archive import unpack
from workshop.opendata.integrity import GOOD, Verdict, examine, verify
from workshop.opendata.manifest import Official, choose, mirrors, official
from workshop.opendata.transfer import Outcome, download

__all__ = [
    "GOOD",
    "Official",
    "Outcome",
    "Verdict",
    "choose",
    "download",
    "examine",
    "mirrors",
    "official",
    "unpack",
    "verify",
]
