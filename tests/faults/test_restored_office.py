"""An office restored from an old copy: comparing day by day finds exactly what is gone, and it is sent again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from harness import auditor
from harness.campaign import Campaign, Report
from harness.town import Town, until

_DATABASE = ("office.db", "office.db-wal", "office.db-shm")


def test_an_office_restored_from_an_old_copy(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    before, since = campaign.many(40, 10), campaign.many(60, 10)
    with Town(tmp_path / "town", campaign.random("restored")) as town:
        machine = town.machine
        copy = tmp_path / "copy"
        copy.mkdir()
        _deliver(town, 1, before)
        town.stop_office()
        for name in _DATABASE:
            if (town.office_data / name).exists():
                shutil.copy(town.office_data / name, copy / name)
        town.start_office()
        _deliver(town, before + 1, before + since)
        assert auditor.reckon(town).green
        _restore(town, copy)
        control = auditor.reckon(town)  # of the restored office as it is: the loss must be seen
        town.start_office()
        machine.sync()
        told = machine.call("sync", "reconcile", "--json")
        assert told.returncode in (0, 1), told.stderr
        until(lambda: auditor.drained(machine), 120, "what was gone is sent again")
        found = auditor.reckon(town)
    report(
        "office restored from an old copy", f"{since} of {before + since} gone", control=control.control(), **found.figures,
    )
    assert len(control.lost) == since, control
    assert found.green, found
    assert since in json.loads(told.stdout).values(), told.stdout


def _deliver(town: Town, first: int, last: int) -> None:
    assert town.machine.submit(last, first=first, pause_s=0.0).wait(120)
    town.machine.sync()
    until(lambda: auditor.drained(town.machine), 120, "everything is delivered")
    town.machine.processes["sync"].stop()


def _restore(town: Town, copy: Path) -> None:
    """The office stands still."""
    for name in _DATABASE:
        (town.office_data / name).unlink(missing_ok=True)
        if (copy / name).exists():
            shutil.copy(copy / name, town.office_data / name)
