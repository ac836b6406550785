"""Pictures of students, made safe and small: read as PNG, never passed on as they came."""

from __future__ import annotations

import base64
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
_MOST = 3
"""So many of a chapter are shown: the report of a large class has to open in a browser."""


class Picture(NamedTuple):
    """A thumbnail: PNG in base64, its size in pixels, and a coarse grey copy to compare by."""

    png: str
    width: int
    height: int
    grey: bytes


@dataclass(frozen=True)
class Pair:
    """A student's picture that differs from the solution's in the same cell.

    ``picture`` is None where there is none to show; ``note`` says why.
    """

    cell: str
    index: int
    picture: Picture | None
    note: str = ""


def compare_pictures(notebook: Notebook, chapter: Chapter, solution: Mapping[tuple[str, int], Picture]) -> list[Pair]:
    """Return the pictures that differ from the solution's; cells without any are left out."""
    own = {cell.id: cell.pictures for cell in notebook.cells if cell.pictures}
    pairs: list[Pair] = []
    for identifier, theirs in chapter.pictures.items():
        for index in range(len(theirs) if identifier in own else 0):
            if index >= len(own[identifier]):
                pairs.append(Pair(identifier, index, None, "no picture"))
            # Most are the same, and decoding takes most of the time of a report.
            elif own[identifier][index].strip() != theirs[index].strip():
                picture = thumbnail(own[identifier][index])
                if picture is None:
                    pairs.append(Pair(identifier, index, None, "not a readable PNG"))
                elif not _look_alike(picture, solution.get((identifier, index))):
                    is_shown = sum(pair.picture is not None for pair in pairs) < _MOST
                    pairs.append(Pair(identifier, index, picture if is_shown else None, "another picture"))
    return pairs


def thumbnail(encoded: str) -> Picture | None:
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
            if opened.width * opened.height > _MAX_PIXELS:
                return None
            image: Any = opened if opened.mode in ("RGB", "RGBA") else opened.convert("RGBA")
            height = min(max(1, round(image.height * _WIDTH / image.width)), 3 * _WIDTH)
            image = image.resize((_WIDTH, height), Image.Resampling.BOX).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # Pillow raises all of these for damaged files, base64 a ValueError
    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image)
    image = canvas.convert("RGB")
    buffer = io.BytesIO()
    image.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, format="PNG")
    grey: bytes = image.convert("L").resize(_GRID, Image.Resampling.BOX).tobytes()
    return Picture(base64.b64encode(buffer.getvalue()).decode("ascii"), image.width, image.height, grey)


def _look_alike(picture: Picture, other: Picture | None) -> bool:
    """Return whether no part of two pictures differs much."""
    return other is not None and max(abs(a - b) for a, b in zip(picture.grey, other.grey, strict=True)) < _ALIKE
