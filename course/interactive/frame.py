"""What all live figures share: a picture of which some parts move, the sliders that move them, the numbers in words.

Drawing a figure anew takes a tenth of a second; that is too slow to follow a slider. So everything that stands still is
drawn once, and for each new setting only the moving parts are drawn over it and sent as one small picture.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from course import live
from labcourse import counting, plotting

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

Readout = dict[str, str]
"""Name of a quantity -> its value with unit, as text."""


class Panel:
    """A live figure. As the last line of a cell it shows itself: what stays, and in its place a living widget.

    What stays is a picture and its numbers as text. Where no widget lives (a printed page, HTML, a run without a
    screen, a notebook opened again) they say everything that the live figure says for one setting.

    Parameters
    ----------
    name : str
        Style class ``labcourse-NAME`` of the panel; each control has ``labcourse-NAME-KEY``.
    figure : Figure
        Drawn once. Only the ``moving`` artists may change.
    controls : mapping of str to widget
        What is moved, by the names of the arguments of ``update``.
    update : callable
        Called with the values of all controls; changes the moving artists and returns the numbers to read out.
    alt : str
        What the figure shows, for those who cannot see it.
    still : mapping, optional
        Values for the picture that stays, where they are not those of the controls.
    """

    def __init__(
        self,
        name: str,
        figure: Figure,
        moving: Sequence[Artist],
        controls: Mapping[str, Any],
        update: Callable[..., Readout],
        *,
        alt: str,
        still: Mapping[str, Any] | None = None,
    ) -> None:
        import ipywidgets as widgets
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        plt.close(figure)  # or the notebook would show it once more, at the end of the cell
        self.name, self.alt, self.controls = name, alt, dict(controls)
        self.figure, self.moving = figure, sorted(moving, key=lambda artist: artist.zorder)
        self._canvas, self._background = FigureCanvasAgg(figure), None
        self._update, self._still = update, dict(still or {})
        for artist in self.moving:
            artist.set_animated(True)
        # Not widgets.Image: it takes no alternative text.
        self.image, self.numbers = widgets.HTML(), widgets.HTML()
        for key, control in self.controls.items():
            control.add_class(f"labcourse-{name}-{key}")
            control.observe(self._follow, "value")
        hint = widgets.Label("Live figure: move a slider with the mouse, or with the arrow keys.")
        self.box = widgets.VBox([hint, *self.controls.values(), self.image, self.numbers])
        self.box.add_class("labcourse-interactive").add_class(f"labcourse-{name}")
        self.readout: Readout = {}
        self._set(self.values | self._still)

    @property
    def values(self) -> dict[str, Any]:
        """Where the controls are."""
        return {key: control.value for key, control in self.controls.items()}

    def _set(self, values: Mapping[str, Any]) -> None:
        self.readout = {name: text.replace("-", "−") for name, text in self._update(**values).items()}
        looks = "text-align:left;font-weight:normal;padding-right:1.5em"
        rows = "".join(
            f'<tr><th scope="row" style="{looks}">{html.escape(name)}</th><td><b>{html.escape(text)}</b></td></tr>'
            for name, text in self.readout.items()
        )
        self.numbers.value = f'<table role="status" style="line-height:1.5">{rows}</table>'

    def _png(self) -> bytes:
        """Return the figure as it is now: the moving artists, drawn over a stored picture of all the others."""
        from PIL import Image

        with plotting.use_style():
            if self._background is None:
                self.figure.set_layout_engine("constrained")
                self._canvas.draw()
                self.figure.set_layout_engine("none")
                self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            self._canvas.restore_region(self._background)
            for artist in self.moving:
                self.figure.draw_artist(artist)
        buffer = io.BytesIO()
        pixels = np.ascontiguousarray(np.asarray(self._canvas.buffer_rgba())[..., :3])
        Image.fromarray(pixels).save(buffer, format="png", compress_level=1)
        return buffer.getvalue()

    def _follow(self, _: Any = None) -> None:
        self._set(self.values)
        picture = base64.b64encode(self._png()).decode("ascii")
        # Decoded at once, and of a known shape, so that nothing flickers and the page does not jump.
        width, height = self.figure.get_size_inches()
        looks = f'decoding="sync" style="max-width:100%;aspect-ratio:{width / height:.4f}"'
        self.image.value = f'<img alt="{html.escape(self.alt)}" {looks} src="data:image/png;base64,{picture}">'

    def _ipython_display_(self) -> None:
        self._set(self.values | self._still)
        plotting.show(self.figure, self.alt)
        width = max(map(len, self.readout))
        print("\n".join(f"{name:{width}}  {text}" for name, text in self.readout.items()))
        self._follow()
        live.show(self.box, "Run this cell to make it live: then sliders move the figure.")


def slider(label: str, low: float, high: float, start: float, *, step: float = 1, form: str = ".3f") -> Any:
    """Return a slider over numbers, or over whole ones if ``step`` is one."""
    kind, form = ("IntSlider", "d") if step == 1 else ("FloatSlider", form)
    return control(kind, label, value=start, min=low, max=high, step=step, readout_format=form)


def control(kind: str, label: str, **options: Any) -> Any:
    """Return a slider of `ipywidgets`, by the name of its class, in the looks of the course."""
    import ipywidgets as widgets

    layout = widgets.Layout(width="34em", max_width="100%")
    return getattr(widgets, kind)(description=label, style={"description_width": "initial"}, layout=layout, **options)


def worth(effective: float) -> str:
    """Return how many events of weight 1 simulated background is worth, and a warning if it is too little."""
    is_trusted = effective >= counting.TRUSTED
    return f"{effective:.0f} events" + ("" if is_trusted else f": fewer than {counting.TRUSTED:g}, do not trust it")
