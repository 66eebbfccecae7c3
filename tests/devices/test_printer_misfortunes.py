"""The misfortunes of receipt printers collected in the field (PR-01 … PR-14): what the device does about each of them."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from printer_bench import CASE, HEIGHT, Bench, running, slip, text_slip, until
from sqlalchemy import Engine, text

from kiosk.devices.printer import escpos
from kiosk.domain.slip import PrintOutcome, PrintResult, Raster
from kiosk.domain.status import DeviceState
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.print_journal import PrintJournal

READY, BUSY, DEGRADED, OFFLINE = DeviceState.READY, DeviceState.BUSY, DeviceState.DEGRADED, DeviceState.OFFLINE


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with running(tmp_path, **getattr(request, "param", {})) as bench:
        yield bench


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The terminal's own database."""
    engine = open_database(tmp_path / "terminal.db", DatabaseKey("0f" * 32))
    migrate(engine)
    yield engine
    engine.dispose()


def journal_of(engine: Engine) -> PrintJournal:
    return PrintJournal(engine, lambda: dt.datetime.now(dt.UTC))


def rows(engine: Engine) -> list[tuple[int, int, str]]:
    """Job, copy and state of every slip, oldest first."""
    with engine.connect() as connection:
        return [(job, copy, state) for job, copy, state in connection.execute(text("SELECT job, copy, state FROM print_job"))]


def settled(bench: Bench) -> None:
    """The printer has had the time to print whatever it still holds."""
    until(lambda: bench.state == (READY, ""))
    time.sleep(0.3)


def test_pr_01_a_refill_releases_no_old_slips(bench: Bench) -> None:
    """No spooler: a slip that cannot be printed now is refused now."""
    bench.printer.faults.paper_end = True
    for seed in (1, 2, 3):
        bench.service.print(slip(seed), CASE)
    until(lambda: len(bench.results) == 3)
    assert {(result.outcome, result.reason) for result in bench.results} == {(PrintOutcome.BLOCKED, "paper_out")}
    bench.printer.faults.paper_end = False
    settled(bench)
    assert (bench.printer.slips, bench.printer.engine.lines_printed) == ([], 0)
    assert bench.print(slip(4)).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips == [slip(4)]


@pytest.mark.parametrize(
    ("fault", "state"),
    [("near_end", (DEGRADED, "paper_low")), ("paper_end", (OFFLINE, "paper_out")), ("cover", (OFFLINE, "cover_open"))],
)
def test_pr_02_an_empty_printer_says_so_before_anybody_starts_and_takes_it_back(
    bench: Bench, fault: str, state: tuple[DeviceState, str]
) -> None:
    """Nobody prints: the heartbeat alone tells, and clears itself."""
    setattr(bench.printer.faults, fault, True)
    until(lambda: bench.state == state)
    setattr(bench.printer.faults, fault, False)
    until(lambda: bench.state == (READY, ""))


@pytest.mark.parametrize("bench", [{"lines_per_s": 1500}], indirect=True)
def test_pr_03_printed_is_said_after_the_paper_is_cut_and_not_before(bench: Bench) -> None:
    at_the_knife: list[int] = []
    bench.printer.on_cut = lambda slip: at_the_knife.append(len(bench.results))
    assert bench.print(slip(), seconds=30).outcome is PrintOutcome.PRINTED
    assert at_the_knife == [0]
    bench.printer.on_cut = lambda slip: setattr(bench.printer.faults, "cutter", True)
    assert bench.print(slip(), seconds=30) == PrintResult(2, PrintOutcome.UNKNOWN, "cutter_error")


