"""What chapters hand on: tables, models and numbers, written whole or not at all.

`Chapter` is what notebooks use; `folder` and `read_numbers` look in from outside. Beside every file lies a
note of what it was made from (`provenance`), and one kernel at a time works on a chapter (`locks`).
"""

from labcourse.outputs.chapter import Chapter, read_numbers
from labcourse.outputs.provenance import CHAPTERS, folder

__all__ = ["CHAPTERS", "Chapter", "folder", "read_numbers"]
