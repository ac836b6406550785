"""What a student sees and does in JupyterLab, in a browser: the first evening with the course.

The tests follow each other: chapter 2 needs what chapter 1 wrote.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

ALL_OF_1 = ", ".join(f"1.{n}" for n in range(1, 12))
TRAINING = """
long = network.build(4, normalise=x_train, seed=SEED)
history = training.fit(long, x_train, y_train, epochs=100_000, seed=SEED)
"""


def panels(lab: Any) -> list[int]:
    return [i for i, cell in enumerate(lab.cells()) if cell["source"].startswith("checks.panel(")]


def test_chapter_1(lab: Any) -> None:
    lab.open("chapter1_data_preparation")
    lab.run_all()
    assert lab.errors() == []
    top, bottom = panels(lab)
    lab.shows(top, f"○ open: {ALL_OF_1}")
    lab.screenshot("run")

    # A wrong answer, then the right one.
    exercise, check = lab.find("exercise-1.5"), lab.find("check-1.5")
    lab.shows(check, "exercise 1.5 is still open")
    lab.replace_line(exercise, "return ...", 'return events["lep1_charge"] + events["lep2_charge"] == 0')
    lab.run(exercise)
    lab.run(check)
    lab.shows(check, "exercise 1.5: not yet")
    lab.shows(check, "hint:")
    lab.screenshot("wrong")
    lab.shows(top, "✗ wrong: 1.5")
    right = 'return sum(events[f"lep{i}_charge"] for i in range(1, 5)) == 0'
    lab.replace_line(exercise, 'return events["lep1_charge"] + events["lep2_charge"] == 0', right)
    lab.run(exercise)
    lab.run(check)
    lab.shows(check, "exercise 1.5: solved")
    lab.screenshot("solved")
    for panel in (bottom, top):
        lab.shows(panel, "✓ solved: 1.5")
    lab.screenshot("panel")

    # The page is loaded again: what was done is still there.
    lab.save()
    lab.page.reload()
    lab.wait_for_kernel()
    lab.shows(check, "exercise 1.5: solved")
    assert right in lab.cells()[exercise]["source"]
    lab.shows(top, "✓ solved: 1.5")
    lab.run(top)
    lab.shows(top, "✓ solved: 1.5")
    assert lab.page.locator(".jp-OutputArea img").count() >= 5
    lab.screenshot("loaded-again")
    assert lab.errors() == []


def test_accessibility(lab: Any) -> None:
    lab.open("chapter1_data_preparation")
    figures = [i for i, cell in enumerate(lab.cells()) if any("image/png" in o.get("data", ()) for o in cell.get("outputs", ()))]
    assert len(figures) >= 5
    for i in figures:
        description = lab.cell(i).locator("p", has_text=re.compile("^Figure: "))
        print(description.evaluate("e => [e.outerHTML.slice(0,200), e.getBoundingClientRect().width, getComputedStyle(e).position]"))
        print(lab.cell(i).locator(".jp-OutputArea").aria_snapshot())
    found = axe.Axe().run(lab.page, context=".jp-Notebook", options={"resultTypes": ["violations"]})
    for v in found.response["violations"]:
        print(v["id"], v["impact"], v["help"], len(v["nodes"]))
        for n in v["nodes"][:4]:
            print("    ", n["target"], n["html"][:200], n["failureSummary"][:200])
    assert 0


def test_starting_over(lab: Any) -> None:
    lab.open("chapter1_data_preparation")
    exercise = lab.find("exercise-1.5")
    lab.menu("Kernel", "Shut Down Kernel")
    lab.wait("!jupyterapp.shell.currentWidget.sessionContext.session")
    print(lab.server.labcourse("reset", "1", "--yes"))
    assert "sum(events" in lab.cells()[exercise]["source"]
    lab.menu("File", "Reload Notebook from Disk")
    lab.screenshot("reload")
    print(lab.page.locator(".jp-Dialog").count() and lab.page.locator(".jp-Dialog").inner_text())
    if lab.page.locator(".jp-Dialog").count():
        lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    lab.wait("!jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells[x].source.includes('sum(')", exercise)
    lab.screenshot("reloaded")
    (kept,) = (lab.server.home / "notebooks").glob("chapter1*.mine-*.ipynb")
    assert "sum(events" in kept.read_text("utf-8")
    lab.run_all()
    lab.screenshot("run")
    print(lab.page.locator(".jp-Dialog").count() and lab.page.locator(".jp-Dialog").inner_text())
    lab.shows(panels(lab)[0], f"○ open: {ALL_OF_1}")
    lab.save()
    assert lab.errors() == []


def test_chapter_2(lab: Any) -> None:
    lab.open("chapter2_training")
    lab.run(panels(lab)[0] - 1)
    lab.menu("Kernel", "Restart Kernel and Run All Cells")
    lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    lab.wait_until_run()
    assert lab.errors() == []
    number = next(i for i, cell in enumerate(lab.cells()) if cell["source"].startswith("interactive.neuron("))
    live = lab.cell(number).locator(".labcourse-neuron")
    readout = live.get_by_role("status")
    expect(readout).to_contain_text("0 of 100")
    before = readout.inner_text()
    picture = live.locator("img").get_attribute("src")
    print(before)
    handle = live.locator(".labcourse-neuron-epoch .noUi-handle, .labcourse-neuron-epoch [role=slider]").first
    handle.scroll_into_view_if_needed()
    lab.screenshot("slider-before")
    handle.focus()
    for _ in range(5):
        lab.page.keyboard.press("ArrowRight")
    lab.wait("document.querySelector('.labcourse-neuron [role=status]').innerText != x", before)
    print(readout.inner_text())
    lab.wait("document.querySelector('.labcourse-neuron img').src != x", picture)
    readout.scroll_into_view_if_needed()
    lab.screenshot("slider")
    lab.cell(len(lab.cells()) - 1).click()
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("b")
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.insert_text(TRAINING.strip())
    lab.page.keyboard.press("Control+Enter")
    last = len(lab.cells()) - 1
    lab.wait("/ left/.test(JSON.stringify(jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells[x].outputs))", last)
    lab.screenshot("training")
    lab.page.get_by_role("button", name=re.compile("^Interrupt")).click()
    lab.wait_until_run()
    lab.shows(last, "interrupted in epoch")
    lab.screenshot("interrupted")
    lab.run(lab.find("check-2.1"))
    assert lab.errors() == []
    assert 0
