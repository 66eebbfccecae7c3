"""`kiosk face attack-clips`: what people hold before a camera in another's place, rendered from one portrait."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import ConfigFile, configuration, fail
from kiosk.cli.face_site import INTERRUPTED, NO_ENGINE, Jobs
from kiosk.cli.progress import progress

if TYPE_CHECKING:
    from kiosk.cli.attack_files import ClipTask
    from kiosk.face.engine import FaceEngine, Image, Points

INDEX = "species.csv"


class Format(StrEnum):
    AVI = "avi"
    """Motion JPEG: nearly what a camera sends."""
    MP4 = "mp4"
    """Small, but its compression blurs what the checks look at."""
    FRAMES = "frames"
    """A folder of JPEG pictures."""


def attack_clips(
    portrait: Annotated[Path, typer.Argument(help="Photograph of one face.")],
    out: Annotated[Path, typer.Option(help="Folder the clips are put into; finished ones are not made again.")],
    species: Annotated[list[str] | None, typer.Option(help="Only this species; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Clips per species.")] = 1,
    seconds: Annotated[float, typer.Option(min=1, max=120, help="Length of a clip; a whole try takes hardly longer.")] = 20.0,
    as_: Annotated[Format, typer.Option("--as", help="How a clip is stored.")] = Format.AVI,
    jobs: Jobs = 0,
    config: ConfigFile = None,
) -> None:
    """Render attack clips to test a terminal with. Every frame is marked DEMO; a portrait needs its owner's consent.

    Status 1: not exactly one face in the portrait; 3: no engine; 130: interrupted, the same command goes on.
    """
    from kiosk.cli.attack_files import ClipTask, begin, render
    from kiosk.cli.templates import engine_or_fail
    from kiosk.devices.emulated.attacks import Species
    from kiosk.face.site.pool import WorkerDied, cores, on_all_cores

    known = [kind.value for kind in Species]
    if unknown := set(species or ()) - set(known):
        fail(f"{', '.join(sorted(unknown))}: no such species; known are {', '.join(known)}")
    still, points = _portrait(portrait, engine_or_fail(configuration(config).face, NO_ENGINE))
    ending = "" if as_ is Format.FRAMES else f".{as_.value}"
    tasks = [ClipTask(kind, seed, out / f"{kind}-{seed:03}{ending}") for kind in species or known for seed in range(seeds)]
    waiting = [task for task in tasks if not task.clip.exists()]
    try:
        out.mkdir(0o700, parents=True, exist_ok=True)
        with progress("clips", len(waiting)) as done:
            on_all_cores(render, waiting, jobs or cores(), begin, (still, points, seconds), done)
        _write_index(out / INDEX, tasks)
    except OSError as error:
        fail(f"{out}: cannot be written: {error.strerror}")
    except WorkerDied:
        fail("a process was killed, most likely for want of memory; the same command goes on")
    except KeyboardInterrupt:
        fail("interrupted; finished clips are kept, the same command goes on", INTERRUPTED)
    for task in tasks:
        made = "made" if task in waiting else "kept"
        typer.echo(f"{task.clip}: {task.species}, seed {task.seed}, {made}")


def _portrait(path: Path, engine: FaceEngine) -> tuple[Image, Points]:
    """The picture and the 68 points of its one face. Ends the command when there is not exactly one."""
    from kiosk.face.still import StillTrouble, image_from_bytes

    try:
        picture = image_from_bytes(path.read_bytes())
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}")
    if isinstance(picture, StillTrouble):
        fail(f"{path}: is not a picture")
    faces = engine.detect(picture)
    if len(faces) != 1:
        fail(f"{path}: shows {'more than one face' if faces else 'no face'}; exactly one is needed")
    return picture, engine.landmarks(picture, faces[0])


def _write_index(file: Path, tasks: Iterable[ClipTask]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(("clip", "species", "seed"))
        rows.writerows((task.clip.name, task.species, task.seed) for task in tasks)
