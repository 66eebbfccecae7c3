"""Whole slips on a real pseudo-terminal against the emulated printer: the sunny way and every fault on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from printer_bench import CASE, HEIGHT, Bench, running, slip, until

from kiosk.config import PrinterModel
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.printer import Make, PrinterEmulator
from kiosk.devices.emulated.printer_faults import PrinterFaults
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.printer import escpos
from kiosk.devices.printer.dialog import PrinterDialog
from kiosk.devices.printer.probe import probe
from kiosk.devices.printer.profile import PROFILES
from kiosk.devices.printer.status import AnswerKind, Condition
from kiosk.devices.serial_line import SerialLine
from kiosk.domain.slip import PrintOutcome, PrintResult, Raster
from kiosk.domain.status import DeviceState


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with running(tmp_path, **getattr(request, "param", {})) as bench:
        yield bench


# ------------------------------------------------------------------------------------------------ printed


def test_a_slip_is_printed_pixel_by_pixel_cut_once_and_proved(bench: Bench) -> None:
    bench.journal.before_sending = lambda: bench.journal.lines.append(f"pictures sent: {b'v0' in bench.printer.received}")
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.PRINTED)
    assert bench.printer.slips == [slip()]
    assert bench.printer.engine.process_ids == [b"0001"]
    assert bench.sent.endswith(bytes.fromhex("1D 56 42 00 1D 28 48 06 00 30 30 30 30 30 31"))
    assert (bench.printer.lost, bench.printer.engine.junk) == (0, b"")
    assert max(across * down + 8 for across, down in bench.printer.engine.bands) <= 4096
    assert bench.journal.lines == [
        f"queued 1 {CASE} slip 1", "pictures sent: False", "sending 1", "printed 1 process id 0001",
    ]
    until(lambda: bench.state == (DeviceState.READY, ""))
    assert (DeviceState.BUSY, "") in bench.statuses


def test_a_fence_follows_every_packet(bench: Bench) -> None:
    bench.print(slip())
    chunks = bench.sent.split(bytes.fromhex("1D 72 01"))
    assert len(chunks) > 5
    assert all(len(chunk) + 3 <= 4096 for chunk in chunks)


@pytest.mark.parametrize("bench", [{"profile": "clone"}], indirect=True)
def test_a_model_without_process_id_proves_by_the_fence_after_the_cut(bench: Bench) -> None:
    bench.printer.faults.no_process_id = True
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED
    assert bench.sent.endswith(bytes.fromhex("1D 56 42 00 1D 72 01"))
    assert bench.journal.lines[-1] == "printed 1 fence after cut"


@pytest.mark.parametrize("bench", [{"width_dots": 384}], indirect=True)
def test_a_narrow_head_gets_narrow_slips_only(bench: Bench) -> None:
    with pytest.raises(ValueError, match="384"):
        bench.service.print(slip(), CASE)
    assert bench.print(slip(width=384)).outcome is PrintOutcome.PRINTED


def test_slips_are_printed_one_after_the_other(bench: Bench) -> None:
    for seed in (1, 2, 3):
        bench.service.print(slip(seed), CASE)
    until(lambda: len(bench.results) == 3)
    assert [(result.job, result.outcome) for result in bench.results] == [(job, PrintOutcome.PRINTED) for job in (1, 2, 3)]
    assert bench.printer.slips == [slip(1), slip(2), slip(3)]


def test_the_emulator_keeps_its_slips_as_pictures(bench: Bench) -> None:
    bench.print(slip())
    with Image.open(bench.tmp_path / "paper" / "slip-0001.png") as picture:
        assert bytes(byte ^ 0xFF for byte in picture.tobytes()) == slip().data


def test_a_firmware_that_uses_bit_7_is_understood(bench: Bench) -> None:
    bench.printer.faults.bit_7 = True
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED


def test_little_paper_prints_and_calls_for_a_hand(bench: Bench) -> None:
    bench.printer.faults.near_end = True
    until(lambda: bench.state == (DeviceState.DEGRADED, "paper_low"))
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED


@pytest.mark.parametrize("bench", [{"lines_per_s": 3000}], indirect=True)
def test_a_slow_printer_with_a_small_buffer_loses_nothing(bench: Bench) -> None:
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED
    assert (bench.printer.lost, bench.printer.slips) == (0, [slip()])


# ------------------------------------------------------------------------------------------------ blocked


@pytest.mark.parametrize(
    ("fault", "reason", "evidence"),
    [
        ("paper_end", "paper_out", "1A 32 12 7E"),
        ("cover", "cover_open", "1A 16 12 12"),
        ("cutter", "cutter_error", "1A 52 1A 12"),
        ("unrecoverable", "unrecoverable", "1A 52 32 12"),
        ("overheat", "fault", "1A 52 52 12"),
        ("silent", "mute", "-- -- -- --"),
        ("stall", "mute", "-- -- -- --"),
    ],
)
def test_a_printer_that_cannot_print_is_sent_nothing(bench: Bench, fault: str, reason: str, evidence: str) -> None:
    setattr(bench.printer.faults, fault, True)
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, reason)
    assert bench.journal.lines == [f"queued 1 {CASE} slip 1", f"blocked 1 {evidence}"]
    assert b"\x1dv" not in bench.printer.received
    until(lambda: bench.state == (DeviceState.OFFLINE, reason))
    setattr(bench.printer.faults, fault, False)
    until(lambda: bench.state == (DeviceState.READY, ""))
    assert bench.printer.slips == []


def test_without_a_port_the_answer_is_blocked(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.service.start()
    until(lambda: bench.state == (DeviceState.OFFLINE, "no_port"))
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, "no_port")
    assert bench.service.stop()


def test_another_device_on_the_port_is_named_and_never_ready(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with IdCardEmulator(bench.port.path):
        bench.service.start()
        until(lambda: bench.state == (DeviceState.OFFLINE, "found_idcard"), 20)
        assert bench.print(slip()).outcome is PrintOutcome.BLOCKED
        assert bench.service.stop()
    assert not [state for state, _ in bench.statuses if state in (DeviceState.READY, DeviceState.DEGRADED)]


def test_a_chattering_device_is_never_ready(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stop = threading.Event()

    def chatter() -> None:
        while not stop.is_set():
            if bench.port.read(0.02):
                bench.port.write(b"\xaa\xaa\xaa\x96\x69")

    other = threading.Thread(target=chatter)
    with bench.port:
        other.start()
        try:
            bench.service.start()
            until(lambda: bench.state == (DeviceState.OFFLINE, "wrong_device"))
            assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, "wrong_device")
        finally:
            assert bench.service.stop()
            stop.set()
            other.join()
    assert not [state for state, _ in bench.statuses if state in (DeviceState.READY, DeviceState.DEGRADED)]


# ------------------------------------------------------------------------------------------------ stopped and going on


@pytest.mark.parametrize(("fault", "reason"), [("paper_end", "paper_out"), ("cover", "cover_open"), ("overheat", "fault")])
def test_a_slip_that_is_helped_in_time_is_printed_once_and_whole(bench: Bench, fault: str, reason: str) -> None:
    bench.fault(fault, line=333)
    bench.service.print(slip(), CASE)
    until(lambda: bench.state == (DeviceState.BUSY, reason))
    setattr(bench.printer.faults, fault, False)
    until(lambda: len(bench.results) == 1)
    assert bench.results == [PrintResult(1, PrintOutcome.PRINTED)]
    assert (bench.printer.lost, bench.printer.slips) == (0, [slip()])


# ------------------------------------------------------------------------------------------------ unknown


@pytest.mark.parametrize(
    ("fault", "reason", "evidence"),
    [
        ("paper_end", "paper_out", "1A 32 12 7E"),
        ("cover", "cover_open", "1A 16 12 12"),
        ("cutter", "cutter_error", "1A 52 1A 12"),
        ("unrecoverable", "unrecoverable", "1A 52 32 12"),
        ("silent", "mute", "-- -- -- --"),
        ("stall", "mute", "-- -- -- --"),
        ("no_process_id", "no_proof", "12 12 12 12"),
    ],
)
def test_what_cannot_be_proved_is_unknown_and_never_sent_again_by_itself(
    bench: Bench, fault: str, reason: str, evidence: str
) -> None:
    bench.fault(fault, line=333)
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.UNKNOWN, reason)
    assert bench.journal.lines[1:] == ["sending 1", f"unknown 1 {evidence}"]
    setattr(bench.printer.faults, fault, False)
    until(lambda: bench.state == (DeviceState.READY, ""))
    until(lambda: not bench.printer.engine.buffer)
    assert len(bench.results) == 1
    assert bench.sent.count(escpos.START + escpos.FENCE) == 1


def test_after_unknown_the_copy_begins_on_clean_paper(bench: Bench) -> None:
    bench.fault("paper_end", line=333)
    assert bench.print(slip(1)).outcome is PrintOutcome.UNKNOWN
    bench.printer.faults.paper_end = False
    assert bench.print(slip(2), copy=2) == PrintResult(2, PrintOutcome.PRINTED)
    torn, whole = bench.printer.slips
    assert whole == slip(2)
    assert torn.height < HEIGHT and slip(1).data.startswith(torn.data)
    assert bench.print(slip(3)).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips[2:] == [slip(3)]


def test_after_unknown_a_band_that_was_cut_short_does_not_swallow_the_copy(bench: Bench) -> None:
    bench.printer.faults.no_process_id = True
    assert bench.print(slip(1)).outcome is PrintOutcome.UNKNOWN
    bench.printer.faults.no_process_id = False
    bench.printer.engine.buffer += bytes.fromhex("1D 76 30 00 48 00 38 00")  # waits for 4032 bytes of picture
    assert bench.print(slip(2), copy=2).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips[-1] == slip(2)


def test_a_pulled_plug_is_unknown_and_the_printer_comes_back(bench: Bench) -> None:
    unplug = threading.Thread(target=bench.port.unplug)
    bench.at_line(333, unplug.start)
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.UNKNOWN, "line_lost")
    unplug.join()
    until(lambda: bench.state[0] is DeviceState.OFFLINE)
    bench.port.plug()
    until(lambda: bench.state == (DeviceState.READY, ""))
    assert bench.print(slip(2), copy=2).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips[-1] == slip(2)


def test_the_late_answer_of_an_earlier_job_proves_nothing(bench: Bench) -> None:
    def answer_for_another_job(slip: Raster) -> None:
        """At the cut, when the driver waits for the proof of this job and nothing else."""
        bench.port.write(bytes.fromhex("37 22 39 39 39 39 00"))

    bench.printer.faults.no_process_id = True
    bench.printer.on_cut = answer_for_another_job
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.UNKNOWN, "no_proof")


def test_slips_found_in_sending_at_start_are_settled_and_cut_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.journal.interrupted = 1
    with bench.port, bench.printer:
        bench.service.start()
        assert bench.print(slip()).outcome is PrintOutcome.PRINTED
        assert bench.service.stop()
    assert bench.journal.interrupted == 0
    assert [one.height for one in bench.printer.slips] == [0, HEIGHT]


@pytest.mark.parametrize("bench", [{"fence_patience_s": 60}], indirect=True)
def test_a_stop_in_mid_slip_is_prompt_and_unknown(bench: Bench) -> None:
    bench.fault("paper_end", line=333)
    bench.service.print(slip(), CASE)
    until(lambda: bench.state == (DeviceState.BUSY, "paper_out"))
    assert bench.service.stop()
    assert bench.results == [PrintResult(1, PrintOutcome.UNKNOWN, "stopped")]


@pytest.mark.parametrize("bench", [{"fence_patience_s": 60}], indirect=True)
def test_a_slip_that_was_never_begun_is_blocked_at_a_stop(bench: Bench) -> None:
    bench.fault("paper_end", line=333)
    for seed in (1, 2):
        bench.service.print(slip(seed), CASE)
    until(lambda: bench.state == (DeviceState.BUSY, "paper_out"))
    assert bench.service.stop()
    assert bench.results[1] == PrintResult(2, PrintOutcome.BLOCKED, "interrupted")
    assert bench.journal.lines[-1] == "blocked 2 interrupted"


@pytest.mark.parametrize(
    ("call", "outcome", "job", "pictures"),
    [
        ("queue", PrintOutcome.BLOCKED, 0, False), ("sending", PrintOutcome.BLOCKED, 1, False),
        ("end", PrintOutcome.UNKNOWN, 1, True),
    ],
)
def test_a_journal_on_a_full_disk_ends_the_slip_not_the_service(
    bench: Bench, call: str, outcome: PrintOutcome, job: int, pictures: bool
) -> None:
    """What is not in the journal was not sent; what was sent and is not in the journal is unknown."""
    bench.journal.broken = call
    assert bench.print(slip()) == PrintResult(job, outcome, "program_fault")
    assert (b"\x1dv" in bench.printer.received) is pictures
    bench.journal.broken = ""
    until(lambda: (DeviceState.OFFLINE, "program_fault") in bench.statuses)
    until(lambda: bench.state == (DeviceState.READY, ""))
    assert bench.print(slip(2)).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips[-1] == slip(2)


def test_unasked_status_bytes_are_switched_off_again_after_a_power_cycle(bench: Bench) -> None:
    until(lambda: not bench.printer.engine.automatic_status)
    bench.printer.faults.silent = True
    until(lambda: bench.state == (DeviceState.OFFLINE, "mute"))
    bench.printer.engine.automatic_status = True
    bench.printer.faults.silent = False
    until(lambda: not bench.printer.engine.automatic_status)


def test_a_printer_that_falls_silent_is_asked_nothing_it_could_print(bench: Bench) -> None:
    bench.printer.faults.silent = True
    until(lambda: bench.state == (DeviceState.OFFLINE, "mute"))
    until(lambda: bench.sent.count(escpos.START) == 1 and len(bench.printer.received) > 60, 20)  # several openings later
    assert bench.sent == escpos.START


def test_the_emulator_answers_as_the_manuals_say() -> None:
    table = {
        "": "12 12 12 12", "near_end": "12 12 12 1e", "paper_end": "1a 32 12 7e", "cover": "1a 16 12 12", "cutter": "1a 52 1a 12",
    }
    for fault, expected in table.items():
        faults = PrinterFaults(**({fault: True} if fault else {}))
        assert bytes(faults.status()).hex(" ") == expected


def test_what_came_in_before_the_question_is_no_answer_to_it(tmp_path: Path) -> None:
    """PR-10 at a fence: a byte that looks like the answer lies there already."""
    with PtyPort(tmp_path / "printer") as port:
        line = SerialLine.open(str(port.path), 115200)
        dialog = PrinterDialog(line, threading.Event(), PROFILES[PrinterModel.EPSON])
        port.write(b"\x00")
        assert not dialog.ask(escpos.FENCE, AnswerKind.FENCE, None, line_time=0, patience=0.3, on_stop=lambda cause: None)
        line.close()


def test_half_an_answer_to_why_is_no_answer_to_the_next_fence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fence is answered just when a Custom printer is asked for its status, whose six bytes are still under way."""
    monkeypatch.setattr("kiosk.devices.printer.dialog._QUIET_S", 1.0)
    monkeypatch.setattr("kiosk.devices.printer.dialog._ANSWER_S", 5.0)
    with PtyPort(tmp_path / "printer") as port:
        line = SerialLine.open(str(port.path), 115200)
        dialog = PrinterDialog(line, threading.Event(), PROFILES[PrinterModel.CUSTOM])

        def answer_late() -> None:
            heard = b""
            while not heard.endswith(escpos.full_status_query()):
                heard += port.read(0.05)
            port.write(b"\x00\x10\x0f\x00")

        def send_the_rest(cause: Condition) -> None:
            threading.Timer(0.02, port.write, (b"\x00\x00\x00",)).start()

        printer = threading.Thread(target=answer_late)
        printer.start()
        assert dialog.ask(escpos.FENCE, AnswerKind.FENCE, None, line_time=0, patience=30, on_stop=send_the_rest)
        printer.join()
        assert not dialog.ask(escpos.FENCE, AnswerKind.FENCE, None, line_time=0, patience=0.3, on_stop=lambda cause: None)
        line.close()


@pytest.mark.parametrize(
    ("make", "fault", "fits"),
    [
        ("epson", "", PrinterModel.EPSON), ("snbc", "", PrinterModel.CLONE), ("epson", "paper_end", None),
        ("snbc", "cover", None), ("custom", "paper_end", PrinterModel.CUSTOM), ("mute", "paper_end", PrinterModel.MUTE),
    ],
)
def test_no_profile_is_named_that_was_not_asked_for(tmp_path: Path, make: Make, fault: str, fits: PrinterModel | None) -> None:
    with PtyPort(tmp_path / "printer") as port, PrinterEmulator(port, make=make) as printer:
        if fault:
            setattr(printer.faults, fault, True)
        line = SerialLine.open(str(port.path), 115200)
        assert probe(line, threading.Event()).fits is fits
        line.close()
