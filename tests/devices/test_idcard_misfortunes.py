"""The misfortunes of card readers collected in the field (CR-01 … CR-06), on the identity-card reader's real protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from idcard_desk import LIFTED, MINE, QUICK, SEEN, THEIRS, Desk, until

from kiosk.devices import cabling
from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.idcard.codec import Command, Sw3
from kiosk.devices.idcard.service import IdCardService
from kiosk.devices.identify import identify
from kiosk.domain.status import DeviceState, DeviceStatus
from kiosk.domain.trouble import CardTrouble

TIMING = replace(QUICK, answer=0.15)
READY, OFFLINE = DeviceState.READY, DeviceState.OFFLINE


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers at the port of a lost reader is asked with less patience than a slow converter needs."""
    monkeypatch.setattr(cabling, "identify", partial(identify, patience=0.2))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[IdCardEmulator]:
    with IdCardEmulator(tmp_path / "idcard") as reader:
        yield reader
        harmless = {Command.RESET, Command.STATUS, Command.SAM_ID, Command.FIND, Command.SELECT, Command.READ}
        assert set(reader.received) <= harmless, "CR-02: nothing is ever written, no fingerprint is ever read"


@pytest.fixture
def desk(reader: IdCardEmulator) -> Iterator[Desk]:
    desk = Desk(reader, TIMING)
    desk.service.cabling.ask_again_s = 0.5
    yield desk
    assert desk.service.stop()


def reasons(desk: Desk) -> list[str]:
    return [status.reason or status.state.value for status in desk.statuses]


def recovers(desk: Desk) -> None:
    """Everything is well again; nobody touched the program: the next person's card is read."""
    desk.reader.cure()
    desk.reader.lift()
    desk.reader.plug()
    until(lambda: desk.service.status.usable, lambda: reasons(desk), 20)
    desk.service.release()
    until(lambda: desk.events.count(SEEN) == desk.events.count(LIFTED), desk.happened, 20)
    desk.service.seek()
    desk.lay(THEIRS)
    until(lambda: THEIRS.number in desk.happened(), desk.happened, 20)
    assert desk.happened().count(THEIRS.number) == 1
    assert desk.happened().count(MINE.number) <= 1


# --- the same fault in every state ---


def proving(desk: Desk) -> None:
    desk.reader.behave(Manner.MUTE)
    desk.service.start()
    until(lambda: Command.STATUS in desk.reader.received)
    desk.reader.cure()


def idle(desk: Desk) -> None:
    desk.service.start()
    desk.expect_status(READY)
    until(lambda: Command.SAM_ID in desk.reader.received[:-1])


def seeking(desk: Desk) -> None:
    idle(desk)
    desk.service.seek()
    desk.polls(2)


def reading(desk: Desk) -> None:
    seeking(desk)
    desk.reader.delays[Command.READ] = 0.3
    desk.lay(MINE)
    until(lambda: Command.READ in desk.reader.received)


def waiting_for_removal(desk: Desk) -> None:
    seeking(desk)
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.polls(2)


