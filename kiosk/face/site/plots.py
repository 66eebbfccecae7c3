"""The three drawings of a report, as SVG to be put into a page: no file, no font and no address besides."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from kiosk.domain.decision import FaceBands
from kiosk.face.site.evaluation import Cell
from kiosk.face.site.statistics import Numbers

_SIZE = (7.2, 3.6)
_GENUINE, _IMPOSTOR, _BAND = "#1b6ca8", "#b3432b", "#555555"
_FLOOR, _FRR_FLOOR = 1e-5, 1e-3
"""A rate of 0 cannot be drawn on a logarithmic axis."""


def histogram(genuine: Numbers, impostor: Numbers, bands: FaceBands) -> str:
    """Shares of the scores of one kind, so that few genuine ones can be seen beside many others."""
    figure, axes = _axes("score", "share")
    both = np.concatenate([genuine, impostor])
    edges = np.linspace(both.min(), both.max(), 61) if len(both) else np.linspace(0, 1, 61)
    for scores, colour, name in ((genuine, _GENUINE, "same person"), (impostor, _IMPOSTOR, "different people")):
        if len(scores):
            axes.hist(scores, edges.tolist(), weights=np.full(len(scores), 1 / len(scores)), color=colour, alpha=0.6, label=name)
    _bands(axes, bands)
    axes.legend(frameon=False)
    return _svg(figure, "histogram")


def error_rates(cell: Cell, bands: FaceBands) -> str:
    thresholds, far, frr = cell.line
    figure, axes = _axes("threshold", "rate")
    axes.semilogy(thresholds, np.maximum(far, _FLOOR), color=_IMPOSTOR, label="FAR")
    axes.semilogy(thresholds, np.maximum(frr, _FLOOR), color=_GENUINE, label="FRR")
    _bands(axes, bands)
    axes.set_ylim(_FLOOR, 1.2)
    _plain(axes.yaxis)
    axes.legend(frameon=False)
    return _svg(figure, "rates")


def det(cells: Sequence[Cell]) -> str:
    """False rejections over false acceptances, both logarithmic: the lower left, the better."""
    figure, axes = _axes("FAR", "FRR")
    for cell in cells:
        _, far, frr = cell.line
        name = f"{cell.templates} template{'s' * (cell.templates > 1)}{', S-norm' * cell.normalised}"
        style = "--" if cell.normalised else "-"
        axes.loglog(np.maximum(far, _FLOOR), np.maximum(frr, _FRR_FLOOR), style, label=name)
    axes.set_xlim(_FLOOR, 1.2)
    axes.set_ylim(_FRR_FLOOR, 1.2)
    _plain(axes.xaxis, axes.yaxis)
    axes.axvline(1e-3, color=_BAND, linewidth=0.8, linestyle=":")
    if cells:
        axes.legend(frameon=False)
    return _svg(figure, "det")


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.25)
    return figure, axes


def _bands(axes: Axes, bands: FaceBands) -> None:
    axes.axvline(bands.pass_max, color=_BAND, linestyle="--", label=f"pass_max {bands.pass_max:g}")
    axes.axvline(bands.review_max, color=_BAND, linestyle=":", label=f"review_max {bands.review_max:g}")


def _plain(*logarithmic: Axis) -> None:
    """0.001 instead of a power, whose small figures not every reader of SVG sets right."""
    for axis in logarithmic:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _svg(figure: Figure, name: str) -> str:
    """`name` keeps the ids of several drawings on one page apart."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]
