"""The real office, restored from an old backup: what it lost is found by days and sent again, byte for byte (LC-01, SY-23)."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from machines import TIMES, Machine, now
from office_stub import NOW, make_draft
from real_office import RealOffice
from sqlalchemy import text

from kiosk.domain.case import CaseReceipt
from kiosk.store.account import delivered_days
from kiosk.store.cases import CaseStore
from kiosk.sync.reconcile import Reconciled, reconcile_once
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.status import read_status

BACKUP = "from kiosk.office.backup.make import make_backup\none = make_backup()\nfound = [one.pk, one.trouble, one.file]"
ROWS = "from kiosk.office.models import Envelope\nfound = {one.pk: bytes(one.raw).hex() for one in Envelope.objects.all()}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[RealOffice]:
    one = RealOffice(tmp_path / "office")
    one.start()
    yield one
    one.stop()


@pytest.fixture
def machine(office: RealOffice, tmp_path: Path) -> Iterator[Machine]:
    one = Machine(tmp_path / "kiosk")
    one.enrol(office.codes("HG01")[0])
    yield one
    one.close()


def reconciled(machine: Machine) -> Reconciled:
    done = reconcile_once(machine.engine, TIMES, now)
    assert done is not None and done.trouble is None, done
    return done


def sealed(machine: Machine) -> dict[str, str]:
    with machine.engine.connect() as connection:
        return {row[0]: row[1].hex() for row in connection.execute(text("SELECT id, sealed FROM cases"))}


def levels(machine: Machine) -> list[tuple[str, str | None]]:
    with machine.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT state, ack_level FROM outbox ORDER BY seq"))]


def restore(office: RealOffice, backup: str) -> None:
    office.stop()
    for beside in office.data.glob("office.db*"):
        beside.unlink()
    shutil.copy(office.data / "backups" / backup, office.data / "office.db")
    office.start()


def of_five_days(machine: Machine, first: int, until: dt.datetime = NOW) -> None:
    for day in range(5):
        at = until - dt.timedelta(days=day)
        draft = replace(make_draft(number=f"9999011950{first + day:08d}"), captured_at=at)
        receipt = CaseStore(machine.engine, 0).submit(draft, EnvelopeSealer(machine.engine, simulated=True), at)
        assert isinstance(receipt, CaseReceipt), receipt


def at_same_address(machine: Machine, office: RealOffice) -> None:
    """The office came back on another port."""
    with machine.engine.begin() as connection:
        stored = connection.exec_driver_sql("SELECT value FROM setting WHERE name = 'identity'").scalar_one()
        old = machine.identity.office_url
        connection.exec_driver_sql("UPDATE setting SET value = ? WHERE name = 'identity'", (stored.replace(old, office.url),))


def test_safe_only_after_a_verified_backup(office: RealOffice, machine: Machine) -> None:
    of_five_days(machine, 1)
    assert machine.deliver().unsafe == 5
    assert reconciled(machine).made_safe == 0
    pk, trouble, _ = office.ask(BACKUP)
    assert not trouble
    machine.beat()
    done = reconciled(machine)
    assert (done.made_safe, done.sent_again, done.lost, done.backup) == (5, 0, 0, pk)
    assert levels(machine) == [("acked", "safe")] * 5
    assert reconciled(machine).made_safe == 0
    machine.hand_in(9)
    machine.deliver()
    done = reconciled(machine)
    assert done.differing == 1 and levels(machine)[-1] == ("acked", "committed")


def test_what_a_restored_office_has_lost_is_sent_again(office: RealOffice, machine: Machine) -> None:
    of_five_days(machine, 1, NOW - dt.timedelta(days=5))
    machine.deliver()
    _, _, file = office.ask(BACKUP)
    of_five_days(machine, 11)
    of_five_days(machine, 21)
    machine.deliver()
    before = office.ask(ROWS)
    assert before == sealed(machine) and len(before) == 15
    assert office.ask(BACKUP)[1] == "" and reconciled(machine).made_safe == 15

    restore(office, file)
    at_same_address(machine, office)
    assert len(office.ask(ROWS)) == 5
    done = reconciled(machine)
    lost_days = {NOW.date() - dt.timedelta(days=day) for day in range(5)}
    assert {one.day for one in done.table if not one.live} == lost_days == {one.day for one in done.table if one.missing}
    assert (done.sent_again, done.lost) == (10, 0)
    assert levels(machine)[5:] == [("pending", None)] * 10
    machine.deliver()
    assert office.ask(ROWS) == before
    assert reconciled(machine).sent_again == 0
    assert office.ask(BACKUP)[1] == ""
    reconciled(machine)
    assert levels(machine) == [("acked", "safe")] * 15
    assert len(list((office.data / "backups").glob("office-*.db"))) == 3, "the newer copy of before the restore is still there"


def test_two_terminals_each_for_its_own(office: RealOffice, machine: Machine, tmp_path: Path) -> None:
    other = Machine(tmp_path / "other")
    other.enrol(office.codes("HG02")[0])
    machine.hand_in(1)
    other.hand_in(2)
    other.deliver()
    _, _, file = office.ask(BACKUP)
    machine.deliver()
    other.hand_in(3)
    other.deliver()
    before = office.ask(ROWS)
    restore(office, file)
    for one in (machine, other):
        at_same_address(one, office)
        assert reconciled(one).sent_again == 1
        one.deliver()
        assert reconciled(one).sent_again == 0
    assert office.ask(ROWS) == before == sealed(machine) | sealed(other)
    other.close()


def test_what_is_erased_here_comes_back_from_the_archive(office: RealOffice, machine: Machine) -> None:
    machine.hand_in(1)
    machine.deliver()
    _, _, old = office.ask(BACKUP)
    machine.hand_in(2)
    machine.deliver()
    before = office.ask(ROWS)
    office.ask(BACKUP)
    assert reconciled(machine).made_safe == 2
    with machine.engine.begin() as connection:
        connection.execute(text("UPDATE cases SET sealed = x'', purged = '2026-11-24 00:00:00'"))

    restore(office, old)
    at_same_address(machine, office)
    done = reconciled(machine)
    assert (done.sent_again, done.lost) == (0, 1)
    status = read_status(machine.engine, now())
    assert status.lost == 1 and not status.green
    reconciled(machine)  # says the same again: no second alarm
    alarms = office.ask(
        "from kiosk.office.models import AuditEntry\n"
        "found = list(AuditEntry.objects.filter(action='missing').values_list('subject', 'detail__count'))"
    )
    assert alarms == [["HG01", 1]]

    told = office.ask("from kiosk.office import service\nfound = service.take_archive()")
    assert told == {"known": 1, "new": 1}
    assert office.ask(ROWS) == before
    assert reconciled(machine).lost == 0
    assert read_status(machine.engine, now()).lost == 0


def test_purged_rows_are_still_in_the_account(office: RealOffice, machine: Machine) -> None:
    machine.hand_in(1)
    machine.deliver()
    with machine.engine.begin() as connection:
        connection.execute(text("UPDATE cases SET sealed = x'', purged = '2026-11-24 00:00:00'"))
    ((cases),) = delivered_days(machine.engine, 10).values()
    assert [one.purged for one in cases] == [True]
    assert reconciled(machine).differing == 1  # not safe yet, but not missing either
    assert reconciled(machine).lost == 0
