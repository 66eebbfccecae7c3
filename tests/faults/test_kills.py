"""kill -9 of every process, at random and at every named point of a submission: what was promised is there once."""

from __future__ import annotations

from pathlib import Path

from harness import auditor, points
from harness.campaign import Campaign, Report
from harness.reaper import Reaper
from harness.town import Town, until

_DRAIN_S = 300.0


def test_kill_9_at_every_point_and_at_random(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    with Town(tmp_path / "town", campaign.random("kills/line")) as town:
        town.stop_office()
        reaper = Reaper(town, campaign.random("kills"))
        reaper.kill_each(reaper.schedule(campaign.many(330)))
        town.machine.processes["submitter"].stop()
        until(lambda: auditor.drained(town.machine), _DRAIN_S, "everything is delivered")
        found = auditor.reckon(town)
    control = _boasting(tmp_path / "control", campaign)
    killed = sum(reaper.kills.values())
    report("kill -9", f"{killed} kills at {len(reaper.kills)} points", control=control.control(), **found.figures)
    assert found.green, found
    assert not reaper.missed
    named = {*points.SUBMIT, *points.SYNC, *points.OFFICE}
    assert named <= {point for _, point in reaper.kills}
    assert control.lost, "a promise before the commit went unnoticed"


def _boasting(folder: Path, campaign: Campaign) -> auditor.Findings:
    """The control: a terminal that says 已受理 before the commit, and dies there."""
    with Town(folder, campaign.random("boasting")) as town:
        town.machine.sync()
        for n in range(3):
            child = town.machine.submit(10 * (n + 1), "before_sqlite_commit", 3, boasts=True, pause_s=0.01)
            assert child.wait(60)
        assert town.machine.submit(40, first=31, pause_s=0.01).wait(60)
        until(lambda: auditor.drained(town.machine), 60, "the control is delivered")
        return auditor.reckon(town)
