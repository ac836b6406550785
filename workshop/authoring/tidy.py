"""An executed notebook made fit to keep: small pictures, nothing that changes from run to run."""

from __future__ import annotations

import base64
import io
from typing import Any

from workshop.authoring import build

#: A solution notebook stays below this, so that the repository does.
MAX_BYTES = 300_000
_COLOURS, _FEWEST = 64, 24
_WIDGET = "application/vnd.jupyter.widget-view+json"


def tidy(notebook: Any) -> None:
    """Shrink the pictures of a notebook and drop what is volatile, in place.

    Where the notebook would be too large, the largest pictures lose colours, one after the other, and if that is not
    enough half of their sharpness; how wide they are on the page, their metadata say. Text written to standard error
    (log lines with times and process numbers), widgets (dead without their kernel) and the kernel's timestamps go; tags
    and alternative texts stay.
    """
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        if cell.cell_type != "code":
            continue
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr" and _WIDGET not in o.get("data", {})]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    pictures = [output["data"] for output in outputs if "image/png" in output["data"]]
    for data in pictures:
        data["image/png"] = _shrink(data["image/png"])
    for factor in (1, 2):
        for data in sorted(pictures, key=lambda data: len(data["image/png"]), reverse=True):
            if len(build.text(notebook).encode()) > MAX_BYTES:
                data["image/png"] = _shrink(data["image/png"], factor, _FEWEST)


def _shrink(picture: str, factor: int = 1, colours: int = _COLOURS) -> str:
    """Return a PNG (base64), smaller by a factor, with a palette of its most frequent colours, if that is shorter."""
    from PIL import Image

    original = base64.b64decode(picture)
    with Image.open(io.BytesIO(original)) as opened:
        if factor == 1 and opened.mode == "P" and len(opened.getcolors() or ()) <= colours:
            return picture
        image = opened.convert("RGBA")
        canvas = Image.new("RGBA", image.size, "white")  # figures lie on white pages
        canvas.alpha_composite(image)
        canvas = canvas.reduce(factor)
        # No dithering: curves and letters have few colours, and dots would not compress. Few colours have to keep the
        # rare ones, which tell two processes apart.
        method = Image.Quantize.MEDIANCUT if colours == _COLOURS else Image.Quantize.MAXCOVERAGE
        small = canvas.convert("RGB").quantize(colours, method=method, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    small.save(buffer, format="PNG", optimize=True)
    if buffer.tell() >= len(original):
        return picture
    return base64.b64encode(buffer.getvalue()).decode()
