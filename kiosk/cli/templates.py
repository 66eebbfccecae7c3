"""Face templates for the office import: the office has no face room, so the command line hands one in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cli.common import fail
from kiosk.config.face import Engine, FaceConfig
from kiosk.domain.roster import FaceTemplate
from kiosk.face.engine import EngineUnavailable, FaceEngine
from kiosk.face.engines import make_engine
from kiosk.face.still import StillTrouble, image_from_bytes, template_from_image

if TYPE_CHECKING:
    from kiosk.office.roster_import import MakeTemplates, TemplateResult


def engine_or_fail(config: FaceConfig, code: int = 1) -> FaceEngine:
    """The configured engine; without it the command ends with this status."""
    try:
        return make_engine(config)
    except EngineUnavailable as error:
        fail(f"face engine {config.engine.value} unavailable: {error.reason}; {_ADVICE[config.engine]}", code)


_ADVICE = {Engine.DLIB: "run the set-up again", Engine.OPENCV: "check the files named by face.yunet and face.sface"}


def template_maker(config: FaceConfig) -> MakeTemplates:
    """Loads the configured engine. Terminals refuse its templates unless theirs is the same."""
    engine = engine_or_fail(config)

    def make(data: bytes) -> TemplateResult:
        from kiosk.office.roster_import import TemplateResult  # its models need Django set up

        picture = image_from_bytes(data)
        made = picture if isinstance(picture, StillTrouble) else template_from_image(engine, picture)
        return TemplateResult(made) if isinstance(made, FaceTemplate) else TemplateResult(None, made.value)

    return make
