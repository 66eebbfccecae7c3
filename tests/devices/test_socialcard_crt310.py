"""The whole service on a real pseudo-terminal, against a CRT-310 that misbehaves to order."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from socialcard_desk import QUICK, SocialDesk, never, until
from test_socialcard_reader import asks_for_nothing_secret, assert_no_person

from kiosk.config import SocialCardConfig
from kiosk.devices.emulated.crt310 import Crt310Emulator, Manner
from kiosk.devices.emulated.socialcard import (
    CardContent,
    ScriptedCard,
    Silence,
    other_chip,
    second_generation,
    third_generation,
    upside_down,
)
from kiosk.devices.serial_line import Direction, SerialLine
from kiosk.devices.socialcard.crt310.codec import REAR_CLOSED, CardPlace, Command, ErrorReason
from kiosk.devices.socialcard.crt310.transport import Crt310Transport
from kiosk.devices.socialcard.events import SocialCardSeen, SocialCardTaken, TakeYourCard
from kiosk.devices.socialcard.reader import SocialCardReader
from kiosk.devices.socialcard.service import SocialCardService, Timing
from kiosk.devices.socialcard.transport import CardGone, CardState, Patience, ReaderFault, Timeout
from kiosk.domain.social_card import SocialCardLevel, SocialCardTrouble
from kiosk.domain.status import DeviceState

SEEN, TAKEN, REMINDED = SocialCardSeen(), SocialCardTaken(), TakeYourCard()
FULL = SocialCardLevel.FULL
SECOND = second_generation()


@pytest.fixture
def slot(tmp_path: Path) -> Iterator[Crt310Emulator]:
    with Crt310Emulator(tmp_path / "crt") as slot:
        yield slot


@pytest.fixture
def desk(slot: Crt310Emulator) -> Iterator[SocialDesk]:
    with SocialDesk(str(slot.port.path)) as desk:
        desk.expect_status(DeviceState.READY)
        yield desk


def put_in(slot: Crt310Emulator, content: CardContent = SECOND) -> ScriptedCard:
    """As soon as the slot lets it in."""
    card = ScriptedCard(content)
    until(lambda: slot.insert(card), lambda: slot.place)
    return card


def take_out(slot: Crt310Emulator) -> None:
    until(slot.take, lambda: slot.place)


# --- the sunny way ---


def test_a_card_is_read_given_back_and_taken(slot: Crt310Emulator, desk: SocialDesk) -> None:
    assert not slot.insert(ScriptedCard(SECOND))  # nobody has asked for one
    desk.service.seek()
    card = put_in(slot)
    desk.expect(SEEN, FULL)
    assert (desk.card.number, desk.card.name) == ("999901199003070017", "测试员甲")
    until(lambda: slot.place is CardPlace.FRONT_HELD)
    take_out(slot)
    desk.expect(SEEN, FULL, TAKEN)
    until(lambda: not slot.entry_open)
    asks_for_nothing_secret(card)
    motor = [body for body in slot.received if body[0] in (0x32, 0x33, 0x37) and body[:2] != Command.APDU_T0]
    assert motor[-4:] == [Command.TO_CONTACTS, Command.COLD_RESET, Command.POWER_OFF, Command.EJECT_HELD]


def test_the_role_is_proved_and_the_entry_closed_before_ready(slot: Crt310Emulator, desk: SocialDesk) -> None:
    proof = [Command.STATUS, Command.RESET, Command.STATUS, Command.POWER_OFF, Command.CLOSE_FRONT + REAR_CLOSED]
    assert slot.received[:5] == proof
    assert not slot.entry_open
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


def test_the_states_of_a_reading(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    put_in(slot)
    desk.expect(SEEN, FULL)
    until(lambda: len(desk.statuses) >= 3)
    assert [status.state for status in desk.statuses] == [DeviceState.READY, DeviceState.BUSY, DeviceState.READY]


def test_while_nobody_waits_there_is_only_the_heartbeat(slot: Crt310Emulator, desk: SocialDesk) -> None:
    before = len(slot.received)
    until(lambda: len(slot.received) >= before + 5)
    assert set(slot.received[before + 1 :]) == {bytes(Command.STATUS)}


def test_a_third_generation_card_and_another_chip(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    other = put_in(slot, other_chip())
    desk.expect(SEEN, SocialCardLevel.NOT_SSC)
    take_out(slot)
    card = put_in(slot, third_generation())  # after another chip the next card is still wanted
    desk.expect(SEEN, SocialCardLevel.NOT_SSC, TAKEN, SEEN, SocialCardLevel.CARD_ONLY)
    asks_for_nothing_secret(other)
    asks_for_nothing_secret(card)
    take_out(slot)
    until(lambda: not slot.entry_open)
    assert not slot.insert(ScriptedCard(SECOND))


def test_released_before_a_card_came(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    until(lambda: slot.entry_open)
    desk.service.release()
    until(lambda: not slot.entry_open)
    desk.expect()


@pytest.mark.parametrize("comes_again", [False, True])
def test_a_session_left_while_the_card_is_read_gets_no_card(
    slot: Crt310Emulator, desk: SocialDesk, comes_again: bool
) -> None:
    slot.motor_s = 0.5
    desk.service.seek()
    put_in(slot)
    desk.expect(SEEN)
    desk.service.release()
    if comes_again:  # the next person: the card in the slot is not theirs
        desk.service.seek()
    take_out(slot)
    trouble = [SocialCardTrouble.TAKE_FIRST] if comes_again else []
    until(lambda: TAKEN in desk.events, desk.happened)
    assert [event for event in desk.happened() if event not in trouble] == [SEEN, TAKEN]


def test_answers_in_fragments(slot: Crt310Emulator, desk: SocialDesk) -> None:
    slot.chunk_size = 1
    desk.service.seek()
    put_in(slot)
    desk.expect(SEEN, FULL)


def test_a_technician_may_listen(slot: Crt310Emulator) -> None:
    heard: list[Direction] = []
    service = SocialCardService(SocialCardConfig(adapter="crt310", port=str(slot.port.path)), print, print, QUICK)
    service.tap = lambda direction, data: heard.append(direction)
    service.start()
    until(lambda: Direction.RECEIVED in heard and Direction.SENT in heard)
    assert service.stop()


# --- people and their cards ---


def test_a_card_the_wrong_way_round_is_told_within_seconds_and_can_be_turned(slot: Crt310Emulator, desk: SocialDesk) -> None:
    """CR-01"""
    desk.service.seek()
    put_in(slot, upside_down(SECOND))
    desk.expect(SEEN, SocialCardTrouble.NO_CONTACT)
    assert slot.received.count(Command.WARM_RESET) == 1
    take_out(slot)
    put_in(slot)
    desk.expect(SEEN, SocialCardTrouble.NO_CONTACT, TAKEN, SEEN, FULL)


def test_a_locked_card(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    put_in(slot, replace(SECOND, locked=True))
    desk.expect(SEEN, SocialCardTrouble.LOCKED)
    until(lambda: slot.place is CardPlace.FRONT_HELD)


def test_a_card_that_falls_mute_is_given_back(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    card = ScriptedCard(SECOND)
    card.silent_at = (4, Silence.MUTE)
    until(lambda: slot.insert(card))
    desk.expect(SEEN, SocialCardTrouble.UNREADABLE)
    until(lambda: slot.place is CardPlace.FRONT_HELD)
    assert desk.service.status.state is DeviceState.READY


def test_a_card_pulled_out_in_the_middle_is_an_ordinary_result(slot: Crt310Emulator, desk: SocialDesk) -> None:
    """CR-02"""
    desk.service.seek()
    card = ScriptedCard(SECOND)
    card.silent_at = (6, Silence.GONE)
    until(lambda: slot.insert(card))
    desk.expect(SEEN, SocialCardTrouble.PULLED, TAKEN)
    put_in(slot)
    desk.expect(SEEN, SocialCardTrouble.PULLED, TAKEN, SEEN, FULL)


def test_pulled_at_every_command(slot: Crt310Emulator) -> None:
    transport = Crt310Transport(str(slot.port.path), 9600, never(), patience=QUICK.patience)
    transport.open()
    transport.admit(True)
    for index in range(18):
        card = ScriptedCard(SECOND)
        card.silent_at = (index, Silence.GONE)
        assert slot.insert(card)
        with pytest.raises(CardGone):
            SocialCardReader(transport).read()
        assert len(card.log) == index + 1
        assert transport.card_state() is CardState.NONE
    transport.close()


def test_a_card_not_taken_is_mentioned_again_and_again_and_never_captured(slot: Crt310Emulator) -> None:
    with SocialDesk(str(slot.port.path), replace(QUICK, remind=0.15)) as desk:
        desk.expect_status(DeviceState.READY)
        desk.service.seek()
        put_in(slot)
        desk.expect(SEEN, FULL, REMINDED, REMINDED)
        desk.expect_status(DeviceState.DEGRADED, "card_not_taken")
        assert slot.place is CardPlace.FRONT_HELD
        take_out(slot)
        desk.expect_status(DeviceState.READY)
        until(lambda: desk.events[-1] == TAKEN)
    assert bytes.fromhex("3233") not in [body[:2] for body in slot.received]


def test_a_card_forgotten_in_the_slot_is_never_read_for_the_next_person(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    put_in(slot)
    desk.expect(SEEN, FULL)
    desk.service.seek()  # the next person
    desk.expect(SEEN, FULL, SocialCardTrouble.TAKE_FIRST)
    assert not slot.entry_open
    take_out(slot)
    put_in(slot, second_generation(1))
    desk.expect(SEEN, FULL, SocialCardTrouble.TAKE_FIRST, TAKEN, SEEN, FULL)
    assert desk.card.card_number == "X00000020"


@pytest.mark.parametrize("place", [CardPlace.INSIDE, CardPlace.CONTACTS, CardPlace.FRONT, CardPlace.FRONT_HELD])
def test_a_card_left_inside_by_a_crash_comes_out_first(slot: Crt310Emulator, place: CardPlace) -> None:
    left = ScriptedCard(SECOND)
    slot.leave(left, place)
    with SocialDesk(str(slot.port.path)) as desk:
        desk.expect_status(DeviceState.READY)
        assert slot.place is CardPlace.FRONT
        assert slot.received[:4] == [Command.STATUS, Command.RESET, Command.STATUS, Command.EJECT]
        desk.service.seek()
        desk.expect(SocialCardTrouble.TAKE_FIRST)
        take_out(slot)
        put_in(slot)
        desk.expect(SocialCardTrouble.TAKE_FIRST, SEEN, FULL)
    assert left.log == []


def test_a_card_that_slips_in_while_nobody_asks_comes_back_unread(slot: Crt310Emulator, desk: SocialDesk) -> None:
    card = ScriptedCard(SECOND)
    slot.leave(card)
    until(lambda: slot.place is CardPlace.FRONT_HELD)
    assert card.log == [] and desk.events == []


@pytest.mark.parametrize("place", [CardPlace.LONG_CARD, CardPlace.SHORT_CARD, CardPlace.REAR_HELD, CardPlace.CAPTURED])
def test_an_abnormal_card_is_for_staff(slot: Crt310Emulator, desk: SocialDesk, place: CardPlace) -> None:
    desk.service.seek()
    slot.leave(ScriptedCard(SECOND), place)
    desk.expect_status(DeviceState.OFFLINE, "abnormal_card")
    desk.expect(SocialCardTrouble.READER_LOST)
    slot.pull()
    desk.expect_status(DeviceState.READY)


def test_a_motor_that_does_not_give_the_card_back_is_told(slot: Crt310Emulator, desk: SocialDesk) -> None:
    slot.stuck = True
    desk.service.seek()
    put_in(slot)
    desk.expect_status(DeviceState.OFFLINE, "eject_failed")
    slot.cure()
    desk.expect_status(DeviceState.READY)
    assert slot.place is CardPlace.FRONT


# --- the machine ---


@pytest.mark.parametrize("manner", [Manner.NAK, Manner.WRONG_BCC, Manner.NO_ACK])
@pytest.mark.parametrize("command", [Command.STATUS, Command.APDU_T0, Command.EJECT_HELD])
def test_up_to_two_resends(slot: Crt310Emulator, desk: SocialDesk, manner: Manner, command: Command) -> None:
    slot.behave(manner, times=2, command=command)
    desk.service.seek()
    put_in(slot)
    desk.expect(SEEN, FULL)
    until(lambda: slot.place is CardPlace.FRONT_HELD)
    assert DeviceState.OFFLINE not in [status.state for status in desk.statuses]


@pytest.mark.parametrize(("manner", "reason"), [(Manner.NAK, "line_errors"), (Manner.WRONG_BCC, "line_errors")])
def test_the_third_time_the_reader_is_opened_anew(
    slot: Crt310Emulator, desk: SocialDesk, manner: Manner, reason: str
) -> None:
    desk.service.seek()
    slot.behave(manner, times=3, command=Command.APDU_T0)
    put_in(slot)
    desk.expect(SEEN, SocialCardTrouble.READER_LOST, TAKEN, SocialCardTrouble.TAKE_FIRST)
    assert reason in [status.reason for status in desk.statuses]
    desk.expect_status(DeviceState.READY)
    take_out(slot)
    put_in(slot)
    until(lambda: FULL in desk.happened(), desk.happened)


@pytest.mark.parametrize("manner", [Manner.NO_REPLY, Manner.OTHER_COMMAND, Manner.TRUNCATED])
def test_a_command_taken_but_not_answered_is_never_repeated(
    slot: Crt310Emulator, desk: SocialDesk, manner: Manner
) -> None:
    """A late reply would be taken for that of another command: the talk begins anew instead."""
    desk.service.seek()
    slot.behave(manner, times=1, command=Command.APDU_T0)
    card = put_in(slot)
    until(lambda: SocialCardTrouble.READER_LOST in desk.events, desk.happened)
    assert len(card.log) == 1
    desk.expect_status(DeviceState.READY)
    assert slot.place is CardPlace.FRONT  # given back


@pytest.mark.parametrize(("reason", "told"), [
    (ErrorReason.UNKNOWN_COMMAND, "program_fault"),
    (ErrorReason.BAD_PARAMETER, "program_fault"),
    (ErrorReason.NOT_FITTED, "not_fitted"),
    (ErrorReason.BAD_DATA, "program_fault"),
    (ErrorReason.SUPPLY, "reader_supply"),
    (ErrorReason.ABNORMAL_CARD, "abnormal_card"),
    (ErrorReason.POWER_LOST, "reader_power_lost"),
    (0x7F, "program_fault"),
])
def test_every_error_frame_is_a_reason(slot: Crt310Emulator, desk: SocialDesk, reason: int, told: str) -> None:
    slot.fail(Command.STATUS, reason)
    desk.expect_status(DeviceState.OFFLINE, told)
    slot.cure()
    desk.expect_status(DeviceState.READY)


def test_a_reader_without_a_chip_module_is_never_ready(slot: Crt310Emulator) -> None:
    slot.fail(Command.POWER_OFF, ErrorReason.NOT_FITTED)
    with SocialDesk(str(slot.port.path)) as desk:
        desk.expect_status(DeviceState.OFFLINE, "not_fitted")
        assert DeviceState.READY not in [status.state for status in desk.statuses]


def test_on_its_last_reserve_the_card_comes_out_first(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    slot.fail(Command.APDU_T0, ErrorReason.POWER_LOST)
    put_in(slot)
    desk.expect(SEEN, SocialCardTrouble.READER_LOST, TAKEN, SocialCardTrouble.TAKE_FIRST)
    after = slot.received[slot.received.index(Command.COLD_RESET) + 1 :]
    assert after[1] == Command.EJECT


def test_an_entry_that_does_not_close_is_told(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    until(lambda: slot.entry_open)
    slot.entry_stays_open = True
    desk.service.release()
    desk.expect_status(DeviceState.OFFLINE, "entry_refused")
    slot.cure()
    desk.expect_status(DeviceState.READY)


def test_after_a_power_cut_of_the_reader_the_entry_is_closed_again(slot: Crt310Emulator, desk: SocialDesk) -> None:
    until(lambda: not slot.entry_open)
    slot.power_cycle()
    assert slot.entry_open
    until(lambda: not slot.entry_open)
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


def test_a_mute_reader_goes_out_of_service_and_comes_back(slot: Crt310Emulator, desk: SocialDesk) -> None:
    """CR-04: the port is still there, nobody answers."""
    slot.behave(Manner.NO_ACK)
    desk.expect_status(DeviceState.OFFLINE, "mute")
    slot.cure()
    desk.expect_status(DeviceState.READY)


def test_a_babbling_device_is_never_ready(slot: Crt310Emulator) -> None:
    slot.behave(Manner.BABBLE)
    with SocialDesk(str(slot.port.path)) as desk:
        desk.expect_status(DeviceState.OFFLINE, "wrong_device")
        assert DeviceState.READY not in [status.state for status in desk.statuses]


@pytest.mark.parametrize("moment", ["idle", "seeking", "reading", "held"])
def test_unplugged_and_plugged_in_again(slot: Crt310Emulator, desk: SocialDesk, moment: str) -> None:
    """CR-05: the node behind the name is another one afterwards."""
    if moment != "idle":
        desk.service.seek()
        until(lambda: slot.entry_open)
    if moment == "reading":
        slot.motor_s = 0.5
    if moment in ("reading", "held"):
        put_in(slot)
        desk.expect(SEEN, *([FULL] if moment == "held" else []))
    if moment == "held":
        until(lambda: slot.place is CardPlace.FRONT_HELD)
    slot.unplug()
    desk.expect_status(DeviceState.OFFLINE, "no_port")
    assert (SocialCardTrouble.READER_LOST in desk.events) is (moment in ("seeking", "reading"))
    slot.motor_s = 0.0
    slot.plug()
    desk.expect_status(DeviceState.READY)
    assert "line_lost" in [status.reason for status in desk.statuses]
    if moment in ("reading", "held"):
        take_out(slot)
    desk.service.seek()
    put_in(slot, second_generation(1))
    until(lambda: bool(desk.events) and desk.happened()[-1] is FULL, desk.happened)
    assert desk.card.card_number == "X00000020"


def test_a_port_in_other_hands_is_busy(slot: Crt310Emulator) -> None:
    other = SerialLine.open(str(slot.port.path), 9600)
    with SocialDesk(str(slot.port.path)) as desk:
        desk.expect_status(DeviceState.OFFLINE, "busy_port")
        other.close()
        desk.expect_status(DeviceState.READY)


# --- the end ---


@pytest.mark.parametrize("manner", [Manner.WELL, Manner.NO_ACK, Manner.NO_REPLY])
def test_stop_at_any_moment(slot: Crt310Emulator, manner: Manner) -> None:
    slow = Timing(poll=30.0, heartbeat=30.0, retry=(30.0, 30.0))
    desk = SocialDesk(str(slot.port.path), slow)
    slot.behave(manner)
    with desk:
        desk.service.seek()
        time.sleep(0.3)
        assert desk.service.stop(0.5)
    assert desk.service.status.state is DeviceState.UNKNOWN
    assert DeviceState.OFFLINE not in [status.state for status in desk.statuses]
    assert desk.events == []


def test_stop_with_a_card_inside_pushes_it_out(slot: Crt310Emulator, desk: SocialDesk) -> None:
    desk.service.seek()
    slot.behave(Manner.NO_REPLY, times=1, command=Command.TO_CONTACTS)
    put_in(slot)
    until(lambda: Command.TO_CONTACTS in slot.received)
    assert desk.service.stop(0.5)
    until(lambda: slot.place is CardPlace.FRONT)
    desk.expect(SEEN)


def test_a_bare_driver_says_what_is_missing(slot: Crt310Emulator) -> None:
    for manner, error, reason in [
        (Manner.NO_ACK, Timeout, "mute"), (Manner.NO_REPLY, Timeout, "mute"), (Manner.NAK, ReaderFault, "line_errors"),
        (Manner.BABBLE, ReaderFault, "wrong_device"), (Manner.OTHER_COMMAND, ReaderFault, "wrong_device"),
        (Manner.WRONG_BCC, ReaderFault, "line_errors"),
    ]:
        slot.cure()
        slot.behave(manner)
        transport = Crt310Transport(str(slot.port.path), 9600, never(), patience=Patience(0.1, 0.2, 2))
        with pytest.raises(error, match=reason):
            transport.open()
        transport.close()


def test_a_complete_run_leaves_nobody_in_the_log(
    slot: Crt310Emulator, desk: SocialDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        desk.service.seek()
        put_in(slot)
        desk.expect(SEEN, FULL)
        take_out(slot)
        desk.service.seek()
        slot.behave(Manner.WRONG_BCC, times=3, command=Command.APDU_T0)
        put_in(slot)
        until(lambda: SocialCardTrouble.READER_LOST in desk.events)
        assert desk.service.stop()
    assert "full" in caplog.text and "APDU_T0" in caplog.text
    assert_no_person(caplog.text + repr(desk.statuses) + repr(desk.events))
