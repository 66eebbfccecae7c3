"""Figures as HTML. A cell of too few people shows nothing."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

import numpy as np

from kiosk.face.site.evaluation import PERCENTILES, SMALLEST_CELL, Cell
from kiosk.face.site.figures import Curve, Load, Rate
from kiosk.face.site.statistics import Numbers

WITHHELD = f"不足{SMALLEST_CELL}人 / fewer than {SMALLEST_CELL}"
NOTHING = "–"
FAR_TARGET = 0.001


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(one)}</td>" for one in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def percent(share: float) -> str:
    """Three digits that mean something, of a share of 1."""
    return NOTHING if math.isnan(share) else f"{100 * share:.3g} %"


def rate(found: Rate) -> str:
    """With both intervals where no error was seen."""
    if not found.comparisons:
        return NOTHING
    text = f"{percent(found.value)} [{percent(found.low)} – {percent(found.high)}]"
    return text if found.exact is None else f"{text}; C-P ≤ {percent(found.exact[1])}"


def people(count: int) -> str:
    return WITHHELD if count < SMALLEST_CELL else str(count)


def at(curve: Curve, threshold: float) -> tuple[str, str]:
    """FAR and FRR."""
    if curve.people < SMALLEST_CELL:
        return WITHHELD, WITHHELD
    far, frr = curve.at(threshold)
    return rate(far), rate(frr)


def equal_error(curve: Curve) -> str:
    if curve.people < SMALLEST_CELL:
        return WITHHELD
    if math.isnan(curve.eer.rate):
        return NOTHING
    return f"{percent(curve.eer.rate)} [{percent(curve.eer_low)} – {percent(curve.eer_high)}] @ {curve.eer.threshold:.3f}"


def at_far(cell: Cell) -> str:
    """FRR where the FAR is just not above the target."""
    _, far, frr = cell.line
    if cell.curve.people < SMALLEST_CELL:
        return WITHHELD
    within = np.flatnonzero(far <= FAR_TARGET)
    return percent(float(frr[within[-1]])) if len(within) else NOTHING


def shares(load: Load, count: int) -> tuple[str, str, str]:
    """Accept, review, retry."""
    if count < SMALLEST_CELL:
        return WITHHELD, WITHHELD, WITHHELD
    return percent(load.accept), percent(load.review), percent(load.retry)


def thresholds(cell: Cell) -> str:
    rows = [(f"{threshold:g}", *at(cell.curve, threshold)) for threshold in cell.curve.thresholds]
    return table(("阈值 threshold", "误识率 FAR", "拒识率 FRR"), rows)


def percentiles(genuine: Numbers, impostor: Numbers, count: int) -> str:
    def row(name: str, scores: Numbers) -> tuple[str, ...]:
        if count < SMALLEST_CELL:
            return (name, *(WITHHELD for _ in PERCENTILES))
        if not len(scores):
            return (name, *(NOTHING for _ in PERCENTILES))
        return (name, *(f"{one:.3f}" for one in np.percentile(scores, PERCENTILES)))

    rows = (row("本人 same person", genuine), row("他人 different people", impostor))
    return table(("百分位 percentile", *map(str, PERCENTILES)), rows)
