"""The whole service against a real pcscd with a virtual reader, both of which die and hang to order. Needs root."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from smartcard import scard
from socialcard_desk import QUICK, SocialDesk, never, until
from test_socialcard_reader import asks_for_nothing_secret, assert_no_person

from kiosk.devices.emulated.socialcard import (
    CardContent,
    ScriptedCard,
    Silence,
    other_chip,
    second_generation,
    third_generation,
    upside_down,
)
from kiosk.devices.emulated.vpcd import READER, Pcscd, VpcdCard
from kiosk.devices.socialcard.events import SocialCardSeen, SocialCardTaken, TakeYourCard
from kiosk.devices.socialcard.pcsc.child import PcscChild
from kiosk.devices.socialcard.pcsc.messages import Answer, Op
from kiosk.devices.socialcard.pcsc.transport import PcscTransport
from kiosk.devices.socialcard.pcsc.worker import refusal
from kiosk.devices.socialcard.reader import PinQuery, SocialCardReader
from kiosk.devices.socialcard.transport import CardGone, CardState, Patience, ReaderFault, ReaderGone, Timeout
from kiosk.domain.social_card import SocialCardLevel, SocialCardTrouble
from kiosk.domain.status import DeviceState

SEEN, TAKEN, REMINDED = SocialCardSeen(), SocialCardTaken(), TakeYourCard()
FULL = SocialCardLevel.FULL
SECOND = second_generation()
PATIENT = replace(QUICK, patience=Patience(answer=20.0))
HASTY = replace(QUICK, patience=Patience(answer=1.5))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pcscd]:
    with Pcscd(tmp_path_factory.mktemp("pcscd")) as daemon:
        yield daemon


@pytest.fixture
def desk(daemon: Pcscd) -> Iterator[SocialDesk]:
    daemon.settle()
    with SocialDesk(timing=PATIENT) as desk:
        desk.expect_status(DeviceState.READY)
        yield desk


@contextmanager
def restarted(daemon: Pcscd) -> Iterator[None]:
    """Whatever a test does to it, the next one finds it running and unblocked."""
    try:
        yield
    finally:
        daemon.stop()
        daemon.start()


@contextmanager
def transport(patience: float = 20.0) -> Iterator[PcscTransport]:
    opened = PcscTransport("", stop := never(), Patience(answer=patience))
    try:
        opened.open()
        yield opened
    finally:
        stop.set()
        opened.close()


# --- the sunny way ---


@pytest.mark.parametrize("t0_answers", [True, False])
def test_a_card_is_read_and_taken(daemon: Pcscd, desk: SocialDesk, t0_answers: bool) -> None:
    desk.service.seek()
    card = ScriptedCard(replace(SECOND, t0_answers=t0_answers))
    with VpcdCard(card, daemon):
        desk.expect(SEEN, FULL)
        assert (desk.card.number, desk.card.name) == ("999901199003070017", "测试员甲")
    desk.expect(SEEN, FULL, TAKEN)
    asks_for_nothing_secret(card)
    assert [status.state for status in desk.statuses] == [DeviceState.READY, DeviceState.BUSY, DeviceState.READY]


@pytest.mark.parametrize(("content", "outcome"), [
    (third_generation(), SocialCardLevel.CARD_ONLY),
    (other_chip(), SocialCardLevel.NOT_SSC),
    (upside_down(SECOND), SocialCardTrouble.NO_CONTACT),  # CR-01
    (replace(SECOND, locked=True), SocialCardTrouble.LOCKED),
])
def test_other_cards(daemon: Pcscd, desk: SocialDesk, content: CardContent, outcome: object) -> None:
    desk.service.seek()
    card = ScriptedCard(content)
    with VpcdCard(card, daemon):
        desk.expect(SEEN, outcome)
    desk.expect(SEEN, outcome, TAKEN)
    asks_for_nothing_secret(card)


def test_the_reader_is_chosen_by_part_of_its_name(daemon: Pcscd) -> None:
    with SocialDesk(reader="PCD 00 01", timing=PATIENT) as desk:
        desk.expect_status(DeviceState.READY)
    with SocialDesk(reader="another make", timing=PATIENT) as desk:
        desk.expect_status(DeviceState.OFFLINE, "no_reader")


def test_a_forgotten_card_is_mentioned_and_never_read_for_the_next_person(daemon: Pcscd) -> None:
    with SocialDesk(timing=replace(PATIENT, remind=0.3)) as desk:
        desk.service.seek()
        card = ScriptedCard(SECOND)
        with VpcdCard(card, daemon):
            desk.expect(SEEN, FULL, REMINDED)
            desk.expect_status(DeviceState.DEGRADED, "card_not_taken")
            read = len(card.log)
            desk.service.seek()
            until(lambda: SocialCardTrouble.TAKE_FIRST in desk.events)
            assert len(card.log) == read
        until(lambda: desk.events[-1] == TAKEN)
        desk.expect_status(DeviceState.READY)


def test_a_card_put_in_while_nobody_asks_is_not_read(daemon: Pcscd, desk: SocialDesk) -> None:
    card = ScriptedCard(SECOND)
    with VpcdCard(card, daemon):
        until(lambda: desk.service._spent)
        desk.service.seek()
        desk.expect(SocialCardTrouble.TAKE_FIRST)
    assert card.log == []


# --- pulled, mute ---


@pytest.mark.parametrize("index", [0, 3, 9, 17])
def test_pulled_in_the_middle(daemon: Pcscd, index: int) -> None:
    """CR-02. At every command: see the reader and the CRT-310; here for what pcscd makes of it."""
    with transport() as reader:
        card = ScriptedCard(SECOND)
        card.silent_at = (index, Silence.GONE)
        with VpcdCard(card, daemon):
            until(lambda: reader.card_state() is CardState.PRESENT)
            with pytest.raises(CardGone):
                SocialCardReader(reader).read()
        until(lambda: reader.card_state() is CardState.NONE)
        assert len(card.log) == index + 1


def test_a_card_swapped_in_the_middle_is_not_read_on(daemon: Pcscd) -> None:
    with transport() as reader:
        with VpcdCard(ScriptedCard(SECOND), daemon):
            until(lambda: reader.card_state() is CardState.PRESENT)
            reader.power_on()
        until(lambda: reader.card_state() is CardState.NONE)
        other = ScriptedCard(second_generation(1))
        with VpcdCard(other, daemon):
            until(lambda: reader.card_state() is CardState.PRESENT)
            with pytest.raises(CardGone):
                reader.transmit(b"\x00\xb2\x01\x00\x12")
            assert other.log == []
        with pytest.raises(CardGone):
            reader.power_on()


def test_a_driver_that_hangs_costs_neither_the_stop_nor_the_status(daemon: Pcscd) -> None:
    with restarted(daemon), SocialDesk(timing=HASTY) as desk:
        desk.expect_status(DeviceState.READY)
        desk.service.seek()
        card = ScriptedCard(SECOND)
        card.silent_at = (4, Silence.MUTE)
        with VpcdCard(card, daemon):
            until(lambda: len(card.log) == 5)
            until(lambda: SocialCardTrouble.READER_LOST in desk.events, desk.happened)
            assert "mute" in [status.reason for status in desk.statuses]
            desk.expect_status(DeviceState.OFFLINE, "busy_reader")  # the driver still hangs below pcscd
        desk.expect_status(DeviceState.READY)
        with VpcdCard(ScriptedCard(SECOND), daemon):
            until(lambda: FULL in desk.happened(), desk.happened)


def test_stop_while_the_driver_hangs(daemon: Pcscd) -> None:
    with restarted(daemon):
        desk = SocialDesk(timing=PATIENT)
        card = ScriptedCard(SECOND)
        card.silent_at = (0, Silence.MUTE)
        with VpcdCard(card, daemon), desk:
            desk.service.seek()
            until(lambda: bool(card.log))
            began = time.monotonic()
            assert desk.service.stop(2.0)
            took = time.monotonic() - began
        assert desk.service.status.state is DeviceState.UNKNOWN
        assert took < 2.0
        assert DeviceState.OFFLINE not in [status.state for status in desk.statuses]


# --- pcscd ---


def test_pcscd_killed_and_started_anew(daemon: Pcscd, desk: SocialDesk) -> None:
    with restarted(daemon):
        desk.service.seek()
        daemon.kill()
        desk.expect_status(DeviceState.OFFLINE, "no_pcscd")
        desk.expect(SocialCardTrouble.READER_LOST)
        daemon.start()
        desk.expect_status(DeviceState.READY)
        with VpcdCard(ScriptedCard(SECOND), daemon):
            desk.expect(SocialCardTrouble.READER_LOST, SEEN, FULL)


def test_pcscd_killed_in_the_middle_of_a_card(daemon: Pcscd) -> None:
    with restarted(daemon), transport() as reader:
        with VpcdCard(ScriptedCard(SECOND), daemon):
            until(lambda: reader.card_state() is CardState.PRESENT)
            reader.power_on()
            daemon.kill()
            with pytest.raises(ReaderGone, match="no_pcscd"):
                reader.transmit(b"\x00\xb2\x01\x00\x12")
            with pytest.raises(ReaderGone, match="no_pcscd"):
                reader.open()
        daemon.start()
        reader.open()
        with VpcdCard(ScriptedCard(SECOND), daemon):
            until(lambda: reader.card_state() is CardState.PRESENT)
            assert SocialCardReader(reader).read().level is FULL


def test_a_pcscd_that_was_never_there(daemon: Pcscd) -> None:
    with restarted(daemon):
        daemon.stop()
        with SocialDesk(timing=PATIENT) as desk:
            desk.expect_status(DeviceState.OFFLINE, "no_pcscd")
            process = desk.service._transport._child.pid  # type: ignore[attr-defined]
            daemon.start()
            desk.expect_status(DeviceState.READY)
            assert desk.service._transport._child.pid == process  # type: ignore[attr-defined]


def test_a_pcscd_that_answers_nothing(daemon: Pcscd) -> None:
    with SocialDesk(timing=HASTY) as desk:
        desk.expect_status(DeviceState.READY)
        daemon.freeze()
        try:
            desk.expect_status(DeviceState.OFFLINE, "mute")
        finally:
            daemon.thaw()
        desk.expect_status(DeviceState.READY)


def test_a_reader_in_other_hands_is_busy(daemon: Pcscd) -> None:
    with transport() as mine, VpcdCard(ScriptedCard(SECOND), daemon):
        until(lambda: mine.card_state() is CardState.PRESENT)
        mine.power_on()
        with SocialDesk(timing=PATIENT) as desk:
            desk.expect_status(DeviceState.OFFLINE, "busy_reader")
            mine.power_off()
            desk.expect_status(DeviceState.READY)


@pytest.mark.parametrize(("result", "answer", "reason"), [
    (scard.SCARD_E_NO_SMARTCARD, Answer.CARD_GONE, ""),
    (0x80100069, Answer.CARD_GONE, ""),
    (0x80100067, Answer.CARD_GONE, ""),
    (0x80100017, Answer.READER_GONE, "no_reader"),
    (0x8010002E, Answer.READER_GONE, "no_reader"),
    (0x80100009, Answer.READER_GONE, "no_reader"),
    (0x8010001D, Answer.READER_GONE, "no_pcscd"),
    (0x8010001E, Answer.READER_GONE, "no_pcscd"),
    (0x80100013, Answer.READER_GONE, "no_pcscd"),
    (0x80100003, Answer.READER_GONE, "no_pcscd"),
    (0x8010000B, Answer.READER_FAULT, "busy_reader"),
    (0x80100066, Answer.NO_CONTACT, ""),
    (0x80100065, Answer.CARD_FAULT, ""),
    (0x80100068, Answer.CARD_FAULT, ""),
    (0x8010000F, Answer.CARD_FAULT, ""),
    (0x8010002F, Answer.READER_FAULT, "pcsc_error"),
    (0x12345678, Answer.READER_FAULT, "pcsc_error"),
])
def test_results_of_pcsc(result: int, answer: Answer, reason: str) -> None:
    assert refusal(result) == (answer, reason)


# --- the process ---


def test_the_process_is_niced_light_and_replaced_when_it_dies(daemon: Pcscd) -> None:
    with transport() as reader:
        process = reader._child.pid
        assert process is not None
        assert os.getpriority(os.PRIO_PROCESS, process) >= 5
        loaded = Path(f"/proc/{process}/maps").read_text()
        assert "_scard" in loaded and "PySide" not in loaded and "cv2" not in loaded and "numpy" not in loaded
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        assert READER.encode() not in command
        os.kill(process, signal.SIGKILL)
        with pytest.raises(ReaderGone, match="driver_died"):
            reader.card_state()
        reader.open()
        assert reader._child.pid not in (None, process)


def test_a_dead_process_is_noticed_by_the_service(daemon: Pcscd, desk: SocialDesk) -> None:
    os.kill(desk.service._transport._child.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    until(lambda: "driver_died" in [status.reason for status in desk.statuses])
    desk.expect_status(DeviceState.READY)


def test_a_card_whose_reading_was_lost_has_had_its_turn(daemon: Pcscd, desk: SocialDesk) -> None:
    """Whoever waits when the reader is back may be somebody else."""

    class Fatal(ScriptedCard):
        def answer(self, apdu: bytes) -> bytes | Silence:
            if len(self.log) == 6:
                os.kill(desk.service._transport._child.pid, signal.SIGKILL)  # type: ignore[attr-defined]
            return super().answer(apdu)

    desk.service.seek()
    card = Fatal(SECOND)
    with VpcdCard(card, daemon):
        desk.expect(SEEN, SocialCardTrouble.READER_LOST, TAKEN, SocialCardTrouble.TAKE_FIRST)
        desk.expect_status(DeviceState.READY)
        assert len(card.log) == 7


def test_a_process_that_hangs_is_killed_at_its_deadline(daemon: Pcscd) -> None:
    with transport(0.5) as reader:
        process = reader._child.pid
        assert process is not None
        os.kill(process, signal.SIGSTOP)
        with pytest.raises(Timeout, match="mute"):
            reader.card_state()
        assert reader._child.pid is None
        assert not Path(f"/proc/{process}").exists()


def test_a_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(ReaderFault, match="not_started"):
        PcscChild(never()).order(Op.STATE, None, 1.0)


def test_stop_is_quick_and_leaves_no_process(daemon: Pcscd) -> None:
    desk = SocialDesk(timing=PATIENT)
    with desk:
        desk.expect_status(DeviceState.READY)
        process = desk.service._transport._child.pid  # type: ignore[attr-defined]
        assert desk.service.stop(0.5)
    assert not Path(f"/proc/{process}").exists()


# --- the password counter, the log ---


def test_tries_are_asked_for_and_never_spent(daemon: Pcscd) -> None:
    card = ScriptedCard(replace(SECOND, pin_tries=2))
    with transport() as reader, VpcdCard(card, daemon):
        until(lambda: reader.card_state() is CardState.PRESENT)
        assert [SocialCardReader(reader).pin_tries() for _ in range(2)] == [2, 2]
    assert card.tries == 2
    with transport() as reader, VpcdCard(ScriptedCard(replace(SECOND, pin_tries=0)), daemon):
        until(lambda: reader.card_state() is CardState.PRESENT)
        assert SocialCardReader(reader).pin_tries() is PinQuery.LOCKED


def test_a_complete_run_leaves_nobody_in_the_log(
    daemon: Pcscd, desk: SocialDesk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        desk.service.seek()
        with VpcdCard(ScriptedCard(SECOND), daemon):
            desk.expect(SEEN, FULL)
        desk.expect(SEEN, FULL, TAKEN)
        desk.service.seek()
        card = ScriptedCard(SECOND)
        card.silent_at = (12, Silence.GONE)
        with VpcdCard(card, daemon):
            until(lambda: SocialCardTrouble.PULLED in desk.events)
        assert desk.service.stop()
    assert "full" in caplog.text
    out, err = capfd.readouterr()
    assert_no_person(caplog.text + out + err + repr(desk.statuses) + repr(desk.events))
