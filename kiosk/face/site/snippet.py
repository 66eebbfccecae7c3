"""A calibration as the lines to be put into the terminal's configuration file."""

from __future__ import annotations

import datetime as dt
import json

from kiosk.face.site.calibration import Proposal

_NAME_MAX = 60


def threshold_set(place: str, engine_id: str, made_on: dt.date, normalised: bool) -> str:
    """Names the calibration in every decision made with it."""
    model = engine_id.rsplit("-", 1)[0]
    tail = f"-{made_on.isoformat()}-{model}{'-snorm' * normalised}"
    return place[: max(0, _NAME_MAX - len(tail))] + tail[-_NAME_MAX:]


def toml_snippet(found: Proposal, name: str) -> str:
    bands = f"pass_max = {found.pass_max:g}\nreview_max = {found.review_max:g}\n"
    head = f"[face]\nthreshold_set = {json.dumps(name, ensure_ascii=False)}\n"
    return f"{head}\n[face.cohort]\nenabled = true\n{bands}" if found.aim.normalised else head + bands
