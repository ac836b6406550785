"""The drawings: well-formed, described, self-contained, small, and each of them present."""

import re
import xml.etree.ElementTree as ET

import pytest

from labcourse import settings

SVG = "{http://www.w3.org/2000/svg}"
FOLDER = settings.home() / "course" / "figures"
FIGURES = sorted(FOLDER.glob("*.svg"))


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_drawing(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 15_000
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert len(title.text) > 15
    assert len(description.text) > 60
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert "sans-serif" in root.get("font-family")
    x, y, width, height = map(float, root.get("viewBox").split())
    assert (x, y, width) == (0, 0, 700)
    background = root.find(f"{SVG}rect")
    assert background.get("fill") == "white"
    assert (float(background.get("width")), float(background.get("height"))) == (width, height)

    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in {"script", "image", "foreignObject", "use", "style"}
        for name, value in element.attrib.items():
            assert "href" not in name
            assert not name.startswith("on")
            for link in re.findall(r"url\(([^)]*)\)", value):
                assert link.startswith("#"), "nothing outside the file"
        if element.tag == f"{SVG}text":
            assert float(element.get("font-size", 15)) >= 12
            assert 0 <= float(element.get("x")) <= width
            assert 0 <= float(element.get("y")) <= height

    defined = re.findall(r'\bid="([^"]+)"', text)
    assert len(defined) == len(set(defined))
    used = set(re.findall(r"url\(#([^)]+)\)", text))
    assert used == set(defined) - {"title", "desc"}
