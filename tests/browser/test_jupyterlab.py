"""What a student sees and does in JupyterLab, in a browser: the first evenings with the course.

The tests follow each other: chapter 2 needs what chapter 1 wrote.
"""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import RULES

ALL_OF_1 = ", ".join(f"1.{n}" for n in range(1, 12))
HALF = 'return events["lep1_charge"] + events["lep2_charge"] == 0'
RIGHT = 'return sum(events[f"lep{i}_charge"] for i in range(1, 5)) == 0'
# JupyterLab shows pictures of matplotlib without their alternative text: a description follows each of them (below).
NOT_OURS = [[".cm-editor"], [".jp-RenderedImage img"]]


def panels(lab: Any) -> list[int]:
    """Return the first and the last cell that show the progress."""
    first, last = (i for i, cell in enumerate(lab.cells()) if cell["source"].startswith("checks.panel("))
    return [first, last]


def has_picture(cell: dict[str, Any]) -> bool:
    """Whether a cell shows a picture."""
    return any("image/png" in output.get("data", ()) for output in cell.get("outputs", ()))


def barriers(lab: Any, within: str = ".jp-Notebook") -> list[str]:
    """Return what axe finds in the notebook, or a part of it."""
    found = Axe().run(
        lab.page,
        context={"include": [[within]], "exclude": NOT_OURS},
        options={"runOnly": ["color-contrast", *RULES.split()], "resultTypes": ["violations"]},
    )
    return [
        f"{violation['help']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def cut_off(lab: Any, *cells: int) -> list[str]:
    """Return what of these cells' outputs does not fit into the window; tables may be moved sideways."""
    wide = (
        "areas => areas.flatMap(area => [...area.querySelectorAll('img, svg, p, pre, .widget-box, .jupyter-widgets')]"
        ".filter(part => !part.closest('table') && (part.getBoundingClientRect().right > innerWidth"
        " || part.getBoundingClientRect().right > area.getBoundingClientRect().right + 1))"
        ".map(part => part.outerHTML.slice(0, 150)))"
    )
    areas = [lab.cell(cell).locator(".jp-OutputArea-child:visible .jp-OutputArea-output") for cell in cells]
    return [f"cell {cell}: {part}" for cell, area in zip(cells, areas, strict=True) for part in area.evaluate_all(wide)]


def undescribed(lab: Any) -> list[str]:
    """Return the pictures that no hidden description follows, out of sight but not out of the accessibility tree."""
    missing = []
    for i, cell in enumerate(lab.cells()):
        outputs = cell.get("outputs", ()) if has_picture(cell) else ()
        for place, output in enumerate(outputs):
            picture = lab.cell(i).locator(".jp-OutputArea").first.locator("> .jp-OutputArea-child").nth(place)
            if "image/png" not in output.get("data", ()) or not picture.is_visible():
                continue  # a live figure stands in its place, with an alternative text that axe looks for
            area = picture.locator("xpath=following-sibling::*[1]")
            description = f"Figure: {output['data']['text/plain']}"
            box = area.locator("p").bounding_box()
            if description not in area.aria_snapshot() or not box or max(box["width"], box["height"]) > 1:
                missing.append(f"cell {i}: {description}")
    return missing


def test_chapter_1(lab: Any) -> None:
    lab.open("chapter1_data_preparation")
    lab.screenshot("opened")
    lab.run_all()
    assert lab.errors() == []
    top, bottom = panels(lab)
    lab.shows(top, f"○ open: {ALL_OF_1}")
    lab.screenshot("run")

    # A wrong answer, then the right one; the panels at both ends follow.
    exercise, check = lab.find("exercise-1.5"), lab.find("check-1.5")
    lab.shows(check, "exercise 1.5 is still open")
    lab.replace_line(exercise, "return ...", HALF)
    lab.run(exercise)
    lab.run(check)
    lab.shows(check, "exercise 1.5: not yet", "hint:")
    lab.screenshot("wrong")
    lab.shows(top, "✗ wrong: 1.5")
    lab.replace_line(exercise, HALF, RIGHT)
    lab.run(exercise)
    lab.run(check)
    lab.shows(check, "exercise 1.5: solved")
    lab.screenshot("solved")
    for panel in (bottom, top):
        lab.shows(panel, "✓ solved: 1.5", f"○ open: {ALL_OF_1.replace('1.5, ', '')}")
    lab.screenshot("panel")

    assert undescribed(lab) == []
    assert barriers(lab) == []

    # The same at night, in a narrow window.
    figure = next(i for i, cell in enumerate(lab.cells()) if "interactive.event(" in cell["source"])
    picture = next(i for i, cell in enumerate(lab.cells()) if has_picture(cell) and i != figure)
    lab.page.set_viewport_size({"width": 900, "height": 900})
    lab.theme("JupyterLab Dark")
    for name, cell in (("panel", top), ("live", figure), ("check", check), ("picture", picture)):
        lab.cell(cell)
        lab.screenshot(f"dark-{name}")
    assert cut_off(lab, top, figure, check, picture) == []
    assert barriers(lab) == []
    lab.theme("JupyterLab Light")
    lab.page.set_viewport_size({"width": 1280, "height": 900})

    # The page is loaded again: what was done is still there.
    lab.save()
    lab.page.reload()
    lab.wait_for_kernel()
    lab.shows(check, "exercise 1.5: solved")
    assert RIGHT in lab.cells()[exercise]["source"]
    lab.shows(top, "✓ solved: 1.5")
    lab.screenshot("loaded-again")
    lab.shows_parts(top, "widget")

    # The panel follows all the same, and leads to its exercises.
    lab.replace_line(exercise, RIGHT, "return ...")
    lab.run(exercise)
    lab.run(check)
    lab.shows(top, f"○ open: {ALL_OF_1}")
    # JupyterLab guesses the heights of cells that it has not drawn yet: what the first click misses, the second finds.
    for _ in range(2):
        lab.cell(top).get_by_role("link", name="1.9", exact=True).click()
        lab.page.wait_for_timeout(1500)
    lab.wait(
        "(y => y > 50 && y < 850)"
        "(document.querySelector('[data-jupyter-id^=\"Exercise-1.9-\"]').getBoundingClientRect().y)"
    )
    lab.screenshot("linked")
    lab.replace_line(exercise, "return ...", RIGHT)
    lab.run(exercise)
    lab.run(check)
    lab.shows(top, "✓ solved: 1.5")
    lab.save()
    assert lab.errors() == []


def test_questions_and_glossary_need_no_kernel(lab: Any) -> None:
    lab.open("chapter1_data_preparation")
    texts = [cell["source"] for cell in lab.cells()]
    (place,) = (i for i, text in enumerate(texts) if text.startswith("## Four questions"))
    answers = lab.cell(place).locator("details")
    for key, answer in (("Space", answers.nth(0)), ("Enter", answers.nth(1))):
        answer.locator("summary").focus()
        lab.page.keyboard.press(key)
        lab.wait("x.open", answer.element_handle())
    lab.screenshot("answers")
    (place,) = (i for i, text in enumerate(texts) if "glossary.md#preselection" in text)
    lab.cell(place).get_by_role("link", name="preselection", exact=True).click()
    lab.wait(
        "(entry => entry && entry.getBoundingClientRect().y > 50 && entry.getBoundingClientRect().y < 850)"
        "(document.querySelector('.jp-MarkdownViewer [data-jupyter-id=preselection]'))"
    )
    lab.screenshot("glossary")
    assert lab.problems == []


def test_starting_over(lab: Any) -> None:
    lab.open("chapter1_data_preparation")
    exercise = lab.find("exercise-1.5")
    assert RIGHT in lab.cells()[exercise]["source"]
    lab.menu("Kernel", "Shut Down Kernel")
    lab.wait("fetch('/api/kernels').then(reply => reply.json()).then(kernels => !kernels.length)")
    lab.server.labcourse("reset", "1", "--yes")
    assert RIGHT in lab.cells()[exercise]["source"]
    # Opened again, it is the fresh one, with a kernel of its own.
    lab.open("chapter1_data_preparation")
    assert "lep{i}_charge" not in lab.cells()[exercise]["source"]
    (kept,) = (lab.server.home / "notebooks").glob("chapter1*.mine-*.ipynb")
    assert "lep{i}_charge" in kept.read_text("utf-8")
    top, check = panels(lab)[0], lab.find("check-1.5")
    for number in (top - 1, top, exercise, check):
        lab.run(number)
    lab.shows(top, f"○ open: {ALL_OF_1}")
    lab.shows(check, "exercise 1.5 is still open")
    lab.screenshot("fresh")
    lab.save()
    assert lab.page.locator(".jp-Dialog").count() == 0
    assert lab.errors() == []


def test_chapter_2(lab: Any) -> None:
    lab.open("chapter2_training")
    lab.menu("Kernel", "Restart Kernel and Run All Cells")
    lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    lab.wait_until_run()
    assert lab.errors() == []

    # The slider, by keyboard: numbers and picture follow.
    (descent,) = (i for i, cell in enumerate(lab.cells()) if cell["source"].startswith("interactive.descent("))
    lab.shows(descent, "0 of 30")
    live = lab.cell(descent).locator(".labcourse-descent")
    picture = live.locator("img").get_attribute("src")
    live.locator(".labcourse-descent-step [role=slider]").focus()
    for _ in range(5):
        lab.page.keyboard.press("ArrowRight")
    lab.shows(descent, "5 of 30")
    lab.wait("document.querySelector('.labcourse-descent img').src != x", picture)
    # Each step brings a new <img>; the panel around it stays.
    live.scroll_into_view_if_needed()
    lab.screenshot("slider")
    lab.shows_parts(descent, "widget")
    assert undescribed(lab) == []
    assert barriers(lab) == []

    # Without its kernel a live figure is the picture that stays, also on another day.
    lab.save()
    for how in ("restarted", "loaded-again"):
        if how == "restarted":
            lab.menu("Kernel", "Restart Kernel…")
            lab.page.locator(".jp-Dialog .jp-mod-accept").click()
        else:
            lab.page.reload()
            lab.wait_for_kernel()
        lab.shows(descent, "Run this cell to make it live", "30 of 30")
        lab.shows(panels(lab)[0], "Run this cell to bring the panel up to date")
        lab.cell(descent).scroll_into_view_if_needed()
        lab.shows_parts(descent, "image/png", "application/vnd.jupyter.stdout", "text/html")
        lab.shows_parts(panels(lab)[0], "text/html", "text/html")
        lab.screenshot(f"without-kernel-{how}")
    assert barriers(lab, f'.jp-Cell[data-windowed-list-index="{descent}"]') == []
    assert lab.errors() == []
