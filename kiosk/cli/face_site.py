"""`kiosk face evaluate`, `kiosk face calibrate`: how good the comparison is with the people of a place."""

from __future__ import annotations

import datetime as dt
import math
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put
from kiosk.cli.progress import busy, progress

if TYPE_CHECKING:
    from kiosk.config.face import FaceConfig
    from kiosk.face.engine import FaceEngine
    from kiosk.face.site.calibration import Proposal
    from kiosk.face.site.evaluation import Evaluation
    from kiosk.face.site.figures import Rate
    from kiosk.face.site.folder import Volunteers
    from kiosk.face.site.samples import Gathered

BAD_FOLDER, NO_ENGINE, TOO_FEW, INTERRUPTED = 2, 3, 4, 130
_WORK = Path("face-embeddings")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="One folder per person, named by a pseudonym; only read.")]
Work = Annotated[Path, typer.Option(help="Where embeddings are kept; biometric data, remove it when done.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what an earlier run left in the work folder.")]
Jobs = Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")]
Frames = Annotated[int | None, typer.Option(min=1, help="Frames of a visit that make one try; without it the configured number.")]
Seed = Annotated[int, typer.Option(help="Of the bootstrap and of the held-out third.")]
Draws = Annotated[int, typer.Option(min=100, help="Draws of the identity bootstrap.")]


