"""Face templates for the office import: the office has no face room, so the command line hands one in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cli.common import fail
from kiosk.domain.roster import FaceTemplate
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import EngineUnavailable
from kiosk.face.still import StillTrouble, image_from_bytes, template_from_image

if TYPE_CHECKING:
    from kiosk.office.roster_import import MakeTemplates, TemplateResult


def engine_or_fail() -> DlibEngine:
    try:
        return DlibEngine()
    except EngineUnavailable as error:
        fail(f"face engine unavailable: {error.reason}; run the set-up again")


def template_maker() -> MakeTemplates:
    """Loads the engine terminals use; its templates are comparable with theirs."""
    engine = engine_or_fail()

    def make(data: bytes) -> TemplateResult:
        from kiosk.office.roster_import import TemplateResult  # its models need Django set up

        picture = image_from_bytes(data)
        made = picture if isinstance(picture, StillTrouble) else template_from_image(engine, picture)
        return TemplateResult(made) if isinstance(made, FaceTemplate) else TemplateResult(None, made.value)

    return make
