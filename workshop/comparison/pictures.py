"""Pictures of students, made safe and small: read as PNG, never passed on as they came."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from workshop.comparison.reading import Notebook
from workshop.comparison.reference import Chapter

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

    ``picture`` is None where it looks the same, cannot be read or is missing; ``note`` says which.
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
        for index in range(len(theirs) if identifier in own else 0):
            picture, note = None, ""
            if index >= len(own[identifier]):
                note = "no picture"
            elif own[identifier][index].strip() == theirs[index].strip():
                note = "looks the same"  # most are, and decoding takes most of the time of a report
            elif (image := _drawn(own[identifier][index])) is None:
                note = "not a readable PNG"
            elif _look_alike(_grey(image), solution.get((identifier, index))):
                note = "looks the same"
            else:
                picture = _picture(image)
            pairs.append(Pair(identifier, index, picture, note))
    return pairs


def thumbnail(encoded: str) -> Picture | None:
    """Return a small copy of a PNG in base64, or None if it is not one, or too large to be looked at.

    The copy is drawn anew from the pixels, so that nothing but pixels comes through.
    """
    image = _drawn(encoded)
    return None if image is None else _picture(image)


def _drawn(encoded: str) -> Any:
    """Return the pixels of a picture, small and on white, or None."""
    from PIL import Image

    if len(encoded) > _MAX_BASE64:
        return None
    try:
        data = base64.b64decode(encoded.encode("ascii"), validate=False)
        if not data.startswith(_MAGIC):
            return None
        with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                return None
            image = opened if opened.mode in ("RGB", "RGBA") else opened.convert("RGBA")
            height = min(max(1, round(image.height * _WIDTH / image.width)), 3 * _WIDTH)
            image = image.resize((_WIDTH, height), Image.Resampling.BOX).convert("RGBA")
    except (binascii.Error, UnicodeError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # Pillow raises all of these for damaged files
    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image)
    return canvas.convert("RGB")


def _picture(image: Any) -> Picture:
    from PIL import Image

    buffer = io.BytesIO()
    image.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, format="PNG")
    return Picture(base64.b64encode(buffer.getvalue()).decode("ascii"), image.width, image.height, _grey(image))


def _grey(image: Any) -> bytes:
    from PIL import Image

    grey: bytes = image.convert("L").resize(_GRID, Image.Resampling.BOX).tobytes()
    return grey


def _look_alike(grey: bytes, other: Picture | None) -> bool:
    """Return whether no part of two pictures differs much: the solution's has fewer colours."""
    return other is not None and max(abs(a - b) for a, b in zip(grey, other.grey, strict=True)) < _ALIKE
