"""The whole reader service on a real pseudo-terminal, against a reader that misbehaves to order."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from idcard_desk import LIFTED, MINE, QUICK, SEEN, THEIRS, Desk, until

from kiosk.devices.emulated.cards import EmulatedCard, sample_of
from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.idcard.codec import Command, Sw3
from kiosk.devices.idcard.layouts import LAYOUTS
from kiosk.devices.idcard.service import Timing
from kiosk.devices.serial_line import SerialLine
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.status import DeviceState
from kiosk.domain.trouble import CardTrouble


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[IdCardEmulator]:
    with IdCardEmulator(tmp_path / "idcard") as reader:
        yield reader
        assert Command.READ_WITH_FINGERPRINT not in reader.received


@pytest.fixture
def desk(reader: IdCardEmulator) -> Iterator[Desk]:
    with Desk(reader) as desk:
        yield desk


# --- the sunny way ---


def test_a_laid_card_is_seen_read_once_and_lifted(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    card = desk.events[1]
    assert isinstance(card, IdCard)
    assert replace(card, photo_wlt=None) == MINE
    desk.polls()
    desk.reader.lift()
    desk.expect(SEEN, MINE.number, LIFTED)
    received = desk.reader.received
    assert received[received.index(Command.SELECT) - 1 :][:3] == [Command.FIND, Command.SELECT, Command.READ]
    assert received.count(Command.READ) == 1
    assert Command.READ_WITH_FINGERPRINT not in received


def test_the_role_is_proved_before_ready(desk: Desk) -> None:
    desk.expect_status(DeviceState.READY)
    assert desk.reader.received[:3] == [Command.STATUS, Command.STATUS, Command.SAM_ID]
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


def test_while_nobody_waits_there_is_only_the_heartbeat(desk: Desk) -> None:
    desk.lay(MINE)
    until(lambda: desk.reader.received.count(Command.STATUS) >= 6)
    assert Command.FIND not in desk.reader.received
    desk.service.seek()
    desk.expect(SEEN, MINE.number)


def test_after_release_no_card_is_looked_for(desk: Desk) -> None:
    desk.service.seek()
    desk.polls(2)
    desk.service.release()
    before = desk.reader.received.count(Command.STATUS)
    until(lambda: desk.reader.received.count(Command.STATUS) >= before + 3)
    desk.lay(MINE)
    until(lambda: desk.reader.received.count(Command.STATUS) >= before + 6)
    desk.expect()


def test_a_session_left_while_the_card_is_being_read_gets_no_card(desk: Desk) -> None:
    desk.reader.chunk_size, desk.reader.chunk_delay_s = 32, 0.01
    desk.service.seek()
    desk.lay(MINE)
    until(lambda: Command.READ in desk.reader.received)
    desk.service.release()
    desk.polls(2)
    desk.expect(SEEN)
    desk.reader.lift()
    desk.expect(SEEN, LIFTED)


@pytest.mark.parametrize("finds_again", [True, False])
def test_both_kinds_of_firmware(desk: Desk, finds_again: bool) -> None:
    desk.reader.finds_again = finds_again
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number, *([] if finds_again else [LIFTED]))
    desk.reader.lift()
    desk.expect(SEEN, MINE.number, LIFTED)
    desk.service.seek()
    desk.lay(THEIRS)
    until(lambda: len(desk.events) >= 5)
    assert desk.happened()[3:5] == [SEEN, THEIRS.number]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_every_kind_of_card(desk: Desk, kind: CardKind) -> None:
    card = sample_of(kind)
    desk.service.seek()
    desk.lay(card)
    desk.expect(SEEN, card.number)
    read = desk.events[1]
    assert isinstance(read, IdCard)
    assert replace(read, photo_wlt=None) == card


def test_a_name_with_a_rare_character_and_a_date_without_end(desk: Desk) -> None:
    card = replace(MINE, name_cn="王𬭎", valid_to=None)
    desk.service.seek()
    desk.lay(card)
    desk.expect(SEEN, card.number)
    read = desk.events[1]
    assert isinstance(read, IdCard)
    assert replace(read, photo_wlt=None) == card


def test_a_card_that_lies_on_is_looked_after_slowly_and_its_lifting_still_noticed(reader: IdCardEmulator) -> None:
    """Three misses tell a lifting; at the slow pace they would take twelve seconds."""
    with Desk(reader, replace(QUICK, watch=0.1, heartbeat=4.0)) as desk:
        desk.service.seek()
        desk.lay(MINE)
        desk.expect(SEEN, MINE.number)
        time.sleep(0.3)
        before = reader.received.count(Command.FIND)
        time.sleep(1.2)
        assert reader.received.count(Command.FIND) - before <= 2
        reader.lift()
        desk.expect(SEEN, MINE.number, LIFTED)


def test_a_card_nobody_can_read_is_not_asked_for_all_night(reader: IdCardEmulator) -> None:
    reader.inject(Command.READ, Sw3.READ_FAILED)
    with Desk(reader, replace(QUICK, watch=0.1, heartbeat=0.4)) as desk:
        desk.service.seek()
        desk.lay(MINE)
        desk.expect(SEEN, CardTrouble.LAY_AGAIN)
        time.sleep(0.3)
        before = reader.received.count(Command.FIND)
        time.sleep(1.2)
        assert reader.received.count(Command.FIND) - before <= 5
        reader.cure()
        desk.service.seek()  # somebody presses a button: looked at at once
        desk.expect(SEEN, CardTrouble.LAY_AGAIN, MINE.number)


# --- whose card is it ---


def test_a_forgotten_card_does_not_open_the_next_session(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.service.seek()  # the next session begins
    desk.expect(SEEN, MINE.number, CardTrouble.LAY_AGAIN)
    desk.polls()
    desk.expect(SEEN, MINE.number, CardTrouble.LAY_AGAIN)
    desk.service.seek()  # that person presses a button, and is asked again
    desk.expect(SEEN, MINE.number, CardTrouble.LAY_AGAIN, CardTrouble.LAY_AGAIN)
    desk.reader.lift()
    desk.expect(SEEN, MINE.number, CardTrouble.LAY_AGAIN, CardTrouble.LAY_AGAIN, LIFTED)
    desk.lay(MINE)
    until(lambda: len(desk.events) >= 7)
    assert desk.happened()[5:] == [SEEN, MINE.number]


def test_a_swapped_card_is_the_next_person(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.service.seek()
    desk.lay(THEIRS)
    until(lambda: THEIRS.number in desk.happened())
    assert [event for event in desk.happened() if event is not CardTrouble.LAY_AGAIN] == [
        SEEN, MINE.number, LIFTED, SEEN, THEIRS.number,
    ]


def test_a_card_swapped_while_nobody_seeks_is_the_next_persons(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.lay(THEIRS)
    desk.polls()
    desk.expect(SEEN, MINE.number)
    desk.service.seek()
    desk.expect(SEEN, MINE.number, LIFTED, SEEN, THEIRS.number)


def test_the_same_card_at_once_again_is_not_delivered_twice(reader: IdCardEmulator) -> None:
    with Desk(reader, replace(QUICK, same_card=1.0)) as desk:
        desk.service.seek()
        desk.lay(MINE)
        desk.expect(SEEN, MINE.number)
        delivered = time.monotonic()
        desk.reader.lift()
        desk.expect(SEEN, MINE.number, LIFTED)
        desk.service.seek()
        desk.lay(MINE)
        desk.expect(SEEN, MINE.number, LIFTED, SEEN, MINE.number)
        assert time.monotonic() - delivered > 0.9


# --- cards that do not read ---


def test_a_card_that_fails_is_asked_for_again_and_the_third_time_to_be_wiped(desk: Desk) -> None:
    desk.reader.inject(Command.READ, Sw3.READ_FAILED)
    desk.service.seek()
    for word in (CardTrouble.LAY_AGAIN, CardTrouble.LAY_AGAIN, CardTrouble.LAY_AGAIN_CLEAN, CardTrouble.LAY_AGAIN_CLEAN):
        desk.events.clear()
        desk.lay(MINE)
        desk.expect(SEEN, word)
        desk.reader.lift()
        desk.expect(SEEN, word, LIFTED)
    desk.reader.cure()
    desk.events.clear()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)


def test_a_card_left_lying_is_read_on_and_the_module_reset(desk: Desk) -> None:
    desk.reader.inject(Command.READ, Sw3.READ_FAILED, times=3)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, CardTrouble.LAY_AGAIN, MINE.number)
    assert desk.reader.received.count(Command.RESET) == 1


@pytest.mark.parametrize(
    "sw3", [Sw3.CARD_REJECTS_SAM, Sw3.SAM_REJECTS_CARD, Sw3.VERIFICATION_FAILED, Sw3.READ_FAILED, Sw3.RANDOM_FAILED]
)
def test_card_errors_ask_at_once(desk: Desk, sw3: Sw3) -> None:
    desk.reader.inject(Command.SELECT, sw3, times=1)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, CardTrouble.LAY_AGAIN, MINE.number)


@pytest.mark.parametrize(
    ("sw3", "resets"), [(Sw3.SELECT_FAILED, 0), (Sw3.UNRECOGNISED_ERROR, 1), (Sw3.NOT_ALLOWED_NOW, 1), (0x5A, 1)]
)
def test_other_errors_ask_at_the_third(desk: Desk, sw3: int, resets: int) -> None:
    desk.reader.inject(Command.SELECT, sw3, times=2)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.reader.lift()
    desk.expect(SEEN, MINE.number, LIFTED)
    desk.reader.inject(Command.SELECT, sw3, times=3)
    desk.events.clear()
    desk.service.seek()
    desk.lay(THEIRS)
    desk.expect(SEEN, CardTrouble.LAY_AGAIN, THEIRS.number)
    assert desk.reader.received.count(Command.RESET) == resets


@pytest.mark.parametrize("sw3", [Sw3.HOST_CHECKSUM, Sw3.HOST_LENGTH])
def test_a_request_damaged_on_the_way_is_repeated_once(desk: Desk, sw3: Sw3) -> None:
    desk.reader.inject(Command.READ, sw3, times=1)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    assert desk.reader.received.count(Command.READ) == 2


def test_another_chip_is_not_an_identity_card(desk: Desk) -> None:
    desk.reader.inject(Command.SELECT, Sw3.UNKNOWN_CARD_TYPE)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, CardTrouble.NOT_AN_ID_CARD)
    desk.polls()
    desk.expect(SEEN, CardTrouble.NOT_AN_ID_CARD)


def test_an_unknown_document_is_not_an_identity_card(desk: Desk) -> None:
    text = bytearray(EmulatedCard.of(MINE).text)
    text[248] = ord("Q")
    desk.service.seek()
    desk.reader.lay(EmulatedCard(bytes(text)))
    desk.expect(SEEN, CardTrouble.NOT_AN_ID_CARD)


@pytest.mark.parametrize("offset", [122, 36], ids=["number", "birth"])
def test_a_card_that_contradicts_itself_is_never_delivered(desk: Desk, offset: int) -> None:
    text = bytearray(EmulatedCard.of(MINE).text)
    text[offset + 6] ^= 0x01
    desk.service.seek()
    desk.reader.lay(EmulatedCard(bytes(text)))
    desk.expect(SEEN, CardTrouble.LAY_AGAIN)
    desk.polls()
    desk.expect(SEEN, CardTrouble.LAY_AGAIN)


def test_a_card_pulled_away_while_reading(desk: Desk) -> None:
    desk.reader.vanish_after = Command.SELECT
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, CardTrouble.LAY_AGAIN, LIFTED)
    desk.lay(MINE)
    until(lambda: len(desk.events) >= 5)
    assert desk.happened()[3:] == [SEEN, MINE.number]


# --- the line ---


@pytest.mark.parametrize("chunk", [1, 16])
def test_answers_in_fragments(desk: Desk, chunk: int) -> None:
    desk.reader.chunk_size = chunk
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)


def test_an_answer_that_trickles_in(desk: Desk) -> None:
    desk.reader.chunk_size, desk.reader.chunk_delay_s = 64, 0.02
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)


def test_noise_before_every_answer(desk: Desk) -> None:
    desk.reader.behave(Manner.NOISE_BEFORE)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    desk.expect_status(DeviceState.READY)


def test_a_second_answer_behind_every_answer(desk: Desk) -> None:
    desk.reader.behave(Manner.GLUED)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


def test_a_module_that_takes_its_time(desk: Desk) -> None:
    desk.reader.delays = {Command.FIND: 0.5, Command.SELECT: 0.5, Command.READ: 2.0}
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


@pytest.mark.parametrize("manner", [Manner.WRONG_CHECKSUM, Manner.TRUNCATED, Manner.MUTE, Manner.VENDOR_TIMEOUT, Manner.LATE])
def test_one_bad_answer_costs_one_try(desk: Desk, manner: Manner) -> None:
    desk.expect_status(DeviceState.READY)
    desk.service.seek()
    desk.polls(2)
    desk.reader.behave(manner, times=1)
    desk.polls(2)
    desk.lay(MINE)
    desk.expect(SEEN, MINE.number)
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


def test_a_record_cut_in_the_middle_is_asked_for_again_and_read(desk: Desk) -> None:
    desk.reader.behave(Manner.TRUNCATED, times=1, command=Command.READ)
    desk.service.seek()
    desk.lay(MINE)
    desk.expect(SEEN, CardTrouble.LAY_AGAIN, MINE.number)


def test_a_mute_reader_goes_out_of_service_and_comes_back(desk: Desk) -> None:
    desk.expect_status(DeviceState.READY)
    desk.reader.behave(Manner.MUTE)
    desk.expect_status(DeviceState.OFFLINE, "mute")
    desk.reader.cure()
    desk.expect_status(DeviceState.READY)


def test_another_device_on_the_port_is_never_ready(reader: IdCardEmulator) -> None:
    reader.inject(Command.STATUS, Sw3.UNKNOWN_COMMAND)
    with Desk(reader) as desk:
        desk.expect_status(DeviceState.OFFLINE, "wrong_device")
        assert DeviceState.READY not in [status.state for status in desk.statuses]


def test_a_device_that_talks_nonsense_is_never_ready(reader: IdCardEmulator) -> None:
    reader.behave(Manner.WRONG_CHECKSUM)
    with Desk(reader) as desk:
        desk.expect_status(DeviceState.OFFLINE, "wrong_device")


def test_a_failed_self_test_is_reset_once_then_reported(reader: IdCardEmulator) -> None:
    reader.inject(Command.STATUS, Sw3.SELF_TEST_FAILED, times=1)
    with Desk(reader) as desk:
        desk.expect_status(DeviceState.READY)
        assert reader.received.count(Command.RESET) == 1
        reader.inject(Command.STATUS, Sw3.SELF_TEST_FAILED)
        desk.expect_status(DeviceState.OFFLINE, "self_test_failed")
        reader.cure()
        desk.expect_status(DeviceState.READY)


def test_a_module_without_authorisation_is_reported_in_the_middle_of_seeking(desk: Desk) -> None:
    desk.service.seek()
    desk.polls(2)
    desk.reader.inject(Command.STATUS, Sw3.SAM_NOT_AUTHORISED)
    desk.reader.inject(Command.FIND, Sw3.SAM_NOT_AUTHORISED)
    desk.expect_status(DeviceState.OFFLINE, "not_authorised")


@pytest.mark.parametrize("moment", ["idle", "seeking", "card lying", "between select and read"])
def test_unplugged_and_plugged_in_again(desk: Desk, moment: str) -> None:
    desk.expect_status(DeviceState.READY)
    if moment == "between select and read":
        desk.reader.chunk_size, desk.reader.chunk_delay_s = 8, 0.05  # the record takes eight seconds
    if moment != "idle":
        desk.service.seek()
        desk.polls(2)
    if moment == "card lying":
        desk.lay(MINE)
        desk.expect(SEEN, MINE.number)
    if moment == "between select and read":
        desk.lay(MINE)
        until(lambda: Command.READ in desk.reader.received)
    desk.reader.unplug()
    desk.expect_status(DeviceState.OFFLINE, "no_port")
    desk.reader.chunk_size, desk.reader.chunk_delay_s = 0, 0.0
    desk.reader.lift()
    desk.reader.plug()
    desk.expect_status(DeviceState.READY)
    desk.service.seek()
    desk.lay(THEIRS)
    until(lambda: THEIRS.number in desk.happened(), desk.happened)
    assert "line_lost" in [status.reason for status in desk.statuses]


def test_a_port_in_other_hands_is_busy(reader: IdCardEmulator) -> None:
    other = SerialLine.open(str(reader.port.path), 115200)
    with Desk(reader) as desk:
        desk.expect_status(DeviceState.OFFLINE, "busy_port")
        other.close()
        desk.expect_status(DeviceState.READY)


def test_an_absent_reader_is_no_port(reader: IdCardEmulator) -> None:
    reader.unplug()
    with Desk(reader) as desk:
        desk.expect_status(DeviceState.OFFLINE, "no_port")
        reader.plug()
        desk.expect_status(DeviceState.READY)


@pytest.mark.parametrize("manner", [Manner.WELL, Manner.MUTE])
def test_stop_while_seeking_or_waiting_for_an_answer(reader: IdCardEmulator, manner: Manner) -> None:
    desk = Desk(reader, Timing(poll=30.0, heartbeat=30.0, retry=(30.0, 30.0)))
    reader.behave(manner)
    with desk:
        desk.service.seek()
        until(lambda: bool(reader.received))
        assert desk.service.stop(0.5)
    assert desk.service.status.state is DeviceState.UNKNOWN
    assert DeviceState.OFFLINE not in [status.state for status in desk.statuses]


def test_stop_while_a_card_is_being_read_blames_nobody(desk: Desk) -> None:
    desk.reader.behave(Manner.MUTE, times=1, command=Command.READ)
    desk.service.seek()
    desk.lay(MINE)
    until(lambda: Command.READ in desk.reader.received)
    assert desk.service.stop(0.5)
    desk.expect(SEEN)


def test_a_complete_run_leaves_nobody_in_the_log(reader: IdCardEmulator, caplog: pytest.LogCaptureFixture) -> None:
    mine = replace(MINE, new_address="测试市测试区新地址路3号")
    assert mine.name_cn is not None and mine.address is not None
    with caplog.at_level(logging.DEBUG), Desk(reader, read_new_address=True) as desk:
        reader.inject(Command.READ, Sw3.READ_FAILED, times=1)
        desk.service.seek()
        desk.lay(mine)
        desk.expect(SEEN, CardTrouble.LAY_AGAIN, mine.number)
        scratched = bytearray(EmulatedCard.of(THEIRS).text)
        scratched[122] ^= 1
        reader.lay(EmulatedCard(bytes(scratched)))
        desk.service.seek()
        desk.polls()
        reader.unplug()
        desk.expect_status(DeviceState.OFFLINE, "no_port")
    text = caplog.text + repr(desk.events) + repr(desk.statuses)
    assert "READ: SW3 90, 1284 bytes" in text and "READ_NEW_ADDRESS: SW3 90, 70 bytes" in text
    for card in (mine, THEIRS):
        for secret in (card.number, card.number[6:14], card.name_cn, card.address, "新地址"):
            assert secret is not None and secret not in text
