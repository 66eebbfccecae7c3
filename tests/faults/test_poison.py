"""Cases that cannot be delivered: none of them holds the others up, and none dies but by the office's signed word."""

from __future__ import annotations

from pathlib import Path

from harness import auditor, credulous
from harness.campaign import Campaign, Report
from harness.submitter import Journal
from harness.town import Machine, Town, until
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kiosk.store.models import CaseRow, OutboxRow
from kiosk.store.opening import open_store


def test_poison_cases(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    """One always 500, one always an unsigned 422, one refused with a signature: the others arrive, then the unsigned two."""
    cases = campaign.many(40, 12)
    with Town(tmp_path / "town", campaign.random("poison")) as town:
        machine = town.machine
        assert machine.submit(cases, pause_s=0.0).wait(120)
        broken, unsigned, refused = _ids(machine.journal)[1:4]
        town.proxy.fate_of = {broken: "status_500", unsigned: "status_422"}
        _spoil_signature(machine, refused)
        machine.sync()
        until(lambda: _states(machine).count("acked") == cases - 3, 120, "all others are delivered")
        until(lambda: _attempts(machine, broken) >= 3 and _attempts(machine, unsigned) >= 3, 60, "the two come again and again")
        states = _by_id(machine)
        assert (states[broken], states[unsigned], states[refused]) == ("pending", "pending", "dead")
        town.proxy.fate_of.clear()
        until(lambda: auditor.drained(machine), 60, "the two are delivered in the end")
        found = auditor.reckon(town, dead=frozenset({refused}))
    report("poison cases", "one 500, one unsigned 422, one refused", **found.figures)
    assert found.green, found


def test_a_case_that_crashes_the_uploader(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    """It is not the first one after every restart: with each life it waits longer, and the others go out."""
    cases = campaign.many(40, 12)
    with Town(tmp_path / "town", campaign.random("crash")) as town:
        machine = town.machine
        machine.set("backoff_base_s", 0.5)  # a life of the process must fit into a wait
        machine.set("backoff_cap_s", 20)
        assert machine.submit(cases, pause_s=0.0).wait(120)
        poison = _ids(machine.journal)[0]
        crashes = 0
        while _states(machine).count("acked") < cases - 1:
            sync = machine.sync(work=credulous.fragile_sync, before=(poison,))
            assert sync.wait(60), "it did not even try"
            assert sync.exitcode == 70
            crashes += 1
            assert crashes <= cases, "no life brings anything forward"
        assert _by_id(machine)[poison] == "pending"
        machine.sync()
        until(lambda: auditor.drained(machine), 60, "a mended program delivers it")
        found = auditor.reckon(town)
    report("case that crashes the uploader", f"{crashes} crashes", **found.figures)
    assert found.green, found


def _ids(journal: Journal) -> list[str]:
    """Oldest first."""
    return [case_id for _, case_id in sorted(journal.accepted().items())]


def _spoil_signature(machine: Machine, case_id: str) -> None:
    engine = open_store(machine.config)
    with Session(engine) as session, session.begin():
        session.execute(update(CaseRow).where(CaseRow.id == case_id).values(signature="00" * 64))
    engine.dispose()


def _by_id(machine: Machine) -> dict[str, str]:
    engine = open_store(machine.config)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        found = {row.case_id: row.state for row in session.scalars(select(OutboxRow))}
    engine.dispose()
    return found


def _states(machine: Machine) -> list[str]:
    return list(_by_id(machine).values())


def _attempts(machine: Machine, case_id: str) -> int:
    engine = open_store(machine.config)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        found = session.scalars(select(OutboxRow.attempts).where(OutboxRow.case_id == case_id)).one()
    engine.dispose()
    return found
