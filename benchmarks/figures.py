"""What a figure is, and the frame every script here runs in."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from kiosk.config import REPOSITORY

BUILD = REPOSITORY / "build"


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    unit: str
    measured: dict[str, float]
    """By kind, e.g. `median`, `p99`."""
    beside: dict[str, float] = field(default_factory=dict)
    """What it is to be read against, in the same unit."""
    ratio: float | None = None
    """Ours by the other's."""


def tell(text: str) -> None:
    """For whoever waits; stdout belongs to the figures."""
    print(text, file=sys.stderr, flush=True)


def median_and_range(values: list[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "least": min(values), "most": max(values)}


def percentiles(values: list[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(values, 50)), "p99": float(np.percentile(values, 99)), "max": max(values)}


def hand_over(measure: Callable[[Path], list[Figure]]) -> None:
    """Measures in a folder that is removed afterwards; prints the figures with the load average before and after.

    The folder lies in build/, because /tmp may be memory where a commit costs nothing.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    BUILD.mkdir(exist_ok=True)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        figures = measure(Path(folder))
    load = [before, os.getloadavg()[0]]
    print(json.dumps([{**asdict(figure), "load": load} for figure in figures]))
