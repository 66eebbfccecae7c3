"""A cloned disk: two machines with one identity. The office notices, and after both are enrolled anew nothing is missing."""

from __future__ import annotations

from pathlib import Path

from harness import auditor
from harness.campaign import Campaign, Report
from harness.town import Machine, Town, until
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kiosk.store.models import OutboxRow, OutboxState
from kiosk.store.opening import open_store

_NOTICED = "from kiosk.office.models import AuditEntry; print(AuditEntry.objects.filter(action='clone').count())"


def test_two_machines_with_one_identity(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    share = campaign.many(20, 5)
    with Town(tmp_path / "town", campaign.random("clone")) as town:
        first = town.machine
        assert first.submit(share, pause_s=0.0).wait(120)
        second = first.copy_to(tmp_path / "town" / "copy")
        town.machines.append(second)
        for number, machine in enumerate((first, second), 1):
            begin = number * 1000
            machine.submit(begin + share, first=begin, pause_s=0.05)
            machine.sync()
        ended = [one.processes["submitter"] for one in town.machines]
        until(lambda: all(map(auditor.drained, town.machines)) and not any(one.alive for one in ended), 120, "all sent")
        noticed = int(town.ask_office(_NOTICED))
        clashes = sum(_dead(one) for one in town.machines)
        assert noticed and clashes, "two machines used the same numbers and nobody saw it"
        for machine, terminal in ((first, "HG01"), (second, "HG02")):
            town.enrol(machine, terminal)
        until(lambda: all(auditor.drained(one) and not _dead(one) for one in town.machines), 120, "all taken after enrolment")
        found = auditor.reckon(town)
    report("two machines, one identity", f"{clashes} numbers twice, noticed", **found.figures)
    assert found.green, found
    assert found.accepted == share + 2 * (share + 1)


def _dead(machine: Machine) -> int:
    engine = open_store(machine.config)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        found = session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.state == OutboxState.DEAD))
    engine.dispose()
    return found or 0
