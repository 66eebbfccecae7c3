"""Taking a roster list into the office: may be repeated, may be tried without writing."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from PIL import Image, ImageOps, UnidentifiedImageError

from kiosk.domain.roster import FaceTemplate
from kiosk.office import audit
from kiosk.office.models import AuditEntry, Person, PersonTemplate, Portrait
from kiosk.office.roster_file import COLUMNS, Problem, RosterRow, RowProblem, read
from kiosk.office.withdrawal import has_withdrawn

_CHUNK = 50
_PORTRAIT_SIDE = 800
_PORTRAIT_COLUMN = next(heading for heading, name in COLUMNS.items() if name == "portraits")
_DUE_COLUMN = next(heading for heading, name in COLUMNS.items() if name == "next_due")


@dataclass(frozen=True)
class TemplateResult:
    """What the face room makes of one portrait: a template, or a stable code of what is wrong with it."""

    template: FaceTemplate | None
    problem: str = ""


_NOT_AN_IMAGE = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning,
)

MakeTemplates = Callable[[bytes], TemplateResult]
"""From the bytes of an image file. Handed in by whoever starts the import: the office has no face room."""


@dataclass
class ImportReport:
    dry_run: bool
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    portraits: int = 0
    """New ones."""
    problems: list[RowProblem] = field(default_factory=list)
    """In the order of the file. Photo problems and DATE_EARLIER do not keep the row out."""


@dataclass(frozen=True)
class _Portrait:
    sha256: str
    jpeg: bytes = field(repr=False)
    template: FaceTemplate | None


def import_roster(
    data: bytes, folder: Path | None, make_templates: MakeTemplates | None, actor: str, dry_run: bool = False,
) -> ImportReport:
    """folder: where the portrait files lie, None when there are none at hand.

    Works in small transactions: cut short, it is simply run again. Dates only move forward.
    """
    report = ImportReport(dry_run)
    rows, report.problems = read(data)
    for start in range(0, len(rows), _CHUNK):
        chunk = [(row, list(_portraits(row, folder, make_templates, report))) for row in rows[start : start + _CHUNK]]
        with transaction.atomic(durable=True):
            for row, portraits in chunk:
                _apply(row, portraits, report)
            transaction.set_rollback(dry_run)
    report.problems.sort(key=lambda problem: problem.row)
    if not dry_run and rows:
        with transaction.atomic(durable=True):
            audit.append(
                actor, AuditEntry.Action.ROSTER_IMPORTED, hashlib.sha256(data).hexdigest(),
                added=report.added, changed=report.changed, unchanged=report.unchanged, problems=len(report.problems),
            )
    return report


def _portraits(row: RosterRow, folder: Path | None, make: MakeTemplates | None, report: ImportReport) -> Iterator[_Portrait]:
    def note(problem: Problem, detail: str = "") -> None:
        report.problems.append(RowProblem(row.row, _PORTRAIT_COLUMN, problem, detail))

    for name in row.portraits:
        data = _file_inside(folder, name)
        if data is None:
            note(Problem.PHOTO_MISSING)
            continue
        jpeg = _scaled_jpeg(data)
        if jpeg is None:
            note(Problem.PHOTO_UNREADABLE)
            continue
        result = make(data) if make else TemplateResult(None)
        if result.problem:
            note(Problem.PHOTO_UNUSABLE, result.problem)
        yield _Portrait(hashlib.sha256(data).hexdigest(), jpeg, result.template)


def _file_inside(folder: Path | None, name: str) -> bytes | None:
    if folder is None:
        return None
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return None
    return path.read_bytes()


def _scaled_jpeg(data: bytes) -> bytes | None:
    """Upright, without metadata, at most 800 pixels a side."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except _NOT_AN_IMAGE:
        return None
    upright.thumbnail((_PORTRAIT_SIDE, _PORTRAIT_SIDE))
    jpeg = io.BytesIO()
    upright.save(jpeg, "JPEG", quality=90)
    return jpeg.getvalue()


def _apply(row: RosterRow, portraits: list[_Portrait], report: ImportReport) -> None:
    person = Person.objects.filter(number=row.number).first()
    if person is None:
        person = Person(
            number=row.number, name=row.name, district=row.district or "", category=row.category or "", next_due=row.next_due,
        )
        person.save_changed()
        report.added += 1
        report.portraits += sum([_add_portrait(person, portrait)[0] for portrait in portraits])
        return
    before = _facts(person)
    person.name, person.category, person.active = row.name, row.category or person.category, True
    person.district = row.district or person.district
    person.next_due = _later(row, person.next_due, report)
    outcomes = [_add_portrait(person, portrait) for portrait in portraits]
    report.portraits += sum(new for new, _ in outcomes)
    if _facts(person) == before and not any(told for _, told in outcomes):
        report.unchanged += 1
        return
    person.save_changed()
    report.changed += 1


def _facts(person: Person) -> tuple[object, ...]:
    return person.name, person.district, person.category, person.next_due, person.active


def _later(row: RosterRow, known: dt.date | None, report: ImportReport) -> dt.date | None:
    """An old list run again must not take back a certification."""
    if row.next_due is None or known is None:
        return row.next_due or known
    if row.next_due < known:
        report.problems.append(RowProblem(row.row, _DUE_COLUMN, Problem.DATE_EARLIER))
    return max(row.next_due, known)


def _add_portrait(person: Person, portrait: _Portrait) -> tuple[bool, bool]:
    """Whether the portrait is new, and whether there is something new to tell terminals."""
    if has_withdrawn(person.number):
        return False, False
    row, new = Portrait.objects.get_or_create(person=person, source_sha256=portrait.sha256, defaults={"jpeg": portrait.jpeg})
    if portrait.template is None:
        return new, False
    vector = list(portrait.template.vector)
    template, made = PersonTemplate.objects.get_or_create(
        portrait=row, engine=portrait.template.engine, defaults={"vector": vector},
    )
    if not made and template.vector != vector:
        template.vector, made = vector, True
        template.save()
    return new, made
