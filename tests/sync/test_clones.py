"""Two machines with one disk: noticed, told to people, ended by enrolling anew, and not one case lost or doubled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import Machine, now
from real_office import RealOffice

from kiosk.sync import clock, heartbeat
from kiosk.sync.identity import Identity
from kiosk.sync.renew import RenewFailed
from kiosk.sync.status import read_status


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOffice]:
    office = RealOffice(tmp_path_factory.mktemp("town") / "office")
    office.start()
    yield office
    office.stop()


@pytest.fixture
def twins(town: RealOffice, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Machine, Machine]]:
    """One enrolled terminal and a copy of its disk, made while one case had not yet been sent."""
    first = Machine(tmp_path / "a")
    first.enrol(town.codes(request.param)[0])
    first.hand_in(1)
    second = first.copy_to(tmp_path / "b")
    yield first, second
    first.close()
    second.close()


def stands(town: RealOffice, terminal_id: str) -> tuple[bool, list[str], dict[str, int]]:
    """Whether the desk shows the alarm, what showed it, and the forks of all envelopes by id."""
    noticed, signs, envelopes = town.ask(
        "from kiosk.office.models import *\n"
        f"noticed = Terminal.objects.get(pk={terminal_id!r}).clone_noticed is not None\n"
        f"entries = AuditEntry.objects.filter(action='clone', actor={terminal_id!r}).order_by('n')\n"
        "signs = [e.detail.get('sign', 'stored') for e in entries]\n"
        f"found = [noticed, signs, dict(Envelope.objects.filter(terminal={terminal_id!r}).values_list('id', 'fork'))]"
    )
    return noticed, signs, envelopes


@pytest.mark.parametrize("twins", ["CL01"], indirect=True)
def test_a_number_used_twice(town: RealOffice, twins: tuple[Machine, Machine]) -> None:
    first, second = twins
    ours, theirs = first.hand_in(2), second.hand_in(3)  # both have the number 2
    assert first.deliver().delivered == 2
    counts = second.deliver()
    assert (counts.delivered, counts.dead) == (1, 1), "the case both have is one case; the other waits for staff"
    noticed, signs, envelopes = stands(town, "CL01")
    assert (noticed, signs, len(envelopes)) == (True, ["number_twice"], 2)
    second.beat()
    status = read_status(second.engine, now())
    assert status.clone and not status.green

    again = second.enrol(town.codes("CL01")[0])
    assert again.epoch == 2 and not read_status(second.engine, now()).clone
    assert second.deliver().delivered == 2
    noticed, signs, envelopes = stands(town, "CL01")
    assert not noticed and len(envelopes) == 3 and (envelopes[ours], envelopes[theirs]) == (0, 1)
    assert second.deliver() == second.deliver(), "nothing goes twice"
    later = second.hand_in(4)
    assert second.deliver().delivered == 3 and later in stands(town, "CL01")[2]


@pytest.mark.parametrize("twins", ["CL02"], indirect=True)
def test_the_copy_gets_a_number_of_its_own(town: RealOffice, twins: tuple[Machine, Machine]) -> None:
    first, second = twins
    first.hand_in(2)
    theirs = second.hand_in(3)
    first.deliver()
    second.deliver()
    assert second.enrol(town.codes("CL92")[0]).terminal_id == "CL92"
    assert second.deliver().delivered == 2
    assert stands(town, "CL02")[2][theirs] == 1
    second.hand_in(4)
    assert second.deliver().delivered == 3


@pytest.mark.parametrize("twins", ["CL03"], indirect=True)
def test_starts_that_take_turns(town: RealOffice, twins: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    boots = {one: str(uuid.uuid4()) for one in twins}

    def beat(machine: Machine) -> None:
        for room in (clock, heartbeat):
            monkeypatch.setattr(room, "boot_id", lambda: boots[machine])
        machine.beat()

    first, second = twins
    beat(first)
    beat(second)
    assert not stands(town, "CL03")[0], "one machine may have been switched off and on"
    beat(first)
    assert stands(town, "CL03")[:2] == (True, ["boot_came_back"])
    beat(second)
    assert all(read_status(one.engine, now()).clone for one in twins), "both are told"
    assert stands(town, "CL03")[1] == ["boot_came_back"], "written once"
    first.enrol(town.codes("CL03")[0])
    beat(first)
    assert not stands(town, "CL03")[0]
    beat(second)  # still of the enrolment before
    assert stands(town, "CL03")[:2] == (True, ["boot_came_back", "old_enrolment_lives"])
    assert read_status(second.engine, now()).heartbeat_trouble == "refused_clone"


@pytest.mark.parametrize("twins", ["CL04"], indirect=True)
def test_both_renew(town: RealOffice, twins: tuple[Machine, Machine]) -> None:
    for one in twins:
        one.age()
    first, second = twins
    ours, theirs = first.hand_in(2), second.hand_in(3)
    renewed = first.renew()
    assert isinstance(renewed, Identity) and renewed.epoch == 2
    assert second.renew() == RenewFailed("refused_clone")
    assert read_status(second.engine, now()).clone and stands(town, "CL04")[:2] == (True, ["renewed_twice"])
    first.deliver()
    second.deliver()
    assert second.enrol(town.codes("CL04")[0]).epoch == 3
    second.deliver()
    assert {ours, theirs} < stands(town, "CL04")[2].keys()
