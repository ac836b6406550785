"""A widget, and what stays when it is gone: as long as it lives it is seen instead of what its cell showed before it.

JupyterLab keeps the view of a widget in the notebook, but the widget lives in the kernel. After a restart its sliders
are dead, and in a notebook opened on another day it is an error text. So a cell first shows something that stays (which
print, HTML and the web show as well), then its widget; a style sheet leaves one of the two in sight.
"""

from __future__ import annotations

import html
from typing import Any

__all__ = ["WIDGET", "show"]

WIDGET = "application/vnd.jupyter.widget-view+json"
_OUTPUT = "> .jp-OutputArea-child"
_VIEW = "> .jp-OutputArea-output > .labcourse-live"
_DEAD = ".jupyter-widgets-disconnected"
# The error text in place of a lost view has the class that views have. Errors and warnings of the cell stay in sight.
_STYLE = f"""<style>
.jp-OutputArea:has({_OUTPUT} {_VIEW}:not({_DEAD})) {_OUTPUT}:not(
  :has({_VIEW}, > [data-mime-type$=stderr], > [data-mime-type$=error])),
.jp-OutputArea:has(.labcourse-stays) {_OUTPUT}:has({_VIEW}{_DEAD}, > .jupyter-widgets) {{display: none}}
</style>"""


def show(widget: Any, note: str) -> None:
    """Show a widget below what the cell has shown, which it hides while it lives, with a note for the time after."""
    from IPython.display import display

    widget.add_class("labcourse-live")
    html_note = f'{_STYLE}<p class="labcourse-stays">{html.escape(note)}</p>'
    display({"text/html": html_note, "text/plain": note}, raw=True)
    # Only the view: a second, textual representation would be compared and printed where nothing can move.
    display({WIDGET: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}, raw=True)
