"""`kiosk face liveness`: the terminal's liveness checks over recorded clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail
from kiosk.cli.face_site import INTERRUPTED, NO_ENGINE, Jobs
from kiosk.cli.progress import progress
from kiosk.domain.liveness import Action, Profile

if TYPE_CHECKING:
    from kiosk.config.face import FaceConfig
    from kiosk.face.engine import FaceEngine
    from kiosk.face.site.rehearsal import ClipTrouble, Tried

BAD_CLIP = 2
_UNREADABLE = "unreadable"
_REHEARSAL = "fixed order: a rehearsal of the checks, not a test of replay; the terminal draws its order at random"


def liveness(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP…", help="Films, or folders of frames ordered by name.")],
    profile: Annotated[Profile, typer.Option(help="How much is asked; not infrared, a clip is no pair.")] = Profile.PAPER,
    order: Annotated[str, typer.Option(help="The order the clip was recorded in, e.g. blink,turn_left,turn_right.")] = "",
    fps: Annotated[float, typer.Option(min=1, help="Frames per second of folders, and of films that do not say.")] = 12.5,
    jobs: Jobs = 0,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """One try per clip: a report per check. Left and right are the person's own; the flash is left out.

    Status 0: every clip passed; 1: one did not; 2: a clip or the order cannot be used; 3: no engine; 130: interrupted.
    """
    from kiosk.cli.templates import engine_or_fail
    from kiosk.face.site.pool import WorkerDied, cores, on_all_cores
    from kiosk.face.site.rehearsal import PROFILES, can_be_asked

    face = configuration(config).face
    if profile not in PROFILES:
        fail(f"{profile.value}: a clip has no infrared half; one of {', '.join(PROFILES)}", BAD_CLIP)
    asked = _actions(order)
    if asked and not can_be_asked(asked, profile, face.liveness):
        fail(f"{order}: the profile {profile.value} never asks for this", BAD_CLIP)
    engine_or_fail(face, NO_ENGINE)
    try:
        with progress("clips", len(clips)) as done:
            tasks = [_Task(clip, profile, asked, fps) for clip in clips]
            results = on_all_cores(_try, tasks, jobs or cores(), _begin, (face,), done)
    except WorkerDied:
        fail("a process was killed, most likely for want of memory")
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    told = [_told(clip, result) for clip, result in zip(clips, results, strict=True)]
    _say(told, bool(asked), as_json)
    if any(one["verdict"] == _UNREADABLE for one in told):
        raise typer.Exit(BAD_CLIP)
    raise typer.Exit(0 if all(one["verdict"] == "passed" for one in told) else 1)


@dataclass(frozen=True, slots=True)
class _Task:
    clip: Path
    profile: Profile
    order: tuple[Action, ...]
    fps: float


_worker: tuple[FaceEngine, FaceConfig]


def _begin(config: FaceConfig) -> None:
    from kiosk.face.engines import make_engine

    global _worker  # noqa: PLW0603  a pool hands its tasks nothing else
    _worker = make_engine(config), config


def _try(task: _Task) -> Tried | ClipTrouble:
    from kiosk.face.site.rehearsal import ClipTrouble, read_clip, try_clip

    frames = read_clip(task.clip, task.fps)
    return frames if isinstance(frames, ClipTrouble) else try_clip(*_worker, task.profile, frames, task.order)


def _actions(order: str) -> tuple[Action, ...]:
    try:
        return tuple(Action(name.strip()) for name in order.split(",")) if order else ()
    except ValueError:
        fail(f"{order}: actions are {', '.join(Action)}, separated by commas", BAD_CLIP)


def _told(clip: Path, result: Tried | ClipTrouble) -> dict[str, Any]:
    from kiosk.face.site.rehearsal import Tried

    if not isinstance(result, Tried):
        return {"clip": str(clip), "verdict": _UNREADABLE, "reason": result.value}
    report = result.report
    ended = result.trouble.value if result.trouble is not None else "clip_ended" if result.cut else ""
    return {
        "clip": str(clip), "verdict": "passed" if result.passed else "failed", "reason": ended, "frames": result.frames,
        "said": [[round(t, 2), one.value] for t, one in result.said],
        "order": [one.value for one in report.order], "seconds": round(report.seconds, 2),
        "checks": [
            {
                "check": one.check.value, "outcome": one.outcome.value, "demanded": one.check in report.demanded,
                "value": one.value, "limit": one.limit, "reason": one.reason,
            }
            for one in report.checks
        ],
    }


def _say(told: list[dict[str, Any]], rehearsed: bool, as_json: bool) -> None:
    from kiosk.cli.common import put

    if as_json:
        put({"rehearsal": rehearsed, "clips": told}, True)
        return
    for one in told:
        typer.echo(f"{one['clip']}: {one['verdict']} {one['reason']}".rstrip())
        for t, said in one.get("said", []):
            typer.echo(f"  {t:6.2f} s  {said}")
        for check in one.get("checks", []):
            typer.echo(f"  {_line(check)}")
    if rehearsed:
        typer.echo(_REHEARSAL)


def _line(check: dict[str, Any]) -> str:
    value, limit = (f"{check[name]:.3f}" if check[name] is not None else "-" for name in ("value", "limit"))
    demanded = "demanded" if check["demanded"] else ""
    return f"{check['check']:<12} {check['outcome']:<9} {value:>8} (limit {limit:>6}) {demanded} {check['reason']}".rstrip()
