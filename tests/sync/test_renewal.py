"""Keys renewed by themselves: when old, after years, never twice, never after a revocation, and never bricking a machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import Machine, now
from real_office import RealOffice
from sqlalchemy import Engine

from kiosk.store.roster import Roster
from kiosk.sync import renew as renewing
from kiosk.sync.identity import Identity, earlier_keys
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.pulls import pull_roster
from kiosk.sync.renew import RenewFailed
from kiosk.sync.status import read_status
from kiosk.sync.wire.keys import private_hex


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOffice]:
    office = RealOffice(tmp_path_factory.mktemp("town") / "office")
    office.start()
    yield office
    office.stop()


@pytest.fixture
def machine(town: RealOffice, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    one = Machine(tmp_path / "m")
    one.enrol(town.codes(request.param)[0])
    yield one
    one.close()


def epochs(town: RealOffice, terminal_id: str) -> list[list[int | None]]:
    found: list[list[int | None]] = town.ask(
        "from kiosk.office.models import *\n"
        f"found = [list(k) for k in TerminalKey.objects.filter(terminal={terminal_id!r}).order_by('epoch')"
        ".values_list('epoch', 'renewed_from')]"
    )
    return found


def envelopes(town: RealOffice, terminal_id: str) -> list[tuple[str, int]]:
    found = town.ask(
        "from kiosk.office.models import *\n"
        f"found = list(Envelope.objects.filter(terminal={terminal_id!r}).values_list('id', 'epoch'))"
    )
    return sorted((case_id, epoch) for case_id, epoch in found)


@pytest.mark.parametrize("machine", ["RN01"], indirect=True)
def test_an_old_key_is_renewed_and_everything_goes_on(town: RealOffice, machine: Machine) -> None:
    before = machine.identity
    assert machine.renew() is None, "nobody has checked the clock yet"
    machine.beat()
    assert machine.renew() is None, "it is new"
    machine.age()
    old_case = machine.hand_in(1)
    renewed = machine.renew()
    assert isinstance(renewed, Identity) and renewed.epoch == 2 and machine.renew() is None
    assert private_hex(renewed.signing_key) != private_hex(before.signing_key)
    assert [one.signing_key for one in earlier_keys(machine.engine)] == [private_hex(before.signing_key)]
    new_case = machine.hand_in(2)
    assert machine.deliver().delivered == 2
    machine.beat()
    assert read_status(machine.engine, now()).heartbeat_trouble is None
    with OfficeLink(town.url, 5, 10) as link:
        assert pull_roster(link, machine.identity, Roster(machine.engine), now()).trouble is None
    assert envelopes(town, "RN01") == sorted([(old_case, 1), (new_case, 2)])
    assert epochs(town, "RN01") == [[1, None], [2, 1]]


@pytest.mark.parametrize("machine", ["RN02"], indirect=True)
def test_a_lost_answer_and_a_crash_cost_nothing(
    town: RealOffice, machine: Machine, monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine.age()
    real, lost = OfficeLink.exchange, threading.Event()

    def losing(self: OfficeLink, *request: object) -> object:
        answer = real(self, *request)  # type: ignore[arg-type]
        assert isinstance(answer, Answer) and answer.status == 200
        lost.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(OfficeLink, "exchange", losing)
    with pytest.raises(KeyboardInterrupt):
        machine.renew()
    assert lost.is_set() and machine.identity.epoch == 1
    monkeypatch.setattr(OfficeLink, "exchange", real)

    def power_fails(engine: Engine, *_: object) -> Identity:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(renewing, "take_identity", power_fails)
        with pytest.raises(KeyboardInterrupt):
            machine.renew()
    assert machine.identity.epoch == 1
    renewed = machine.renew()
    assert isinstance(renewed, Identity) and renewed.epoch == 2
    assert epochs(town, "RN02") == [[1, None], [2, 1]], "asked three times, renewed once, and no alarm"
    machine.beat()
    assert not read_status(machine.engine, now()).clone


@pytest.mark.parametrize("machine", ["RN03"], indirect=True)
def test_a_revoked_terminal_is_refused_everything_and_comes_back_with_a_code(town: RealOffice, machine: Machine) -> None:
    machine.age()
    waiting = machine.hand_in(1)
    town.ask("from kiosk.office.enrolment import revoke\nfound = revoke('RN03', 't')")
    assert machine.renew() == RenewFailed("refused_device")
    counts = machine.deliver()
    assert (counts.unsent, counts.dead) == (1, 0)
    machine.beat()
    with OfficeLink(town.url, 5, 10) as link:
        assert pull_roster(link, machine.identity, Roster(machine.engine), now()).trouble == "refused_device"
    assert read_status(machine.engine, now()).heartbeat_trouble == "refused_device"
    machine.enrol(town.codes("RN03")[0])
    status = read_status(machine.engine, now())
    assert (status.heartbeat_trouble, status.alarm, status.unsent) == (None, None, 1)
    newer = machine.hand_in(2)
    assert machine.deliver().delivered == 2, "the new enrolment stands up for the case of the ended one"
    assert envelopes(town, "RN03") == sorted([(waiting, 1), (newer, 2)])


@pytest.mark.parametrize("machine", ["RN04"], indirect=True)
def test_an_office_restored_from_before_the_renewal(town: RealOffice, machine: Machine) -> None:
    machine.age()
    assert isinstance(machine.renew(), Identity)
    case = machine.hand_in(1)
    town.ask("from kiosk.office.models import *\nfound = TerminalKey.objects.filter(terminal='RN04', epoch=2).delete()")
    machine.beat()
    assert read_status(machine.engine, now()).heartbeat_trouble == "refused_device"
    assert machine.deliver().unsent == 1
    renewed = machine.renew()
    assert isinstance(renewed, Identity) and renewed.epoch == 2
    assert machine.deliver().delivered == 1
    machine.beat()
    assert read_status(machine.engine, now()).heartbeat_trouble is None and case
