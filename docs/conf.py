"""The reading site, `make site`: Sphinx reads the repository as it lies, so that each link leads where it leads there.

A chapter's page is put together when it is read: the students' text as `course/` has it, the outputs of its solution,
and behind each exercise the answer, folded away. Nothing is executed, and nothing fetched.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from pathlib import Path
from typing import Any

from nbformat import v4

from course import outputs
from labcourse import __version__
from workshop.authoring import build, exercises, source

HOME = Path(__file__).parents[1]
CHAPTERS = {f"notebooks/{text.name}": text for text in sorted(source.read_all(HOME), key=lambda text: text.chapter)}
PAGES = {
    "The course": ["docs/start", *CHAPTERS, "course/glossary"],
    "Behind the course": ["docs/parameterised", "docs/validation", "data/README"],
    "For instructors": ["docs/instructor", "docs/feedback"],
    "For developers": ["CONTRIBUTING", "docs/design", "docs/paper", "CHANGELOG", "CODE_OF_CONDUCT"],
}
MACHINE_ONLY = {"application/vnd.labcourse.verdict+json", outputs.MIME_TYPE}
IN_JUPYTERLAB = re.compile(r'<p style="position:absolute|class="labcourse-stays"')
"""Outputs for JupyterLab: a figure's description, which is the picture's own here, and how to make a slider live."""

project, version, language = "Hunt for the Higgs Boson with Neural Networks", __version__, "en"
copyright = "the labcourse authors. Text and figures: CC BY 4.0, code: MIT"
root_doc = "README"
include_patterns = [f"{name}.*" for names in [[root_doc], *PAGES.values()] for name in names]
exclude_patterns = [".*", "build", "site"]
extensions = ["myst_nb", "sphinx.ext.mathjax"]
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# A package brings MathJax, of which a page needs one file and its fonts.
MATHJAX = Path(str(importlib.util.find_spec("sphinx-mathjax-offline").origin)).parent / "static" / "mathjax"
FONTS = "output/chtml/fonts"
mathjax_path = "tex-chtml.js"

html_theme = "sphinx_book_theme"
html_title = "Hunt for the Higgs"
html_favicon = "images/icon.svg"
html_static_path = ["site.css", str(MATHJAX / mathjax_path)]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_use_index = False
html_context = {"default_mode": "auto"}
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]}
html_theme_options: dict[str, Any] = {
    "footer_content_items": ["copyright.html"],
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "pygments_dark_style": "a11y-high-contrast-dark",
    "pygments_light_style": "a11y-high-contrast-light",
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}
# Published, pages lead to the repository, and to machines on which their notebooks run.
if repository := os.environ.get("LABCOURSE_REPOSITORY"):
    html_theme_options |= {
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
        "repository_branch": "main",
        "repository_url": repository,
        "use_issues_button": True,
        "use_repository_button": True,
    }


def page(chapter: source.Source) -> Any:
    """Return a chapter to read: the student's notebook, the outputs of the solution, and answers folded away."""
    solution = {cell.id: cell for cell in build.load(HOME / "solutions" / f"{chapter.name}.ipynb").cells}
    listed = exercises.of_chapter(chapter)["exercises"]
    words = {exercise["number"]: exercise["model"] for exercise in listed if "model" in exercise}
    notebook = build.student_notebook(chapter)
    cells = []
    for written, cell in zip(chapter.handed_out.cells, notebook.cells, strict=True):
        cells.append(cell)
        if cell.cell_type != "code":
            continue
        answer, is_panel = solution[cell.id], cell.source.startswith("checks.panel(")
        cell.outputs = [] if is_panel else [output for output in answer.outputs if _is_for_readers(output)]
        alts = [o.metadata["image/png"]["alt"] for o in cell.outputs if "image/png" in o.get("data", ())]
        cell.metadata["mystnb"] = {"image": {"alt": " ".join(alts)}}
        if number := written.exercise:
            text = words.get(number) or f"```python\n{answer.source}\n```"
            cells.append(v4.new_markdown_cell(f"<details><summary>Answer</summary>\n\n{text}\n\n</details>"))
    notebook.cells = cells
    return notebook


def _is_for_readers(output: Any) -> bool:
    """Whether a page shows an output; in a table, corners that are no headers are not said to be, and colours go."""
    data = output.get("data", {})
    if "text/html" in data:
        data["text/html"] = re.sub(r"(text-decoration-)?color: #\w+;? ?", "", data["text/html"])
        data["text/html"] = data["text/html"].replace("<th></th>", "<td></td>")
    return not (MACHINE_ONLY & set(data) or IN_JUPYTERLAB.search(data.get("text/html", "")))


def _read(app: Any, name: str, content: list[str]) -> None:
    text = build.text(page(CHAPTERS[name])) if name in CHAPTERS else content[0]
    if name == root_doc:
        text = re.sub(r"!\[[^]]+\]\(docs/images/site\.png\)", "", text)  # the site itself shows what it looks like
        for caption, names in PAGES.items():
            tree = "".join(f"/{name}\n" for name in names)
            text += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{tree}```\n"
    # What the glossary marks by HTML, for GitHub and JupyterLab, becomes a mark that Sphinx can check links by.
    text = re.sub(r'<a id="([^"]+)"></a>', r"(glossary-\1)=\n", text)
    content[0] = re.sub(r"\]\([./\w]*glossary\.md#", "](#glossary-", text)


def _finish(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        shutil.copytree(MATHJAX / FONTS, app.outdir / "_static" / FONTS, dirs_exist_ok=True)
        shutil.copyfile(app.outdir / f"{root_doc}.html", app.outdir / "index.html")


def setup(app: Any) -> None:
    """Let Sphinx ask for the text of a page, and complete the site."""
    app.connect("source-read", _read)
    app.connect("build-finished", _finish)
