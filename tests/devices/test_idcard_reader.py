"""One question, one answer, on a real pseudo-terminal."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.idcard.codec import Answer, Command, Sw3
from kiosk.devices.idcard.line_quality import LineQuality
from kiosk.devices.idcard.reader import IdCardReader, NoAnswer
from kiosk.devices.serial_line import LineLost, SerialLine


@pytest.fixture
def far(tmp_path: Path) -> Iterator[IdCardEmulator]:
    with IdCardEmulator(tmp_path / "idcard") as far:
        yield far


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def reader(far: IdCardEmulator, stop: threading.Event) -> Iterator[IdCardReader]:
    line = SerialLine.open(str(far.port.path), 115200, stop)
    yield IdCardReader(line)
    line.close()


def test_the_whole_way_to_a_card(far: IdCardEmulator, reader: IdCardReader) -> None:
    assert reader.ask(Command.FIND) == Answer(Sw3.NO_CARD)
    card = EmulatedCard.of(replace(sample_card(), new_address="测试市测试区新地址路3号"))
    far.lay(card)
    assert reader.ask(Command.READ) == Answer(Sw3.READ_FAILED)
    assert reader.ask(Command.SELECT) == Answer(Sw3.SELECT_FAILED)
    assert reader.ask(Command.FIND) == Answer(Sw3.FOUND, bytes(4))
    assert reader.ask(Command.SELECT) == Answer(Sw3.OK, bytes(8))
    assert reader.ask(Command.READ) == Answer(Sw3.OK, card.read_answer())
    assert reader.ask(Command.READ_NEW_ADDRESS) == Answer(Sw3.OK, card.new_address_answer() or b"")
    far.lift()
    assert reader.ask(Command.FIND) == Answer(Sw3.NO_CARD)


def test_a_card_without_a_new_address(far: IdCardEmulator, reader: IdCardReader) -> None:
    far.lay(EmulatedCard.of(sample_card()))
    reader.ask(Command.FIND)
    reader.ask(Command.SELECT)
    assert reader.ask(Command.READ_NEW_ADDRESS) == Answer(Sw3.NO_CONTENT)


def test_a_late_answer_is_not_taken_for_the_next_command(far: IdCardEmulator, reader: IdCardReader) -> None:
    far.lay(EmulatedCard.of(sample_card()))
    far.behave(Manner.LATE, times=1)
    assert reader.ask(Command.STATUS) is NoAnswer.SILENT
    assert reader.ask(Command.FIND) == Answer(Sw3.FOUND, bytes(4))


@pytest.mark.parametrize(
    "late", [Command.STATUS, Command.SELECT, Command.READ, Command.READ_NEW_ADDRESS], ids=lambda command: command.name
)
def test_an_answer_later_than_any_silence_is_not_taken_for_another_commands(
    far: IdCardEmulator, stop: threading.Event, late: Command
) -> None:
    """The module answers in order, but only after the line had been quiet and the next command was sent."""
    line = SerialLine.open(str(far.port.path), 115200, stop)
    reader = IdCardReader(line, deadline_s=0.3)
    far.late_s = 0.3 * (3.0 if late is Command.READ else 2.0 if late is Command.READ_NEW_ADDRESS else 1.0) + 0.25
    card = EmulatedCard.of(replace(sample_card(), new_address="测试市"))
    far.lay(card)
    for command in (Command.FIND, Command.SELECT, Command.READ):
        far.behave(Manner.LATE if command is late else Manner.WELL, times=1, command=command)
        answer = reader.ask(command)
        assert isinstance(answer, NoAnswer) is (command is late)
        if command is late:
            break
    if late in (Command.STATUS, Command.READ_NEW_ADDRESS):
        far.behave(Manner.LATE, times=1, command=late)
        assert reader.ask(late) is NoAnswer.SILENT
    assert reader.ask(Command.FIND) in (Answer(Sw3.FOUND, bytes(4)), NoAnswer.GARBLED)
    assert reader.ask(Command.FIND) == Answer(Sw3.FOUND, bytes(4))
    assert reader.ask(Command.SELECT) == Answer(Sw3.OK, bytes(8))
    assert reader.ask(Command.READ) == Answer(Sw3.OK, card.read_answer())
    line.close()


def test_a_late_word_about_a_card_that_has_gone_meanwhile_is_not_believed(
    far: IdCardEmulator, stop: threading.Event
) -> None:
    line = SerialLine.open(str(far.port.path), 115200, stop)
    reader = IdCardReader(line, deadline_s=0.5)
    far.lay(EmulatedCard.of(sample_card()))
    far.late_s = 0.55
    far.behave(Manner.LATE, times=1)
    assert reader.ask(Command.FIND) is NoAnswer.SILENT
    far.lift()
    assert reader.ask(Command.FIND) == Answer(Sw3.NO_CARD)
    line.close()


def test_a_second_answer_right_behind_is_not_taken_for_the_next_command(far: IdCardEmulator, reader: IdCardReader) -> None:
    far.lay(EmulatedCard.of(sample_card()))
    far.behave(Manner.GLUED)
    for _ in range(5):
        assert reader.ask(Command.FIND) == Answer(Sw3.FOUND, bytes(4))
        assert reader.ask(Command.SELECT) == Answer(Sw3.OK, bytes(8))


def test_a_whole_record_on_the_slowest_line(far: IdCardEmulator, reader: IdCardReader) -> None:
    """1295 bytes at 9600 baud take 1.35 s."""
    card = EmulatedCard.of(sample_card())
    far.lay(card)
    far.baud = 9600
    assert reader.ask(Command.FIND) == Answer(Sw3.FOUND, bytes(4))
    assert reader.ask(Command.SELECT) == Answer(Sw3.OK, bytes(8))
    asked = time.monotonic()
    assert reader.ask(Command.READ) == Answer(Sw3.OK, card.read_answer())
    assert time.monotonic() - asked > 1.3


def test_half_an_answer_and_then_nothing(far: IdCardEmulator, reader: IdCardReader) -> None:
    far.behave(Manner.HALF_THEN_SILENT, times=1)
    assert reader.ask(Command.STATUS) is NoAnswer.GARBLED
    assert reader.ask(Command.STATUS) is NoAnswer.SILENT
    far.cure()
    assert reader.ask(Command.STATUS) == Answer(Sw3.OK)


def test_every_exchange_tells_what_the_line_is_worth(far: IdCardEmulator, stop: threading.Event) -> None:
    told: list[bool] = []

    class Listener(LineQuality):
        def note(self, good: bool) -> None:
            told.append(good)

    line = SerialLine.open(str(far.port.path), 115200, stop)
    reader = IdCardReader(line, Listener(), deadline_s=0.3)
    reader.ask(Command.STATUS)
    far.inject(Command.STATUS, Sw3.HOST_LENGTH, times=1)
    reader.ask(Command.STATUS)
    far.behave(Manner.WRONG_CHECKSUM, times=1)
    reader.ask(Command.STATUS)
    line.close()
    assert told == [True, False, True, False]


def test_bytes_that_came_unasked_are_forgotten(far: IdCardEmulator, reader: IdCardReader) -> None:
    reader.ask(Command.STATUS)
    with far.port.path.open("rb", buffering=0) as line:
        far.port.write(bytes.fromhex("AAAAAA9669000400006064"))
        assert select.select([line], [], [], 1.0)[0]
    assert reader.ask(Command.STATUS) == Answer(Sw3.OK)


def test_silence_ends_at_the_deadline_and_rubbish_at_once(far: IdCardEmulator, reader: IdCardReader) -> None:
    far.behave(Manner.MUTE, times=1)
    asked = time.monotonic()
    assert reader.ask(Command.STATUS) is NoAnswer.SILENT
    assert time.monotonic() - asked >= 1.0
    far.behave(Manner.VENDOR_TIMEOUT, times=1)
    assert reader.ask(Command.STATUS) is NoAnswer.GARBLED
    far.behave(Manner.WRONG_CHECKSUM, times=1)
    assert reader.ask(Command.STATUS) is NoAnswer.GARBLED
    assert reader.ask(Command.STATUS) == Answer(Sw3.OK)


def test_a_reader_that_never_stops_talking_is_left_in_time(far: IdCardEmulator, reader: IdCardReader) -> None:
    done = threading.Event()

    def babble() -> None:
        while not done.wait(0.002):
            far.port.write(b"\x55" * 16)

    babbler = threading.Thread(target=babble)
    babbler.start()
    try:
        far.behave(Manner.MUTE)
        started = time.monotonic()
        assert reader.ask(Command.STATUS) is NoAnswer.GARBLED
        assert reader.ask(Command.STATUS) is NoAnswer.GARBLED
        assert time.monotonic() - started < 10.0
    finally:
        done.set()
        babbler.join()


def test_stop_ends_a_question(far: IdCardEmulator, reader: IdCardReader, stop: threading.Event) -> None:
    far.behave(Manner.MUTE)
    stop.set()
    asked = time.monotonic()
    assert reader.ask(Command.READ) is NoAnswer.SILENT
    assert time.monotonic() - asked < 1.0


def test_an_unplugged_reader_loses_the_line(far: IdCardEmulator, reader: IdCardReader) -> None:
    far.unplug()
    with pytest.raises(LineLost, match="line_lost"):
        reader.ask(Command.STATUS)
