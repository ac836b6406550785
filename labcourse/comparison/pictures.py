"""Pictures of students, made safe and small: read as PNG, never passed on as they came."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from labcourse.comparison.reading import Notebook
from labcourse.comparison.reference import Chapter

__all__ = ["Pair", "Picture", "compare_pictures", "thumbnail"]

_MAGIC = b"\x89PNG\r\n\x1a\n"
_MAX_BASE64 = 3_000_000
_MAX_PIXELS = 12_000_000
_WIDTH = 360
_GRID = (60, 40)
_ALIKE = 14.0


class Picture(NamedTuple):
    """A thumbnail: PNG in base64, its size in pixels, and a coarse grey copy to compare by."""

    png: str
    width: int
    height: int
    grey: bytes


@dataclass(frozen=True)
class Pair:
    """The student's picture beside the solution's, by the cell's id.

    ``picture`` is empty where it looks the same, cannot be read or is missing; ``note`` says which.
    """

    cell: str
    index: int
    picture: Picture | None
    note: str


def compare_pictures(notebook: Notebook, chapter: Chapter, solution: Mapping[tuple[str, int], Picture]) -> list[Pair]:
    """Pair each picture of the solution with the student's of the same cell; cells without any are left out."""
    own = {cell.id: cell.pictures for cell in notebook.cells if cell.pictures}
    pairs = []
    for identifier, theirs in chapter.pictures.items():
        if identifier not in own:
            continue
        for index in range(len(theirs)):
            picture, note = None, ""
            if index < len(own[identifier]):
                picture = thumbnail(own[identifier][index])
                note = "" if picture else "not a readable PNG"
            else:
                note = "no picture"
            reference = solution.get((identifier, index))
            if picture and reference and _look_alike(picture, reference):
                picture, note = None, "looks the same"
            pairs.append(Pair(identifier, index, picture, note))
    return pairs


def thumbnail(encoded: str, width: int = _WIDTH) -> Picture | None:
    """Return a small copy of a PNG in base64, or None if it is not one, or too large to be looked at.

    The copy is drawn anew from the pixels, so that nothing but pixels comes through.
    """
    from PIL import Image

    if len(encoded) > _MAX_BASE64:
        return None
    try:
        data = base64.b64decode(encoded.encode("ascii"), validate=False)
        if not data.startswith(_MAGIC):
            return None
        with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
            if opened.width * opened.height > _MAX_PIXELS or not min(opened.size):
                return None
            image = opened.convert("RGBA")
    except (binascii.Error, UnicodeError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # Pillow raises all of these for damaged files
    return _draw(image, width)


def _draw(image: Any, width: int) -> Picture:
    from PIL import Image

    size = (width, max(1, round(image.height * width / image.width)))
    size = (width, min(size[1], 3 * width))
    image = image.resize(size, Image.Resampling.BOX)
    canvas = Image.new("RGBA", size, "white")
    canvas.alpha_composite(image)
    small = canvas.convert("RGB")
    grey = small.convert("L").resize(_GRID, Image.Resampling.BOX).tobytes()
    buffer = io.BytesIO()
    small.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, format="PNG")
    return Picture(base64.b64encode(buffer.getvalue()).decode("ascii"), *size, grey)


def _look_alike(one: Picture, other: Picture) -> bool:
    """Return whether no part of two pictures differs much: the solution's has fewer colours."""
    return max((abs(a - b) for a, b in zip(one.grey, other.grey, strict=True)), default=0) < _ALIKE


def digest(picture: Picture) -> str:
    """Return a short name by which equal pictures are stored once."""
    return hashlib.sha256(picture.png.encode()).hexdigest()[:12]
