"""Whole slips on a real pseudo-terminal against the emulated printer: the sunny way and every fault on it."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from kiosk.config import PrinterConfig
from kiosk.devices.emulated.printer import PrinterEmulator, PrinterFaults
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.printer import escpos
from kiosk.devices.printer.service import PrinterService
from kiosk.domain.slip import PrintOutcome, PrintResult, Raster
from kiosk.domain.status import DeviceState, DeviceStatus

CASE = "HG00-20261122-000137"
PATIENCE_S = 1.2
HEIGHT = 900


def slip(seed: int = 1, width: int = 576) -> Raster:
    """Lines of noise with blank rows between, as lines of text are; no byte 10h, which may lose a dot."""
    noise = random.Random(seed)
    row_bytes = width // 8
    inked = [bytes(noise.choices(b"\x00\x3c\xff\x81", k=row_bytes)) for _ in range(HEIGHT)]
    rows = [bytes(row_bytes) if y % 60 > 40 else row for y, row in enumerate(inked)]
    return Raster(width, HEIGHT, b"".join(rows))


@dataclass
class MemoryJournal:
    """The journal as a list of lines. `before_sending` looks at the world at that very moment."""

    lines: list[str] = field(default_factory=list)
    interrupted: int = 0
    broken: bool = False
    before_sending: Callable[[], None] = lambda: None

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        if self.broken:
            raise RuntimeError("journal broken on purpose")
        assert len(digest) == 64 and size
        job = 1 + sum(line.startswith("queued") for line in self.lines)
        self.lines.append(f"queued {job} {case_number} {kind} {copy}")
        return job

    def sending(self, job: int) -> None:
        self.before_sending()
        self.lines.append(f"sending {job}")

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None:
        self.lines.append(f"{outcome.value} {job} {evidence}")

    def settle_interrupted(self) -> int:
        count, self.interrupted = self.interrupted, 0
        return count


class Bench:
    """Service, emulator and journal together, and what the service has said so far."""

    def __init__(self, tmp_path: Path, lines_per_s: float = 30_000, **settings: object) -> None:
        self.tmp_path = tmp_path
        self.port = PtyPort(tmp_path / "dev" / "printer")
        self.printer = PrinterEmulator(self.port, lines_per_s=lines_per_s, slip_dir=tmp_path / "paper")
        self.journal = MemoryJournal()
        self.results: list[PrintResult] = []
        self.statuses: list[tuple[DeviceState, str]] = []
        values = {"port": str(self.port.path), "fence_patience_s": PATIENCE_S, **settings}
        self.config = PrinterConfig.model_validate(values)
        self.service = PrinterService(
            self.config, self.journal, self._ended, self._status, heartbeat_s=0.05, retry_s=(0.05, 0.1)
        )

    def _status(self, status: DeviceStatus) -> None:
        self.statuses.append((status.state, status.reason))

    @property
    def sent(self) -> bytes:
        """What went over the line without the status queries, which come at any time; no picture here holds such bytes."""
        return re.sub(rb"\x10\x04[\x01-\x04]", b"", bytes(self.printer.received))

    @property
    def state(self) -> tuple[DeviceState, str]:
        return self.service.status.state, self.service.status.reason

    def _ended(self, case_number: str, result: PrintResult) -> None:
        assert case_number == CASE
        self.results.append(result)

    def print(self, raster: Raster, copy: int = 1) -> PrintResult:
        done = len(self.results)
        self.service.print(raster, CASE, copy)
        until(lambda: len(self.results) > done)
        return self.results[-1]

    def at_line(self, line: int, act: Callable[[], None]) -> None:
        """Does something in the printer's own thread, exactly when that dot line is on paper."""
        self.printer.on_line = lambda printed: act() if printed == line else None

    def fault(self, name: str, line: int) -> None:
        self.at_line(line, lambda: setattr(self.printer.faults, name, True))


def until(condition: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(tmp_path, **getattr(request, "param", {}))
    with bench.port, bench.printer:
        bench.service.start()
        until(lambda: bench.state == (DeviceState.READY, ""))
        yield bench
        assert bench.service.stop()


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


@pytest.mark.parametrize("bench", [{"process_id": False}], indirect=True)
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


def test_another_device_on_the_port_is_never_ready_and_sent_only_questions(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    heard, stop = bytearray(), threading.Event()

    def chatter() -> None:
        while not stop.is_set():
            if data := bench.port.read(0.02):
                heard.extend(data)
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
    assert (DeviceState.READY, "") not in bench.statuses
    assert set(bytes(heard).split(b"\x10\x04")) <= {b"", b"\x01", b"\x02", b"\x03", b"\x04"}


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
    assert bench.sent.count(escpos.START) == 1


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


def test_a_journal_that_fails_ends_the_slip_not_the_service(bench: Bench) -> None:
    bench.journal.broken = True
    assert bench.print(slip()) == PrintResult(0, PrintOutcome.UNKNOWN, "program_fault")
    assert b"\x1dv" not in bench.printer.received
    bench.journal.broken = False
    until(lambda: (DeviceState.OFFLINE, "program_fault") in bench.statuses)
    until(lambda: bench.state == (DeviceState.READY, ""))
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED


def test_unasked_status_bytes_are_switched_off_again_after_a_power_cycle(bench: Bench) -> None:
    until(lambda: not bench.printer.engine.automatic_status)
    bench.printer.faults.silent = True
    until(lambda: bench.state == (DeviceState.OFFLINE, "mute"))
    bench.printer.engine.automatic_status = True
    bench.printer.faults.silent = False
    until(lambda: not bench.printer.engine.automatic_status)


def test_the_emulator_answers_as_the_manuals_say() -> None:
    table = {
        "": "12 12 12 12", "near_end": "12 12 12 1e", "paper_end": "1a 32 12 7e", "cover": "1a 16 12 12", "cutter": "1a 52 1a 12",
    }
    for fault, expected in table.items():
        faults = PrinterFaults(**({fault: True} if fault else {}))
        assert bytes(faults.status()).hex(" ") == expected