def evaluate(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="The report.")] = Path("report.html"),
    work: Work = _WORK,
    resume: Resume = False,
    jobs: Jobs = 0,
    frames: Frames = None,
    draws: Draws = 1000,
    seed: Seed = 0,
    rendered: Annotated[bool, typer.Option("--rendered", help="The pictures are of no people: the report says so.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """EER, false acceptances and rejections at the configured bands, review load; a report without names or pictures.

    Status 2: the folder cannot be used; 3: no engine; 130: interrupted, go on with --resume.
    """
    _need_extra()
    from kiosk.face.site.evaluation import evaluate as figures
    from kiosk.face.site.report import Header, html_report

    face = configuration(config).face
    _outside(folder, out, "the report")
    volunteers, engine, gathered = _embedded(folder, work, resume, jobs, frames, face)
    header = Header(engine.id, face.threshold_set, dt.date.today(), volunteers.rendered or rendered, draws, seed)
    with busy("figures"):
        found = figures(engine, gathered.samples, face, frames or face.frames, draws, seed)
        page = html_report(found, gathered.losses, [one.traits for one in gathered.samples], header)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        fail(f"{out}: cannot be written: {error.strerror}")
    put({"report": str(out), **_summary(found, gathered, header.rendered)}, as_json)
    for sample in gathered.samples:
        sample.wipe()


def calibrate(
    folder: Folder,
    far: Annotated[float, typer.Option(min=1e-5, max=0.5, help="Most false acceptances at pass_max, upper bound.")] = 0.001,
    frr: Annotated[float, typer.Option(min=1e-3, max=0.5, help="Most false rejections at review_max, upper bound.")] = 0.05,
    templates: Annotated[int | None, typer.Option(min=1, help="Templates per person; without it face.templates_min.")] = None,
    s_norm: Annotated[bool, typer.Option("--s-norm", help="Thresholds of the score normalised by the enrolled base.")] = False,
    name: Annotated[str, typer.Option(help="Name of the place, for the threshold set.")] = "site",
    work: Work = _WORK,
    resume: Resume = False,
    jobs: Jobs = 0,
    frames: Frames = None,
    draws: Draws = 1000,
    seed: Seed = 0,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Propose pass_max and review_max from a place's volunteers, as lines for the configuration file.

    Status 1: no threshold keeps to the targets, or the held-out third denies them; 2: the folder cannot be used;
    3: no engine; 4: too few people; 130: interrupted, go on with --resume.
    """
    _need_extra()
    from kiosk.face.site.calibration import Aim, Proposal
    from kiosk.face.site.calibration import calibrate as propose
    from kiosk.face.site.snippet import threshold_set, toml_snippet

    face = configuration(config).face
    volunteers, engine, gathered = _embedded(folder, work, resume, jobs, frames, face)
    aim = Aim(far, frr, templates or face.templates_min, frames or face.frames, s_norm, draws, seed)
    with busy("thresholds"):
        found = propose(engine, gathered.samples, face, aim)
    for sample in gathered.samples:
        sample.wipe()
    if not isinstance(found, Proposal):
        _refuse(found, aim.far, aim.frr)
    told = _proposed(found, volunteers.rendered)
    if not found.holds:
        put(told, as_json)
        fail("not proposed: the held-out third lets more strangers pass than the bound allows; more people are needed")
    snippet = toml_snippet(found, threshold_set(name, engine.id, dt.date.today(), s_norm))
    put({**told, "toml": snippet} if as_json else told, as_json)
    if not as_json:
        typer.echo(f"\n{snippet}", nl=False)


def _embedded(
    folder: Path, work: Path, resume: bool, jobs: int, frames: int | None, face: FaceConfig
) -> tuple[Volunteers, FaceEngine, Gathered]:
    """Everything up to the embeddings. Ends the command when that is not possible."""
    from kiosk.cli.templates import engine_or_fail
    from kiosk.face.site.cache import NotOurFolder, prepare
    from kiosk.face.site.embedding import embed_all
    from kiosk.face.site.folder import Volunteers, read_folder
    from kiosk.face.site.pool import WorkerDied, cores
    from kiosk.face.site.samples import NEAR_DUPLICATE, gather

    _outside(folder, work, "the work folder")
    try:
        volunteers = read_folder(folder)
    except OSError as error:
        fail(f"{folder}: cannot be read: {error.strerror}", BAD_FOLDER)
    if not isinstance(volunteers, Volunteers):
        fail(f"{folder}: {_EXPLAINED[volunteers.value]}", BAD_FOLDER)
    engine = engine_or_fail(face, NO_ENGINE)
    pictures = volunteers.pictures
    try:
        prepare(work, resume)
        with progress("pictures", len(pictures)) as done:
            embedded = embed_all(pictures, face, engine.id, work, jobs or cores(), done)
    except NotOurFolder:
        fail(f"{work}: is no work folder of an earlier run and not empty; name another with --work")
    except OSError as error:
        fail(f"{work}: cannot be written: {error.strerror}")
    except WorkerDied:
        fail("a process was killed, most likely for want of memory; go on with --resume, perhaps with fewer --jobs")
    except KeyboardInterrupt:
        fail("interrupted; what is done is kept, go on with --resume", INTERRUPTED)
    gathered = gather(volunteers, embedded, engine, frames or face.frames, NEAR_DUPLICATE[face.engine])
    for one, other in gathered.twins:
        typer.echo(f"{one} and {other} have nearly equal pictures: is one of them in the wrong folder?", err=True)
    return volunteers, engine, gathered


def _need_extra() -> None:
    missing = [package for package in ("scipy", "matplotlib") if find_spec(package) is None]
    if missing:
        fail(f"{' and '.join(missing)} not installed: the site tools need the extra `site` (pip install 'kiosk[terminal,site]')")


def _outside(folder: Path, place: Path, what: str) -> None:
    if place.resolve().is_relative_to(folder.resolve()):
        fail(f"{place}: {what} must lie outside of the pictures' folder", BAD_FOLDER)


def _summary(found: Evaluation, gathered: Gathered, rendered: bool) -> dict[str, Any]:
    """The headline, for the terminal and for programs; nothing about fewer people than a report would show."""
    from kiosk.face.site.evaluation import SMALLEST_CELL
    from kiosk.face.site.tables import WITHHELD

    cell, losses = found.headline, gathered.losses
    told: dict[str, Any] = {"rendered": rendered} if rendered else {}
    told |= {
        "people": cell.curve.people, "templates": cell.templates, "frames": cell.frames, "pairs": found.pairs.value,
        "pictures": losses.pictures, "unusable": sum(losses.unusable.values()), "near_duplicates": losses.near_duplicates,
        "not_enrolled": losses.not_enrolled, "not_acquired": losses.not_acquired,
    }
    if cell.curve.people < SMALLEST_CELL:
        return {**told, "figures": WITHHELD}
    (far_pass, frr_pass), (far_review, frr_review) = cell.curve.at(found.bands.pass_max), cell.curve.at(found.bands.review_max)
    return {
        **told,
        "eer": _rounded(cell.curve.eer.rate), "eer_threshold": _rounded(cell.curve.eer.threshold),
        "far_at_pass_max": _rate(far_pass), "frr_at_pass_max": _rate(frr_pass),
        "far_at_review_max": _rate(far_review), "frr_at_review_max": _rate(frr_review),
        "review_share": _rounded(cell.load[1].review),
        "s_norm_eer": {str(one.templates): _rounded(one.curve.eer.rate) for one in found.normalised},
    }


def _proposed(found: Proposal, rendered: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"rendered": "these are no people: never use these thresholds"} if rendered else {}
    told |= {
        "pass_max": found.pass_max, "review_max": found.review_max, "chosen_on": found.people, "checked_on": found.held_out,
        "pairs": found.pairs.value, "templates": found.aim.templates,
        "far_at_pass_max": _rate(found.far), "frr_at_review_max": _rate(found.frr),
        "far_at_review_max": _rate(found.false_review),
        "held_out_far": _rate(found.checked_far), "held_out_frr": _rate(found.checked_frr), "holds": found.holds,
    }
    for attempts, load in found.load.items():
        shares = {"accept": _rounded(load.accept), "review": _rounded(load.review), "retry": _rounded(load.retry)}
        told[f"load_at_{attempts}_attempts"] = shares
    return {**told, "reviews_per_100": round(100 * found.load[max(found.load)].review, 1)}


def _refuse(found: Any, far: float, frr: float) -> NoReturn:
    from kiosk.face.site.calibration import TooFew

    if isinstance(found, TooFew):
        fail(
            f"too few people: FAR <= {far:g} and FRR <= {frr:g} can be shown from about {found.needed} people on, "
            f"here are {found.people} who can be compared; recruit more, or evaluate only", TOO_FEW,
        )
    fail({
        "far": "a threshold that keeps to the FAR would let nobody pass; are pictures misplaced?",
        "relatives": "a threshold that keeps relatives apart would let nobody pass; this engine cannot decide here",
        "frr": f"review_max would have to be {found.threshold:g}: change the engine or the camera set-up, not the threshold",
    }[found.target])


def _rate(rate: Rate) -> dict[str, Any]:
    told: dict[str, Any] = {"value": _rounded(rate.value), "low": _rounded(rate.low), "high": _rounded(rate.high)}
    return told if rate.exact is None else {**told, "clopper_pearson_high": _rounded(rate.exact[1])}


def _rounded(value: float) -> float | None:
    """None where there was nothing to compute it from."""
    return None if math.isnan(value) else round(value, 6)


_EXPLAINED: dict[str, str] = {
    "not_a_folder": "is not a folder",
    "no_people": "holds no folder with pictures in it; expected DIR/S001/*.jpg",
    "one_person": "holds the pictures of one person only; nobody to be mistaken for",
    "citizen_number": "a folder is named by a citizen number; use pseudonyms such as S001",
    "mixed": "some people have enrol and probe folders, others have not",
    "no_visits": "nobody has a probe folder with pictures: there is nothing to compare the enrolments with",
    "subjects_unreadable": "subjects.csv is not UTF-8 text with the columns subject,age_band,sex,glasses,relation_group",
}