FAULTS: dict[str, tuple[Callable[[IdCardEmulator], None], tuple[DeviceState, str], str]] = {
    "unplug": (IdCardEmulator.unplug, (OFFLINE, "no_port"), "line_lost"),
    "mute": (lambda reader: reader.behave(Manner.MUTE), (OFFLINE, "mute"), "mute"),
    "babble": (lambda reader: reader.behave(Manner.BABBLE), (OFFLINE, "babbling"), "line_errors"),
    "wrong checksum": (lambda reader: reader.behave(Manner.WRONG_CHECKSUM), (OFFLINE, "wrong_device"), "line_errors"),
    "stalled line": (IdCardEmulator.stall, (OFFLINE, "stalled"), "stalled"),
    "replug elsewhere": (IdCardEmulator.replug_elsewhere, (READY, ""), "line_lost"),
}
"""What happens, where the status ends up, and what it says on the way there once the reader had been proved."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("state", [proving, idle, seeking, reading, waiting_for_removal], ids=lambda state: state.__name__)
def test_every_fault_in_every_state_has_its_name_and_ends_by_itself(
    desk: Desk, state: Callable[[Desk], None], fault: str
) -> None:
    strike, ends_as, on_the_way = FAULTS[fault]
    state(desk)
    strike(desk.reader)
    if state is not proving:
        until(lambda: on_the_way in reasons(desk), lambda: reasons(desk), 20)
    desk.expect_status(*ends_as, seconds=20)
    if state is proving and fault != "replug elsewhere":
        assert READY not in [status.state for status in desk.statuses]
    recovers(desk)


# --- CR-01: a card that cannot be read must not be met with silence ---


@pytest.mark.parametrize(
    ("command", "sw3", "word"),
    [
        (Command.SELECT, Sw3.SELECT_FAILED, CardTrouble.LAY_AGAIN),
        (Command.SELECT, Sw3.UNKNOWN_CARD_TYPE, CardTrouble.NOT_AN_ID_CARD),
        (Command.SELECT, Sw3.UNRECOGNISED_ERROR, CardTrouble.LAY_AGAIN),
        (Command.READ, Sw3.READ_FAILED, CardTrouble.LAY_AGAIN),
        (Command.READ, Sw3.NOT_ALLOWED_NOW, CardTrouble.LAY_AGAIN),
        (Command.READ, 0x00, CardTrouble.LAY_AGAIN),
    ],
)
def test_cr_01_a_card_that_was_seen_is_read_or_spoken_of(desk: Desk, command: Command, sw3: int, word: CardTrouble) -> None:
    desk.service.start()
    desk.reader.inject(command, sw3)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, word)
    desk.polls()
    desk.expect(SEEN, word)
    recovers(desk)


@pytest.mark.parametrize("manner", [Manner.MUTE, Manner.TRUNCATED, Manner.HALF_THEN_SILENT])
def test_cr_01_a_card_whose_content_never_comes_is_spoken_of(desk: Desk, manner: Manner) -> None:
    desk.service.start()
    desk.reader.behave(manner, times=1, command=Command.READ)
    desk.service.seek()
    desk.lay(MINE)
    until(lambda: CardTrouble.LAY_AGAIN in desk.events, desk.happened)
    recovers(desk)


def test_cr_01_a_card_at_the_edge_of_the_field_is_one_laying(desk: Desk) -> None:
    desk.service.start()
    desk.reader.flapping = True
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.polls(12)
    desk.expect(SEEN, MINE.number)
    recovers(desk)


# --- CR-02: a card pulled away is an ordinary result; that nothing is written, the fixture checks everywhere ---


@pytest.mark.parametrize("after", [Command.FIND, Command.SELECT, Command.READ], ids=lambda command: command.name)
def test_cr_02_a_card_pulled_away_at_any_moment(desk: Desk, after: Command) -> None:
    desk.service.start()
    desk.reader.vanish_after = after
    desk.service.seek()
    desk.lay(MINE)
    until(lambda: LIFTED in desk.events, desk.happened)
    assert [event for event in desk.happened() if event is not CardTrouble.LAY_AGAIN] == (
        [SEEN, MINE.number, LIFTED] if after is Command.READ else [SEEN, LIFTED]
    )
    recovers(desk)
    assert {status.state for status in desk.statuses} == {READY}


# --- CR-03: a reader by configuration and probe, not by model ---


def test_cr_03_another_machine_at_the_configured_port_is_found_out(tmp_path: Path) -> None:
    statuses: list[DeviceStatus] = []
    with PtyPort(tmp_path / "idcard") as line, PrinterEmulator(line, slip_dir=tmp_path):
        service = IdCardService(str(line.path), 115200, statuses.append, lambda event: None, TIMING)
        service.cabling.ask_again_s = 0.5
        service.start()
        until(lambda: service.status.reason == "found_printer", lambda: statuses, 20)
        assert service.stop()
    assert statuses[-2].reason == "found_printer" and not any(status.usable for status in statuses)


@pytest.mark.parametrize("sw3", [Sw3.UNKNOWN_COMMAND, Sw3.NO_CARD, Sw3.NO_CONTENT, 0x00])
def test_cr_03_who_answers_like_a_reader_and_has_no_sam_is_none(desk: Desk, sw3: int) -> None:
    desk.reader.inject(Command.SAM_ID, sw3)
    desk.service.start()
    desk.expect_status(OFFLINE, "wrong_device", 20)
    assert READY not in [status.state for status in desk.statuses]
    recovers(desk)


# --- CR-04: a port that is back proves nothing ---


@pytest.mark.parametrize("elsewhere", [False, True])
def test_cr_04_a_port_that_came_back_is_not_a_reader(desk: Desk, elsewhere: bool) -> None:
    idle(desk)
    desk.reader.behave(Manner.MUTE)
    if elsewhere:
        desk.reader.replug_elsewhere()
    else:
        desk.reader.unplug()
        desk.expect_status(OFFLINE, "no_port", 20)
        desk.reader.plug()
    desk.expect_status(OFFLINE, "mute", 20)
    assert reasons(desk).count("ready") == 1
    recovers(desk)


# --- CR-05: another node, and a reader that needs its time ---


def test_cr_05_the_name_stays_and_the_node_changes(desk: Desk) -> None:
    idle(desk)
    for cards in range(3):
        before = desk.reader.port.path.readlink()
        desk.reader.replug_elsewhere()
        assert desk.reader.port.path.readlink() != before
        until(lambda cards=cards: reasons(desk).count("ready") == cards + 2, lambda: reasons(desk), 20)  # type: ignore[misc]
    recovers(desk)


def test_cr_05_a_module_that_wakes_slowly_is_waited_for(desk: Desk) -> None:
    """Plugged in, it says nothing for longer than one round of questions."""
    idle(desk)
    desk.reader.unplug()
    desk.reader.behave(Manner.MUTE)
    desk.reader.plug()
    asked = desk.reader.received.count(Command.STATUS)
    until(lambda: desk.reader.received.count(Command.STATUS) > asked + 3, seconds=20)
    recovers(desk)


# --- CR-06: one thread, a bounded stop, and nobody waits for a human under a lock ---


def test_cr_06_only_one_thread_ever_touches_the_line(desk: Desk) -> None:
    threads: set[int] = set()
    desk.service.tap = lambda direction, data: threads.add(threading.get_ident())
    idle(desk)

    def hurry() -> None:
        for _ in range(50):
            desk.service.seek()
            desk.service.release()

    hasty = [threading.Thread(target=hurry) for _ in range(4)]
    for thread in hasty:
        thread.start()
    for thread in hasty:
        thread.join(5.0)
        assert not thread.is_alive(), "an order waits for nothing"
    desk.service.seek()
    desk.lay(MINE)
    until(lambda: MINE.number in desk.happened(), desk.happened)
    recovers(desk)
    assert len(threads) == 1 and threading.get_ident() not in threads


@pytest.mark.parametrize("fault", [*FAULTS, "none"])
def test_cr_06_stop_is_bounded_whatever_the_device_does(desk: Desk, fault: str) -> None:
    reading(desk)
    if fault != "none":
        FAULTS[fault][0](desk.reader)
    assert desk.service.stop(1.0)
    assert not any(thread.name == "device-idcard" for thread in threading.enumerate())


def test_cr_06_a_person_who_takes_their_time_holds_nothing_up(desk: Desk) -> None:
    """While somebody is asked to lay the card again, orders and stop are obeyed."""
    desk.service.start()
    desk.reader.inject(Command.READ, Sw3.READ_FAILED)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, CardTrouble.LAY_AGAIN)
    desk.service.release()
    reads = desk.reader.received.count(Command.READ)
    desk.polls(3)
    assert desk.reader.received.count(Command.READ) <= reads + 1
    assert desk.service.stop(1.0)
