"""The report for instructors on a telephone."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.workshop import synthetic_class as made_up
from workshop.cli.compare import compare


def test_nothing_scrolls_sideways_but_tables_of_the_class(browser: Browser, tmp_path: Path) -> None:
    maker = made_up.Maker()
    made_up.write_class(tmp_path / "class", maker, made_up.plans(maker, 3))
    compare(tmp_path / "class", html=tmp_path / "report.html")
    for width in (360, 1200):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto((tmp_path / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
