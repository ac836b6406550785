"""The notebooks for readers who do not see the figures, or see other colours: text, structure, contrast."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labcourse import samples, settings
from labcourse.plotting import style
from workshop.authoring import build, source

HOME = settings.home()
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter is not None]
SETUP = HOME / "test_setup.ipynb"
each_text = pytest.mark.parametrize("name", [chapter.name for chapter in CHAPTERS] + [SETUP.stem])


def markdown(name: str) -> list[str]:
    """Return the text cells of a notebook, without code blocks and formulas, whose characters mean other things."""
    if name == SETUP.stem:
        texts = [cell.source for cell in build.load(SETUP).cells if cell.cell_type == "markdown"]
    else:
        (chapter,) = (chapter for chapter in CHAPTERS if chapter.name == name)
        texts = [cell.text for cell in chapter.cells if cell.kind == "markdown"]
    texts = [re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE) for text in texts]
    return [re.sub(r"\$\$.*?\$\$|(?<!\\)\$[^$\n]+\$|`[^`\n]*`", "x", text, flags=re.DOTALL) for text in texts]


@each_text
def test_headings_begin_with_one_title_and_skip_no_level(name: str) -> None:
    headings = [match for text in markdown(name) for match in re.findall(r"^(#+) +(.+)$", text, re.MULTILINE)]
    levels = [len(marks) for marks, _ in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    for before, after in itertools.pairwise(levels):
        assert after <= before + 1, headings
    titles = [title for _, title in headings]
    assert len(titles) == len(set(titles)), "two headings of the same text"
    assert all(len(title) > 3 for title in titles)


@each_text
def test_pictures_say_what_they_show(name: str) -> None:
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", " ".join(markdown(name))):
        words = alt.split()
        assert len(words) >= 8, target
        assert not re.match(r"(image|picture|figure|graphic|plot) of\b", alt, re.IGNORECASE), alt
        assert Path(target).stem not in alt
        assert (HOME / ("notebooks" if name != SETUP.stem else ".") / target).is_file()


@each_text
def test_links_say_where_they_lead(name: str) -> None:
    for text, target in re.findall(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", " ".join(markdown(name))):
        assert text.strip().lower() not in {"here", "link", "this", "click here", "more", "this page"}, target
        assert not text.startswith(("http", "www")), text
        assert len(text) > 3


@each_text
def test_tables_have_headers(name: str) -> None:
    for text in markdown(name):
        lines = text.splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            if line.lstrip().startswith("|") and not before.lstrip().startswith("|"):
                rule = lines[lines.index(line) + 1]
                assert re.fullmatch(r"\|( *:?-+:? *\|)+", rule.strip()), f"no header: {line}"
                assert all(cell.strip() for cell in line.strip().strip("|").split("|")), f"an empty header: {line}"
        assert not re.search(r"<(table|img|font|span)\b", text), "Markdown keeps its structure, HTML need not"


def outputs_of(chapter: source.Source) -> list[Any]:
    notebook = build.load(HOME / "solutions" / f"{chapter.name}.ipynb")
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_outputs_are_described(chapter: source.Source) -> None:
    for output in outputs_of(chapter):
        data = output.get("data", {})
        if "image/png" in data:
            alt = output.metadata["image/png"]["alt"]
            assert len(alt.split()) >= 6
            assert data["text/plain"] == alt
        for table in re.findall(r"<table.*?</table>", data.get("text/html", ""), re.DOTALL):
            assert "<th" in table


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
