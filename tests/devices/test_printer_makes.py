"""Slips on printers of every make, as pictures and as text: each make's own proof, its own mouth, its own bad habits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from printer_bench import CASE, Bench, running, slip, text_slip, until

from kiosk.config import PrinterModel
from kiosk.devices.printer import escpos
from kiosk.domain.slip import PrintOutcome, PrintResult
from kiosk.domain.status import DeviceState

TELLING = ["epson", "snbc", "custom", "clone"]
WORDS = ["业务回执", "HG00-20261122-000137", "-" * 48, "请拍照保存。"]


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with running(tmp_path, **getattr(request, "param", {})) as bench:
        yield bench


def settings(**values: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("bench", [values], indirect=True, ids=["-".join(map(str, values.values()))])


def makes(**values: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("bench", [{"profile": make, **values} for make in TELLING], indirect=True, ids=TELLING)


def jam_of(bench: Bench) -> str:
    return "paper_jam" if bench.config.profile in (PrinterModel.SNBC, PrinterModel.CUSTOM) else "fault"


# ------------------------------------------------------------------------------------------------ the sunny way


@makes()
def test_a_slip_is_whole_and_proved(bench: Bench) -> None:
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.PRINTED)
    assert (bench.printer.slips, bench.printer.lost, bench.printer.engine.junk) == ([slip()], 0, b"")
    evidence = {PrinterModel.EPSON: "process id 0001"}.get(bench.config.profile, "fence after cut")
    assert bench.journal.lines[-1] == f"printed 1 {evidence}"


@makes(text_mode=True)
def test_text_is_whole_and_proved(bench: Bench) -> None:
    assert bench.print(text_slip()).outcome is PrintOutcome.PRINTED
    assert bench.printer.texts == ["\n".join(WORDS)]
    assert bench.printer.engine.codes == ["SAMPLE0SAMPLE0"]
    assert (bench.printer.lost, bench.printer.engine.junk) == (0, b"")
    assert bench.sent.startswith(escpos.START + escpos.START + escpos.FENCE + bytes.fromhex("1C 26 1B 61 01 1D 21 11 1C 21 0C"))


@settings(width_dots=384)
def test_text_on_narrow_paper(bench: Bench) -> None:
    assert bench.print(text_slip(384)).outcome is PrintOutcome.PRINTED
    assert bench.printer.texts == ["\n".join(word[:32] for word in WORDS)]
    with pytest.raises(ValueError, match="384"):
        bench.service.print(text_slip(576), CASE)


@settings(baud=9600, line_baud=9600, lines_per_s=3000)
def test_text_on_a_slow_line(bench: Bench) -> None:
    assert bench.print(text_slip(), seconds=30).outcome is PrintOutcome.PRINTED
    assert bench.printer.texts == ["\n".join(WORDS)]


@settings(line_baud=230400, lines_per_s=3000)
def test_a_picture_on_a_line_with_a_speed_loses_nothing(bench: Bench) -> None:
    assert bench.print(slip(), seconds=30).outcome is PrintOutcome.PRINTED
    assert (bench.printer.lost, bench.printer.slips) == (0, [slip()])


# ------------------------------------------------------------------------------------------------ habits and faults


@makes()
def test_a_jam_has_a_name_where_the_make_gives_it_one(bench: Bench) -> None:
    bench.printer.faults.jam = True
    until(lambda: bench.state == (DeviceState.OFFLINE, jam_of(bench)))
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, jam_of(bench))
    bench.printer.faults.jam = False
    until(lambda: bench.state == (DeviceState.READY, ""))


@makes()
def test_a_jam_at_the_knife_is_not_printed(bench: Bench) -> None:
    bench.printer.on_cut = lambda slip: setattr(bench.printer.faults, "jam", True)
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.UNKNOWN, jam_of(bench))


@makes()
def test_paper_that_comes_in_time_brings_the_slip_out_once(bench: Bench) -> None:
    bench.fault("paper_end", line=333)
    bench.service.print(slip(), CASE)
    until(lambda: bench.state == (DeviceState.BUSY, "paper_out"))
    bench.printer.faults.paper_end = False
    until(lambda: len(bench.results) == 1)
    assert bench.results == [PrintResult(1, PrintOutcome.PRINTED)]
    assert bench.printer.slips == [slip()]


@settings(profile="clone")
def test_proof_by_fence_needs_a_printer_without_fault_afterwards(bench: Bench) -> None:
    """The fence after the cut is answered, then the paper jams: taken out of the buffer is not printed."""
    fence = bench.printer.fence

    def answer_and_jam() -> None:
        fence()
        bench.printer.faults.jam = bool(bench.printer.slips)

    bench.printer.fence = answer_and_jam  # type: ignore[method-assign]
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.UNKNOWN, "fault")


@makes()
def test_status_nobody_asked_for_answers_no_fence(bench: Bench) -> None:
    bench.printer.faults.stray_status = True
    until(lambda: bench.state == (DeviceState.READY, ""))
    bench.printer.faults.near_end = True
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED
    assert (bench.printer.lost, bench.printer.slips) == (0, [slip()])


@settings(text_mode=True, lines_per_s=500)
def test_a_fence_answered_early_does_not_harm_text(bench: Bench) -> None:
    bench.printer.faults.early_fence = True
    assert bench.print(text_slip(), seconds=20).outcome is PrintOutcome.PRINTED
    assert (bench.printer.lost, bench.printer.texts) == (0, ["\n".join(WORDS)])


# ------------------------------------------------------------------------------------------------ a slip in the mouth


@settings(profile="custom", ticket_left_s=60)
def test_a_slip_left_in_the_mouth_is_taken_back_before_the_next(bench: Bench) -> None:
    assert bench.print(slip(1)).outcome is PrintOutcome.PRINTED
    assert bench.printer.faults.ticket
    assert bench.state[0] is not DeviceState.OFFLINE
    assert bench.print(slip(2)).outcome is PrintOutcome.PRINTED
    assert (bench.printer.retracted, bench.printer.slips) == (1, [slip(1), slip(2)])


@settings(profile="custom", ticket_left_s=0.3)
def test_a_slip_nobody_takes_goes_back_by_itself(bench: Bench) -> None:
    assert bench.print(slip()).outcome is PrintOutcome.PRINTED
    until(lambda: bench.printer.retracted == 1)
    until(lambda: bench.state == (DeviceState.READY, ""))
    assert (DeviceState.DEGRADED, "ticket_waiting") in bench.statuses


@settings(profile="custom", ticket_left_s=2.0)
def test_every_slip_has_the_whole_time_to_be_taken(bench: Bench) -> None:
    """The first person walks away without the slip, and the next one's comes out shortly before it goes back."""
    assert bench.print(slip(1)).outcome is PrintOutcome.PRINTED
    time.sleep(1.2)
    cut: list[float] = []
    bench.printer.on_cut = lambda slip: cut.append(time.monotonic())
    assert bench.print(slip(2)).outcome is PrintOutcome.PRINTED
    assert bench.printer.retracted == 1
    until(lambda: bench.printer.retracted == 2)
    assert time.monotonic() - cut[0] > 2.0


