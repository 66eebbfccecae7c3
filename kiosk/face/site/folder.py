"""The volunteers' pictures on disk: one folder per person, named by a pseudonym. Only ever read.

    DIR/S001/*.jpg                      every picture serves as template and as probe in turn, or:
    DIR/S001/enrol/*.png                pictures of the first visit
    DIR/S001/probe/*.png, probe/s2/*    frames of later visits, one folder per visit, in the order of their names
    DIR/S001/chip/*.png                 optional: photograph of the card's chip
    DIR/subjects.csv                    optional: subject,age_band,sex,glasses,relation_group
    DIR/RENDERED                        optional, any content: these are no people, but rendered pictures
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
RENDERED = "RENDERED"
SUBJECTS = "subjects.csv"
_COLUMNS = ("subject", "age_band", "sex", "glasses", "relation_group")
_CITIZEN_NUMBER = re.compile(r"\d{17}[\dXx]|\d{15}")


class FolderTrouble(StrEnum):
    NOT_A_FOLDER = "not_a_folder"
    NO_PEOPLE = "no_people"
    ONE_PERSON = "one_person"
    """Nobody to be mistaken for."""
    CITIZEN_NUMBER = "citizen_number"
    """A folder is named by a citizen number instead of a pseudonym."""
    MIXED = "mixed"
    """Some people have enrol and probe folders, others lie there without."""
    NO_VISITS = "no_visits"
    """Only enrolments, no later visit of anybody."""
    SUBJECTS_UNREADABLE = "subjects_unreadable"
    """subjects.csv is not UTF-8 text with the columns above."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What subjects.csv says of a person; "" is not known."""

    age_band: str = ""
    """Such as 70-79 or 80+."""
    sex: str = ""
    glasses: str = ""
    relation_group: str = ""
    """Relatives have the same."""

    @property
    def age_from(self) -> int | None:
        found = re.match(r"\d+", self.age_band)
        return int(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class Subject:
    pseudonym: str
    apart: bool
    """Enrolment and later visits have folders of their own."""
    enrol: tuple[Path, ...] = field(repr=False)
    """All pictures, where they are not apart."""
    visits: tuple[tuple[Path, ...], ...] = field(default=(), repr=False)
    chip: tuple[Path, ...] = field(default=(), repr=False)
    traits: Traits = Traits()

    @property
    def pictures(self) -> tuple[Path, ...]:
        return (*self.enrol, *(path for visit in self.visits for path in visit), *self.chip)


@dataclass(frozen=True, slots=True)
class Volunteers:
    subjects: tuple[Subject, ...]
    """In the order of their pseudonyms."""
    rendered: bool

    @property
    def apart(self) -> bool:
        return all(one.apart for one in self.subjects)

    @property
    def pictures(self) -> list[Path]:
        return [path for one in self.subjects for path in one.pictures]


def read_folder(folder: Path) -> Volunteers | FolderTrouble:
    if not folder.is_dir():
        return FolderTrouble.NOT_A_FOLDER
    homes = _folders(folder)
    if any(_CITIZEN_NUMBER.fullmatch(home.name) for home in homes):
        return FolderTrouble.CITIZEN_NUMBER
    traits = _traits(folder / SUBJECTS)
    if traits is None:
        return FolderTrouble.SUBJECTS_UNREADABLE
    subjects = [one for home in homes if (one := _subject(home, traits.get(home.name, Traits()))).pictures]
    if len(subjects) < 2:
        return FolderTrouble.ONE_PERSON if subjects else FolderTrouble.NO_PEOPLE
    if len({one.apart for one in subjects}) > 1:
        return FolderTrouble.MIXED
    if subjects[0].apart and not any(one.visits for one in subjects):
        return FolderTrouble.NO_VISITS
    return Volunteers(tuple(subjects), (folder / RENDERED).exists())


def _subject(home: Path, traits: Traits) -> Subject:
    enrol, probe = home / "enrol", home / "probe"
    apart = enrol.is_dir() or probe.is_dir()
    visits = tuple(group for group in (_pictures(probe), *map(_pictures, _folders(probe))) if group)
    return Subject(home.name, apart, _pictures(enrol if apart else home), visits, _pictures(home / "chip"), traits)


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _pictures(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")))


def _traits(file: Path) -> dict[str, Traits] | None:
    """None: unreadable. Without the file nothing is known of anybody."""
    if not file.exists():
        return {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if rows.fieldnames is None or rows.fieldnames[0] != _COLUMNS[0] or not set(rows.fieldnames) <= set(_COLUMNS):
                return None
            return {
                row[_COLUMNS[0]].strip(): Traits(**{name: (row.get(name) or "").strip() for name in _COLUMNS[1:]}) for row in rows
            }
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
