"""`kiosk face`: comparisons outside a conversation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli import face_attacks, face_liveness, face_site
from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="Face comparison.")
app.command("evaluate")(face_site.evaluate)
app.command("calibrate")(face_site.calibrate)
app.command("liveness")(face_liveness.liveness)
app.command("attack-clips")(face_attacks.attack_clips)


@app.command()
def compare(
    probe: Annotated[Path, typer.Argument(help="Photograph of one face.")],
    enrolled: Annotated[list[Path], typer.Argument(help="One or more photographs to compare with.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Distance of a photograph to each of the others, their mean, and the band it falls into.

    With a cohort configured there is no band: it is chosen by the normalised score, which needs the enrolled base.
    """
    from kiosk.cli.templates import engine_or_fail
    from kiosk.domain.roster import FaceTemplate
    from kiosk.face.still import StillTrouble, compare, image_from_bytes, template_from_image

    face = configuration(config).face
    engine, bands = engine_or_fail(face), face.bands()

    def template(path: Path) -> FaceTemplate:
        try:
            picture = image_from_bytes(path.read_bytes())
        except OSError as error:
            fail(f"{path}: cannot be read: {error.strerror}")
        made = picture if isinstance(picture, StillTrouble) else template_from_image(engine, picture)
        return made if isinstance(made, FaceTemplate) else fail(f"{path}: {_EXPLAINED[made]}")

    one, others = template(probe), [template(path) for path in enrolled]
    mean = compare(engine, one, others, bands)
    single = [_rounded(compare(engine, one, [other], bands).distance) for other in others]
    put({
        "distances": {str(path): distance for path, distance in zip(enrolled, single, strict=True)},
        "mean": _rounded(mean.distance), "templates": mean.templates,
        "band": None if face.cohort.enabled else mean.band.value, "engine": engine.id, "threshold_set": face.threshold_set,
        "bands": {"pass_max": bands.pass_max, "review_max": bands.review_max, "templates_min": bands.templates_min},
    }, as_json)


_EXPLAINED = {"not_a_picture": "is not a picture", "no_face": "shows no face", "several_faces": "shows more than one face"}


def _rounded(distance: float) -> float | None:
    return None if math.isnan(distance) else round(distance, 4)
