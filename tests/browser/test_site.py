"""The reading site: complete, without a network, and as a reader sees it on a phone and a screen, by day and night."""

import functools
import http.server
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

from course import outputs
from labcourse import settings
from tests.browser.conftest import ARTEFACTS, PATIENCE, RULES
from workshop.authoring import build, source

HOME = settings.home()
CHAPTERS = {text.name: text for text in source.read_all(HOME)}
LARGEST = 15_000_000
SCREEN = "notebooks/chapter1_data_preparation.html"
EACH_KIND = (SCREEN, "index.html", "search.html", "course/glossary.html", "docs/instructor.html")
"""A page of each kind: axe looks at all of it, and a picture of it is kept."""
ASKS_FOR = {"a": "href", "link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` does."""
    if sys.version_info < (3, 11):
        pytest.skip("MyST needs Python 3.11")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", "-d", str(folder / "doctrees")]
    done = subprocess.run([*command, ".", str(folder / "html")], cwd=HOME, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """All pages by their path, parsed."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    return {path.relative_to(site).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in paths}


def test_it_is_small_and_has_a_page_for_each_notebook(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < LARGEST
    assert {f"notebooks/{name}.html" for name in outputs.CHAPTERS.values()} <= pages.keys()
    assert {"index.html", "search.html", "course/glossary.html", "docs/instructor.html"} <= pages.keys()


def test_links_lead_somewhere_and_pages_ask_for_nothing_outside(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    wrong = []
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    for name, page in pages.items():
        for tag in page.find_all(list(ASKS_FOR)):
            address = urlsplit(str(tag.get(ASKS_FOR[tag.name]) or ""))
            if address.scheme or address.netloc:
                if tag.name != "a" and address.scheme != "data":
                    wrong.append(f"{name} asks for {address.geturl()}")
                continue
            target = (site / name).parent / unquote(address.path) if address.path else site / name
            path = target.resolve().relative_to(site.resolve()).as_posix()
            anchor = unquote(address.fragment)
            if not target.is_file():
                wrong.append(f"{name}: no {path}")
            elif tag.name == "a" and anchor and anchor not in anchors.get(path, {anchor}):
                wrong.append(f"{name}: no #{anchor} in {path}")
    assert not wrong


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_figures_with_words_and_answers_that_are_folded(
    name: str, pages: dict[str, BeautifulSoup]
) -> None:
    page = pages[f"notebooks/{name}.html"].find("article")
    assert page is not None
    cells = build.load(HOME / "solutions" / f"{name}.ipynb").cells
    pictures = [output for cell in cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", ())]
    drawn = page.select(".cell_output img")
    assert [image["alt"] for image in drawn] == [o.metadata["image/png"]["alt"] for o in pictures]
    assert all(len(str(image["alt"]).split()) >= 6 for image in page.find_all("img"))
    answers = [item for item in page.find_all("details") if item.find("summary").text == "Answer"]
    assert len(answers) == sum(bool(cell.exercise) for cell in CHAPTERS[name].cells)
    assert not page.select("details[open]")
    # Code is the student's: what an answer holds stands in its fold, and nowhere else.
    shown = "\n".join(cell.text for cell in page.select(".cell_input"))
    handed_out = build.student_notebook(CHAPTERS[name]).cells
    expected = "\n".join(cell.source for cell in handed_out if cell.cell_type == "code" and cell.source.strip())
    assert shown.split() == expected.split()
    assert "solved" not in " ".join(output.text for output in page.select(".cell_output"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site, served on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def watch(page: Page, address: str, wrong: list[str]) -> None:
    """Note what the console says, what is not there, and what is asked for elsewhere."""
    page.on("console", lambda note: wrong.append(note.text) if note.type in ("error", "warning") else None)
    page.on("response", lambda reply: None if reply.status < 400 else wrong.append(f"{reply.status}: {reply.url}"))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else wrong.append(asked.url))


def test_a_reader_sees_it(browser: Browser, address: str, pages: dict[str, BeautifulSoup]) -> None:
    """On a phone, by day and by night in turn: nothing scrolls sideways, no barrier, no error, all formulas set."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    tabs = {theme: browser.new_page(color_scheme=theme) for theme in ("light", "dark")}
    for tab in tabs.values():
        tab.set_default_timeout(PATIENCE * 1000)
        watch(tab, address, wrong)
    themes = itertools.cycle(tabs)
    views = [(name, next(themes), 360) for name in pages] + [(SCREEN, theme, 1280) for theme in tabs]
    for name, theme, width in views:
        page = tabs[theme]
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{address}/{name}")
        formulas = len(pages[name].select(".math.notranslate"))
        page.wait_for_function("n => document.querySelectorAll('mjx-container').length >= n", arg=formulas)
        if name in EACH_KIND:
            page.screenshot(path=ARTEFACTS / f"site-{name.replace('/', '-')}-{theme}-{width}.png")
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        is_wrong = page.locator("mjx-merror").count() > 0
        is_wide = page.evaluate("document.documentElement.scrollWidth") > width
        if name.startswith("notebooks/"):  # code and formulas look alike on all pages, and axe would take half a minute
            page.evaluate("document.querySelectorAll('mjx-container, .highlight pre').forEach(item => item.remove())")
        # What the theme brings, colours for instance, is the same on all pages of a kind.
        is_whole = name in EACH_KIND or page.locator("article [style*=color]").count()
        rules = {} if is_whole else {"runOnly": RULES.split()}
        report = Axe().run(page, options={"preload": False, "resultTypes": ["violations"], **rules}).response
        found = [f"{barrier['id']}: {barrier['nodes'][0]['html'][:200]}" for barrier in report["violations"]]
        found += ["scrolls sideways"] * is_wide + ["a formula is wrong"] * is_wrong
        wrong += [f"{name} ({theme}, {width}): {what}" for what in found]
    for tab in tabs.values():
        tab.close()
    assert not wrong


def test_pages_follow_each_other(pages: dict[str, BeautifulSoup]) -> None:
    names = [f"notebooks/{name}.html" for name in outputs.CHAPTERS.values()]
    for before, after in itertools.pairwise(["docs/start.html", *names]):
        (forth,), (back,) = pages[before].select("a.right-next"), pages[after].select("a.left-prev")
        assert Path(str(forth["href"])).name == Path(after).name
        assert Path(str(back["href"])).name == Path(before).name


def test_words_are_found(browser: Browser, address: str) -> None:
    """By the search, and from a chapter in the glossary."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"{address}/search.html?q=pseudorapidity")
    page.locator("#search-results li a", has_text="Glossary").first.wait_for()
    page.goto(f"{address}/{SCREEN}")
    page.get_by_role("link", name="event", exact=True).first.click()
    page.wait_for_url(f"{address}/course/glossary.html#glossary-event")
    page.close()