def test_pr_04_a_printer_that_is_off_is_a_state(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        bench.printer.faults.silent = True
        until(lambda: bench.state == (OFFLINE, "mute"))
        assert bench.print(slip()).outcome is PrintOutcome.BLOCKED
        bench.port.unplug()
        until(lambda: bench.state == (OFFLINE, "no_port"))
        assert bench.print(slip()).outcome is PrintOutcome.BLOCKED
    assert not caplog.records, "nothing that is no bug is logged as one"
    bench.printer.faults.silent = False
    bench.port.plug()
    until(lambda: bench.state == (READY, ""))


@pytest.mark.parametrize("bench", [{"lines_per_s": 600}], indirect=True)
def test_pr_05_busy_is_not_unreachable(bench: Bench) -> None:
    """A slip of a second and a half, heartbeats twenty times as often."""
    before = len(bench.statuses)
    assert bench.print(slip(), seconds=30).outcome is PrintOutcome.PRINTED
    until(lambda: bench.state == (READY, ""))
    assert bench.statuses[before:] == [(BUSY, ""), (READY, "")]


def test_pr_06_a_pulled_plug_is_recovered_under_another_node(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench.at_line(333, threading.Thread(target=bench.port.unplug).start)
    assert bench.print(slip(1)) == PrintResult(1, PrintOutcome.UNKNOWN, "line_lost")
    until(lambda: bench.state[0] is OFFLINE)
    assert "line lost: " in caplog.text, "what the driver said"
    assert bench.print(slip(2)).outcome is PrintOutcome.BLOCKED, "not printable while unplugged"
    bench.port.plug()
    bench.port.replug_elsewhere()
    until(lambda: bench.state == (READY, ""))
    assert bench.print(slip(3), copy=2).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips[-1] == slip(3)


def test_pr_07_unknown_is_never_printed_again_by_itself_and_the_copy_is_a_new_job(tmp_path: Path, engine: Engine) -> None:
    """Paper out in mid-slip, patience over, refill: neither the rest of the old slip nor a second one comes out."""
    with running(tmp_path, journal=journal_of(engine)) as bench:
        bench.fault("paper_end", line=333)
        assert bench.print(slip(1)) == PrintResult(1, PrintOutcome.UNKNOWN, "paper_out")
        until(lambda: not bench.printer.engine.buffer)
        bench.printer.faults.paper_end = False
        settled(bench)
        assert bench.printer.engine.lines_printed == 333, "the rest stays in the dark"
        assert len(bench.results) == 1 and bench.printer.slips == []
        assert bench.print(slip(2), copy=2) == PrintResult(2, PrintOutcome.PRINTED)
        torn, copy = bench.printer.slips
        assert (torn.height, copy) == (333, slip(2))
        assert bench.printer.engine.process_ids == [b"0002"]
    assert rows(engine) == [(1, 1, "unknown"), (2, 2, "printed")]


def test_pr_07_a_program_that_died_in_mid_slip_prints_nothing_by_itself_either(tmp_path: Path, engine: Engine) -> None:
    dead = journal_of(engine)
    dead.sending(dead.queue(CASE, "slip", 1, "ab" * 32, 40_000))
    with running(tmp_path, journal=journal_of(engine)) as bench:
        settled(bench)
        assert b"\x1dv" not in bench.printer.received
        assert bench.print(slip(), copy=2) == PrintResult(2, PrintOutcome.PRINTED)
        assert [one.height for one in bench.printer.slips] == [0, HEIGHT], "whatever hung there was cut off"
    assert rows(engine) == [(1, 1, "unknown"), (2, 2, "printed")]


def test_pr_07_doubt_lasts_over_a_restart_of_the_program(tmp_path: Path, engine: Engine) -> None:
    with running(tmp_path, journal=journal_of(engine)) as bench:
        bench.printer.faults.no_process_id = True
        assert bench.print(slip(1)).outcome is PrintOutcome.UNKNOWN
    with running(tmp_path, journal=journal_of(engine)) as again:
        again.printer.engine.buffer += bytes.fromhex("1D 76 30 00 48 00 38 00")  # half a band, left behind
        assert again.print(slip(2), copy=2) == PrintResult(2, PrintOutcome.PRINTED)
        assert again.printer.slips[-1] == slip(2)
        assert again.print(slip(3)).outcome is PrintOutcome.PRINTED
        assert len(again.printer.slips) == 3, "nothing is cut off after a slip that was printed"


@pytest.mark.parametrize("fault", ["paper_end", "cover", "cutter", "unrecoverable", "overheat", "jam", "silent", "stall"])
def test_pr_08_no_error_sticks(bench: Bench, fault: str) -> None:
    setattr(bench.printer.faults, fault, True)
    until(lambda: bench.state[0] is OFFLINE)
    setattr(bench.printer.faults, fault, False)
    until(lambda: bench.state == (READY, ""))
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED


def test_pr_09_a_fast_replug_and_a_bug_do_not_end_the_thread(bench: Bench) -> None:
    for _ in range(5):
        bench.port.unplug()
        time.sleep(0.1)
        bench.port.plug()
        time.sleep(0.1)
    until(lambda: bench.state == (READY, ""))
    bench.journal.broken = "queue"
    assert bench.print(slip()).reason == "program_fault"
    bench.journal.broken = ""
    until(lambda: (OFFLINE, "program_fault") in bench.statuses)
    until(lambda: bench.state == (READY, ""))
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED


def test_pr_10_old_answers_prove_nothing(bench: Bench) -> None:
    """Good news in the buffer while the paper is out, and the process id of another job at the knife."""
    bench.printer.faults.paper_end = True
    bench.port.write(b"\x12\x12\x12\x12" * 8)
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, "paper_out")
    bench.printer.faults.paper_end = False
    until(lambda: bench.state == (READY, ""))
    bench.printer.faults.no_process_id = True
    bench.printer.on_cut = lambda slip: bench.port.write(bytes.fromhex("37 22 30 30 30 31 00"))
    assert bench.print(slip()) == PrintResult(2, PrintOutcome.UNKNOWN, "no_proof")


def test_pr_11_a_printer_attached_later_is_found(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.service.start()
    until(lambda: bench.state == (OFFLINE, "no_port"))
    with bench.port, bench.printer:
        until(lambda: bench.state == (READY, ""))
        assert bench.print(slip()).outcome is PrintOutcome.PRINTED
        assert bench.service.stop()


@pytest.mark.parametrize("bench", [{"text_mode": True}], indirect=True)
def test_pr_12_chinese_prints_as_picture_and_as_text(bench: Bench) -> None:
    """Golden pictures and the words by foreign tools: test_printer_oracle.py."""
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED
    assert bench.print(text_slip()).outcome is PrintOutcome.PRINTED
    assert bench.printer.slips[0] == slip()
    assert bench.printer.texts[1].splitlines()[0] == "业务回执"


@pytest.mark.parametrize("answer", [b"", b"\x00", b"\xff", b"\x12", b"\x12\x12\x12", b"\x52\x52\x52\x52\x52\x52"])
def test_pr_13_no_answer_and_a_wrong_answer_are_not_paper_ok(tmp_path: Path, answer: bytes) -> None:
    """Whatever a device says to each question, unless it answers all four it is never READY and gets no slip."""
    bench = Bench(tmp_path)
    stop, asked = threading.Event(), []

    def serve() -> None:
        while not stop.is_set():
            if data := bench.port.read(0.02):
                asked.append(data)
                if len(asked) == 1 or answer in (b"\x00", b"\xff"):
                    bench.port.write(answer)

    device = threading.Thread(target=serve)
    with bench.port:
        device.start()
        try:
            bench.service.start()
            until(lambda: bench.state[0] is OFFLINE)
            assert bench.print(slip()).outcome is PrintOutcome.BLOCKED
        finally:
            assert bench.service.stop()
            stop.set()
            device.join()
    assert not [state for state, _ in bench.statuses if state in (READY, DEGRADED)]
    assert b"\x1dv" not in b"".join(asked)


def test_pr_14_paper_is_counted_when_a_slip_is_confirmed(tmp_path: Path, engine: Engine) -> None:
    """The count is a question to the journal: there is no counter that could run ahead of it."""

    def used() -> int:
        return sum(state == "printed" for _, _, state in rows(engine))

    with running(tmp_path, journal=journal_of(engine)) as bench:
        counted: list[int] = []
        bench.printer.on_cut = lambda slip: counted.append(used())
        assert bench.print(slip()).outcome is PrintOutcome.PRINTED
        assert (counted, used()) == ([0], 1)
        bench.printer.faults.paper_end = True
        assert bench.print(slip()).outcome is PrintOutcome.BLOCKED
        bench.printer.faults.paper_end = False
        bench.printer.faults.no_process_id = True
        assert bench.print(slip()).outcome is PrintOutcome.UNKNOWN
        assert used() == 1
    assert [job for job, _, _ in rows(engine)] == [1, 2, 3], "numbers are never used again"


def test_two_writers_on_one_port(bench: Bench, tmp_path: Path) -> None:
    """The second program gets nothing through, and the first is not disturbed."""
    second = Bench(tmp_path / "second", port=str(bench.port.path))
    second.service.start()
    until(lambda: second.state == (OFFLINE, "busy_port"))
    received = bench.sent
    assert second.print(slip(2)) == PrintResult(1, PrintOutcome.BLOCKED, "busy_port")
    assert bench.sent == received == escpos.START
    assert bench.print(slip(1)).outcome is PrintOutcome.PRINTED
    assert second.service.stop()
    assert bench.printer.slips == [slip(1)]


def test_a_process_id_comes_round_again_after_9999_slips(tmp_path: Path) -> None:
    with running(tmp_path) as bench:
        bench.journal.lines += ["queued"] * 9999
        bench.journal.lines += ["printed"]
        assert bench.print(Raster(576, 8, bytes(576))) == PrintResult(10000, PrintOutcome.PRINTED)
        assert bench.printer.engine.process_ids == [b"0001"]
