"""A line that garbles much but still works is named, and no longer named when it is good again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from idcard_desk import MINE, QUICK, THEIRS, Desk, until

from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.idcard.codec import Command, Sw3
from kiosk.devices.idcard.line_quality import FEW, MANY, WINDOW, LineQuality
from kiosk.domain.status import DeviceState

BAD_LINE = (DeviceState.DEGRADED, "line_errors")


def changes(exchanges: list[bool]) -> int:
    quality, before, count = LineQuality(), False, 0
    for good in exchanges:
        quality.note(good)
        count += quality.poor is not before
        before = quality.poor
    return count


def test_many_wrong_exchanges_make_a_line_poor_and_a_clean_window_good_again() -> None:
    quality = LineQuality()
    for _ in range(MANY - 1):
        quality.note(False)
        quality.note(True)
        assert not quality.poor
    quality.note(False)
    assert quality.poor
    for _ in range(WINDOW):
        quality.note(True)
    assert not quality.poor


def test_a_single_error_now_and_then_is_never_mentioned() -> None:
    assert changes([number % 20 != 0 for number in range(2000)]) == 0


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3, 0.5])
def test_no_steady_share_of_errors_makes_the_word_flicker(share: float) -> None:
    """Looking for a card, 10,000 exchanges are 50 minutes."""
    dice = random.Random(1)
    assert changes([dice.random() >= share for _ in range(10_000)]) <= 10


@given(st.lists(st.booleans(), max_size=400))
def test_between_two_changes_lies_more_than_a_few_exchanges(exchanges: list[bool]) -> None:
    assert changes(exchanges) <= 1 + len(exchanges) // (MANY - FEW)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with IdCardEmulator(tmp_path / "idcard") as reader, Desk(reader, replace(QUICK, answer=0.15)) as desk:
        yield desk
        assert Command.READ_WITH_FINGERPRINT not in reader.received


def told(desk: Desk) -> list[tuple[DeviceState, str]]:
    return [(status.state, status.reason) for status in desk.statuses]


@pytest.mark.parametrize("fault", [Manner.WRONG_CHECKSUM, Manner.VENDOR_TIMEOUT])
def test_a_bad_line_is_told_while_cards_are_still_read(desk: Desk, fault: Manner) -> None:
    desk.expect_status(DeviceState.READY)
    desk.reader.behave(fault, every=4)
    desk.service.seek()
    desk.expect_status(*BAD_LINE, seconds=30)
    desk.lay(MINE)
    until(lambda: MINE.number in desk.happened(), desk.happened)
    desk.reader.lift()
    desk.reader.cure()
    desk.service.seek()
    desk.expect_status(DeviceState.READY, seconds=30)
    assert told(desk) == [(DeviceState.READY, ""), BAD_LINE, (DeviceState.READY, "")]


def test_requests_that_arrive_damaged_count_too(desk: Desk) -> None:
    desk.service.seek()
    desk.reader.inject(Command.FIND, Sw3.HOST_CHECKSUM, times=2 * MANY)
    desk.expect_status(*BAD_LINE, seconds=30)


def test_a_reader_proved_and_then_unintelligible_is_a_matter_of_the_line(desk: Desk) -> None:
    desk.expect_status(DeviceState.READY)
    desk.reader.behave(Manner.WRONG_CHECKSUM)
    until(lambda: (DeviceState.OFFLINE, "line_errors") in told(desk), lambda: told(desk))
    desk.reader.cure()
    desk.service.seek()
    desk.lay(THEIRS)
    until(lambda: THEIRS.number in desk.happened(), desk.happened)
