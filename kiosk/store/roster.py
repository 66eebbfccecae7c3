"""Who is due, as the office last said it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from kiosk.domain.roster import FaceTemplate, OfficeDecision, RosterEntry, TemplateSource
from kiosk.store.models import RosterRow
from kiosk.store.settings import get_setting, put_setting

_VERSION = "roster_version"


class Roster:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)

    def version(self) -> int:
        """The office's version this terminal has; 0 before the first pull."""
        with Session(self._reader) as session, session.begin():
            return _version(session)

    def size(self) -> int:
        with Session(self._reader) as session, session.begin():
            return session.scalar(select(func.count()).select_from(RosterRow)) or 0

    def people(self) -> list[RosterEntry]:
        """Everybody who has templates, in a fixed order."""
        with Session(self._reader) as session, session.begin():
            rows = session.scalars(select(RosterRow).where(RosterRow.templates != "[]").order_by(RosterRow.number))
            return [_entry(row) for row in rows]

    def apply(
        self, entries: Iterable[RosterEntry], removed: Iterable[str], after: int, version: int, replace: bool,
    ) -> bool:
        """Takes one page in one transaction with its version: after a cut either both stand or neither.

        after: the version the page builds on. False, and nothing changed, when the terminal is at another version.
        """
        with Session(self._engine) as session, session.begin():
            if _version(session) != after:
                return False
            if replace:
                session.execute(delete(RosterRow))
            for number in removed:
                session.execute(delete(RosterRow).where(RosterRow.number == number))
            for entry in entries:
                session.merge(_row(entry))
            put_setting(session, _VERSION, str(version))
        return True

    def catch_up(self, entries: Iterable[RosterEntry], version: int) -> bool:
        """Takes a whole roster at once. False, and nothing changed, when the terminal is as far already."""
        with Session(self._engine) as session, session.begin():
            if _version(session) >= version:
                return False
            session.execute(delete(RosterRow))
            for entry in entries:
                session.merge(_row(entry))
            put_setting(session, _VERSION, str(version))
        return True


def start_over(session: Session) -> None:
    """The next pull asks for everything; until then the entries stay."""
    put_setting(session, _VERSION, "0")


def find_entry(session: Session, number: str) -> RosterEntry | None:
    row = session.get(RosterRow, number)
    return None if row is None else _entry(row)


def _version(session: Session) -> int:
    return int(get_setting(session, _VERSION) or 0)


def _row(entry: RosterEntry) -> RosterRow:
    decision = entry.decision
    return RosterRow(
        number=entry.number, name=entry.name, category=entry.category, next_due=entry.next_due,
        templates=json.dumps([_template_row(template) for template in entry.templates]),
        decision=None if decision is None else json.dumps(
            [decision.case_number, decision.accepted, decision.reason, decision.decided_on.isoformat()],
        ),
    )


def _entry(row: RosterRow) -> RosterEntry:
    decision = None
    if row.decision is not None:
        case_number, accepted, reason, decided_on = json.loads(row.decision)
        decision = OfficeDecision(case_number, accepted, reason, dt.date.fromisoformat(decided_on))
    templates = tuple(_template(*one) for one in json.loads(row.templates))
    return RosterEntry(row.number, row.name, row.category, row.next_due, templates, decision)


def _template_row(template: FaceTemplate) -> list[object]:
    taken_on = template.taken_on.isoformat() if template.taken_on else None
    return [template.engine, template.vector, template.source.value, taken_on]


def _template(
    engine: str, vector: list[float], source: str = TemplateSource.PORTRAIT.value, taken_on: str | None = None,
) -> FaceTemplate:
    """Rows of before revision 0003 say neither source nor day."""
    day = dt.date.fromisoformat(taken_on) if taken_on else None
    return FaceTemplate(engine, tuple(vector), TemplateSource(source), day)
