"""Clocks that are wrong: a start in 2020, a jump of ten years, a day back in the middle of the work."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from harness import auditor
from harness.campaign import Campaign, Report
from harness.town import Town, until

_YEAR_S = 365.25 * 86400


def test_clock_steps(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    """Cases are taken and delivered under every clock; none is stuck behind a time that has not come yet."""
    clock = tmp_path / "clock"
    to_2020 = (dt.datetime(2020, 1, 1, tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)).total_seconds()
    starts = [(to_2020, to_2020), (10 * _YEAR_S, 10 * _YEAR_S), (0.0, -86400.0), (-86400.0, to_2020), (to_2020, 0.0)]
    share = campaign.many(30, 8)
    with Town(tmp_path / "town", campaign.random("clock"), lies=True) as town:
        machine = town.machine
        for turn, (at_start, afterwards) in enumerate(starts):
            clock.write_text(str(at_start))
            first = turn * share + 1
            submitter = machine.submit(first + share - 1, first=first, clock=clock, pause_s=0.1)
            sync = machine.sync(clock=clock)
            until(lambda: len(machine.journal.accepted()) >= turn * share + share // 2, 60, "half is taken")  # noqa: B023
            _set(clock, afterwards)
            assert submitter.wait(120)
            if turn % 2:  # whatever was on its way is met by another clock
                sync.kill()
            else:
                until(lambda: auditor.drained(machine), 120, f"everything is delivered, turn {turn}")
                sync.kill()
        _set(clock, 0.0)
        machine.sync(clock=clock)
        until(lambda: auditor.drained(machine), 120, "everything is delivered in the end")
        found = auditor.reckon(town)
    report("clock steps", "2020, +10 years, -1 day while running", **found.figures)
    assert found.green, found
    assert found.accepted == share * len(starts)


def _set(clock: Path, seconds: float) -> None:
    """In one step: a process reads it all the time."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.replace(clock)
