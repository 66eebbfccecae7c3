"""Each misfortune through the window: a calm sentence, a way on, the cause for staff, nothing lost or doubled."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from visits import TRY_S, Enter, agree, delivered, to_camera, to_result

from kiosk.demo.estate import Estate
from kiosk.devices.emulated.idcard import Manner
from kiosk.devices.idcard.codec import Command
from kiosk.domain.case import Standing
from kiosk.domain.coaching import Coach
from kiosk.domain.slip import PrintOutcome
from kiosk.flow.view import Button, Step

pytestmark = pytest.mark.timeout(180)


# ------------------------------------------------------------------------------------------ identity card


def test_reader_pulled_out_and_plugged_in_again(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert town.reader is not None
    town.reader.unplug()
    view = finger.wait_for(Step.OUT_OF_SERVICE)
    assert view.staff_note.startswith("staff.idcard.") and Button.HELP in view.enabled
    town.reader.plug()
    finger.wait_for(Step.ATTRACT)
    town.lay_card()
    finger.wait_for(Step.GREETING)


def test_card_taken_away_in_the_middle_of_reading(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert town.reader is not None
    town.reader.vanish_after = Command.SELECT
    town.lay_card()
    view = finger.wait(lambda view: bool(view.trouble), 10, "a sentence")
    assert view.step is Step.CARD and view.trouble == "trouble.lay_again"
    town.lay_card()
    assert finger.wait_for(Step.GREETING).trouble == ""


@pytest.mark.parametrize("manner", [Manner.WRONG_CHECKSUM, Manner.TRUNCATED])
def test_damaged_frames_are_asked_for_again(town: Estate, enter: Enter, manner: Manner) -> None:
    finger = enter()
    assert town.reader is not None
    town.reader.behave(manner, times=2, command=Command.READ)
    town.lay_card()
    finger.wait_for(Step.GREETING, 30)


# ------------------------------------------------------------------------------------------ camera and face


def test_camera_pulled_out_in_the_middle_of_a_try(town: Estate, enter: Enter) -> None:
    finger = enter()
    to_camera(town, finger, "nobody")
    finger.wait(lambda view: view.coach is Coach.NO_FACE, 20, "coaching")
    town.camera_fault("unplugged")
    view = finger.wait_for(Step.SORRY, 20)
    assert view.trouble == "trouble.camera_lost" and view.staff_note and view.attempt == 0
    town.camera_fault("none")
    town.stand("cardholder")
    finger.pause(3)
    finger.press(Button.RETRY)
    finger.wait_for(Step.RESULT, TRY_S)


def test_face_process_killed_in_the_middle_of_a_try(town: Estate, enter: Enter) -> None:
    finger = enter()
    to_camera(town, finger, "nobody")
    finger.wait(lambda view: view.coach is Coach.NO_FACE, 20, "coaching")
    for child in psutil.Process().children():
        if "spawn_main" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
    view = finger.wait_for(Step.SORRY, 20)
    assert view.trouble == "trouble.unavailable" and view.attempt == 0
    town.stand("cardholder")
    finger.pause(4)
    finger.press(Button.RETRY)
    finger.wait_for(Step.RESULT, TRY_S)


def test_nobody_before_the_camera(town: Estate, enter: Enter) -> None:
    finger = enter(face__try_timeout_s="4")
    to_camera(town, finger, "nobody")
    view = finger.wait_for(Step.TRY_AGAIN, 30)
    assert view.trouble == "trouble.timeout" and Button.HELP in view.enabled


def test_a_photograph_held_up_is_never_a_pass(town: Estate, enter: Enter) -> None:
    finger = enter(face__liveness__retries="0")
    to_camera(town, finger, "photo")
    view = finger.wait_for(Step.TRY_AGAIN, TRY_S)
    assert view.trouble == "trouble.no_action"


@pytest.mark.parametrize(("person", "fault", "coach"), [("two", "none", Coach.MULTI), ("cardholder", "dark", Coach.DARK)])
def test_coaching(town: Estate, enter: Enter, person: str, fault: str, coach: Coach) -> None:
    finger = enter()
    town.camera_fault(fault)
    to_camera(town, finger, person)
    finger.wait(lambda view: view.coach is coach, 30, coach.value)


# ------------------------------------------------------------------------------------------ printer


def test_pr_02_without_paper_nothing_begins_unless_the_person_wants_no_slip(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert town.printer is not None
    slips, before = len(town.printer.slips), len(town.office_cases())
    town.printer.faults.paper_end = True
    view = finger.wait_for(Step.NO_SLIP, 20)
    assert view.staff_note == "staff.printer.paper_out"
    town.stand("cardholder")
    town.lay_card()
    finger.wait(lambda view: Button.END in view.enabled, 20, "the card to be noticed")
    finger.press(Button.WITHOUT_SLIP)
    finger.wait_for(Step.GREETING, 20)
    agree(finger)
    view = finger.wait_for(Step.RESULT, TRY_S)
    assert not view.wants_slip and view.case_number
    delivered(town, finger)
    assert len(town.office_cases()) == before + 1 and len(town.printer.slips) == slips


def test_paper_put_in_while_somebody_waits_goes_on_by_itself(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert town.printer is not None
    town.printer.faults.paper_end = True
    finger.wait_for(Step.NO_SLIP, 20)
    town.lay_card()
    finger.wait(lambda view: Button.END in view.enabled, 20, "the card to be noticed")
    town.printer.faults.paper_end = False
    assert finger.wait_for(Step.GREETING, 20).wants_slip


def test_printer_silent_at_the_end_and_well_again(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert town.printer is not None
    slips = len(town.printer.slips)
    to_camera(town, finger)
    town.printer.faults.silent = True
    finger.wait_for(Step.RESULT, TRY_S)
    view = finger.wait(lambda view: view.slip is not None, 60, "the word on the slip")
    assert view.slip is PrintOutcome.BLOCKED and view.staff_note.startswith("staff.printer.") and view.case_number
    town.printer.faults.silent = False
    finger.wait(lambda view: Button.REPRINT in view.enabled, 30, "the offer to print")
    finger.press(Button.REPRINT)
    finger.wait(lambda view: view.slip is PrintOutcome.PRINTED, 60, "the slip")
    assert len(town.printer.slips) == slips + 1


def test_paper_runs_out_in_the_middle_and_is_refilled(town: Estate, enter: Enter) -> None:
    finger = enter()
    printer = town.printer
    assert printer is not None
    finger.pause(3)
    slips, start = len(printer.slips), printer.engine.lines_printed

    def run_out(lines: int) -> None:
        if lines == start + 300:
            printer.faults.paper_end = True

    printer.on_line = run_out
    to_camera(town, finger)
    finger.wait_for(Step.RESULT, TRY_S)
    finger.wait(lambda view: printer.faults.paper_end, 20, "the end of the paper")
    finger.pause(2)
    assert finger.view.slip is None, "still waiting for paper"
    printer.on_line = lambda lines: None
    printer.faults.paper_end = False
    view = finger.wait(lambda view: view.slip is not None, 30, "the slip")
    assert view.slip is PrintOutcome.PRINTED and len(printer.slips) == slips + 1


# ------------------------------------------------------------------------------------------ store


def test_wrong_key_leaves_the_database_alone_and_the_right_one_goes_on(town: Estate, enter: Enter, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0" * 64)
    database = load_path(town)
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    finger = enter(until=None, store__key_file=str(key))
    finger.pause(1)
    window = finger.window
    assert any("密钥" in text for text in texts_on(window)), "staff see the cause"
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before


def test_database_that_cannot_be_read(town: Estate, enter: Enter, tmp_path: Path) -> None:
    broken = tmp_path / "terminal.db"
    broken.write_bytes(os.urandom(8192))
    finger = enter(until=None, store__path=str(broken))
    finger.pause(1)
    assert any("数据库" in text for text in texts_on(finger.window))
    assert broken.stat().st_size == 8192


def test_full_disk_takes_no_case_and_never_says_done(town: Estate, enter: Enter) -> None:
    finger = enter(store__free_floor_mb=str(10**9))
    to_camera(town, finger)
    view = finger.wait_for(Step.SORRY, TRY_S)
    assert view.trouble == "trouble.disk_full" and Button.RETRY not in view.enabled and Button.HELP in view.enabled


# ------------------------------------------------------------------------------------------ office


@contextmanager
def something_else(town: Estate, answer: bytes, delay: float = 0.0) -> Iterator[None]:
    """What stands where the office should be: a portal, or a machine that answers late."""

    class Portal(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(answer)))
            with contextlib.suppress(OSError):  # who waits no longer has hung up
                self.end_headers()
                self.wfile.write(answer)

        do_GET = do_PUT

        def log_message(self, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    office = town.office_address
    town.network.cut()
    town.network.lead_to("127.0.0.1", server.server_address[1])
    town.network.mend()
    try:
        yield
    finally:
        town.network.cut()
        town.network.lead_to(*office)
        town.network.mend()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("delay", [0.0, 6.0], ids=["html with 200", "late"])
def test_an_answer_that_is_not_the_office_proves_nothing(town: Estate, enter: Enter, delay: float) -> None:
    finger = enter()
    before = len(town.office_cases())
    with something_else(town, b"<html>please log in</html>", delay):
        view = to_result(town, finger)
        assert view.standing is Standing.RECEIVED
        assert town.sync_status()["unsent"] >= 1
    delivered(town, finger)
    assert len(town.office_cases()) == before + 1


# ------------------------------------------------------------------------------------------ helpers


def load_path(town: Estate) -> Path:
    return town.folder / "terminal.db"


def texts_on(window: object) -> list[str]:
    from PySide6.QtWidgets import QLabel, QWidget

    assert isinstance(window, QWidget)
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible()]
