"""An attended enrolment of a face (生物特征采集), sealed inside an envelope of its own schema.

Not the enrolment of a terminal, which is in `enrolment.py`.
"""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from kiosk.domain.case import Item
from kiosk.domain.liveness import Liveness
from kiosk.sync.wire.base import Wire, Word
from kiosk.sync.wire.face import ClipFrameBody, ReportBody, TemplateBody
from kiosk.sync.wire.models import ConsentBody, PersonBody

ENROLMENT_SCHEMA = "enrolment"
ENROLMENT_SCHEMA_VERSION = 1


class CaptureBody(Wire):
    view: Word
    """A View; text, because the terminal may be newer."""
    template: TemplateBody = Field(repr=False)
    photo: bytes = Field(repr=False)
    """JPEG."""


class LookalikeBody(Wire):
    number: str = Field(min_length=1, max_length=18, repr=False)
    distance: float


class EnrolmentBody(Wire):
    """Counts for nothing until an officer has accepted it."""

    item: Item
    case_number: str = Field(max_length=40)
    person: PersonBody
    consent: ConsentBody
    staff: str = Field(max_length=80)
    """Id of who stood there."""
    captures: tuple[CaptureBody, ...] = Field(min_length=1, max_length=16, repr=False)
    apart: float
    """Largest distance between two captures, and the limit it was held against."""
    apart_max: float
    lookalikes: tuple[LookalikeBody, ...] = Field((), max_length=200, repr=False)
    """Nearest first."""
    liveness: Liveness
    engine: str = Field(max_length=200)
    report: ReportBody
    clip: tuple[ClipFrameBody, ...] = Field((), max_length=400, repr=False)
    clip_left_out: int = Field(0, ge=0)
    captured_at: AwareDatetime
    repeat: int = Field(ge=0)
    simulated: bool
    """From emulated devices: never anybody's real face."""
