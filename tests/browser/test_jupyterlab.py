"""What a student sees and does in JupyterLab."""

from __future__ import annotations

from typing import Any


def test_chapter_1(lab: Any, home: Any) -> None:
    lab.open("chapter1_data_preparation")
    lab.screenshot("opened")
    lab.run_all()
    lab.screenshot("run")
    print(lab.console)
    print(lab.errors())
    for i, cell in enumerate(lab.cells()):
        if cell["cell_type"] == "code":
            lab.cell(i)
            if cell["outputs"]:
                lab.screenshot(f"cell{i}")
    assert 0
