"""What was seen of a face, as an officer has to see it: the liveness report check by check, clip and templates."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from kiosk.domain.liveness import Liveness
from kiosk.sync.wire.base import Wire, Word

_MS_MAX = 3_600_000


class CheckBody(Wire):
    """A CheckResult. Check and outcome are text, because the terminal may be newer."""

    check: Word
    outcome: Word
    value: float | None = None
    limit: float | None = None
    reason: str = Field("", max_length=80)


class ReportBody(Wire):
    """A LivenessReport; the verdict travels beside it, as it did before there were reports."""

    profile: Word
    nonce: str = Field(max_length=128)
    order: tuple[Word, ...] = Field(max_length=16)
    checks: tuple[CheckBody, ...] = Field(max_length=64)
    seconds: float = Field(ge=0)


class ClipFrameBody(Wire):
    t_ms: int = Field(ge=-_MS_MAX, le=_MS_MAX)
    """Since the first request."""
    jpeg: bytes = Field(repr=False)


class AttemptBody(Wire):
    """One face try. `distance` None: none could be computed. Whatever has a default came later than version 1."""

    distance: float | None
    frames: int = Field(ge=0)
    templates: int = Field(ge=0)
    liveness: Liveness
    engine: str = Field(max_length=200)
    photos: tuple[bytes, ...] = Field((), repr=False)
    """JPEG, base64 in JSON; only where the consent allows sending."""
    report: ReportBody | None = None
    """None: from a terminal that kept none."""
    threshold_set: str = Field("", max_length=80)
    raw_distance: float | None = None
    chip_only: bool = False
    foreign: int = Field(0, ge=0)
    """Templates refused because another engine made them."""
    clip: tuple[ClipFrameBody, ...] = Field((), max_length=400, repr=False)
    """Only where the consent allows sending."""
    clip_left_out: int = Field(0, ge=0)
    """Pictures of the clip that did not fit into one request."""


class TemplateBody(Wire):
    engine: str = Field(max_length=200)
    vector: tuple[float, ...] = Field(max_length=4096, repr=False)
    source: Word = "portrait"
    """A TemplateSource; text, because the office may be newer."""
    taken_on: dt.date | None = None
