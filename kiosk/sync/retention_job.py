"""The daily run of the retention plan, beside delivery and pulls: a failing one is tried again, and stops nothing."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config.retention import RetentionConfig
from kiosk.domain.period import LOCAL_ZONE
from kiosk.store import erasure
from kiosk.store.retention import Clock
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.clock import last_office_time

_DAY = "retention_day"
"""Local day of the last run that ended well."""
_log = logging.getLogger(__name__)


def office_time(engine: Engine) -> dt.datetime | None:
    """The newest time the office told this terminal, in a receipt or of itself; what the clock is held against."""
    return max((told for told in (erasure.office_time(engine), last_office_time(engine)) if told is not None), default=None)


class RetentionJob:
    def __init__(self, engine: Engine, config: RetentionConfig, now: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._config = config
        self._now = now
        self._told: Clock | None = None

    def run(self) -> bool:
        """Whether a run was made and ended well. Once a local day, from `run_hour` on; until then it costs one read."""
        now = self._now()
        local = now.astimezone(LOCAL_ZONE)
        day = local.date().isoformat()
        if local.hour < self._config.run_hour or self._last() == day:
            return False
        heard = office_time(self._engine)
        for alarm in erasure.plan(self._engine, self._config, now, heard).alarms:
            _log.warning("retention: %d cases are %s for too long", alarm.count, alarm.code)
        done = erasure.run(self._engine, self._config, now, heard)
        if done.clock is not Clock.OK:
            if done.clock not in (self._told, Clock.UNPROVEN):  # the latter is every new machine before its first answer
                _log.warning("retention: nothing is erased, the clock is %s", done.clock.value)
            self._told = done.clock
            return False
        self._told = None
        if not done.log_emptied:
            return False
        with Session(self._engine) as session, session.begin():
            put_setting(session, _DAY, day)
        return True

    def _last(self) -> str | None:
        with Session(self._engine.execution_options(read_only=True)) as session, session.begin():
            return get_setting(session, _DAY)
