"""The notebooks for readers who do not see the figures, or see other colours: headings, links, contrast."""

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from labcourse import samples, settings
from labcourse.plotting import style
from workshop.authoring import build, source

HOME = settings.home()
SETUP = build.load(HOME / "test_setup.ipynb").cells
TEXTS = {"test_setup": [cell.source for cell in SETUP if cell.cell_type == "markdown"]}
TEXTS |= {each.name: [cell.text for cell in each.cells if cell.kind == "markdown"] for each in source.read_all(HOME)}


@pytest.mark.parametrize("name", TEXTS)
def test_headings_differ_and_links_say_where_they_lead(name: str) -> None:
    """Of the rest of a text axe takes care, on the pages of the site."""
    text = re.sub(r"^```.*?^```", "", "\n".join(TEXTS[name]), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^(#+) +(.+)$", text, re.MULTILINE)
    assert [marks for marks, _ in headings].count("#") == 1
    assert len({title for _, title in headings}) == len(headings)
    links = {link.strip().lower() for link in re.findall(r"(?<!!)\[([^\]]+)\]\(", text)}
    assert not links & {"here", "link", "this", "click here", "more", "this page"}


# Colours. Contrast is that of WCAG 2.2, 1.4.11 (graphics: 3 to 1); other colour vision is simulated by the matrices
# of Machado, Oliveira and Fernandes (2009), severity 1.0, which act on linear RGB.

VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LINES = [line.color for line in style.LINES]
PROCESSES = [process.color for process in samples.PROCESSES.values()]


def linear(color: str) -> NDArray[np.float64]:
    values = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str = "#FFFFFF") -> float:
    light, dark = sorted((float(TO_XYZ[1] @ linear(color)) for color in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = (
        np.cbrt(value) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("color", sorted({*LINES, *PROCESSES, style.SIGNAL, style.BACKGROUND, style.GREY, style.DARK}))
def test_lines_and_letters_stand_out_from_the_paper(color: str) -> None:
    assert contrast(color) >= (4.5 if color in (style.DARK, style.GREY) else 3)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "colors", [LINES, PROCESSES, [style.SIGNAL, style.BACKGROUND]], ids=["lines", "processes", "2"]
)
def test_colours_differ_for_everybody(colors: list[str], vision: str) -> None:
    seen = [lab(VISION[vision] @ linear(color)) for color in colors]
    # A difference of 2 to 3 is just seen side by side; blue and green are the nearest to those without blue cones.
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 10


def test_nothing_is_told_by_colour_alone() -> None:
    assert len({(line.linestyle, line.marker) for line in style.LINES}) == len(style.LINES)
    simulated = [process.hatch for name, process in samples.PROCESSES.items() if name != "data"]
    assert len(set(simulated)) == len(simulated)
    assert style.SIGNAL_HATCH != style.BACKGROUND_HATCH


@pytest.mark.parametrize("path", sorted((HOME / "course" / "figures").glob("*.svg")), ids=lambda path: path.stem)
def test_letters_of_drawings_can_be_read(path: Path) -> None:
    svg = "{http://www.w3.org/2000/svg}"

    def walk(element: ET.Element, fill: str) -> None:
        fill = element.get("fill", fill)
        if element.tag in (f"{svg}text", f"{svg}tspan") and re.fullmatch(r"#[0-9A-Fa-f]{6}", fill):
            # White letters stand on a dark shape, all others on the white page.
            assert contrast(fill) >= 4.5 or fill.upper() == "#FFFFFF", (fill, "".join(element.itertext()))
        for child in element:
            walk(child, fill)

    walk(ET.parse(path).getroot(), "#000000")
