"""The additional address: read where it is asked for, and never in the way of the card itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from idcard_desk import LIFTED, MINE, QUICK, SEEN, THEIRS, Desk, until

from kiosk.devices.emulated.cards import EmulatedCard, sample_of
from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.idcard.capture import as_json
from kiosk.devices.idcard.codec import Command, Sw3
from kiosk.devices.idcard.layouts import LAYOUTS, damaged_fields
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.status import DeviceState

ADDRESS = "测试市测试区新地址路3号"
MOVED = replace(MINE, new_address=ADDRESS)
PATIENT = replace(QUICK, answer=0.25)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[IdCardEmulator]:
    with IdCardEmulator(tmp_path / "idcard") as reader:
        yield reader
        assert Command.READ_WITH_FINGERPRINT not in reader.received


@pytest.fixture
def desk(reader: IdCardEmulator) -> Iterator[Desk]:
    with Desk(reader, PATIENT, read_new_address=True) as desk:
        yield desk


def delivered(desk: Desk) -> IdCard:
    until(lambda: any(isinstance(event, IdCard) for event in desk.events), desk.happened)
    (card,) = [event for event in desk.events if isinstance(event, IdCard)]
    return card


def test_it_is_not_read_unless_asked_for(reader: IdCardEmulator) -> None:
    with Desk(reader) as desk:
        desk.service.seek()
        desk.lay(MOVED)
        assert delivered(desk).new_address is None
        desk.polls()
        assert Command.READ_NEW_ADDRESS not in reader.received


def test_it_is_read_right_after_the_card(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(MOVED)
    assert replace(delivered(desk), photo_wlt=None) == MOVED
    desk.expect(SEEN, MINE.number)
    received = desk.reader.received
    assert received[received.index(Command.SELECT) :][:3] == [Command.SELECT, Command.READ, Command.READ_NEW_ADDRESS]
    assert received.count(Command.READ_NEW_ADDRESS) == 1


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_card_without_one_is_normal(desk: Desk, kind: CardKind) -> None:
    desk.service.seek()
    desk.lay(sample_of(kind))
    assert replace(delivered(desk), photo_wlt=None) == sample_of(kind)
    desk.expect_status(DeviceState.READY)


def test_a_blank_one_is_none(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(replace(MINE, new_address=" "))
    assert delivered(desk).new_address is None


@pytest.mark.parametrize("sw3", [*sorted({*Sw3} - {Sw3.OK, Sw3.NO_CONTENT, Sw3.FOUND}), 0x5A])
def test_a_refusal_does_not_spoil_the_card(desk: Desk, sw3: int) -> None:
    desk.reader.inject(Command.READ_NEW_ADDRESS, sw3)
    desk.service.seek()
    desk.lay(MOVED)
    assert delivered(desk).new_address is None
    desk.polls(3)
    desk.expect(SEEN, MINE.number)
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


@pytest.mark.parametrize(
    "manner", [Manner.MUTE, Manner.TRUNCATED, Manner.WRONG_CHECKSUM, Manner.VENDOR_TIMEOUT, Manner.LATE, Manner.GLUED]
)
def test_a_bad_answer_does_not_spoil_the_card(desk: Desk, manner: Manner) -> None:
    desk.reader.late_s = 0.6
    desk.reader.behave(manner, times=1, command=Command.READ_NEW_ADDRESS)
    desk.service.seek()
    desk.lay(MOVED)
    assert delivered(desk).new_address == (ADDRESS if manner is Manner.GLUED else None)
    desk.polls(3)
    desk.expect(SEEN, MINE.number)
    desk.reader.lift()
    desk.expect(SEEN, MINE.number, LIFTED)
    assert [status.state for status in desk.statuses] == [DeviceState.READY]


def test_a_reader_pulled_out_after_the_card_was_read(desk: Desk) -> None:
    desk.reader.delays[Command.READ_NEW_ADDRESS] = 0.3
    desk.service.seek()
    desk.lay(MOVED)
    until(lambda: Command.READ_NEW_ADDRESS in desk.reader.received)
    desk.reader.unplug()
    assert delivered(desk).new_address is None
    desk.expect_status(DeviceState.OFFLINE, "no_port")
    assert "line_lost" in [status.reason for status in desk.statuses]
    desk.reader.cure()
    desk.reader.plug()
    desk.expect_status(DeviceState.READY)


def test_an_address_of_another_length_is_no_address(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmulatedCard, "new_address_answer", lambda card: bytes(68))
    desk.service.seek()
    desk.lay(MOVED)
    assert delivered(desk).new_address is None


def test_a_session_left_meanwhile_gets_no_card(desk: Desk) -> None:
    desk.reader.delays[Command.READ_NEW_ADDRESS] = 0.3
    desk.service.seek()
    desk.lay(MOVED)
    until(lambda: Command.READ_NEW_ADDRESS in desk.reader.received)
    desk.service.release()
    desk.polls(2)
    desk.expect(SEEN)


def test_it_belongs_to_the_card_that_is_delivered(desk: Desk) -> None:
    desk.service.seek()
    desk.lay(MOVED)
    assert delivered(desk).new_address == ADDRESS
    desk.events.clear()
    desk.service.seek()
    desk.lay(THEIRS)
    assert delivered(desk).new_address is None


def test_nothing_of_it_shows_unasked() -> None:
    cut = replace(MINE, new_address="测试\ufffd")
    assert damaged_fields(cut) == ("new_address",)
    assert ADDRESS not in repr(MOVED) + str(MOVED)
    assert as_json(MOVED, show=False)["new_address"] == "***"
    assert as_json(MOVED, show=True)["new_address"] == ADDRESS
    assert "new_address" not in as_json(MINE, show=True)
