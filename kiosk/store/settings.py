"""Small named facts and gap-free counters, read and written inside the caller's transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from kiosk.store.models import CounterRow, SettingRow


def get_setting(session: Session, name: str) -> str | None:
    row = session.get(SettingRow, name)
    return None if row is None else row.value


def put_setting(session: Session, name: str, value: str) -> None:
    session.merge(SettingRow(name=name, value=value))


def next_number(session: Session, counter: str) -> int:
    """The next number of a counter, from 1. Gap-free, because it is undone with the transaction."""
    row = session.get(CounterRow, counter)
    if row is None:
        row = CounterRow(name=counter, value=0)
        session.add(row)
    row.value += 1
    return row.value