@settings(profile="clone", ticket_left_s=0.2)
def test_a_slip_that_blocks_the_next_stays_missed(bench: Bench) -> None:
    bench.printer.faults.ticket = True
    until(lambda: bench.state == (DeviceState.DEGRADED, "ticket_waiting"))
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, "ticket_waiting")
    before = len(bench.statuses)
    until(lambda: bench.state == (DeviceState.DEGRADED, "ticket_waiting"))
    assert (DeviceState.READY, "") not in bench.statuses[before:]


@settings(profile="custom", ticket_left_s=60)
def test_a_slip_that_is_taken_is_not_missed(bench: Bench) -> None:
    assert bench.print(slip(1)).outcome is PrintOutcome.PRINTED
    bench.printer.faults.ticket = False
    assert bench.print(slip(2)).outcome is PrintOutcome.PRINTED
    assert bench.printer.retracted == 0


@settings(profile="clone", ticket_left_s=60)
def test_where_nothing_can_be_taken_back_the_next_slip_waits_for_a_hand(bench: Bench) -> None:
    bench.printer.faults.ticket = True
    bench.service.print(slip(), CASE)
    until(lambda: bench.state == (DeviceState.BUSY, "ticket_waiting"))
    assert b"\x1dv" not in bench.printer.received
    bench.printer.faults.ticket = False
    until(lambda: len(bench.results) == 1)
    assert bench.results == [PrintResult(1, PrintOutcome.PRINTED)]


@settings(profile="clone", ticket_left_s=0.2)
def test_a_slip_that_stays_in_the_mouth_blocks_the_next_and_calls_for_a_hand(bench: Bench) -> None:
    bench.printer.faults.ticket = True
    until(lambda: bench.state == (DeviceState.DEGRADED, "ticket_waiting"))
    assert bench.print(slip()) == PrintResult(1, PrintOutcome.BLOCKED, "ticket_waiting")
    assert bench.journal.lines[-1] == "blocked 1 92 12 12 12"
    assert b"\x1dv" not in bench.printer.received
    bench.printer.faults.ticket = False
    until(lambda: bench.state == (DeviceState.READY, ""))


# ------------------------------------------------------------------------------------------------ who never answers


@settings(profile="mute", ready=(DeviceState.DEGRADED, "no_status"))
def test_a_printer_that_never_answers_prints_and_proves_nothing(bench: Bench) -> None:
    for job in (1, 2):
        assert bench.print(text_slip(), seconds=30) == PrintResult(job, PrintOutcome.UNKNOWN, "no_status")
        until(lambda: not bench.printer.engine.buffer)
    assert bench.printer.texts == ["\n".join(WORDS)] * 2, "cut once each, and not torn by the next"
    assert b"\x10\x04" not in bench.printer.received
    assert (bench.printer.lost, bench.printer.engine.junk) == (0, b"")
    assert not [state for state, _ in bench.statuses if state is DeviceState.READY]
    bench.port.unplug()
    until(lambda: bench.state[0] is DeviceState.OFFLINE)
    assert bench.print(slip(3)).outcome is PrintOutcome.BLOCKED


@settings(make="mute", profile="epson", ready=(DeviceState.OFFLINE, "mute"))
def test_a_printer_is_silent_on_purpose_only_where_the_configuration_says_so(bench: Bench) -> None:
    assert bench.print(slip()).outcome is PrintOutcome.BLOCKED
    assert (bench.printer.slips, bench.printer.engine.lines_printed) == ([], 0)
    assert not [state for state, _ in bench.statuses if state in (DeviceState.READY, DeviceState.DEGRADED)]


def test_a_picture_inside_text_is_the_picture(tmp_path: Path) -> None:
    with running(tmp_path) as bench:
        assert bench.print(text_slip()).outcome is PrintOutcome.PRINTED
    (paper,) = bench.printer.slips
    rows = [paper.data[at : at + paper.row_bytes] for at in range(0, len(paper.data), paper.row_bytes)]
    assert [row for row in rows if any(row)] == [b"\x00" + b"\xaa" * 71] * 3
