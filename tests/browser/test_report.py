"""The report for instructors, and the page for a student, on a telephone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.workshop import synthetic_class as made_up
from workshop.cli.compare import compare


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_scrolls_sideways_but_tables_of_the_class(browser: Browser, tmp_path: Path, width: int) -> None:
    maker = made_up.Maker()
    made_up.write_class(tmp_path / "class", maker, made_up.plans(maker, 3))
    compare(tmp_path / "class", html=tmp_path / "report.html", pages=tmp_path / "pages")
    for path in (tmp_path / "report.html", *(tmp_path / "pages").iterdir()):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
        page.close()
