"""How every device of this terminal is, for the other processes: the terminal writes, the rest reads."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store import audit
from kiosk.store.models import DeviceRow
from kiosk.store.settings import get_setting, put_setting

TOUCH_STEP = dt.timedelta(seconds=60)
"""How old the terminal's word that it runs becomes before `touch` writes it again."""
_ALIVE = "terminal_alive"
_CODE = re.compile(r"[a-z0-9_]{0,40}")
_UNNAMED = "unnamed"
_FAULTS = (DeviceState.OFFLINE, DeviceState.DEGRADED)


class DeviceStates:
    """One row per device, written only when state or reason changes. Every call is its own transaction. A device that
    becomes faulty, and one that ceases to be, goes into the audit chain.

    BUSY is never stored: a printer that prints is the same machine as before. It stands for READY where the row said
    OFFLINE or UNKNOWN, and leaves READY and DEGRADED as they are; so a slip costs no write and nobody sees a flicker.
    """

    def __init__(self, engine: Engine, now: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._now = now

    def begin(self, kinds: Iterable[DeviceKind]) -> None:
        """The terminal starts: exactly these devices, all UNKNOWN until they report. What stood there was another run."""
        now = self._now()
        with Session(self._engine) as session, session.begin():
            session.execute(delete(DeviceRow))
            for kind in kinds:
                session.add(DeviceRow(kind=kind, state=DeviceState.UNKNOWN, reason="", since=now, updated_at=now))
            put_setting(session, _ALIVE, now.astimezone(dt.UTC).isoformat())

    def put(self, status: DeviceStatus) -> None:
        """Takes what a device says of itself. A reason that is no code could hold anything and becomes `unnamed`."""
        reason = status.reason if _CODE.fullmatch(status.reason) else _UNNAMED
        with Session(self._reader) as session, session.begin():
            row = session.get(DeviceRow, status.kind)
            known = None if row is None else (row.state, row.reason)
        state = status.state
        if state is DeviceState.BUSY:
            if known is not None and known[0] in (DeviceState.READY, DeviceState.DEGRADED):
                return
            state, reason = DeviceState.READY, ""
        if known == (state, reason):
            return
        now = self._now()
        with Session(self._engine) as session, session.begin():
            session.merge(DeviceRow(kind=status.kind, state=state, reason=reason, since=status.since or now, updated_at=now))
            before = DeviceState.UNKNOWN if known is None else known[0]
            if state != before and (state in _FAULTS or before in _FAULTS):
                audit.append(session, "device_state", kind=status.kind.value, state=state.value, reason=reason)

    def touch(self) -> None:
        """The terminal runs. Written at most once a minute, at once when the clock has jumped."""
        now, last = self._now(), self.alive()
        if last is None or abs(now - last) >= TOUCH_STEP:
            with Session(self._engine) as session, session.begin():
                put_setting(session, _ALIVE, now.astimezone(dt.UTC).isoformat())

    def alive(self) -> dt.datetime | None:
        """When the terminal last said that it runs; None: it never ran on this database."""
        with Session(self._reader) as session, session.begin():
            told = get_setting(session, _ALIVE)
        return None if told is None else dt.datetime.fromisoformat(told)

    def all(self) -> list[DeviceStatus]:
        """By kind. While the terminal does not run (`alive`) these are its last words."""
        known = select(DeviceRow).where(DeviceRow.kind.in_(list(DeviceKind))).order_by(DeviceRow.kind)
        with Session(self._reader) as session, session.begin():
            return [
                DeviceStatus(DeviceKind(row.kind), DeviceState(row.state), row.reason, row.since)
                for row in session.scalars(known)
            ]
