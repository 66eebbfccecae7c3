"""Once a day from the set hour on; what did not end well is tried again."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine

from kiosk.config.retention import RetentionConfig
from kiosk.store import erasure
from kiosk.store.retention import Clock
from kiosk.sync.retention_job import RetentionJob

MIDNIGHT = dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC)
"""Local."""
HOUR = dt.timedelta(hours=1)


class Runs:
    """Counts runs and ends them as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[dt.datetime] = []
        self.ends = erasure.Erased(Clock.OK, {}, log_emptied=True)
        self.now = MIDNIGHT
        monkeypatch.setattr(erasure, "run", self._run)

    def _run(self, engine: Engine, config: RetentionConfig, now: dt.datetime, heard: dt.datetime | None) -> erasure.Erased:
        self.made.append(now)
        return self.ends


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(monkeypatch)


@pytest.fixture
def job(engine: Engine, runs: Runs) -> RetentionJob:
    return RetentionJob(engine, RetentionConfig(), lambda: runs.now)


def test_once_a_day_from_the_hour_on(job: RetentionJob, runs: Runs, engine: Engine) -> None:
    assert [_at(job, runs, hours) for hours in (0, 1.9, 2, 3, 23, 24, 25.9, 26)] == [
        False, False, True, False, False, False, False, True,
    ]
    again = RetentionJob(engine, RetentionConfig(), lambda: runs.now)
    assert not again.run(), "a new process knows of today's run"
    assert len(runs.made) == 2


@pytest.mark.parametrize("ends", [
    erasure.Erased(Clock.AHEAD, {}, log_emptied=True), erasure.Erased(Clock.OK, {}, log_emptied=False),
])
def test_what_did_not_end_well_is_tried_again(job: RetentionJob, runs: Runs, ends: erasure.Erased) -> None:
    good, runs.ends = runs.ends, ends
    assert not _at(job, runs, 3) and not _at(job, runs, 4)
    runs.ends = good
    assert _at(job, runs, 5) and len(runs.made) == 3


def test_a_clock_set_back_by_days_does_not_stop_it(job: RetentionJob, runs: Runs) -> None:
    assert _at(job, runs, 24 * 30 + 5) and _at(job, runs, 5)


def _at(job: RetentionJob, runs: Runs, hours: float) -> bool:
    runs.now = MIDNIGHT + hours * HOUR
    return job.run()
