"""PDFs through a real cupsd to a real ippeveprinter: the sunny way and every fault on it (the job table of printing)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from a4_bench import CASE, READY, Bench, pdf, until

from kiosk.devices.a4.driver import job_prefix
from kiosk.devices.a4.ipp import PDF, PREPARED_PDF, Jobs
from kiosk.devices.emulated.a4 import QUEUE, A4Emulator
from kiosk.domain.slip import PrintOutcome, PrintResult
from kiosk.domain.status import DeviceState

BUSY, OFFLINE, DEGRADED = DeviceState.BUSY, DeviceState.OFFLINE, DeviceState.DEGRADED


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[A4Emulator]:
    with A4Emulator(tmp_path_factory.mktemp("sheets")) as emulator:
        yield emulator


@pytest.fixture
def bench(emulator: A4Emulator, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Not started yet; everything is in order before and after."""
    bench = Bench(emulator, **getattr(request, "param", {}))
    yield bench
    assert bench.service.stop()
    emulator.printer.cure()
    assert bench.nothing_more_comes_out(0)


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.service.start()
    until(lambda: bench.state == READY)
    return bench


# ------------------------------------------------------------------------------------------------ printed


def test_a_document_arrives_whole_on_a4_and_is_proved_by_the_printer(ready: Bench) -> None:
    document, before = pdf(2), len(ready.printer.documents)
    ready.journal.before_sending = lambda: ready.journal.lines.append(f"sent before: {ready.pages} {ready.open_jobs()}")
    assert ready.print(document) == PrintResult(1, PrintOutcome.PRINTED)
    assert [line for line in ready.journal.lines if "printed" not in line] == [
        f"queued 1 {CASE} a4 1", "sent before: 0 []", "sending 1",
    ]
    assert ready.journal.lines[-1].startswith("printed 1 printer completed, pages 2 of 2, cups ")
    assert (BUSY, "") in ready.statuses
    until(lambda: len(ready.printer.documents) == before + 1)
    assert ready.printer.documents[-1].read_bytes() == document
    ticket = json.loads(ready.printer.documents[-1].with_suffix(".json").read_text("utf-8"))
    assert "media-size={x-dimension=21000 y-dimension=29700}" in ticket["IPP_MEDIA_COL"]
    assert ticket["IPP_SIDES"] == "one-sided"
    until(lambda: ready.state == READY)
    assert ready.pages == 2


def test_nothing_personal_travels_with_a_document_or_stays_behind(ready: Bench) -> None:
    ready.print()
    until(lambda: ready.state == READY)
    ticket = json.loads(ready.printer.documents[-1].with_suffix(".json").read_text("utf-8"))
    assert ticket["IPP_JOB_NAME"].startswith(job_prefix(ready.config))
    assert ticket["IPP_JOB_ORIGINATING_USER_NAME"] == "kiosk"
    assert not any(CASE in str(value) for value in ticket.values())
    assert not [file.name for file in ready.spooler.spool.iterdir() if file.name.startswith("d")]
    assert not any(b"%PDF" in file.read_bytes() for file in ready.spooler.spool.rglob("*") if file.is_file())


def test_to_others_cups_does_not_name_a_job(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.printer.order(page_s=60)
    ready.service.print(pdf(), CASE)
    until(lambda: len(ready.open_jobs()) == 2)
    monkeypatch.setattr("kiosk.devices.a4.ipp._USER", "somebody")
    queue, _ = ready.peers()
    jobs = queue.jobs(Jobs.OPEN, time.monotonic() + 5)
    assert isinstance(jobs, list) and [job.name for job in jobs] == [""]
    assert queue.cancel(jobs[0].id, time.monotonic() + 5) is not None
    monkeypatch.undo()


def test_documents_are_printed_one_after_the_other(ready: Bench) -> None:
    for _ in range(3):
        ready.service.print(pdf(), CASE)
    until(lambda: len(ready.results) == 3, 60)
    assert [(result.job, result.outcome) for result in ready.results] == [(job, PrintOutcome.PRINTED) for job in (1, 2, 3)]
    assert ready.pages == 3


@pytest.mark.parametrize("fault", ["paper_low", "toner_low"])
def test_little_paper_or_toner_prints_and_calls_for_a_hand(ready: Bench, fault: str) -> None:
    ready.printer.order(**{fault: True})
    until(lambda: ready.state == (DEGRADED, fault))
    assert ready.print().outcome is PrintOutcome.PRINTED


def test_the_jobs_of_others_are_left_alone(bench: Bench) -> None:
    bench.printer.order(page_s=1.0)
    queue, _ = bench.peers()
    assert queue.submit(pdf(), "letter of the office", 60, time.monotonic() + 5)
    bench.service.start()
    assert bench.print().outcome is PrintOutcome.PRINTED
    assert bench.printer.paper[-2] == "letter of the office"


# ------------------------------------------------------------------------------------------------ blocked


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"paper_out": True}, "paper_out"),
        ({"cover": True}, "cover_open"),
        ({"jam": True}, "jam"),
        ({"toner_out": True}, "toner_out"),
        ({"media": "na_letter_8.5x11in"}, "wrong_paper"),
    ],
)
def test_a_printer_that_cannot_print_is_sent_nothing(ready: Bench, fault: dict[str, object], reason: str) -> None:
    ready.printer.order(**fault)
    assert ready.print() == PrintResult(1, PrintOutcome.BLOCKED, reason)
    assert ready.journal.lines == [f"queued 1 {CASE} a4 1", f"blocked 1 {reason}"]
    until(lambda: ready.state == (OFFLINE, reason))
    ready.printer.cure()
    until(lambda: ready.state == READY)
    assert (ready.pages, len(ready.results)) == (0, 1)


def test_pr_01_what_was_wanted_while_the_paper_was_out_never_comes_out_later(ready: Bench) -> None:
    ready.printer.order(paper_out=True)
    for _ in range(4):
        ready.service.print(pdf(), CASE)
    until(lambda: len(ready.results) == 4)
    assert {result.outcome for result in ready.results} == {PrintOutcome.BLOCKED}
    ready.printer.cure()
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out()
    assert ready.pages == 0


def test_pr_01_a_paused_queue_takes_nothing(ready: Bench) -> None:
    ready.spooler.halt(QUEUE)
    try:
        until(lambda: ready.state == (OFFLINE, "queue_stopped"))
        assert ready.print() == PrintResult(1, PrintOutcome.BLOCKED, "queue_stopped")
    finally:
        ready.spooler.resume(QUEUE)
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out()
    assert ready.pages == 0


def test_pr_04_a_printer_that_is_off_is_a_state_and_it_comes_back(bench: Bench) -> None:
    bench.printer.go_away()
    bench.service.start()
    until(lambda: bench.state == (OFFLINE, "unreachable"))
    assert bench.print() == PrintResult(1, PrintOutcome.BLOCKED, "unreachable")
    bench.printer.come_back()
    until(lambda: bench.state == READY)
    assert bench.print().outcome is PrintOutcome.PRINTED


def test_pr_08_a_fault_is_over_when_the_printer_says_so(ready: Bench) -> None:
    ready.printer.order(cover=True)
    until(lambda: ready.state == (OFFLINE, "cover_open"))
    ready.printer.order(cover=False, toner_low=True)
    until(lambda: ready.state == (DEGRADED, "toner_low"))
    ready.printer.cure()
    until(lambda: ready.state == READY)


def test_a_printer_that_connects_but_is_mute_is_known_not_to_answer(ready: Bench) -> None:
    ready.printer.freeze()
    assert ready.print() == PrintResult(1, PrintOutcome.BLOCKED, "mute")
    until(lambda: ready.state == (OFFLINE, "mute"))
    ready.printer.thaw()
    until(lambda: ready.state == READY)


@pytest.mark.parametrize(
    ("bench", "reason"),
    [({"server": "ipp://localhost:9"}, "no_spooler"), ({"queue": "nowhere"}, "no_queue")],
    indirect=["bench"],
)
def test_without_a_queue_nothing_is_ready(bench: Bench, emulator: A4Emulator, reason: str) -> None:
    bench.service.start()
    until(lambda: bench.state == (OFFLINE, reason))
    assert bench.print() == PrintResult(1, PrintOutcome.BLOCKED, reason)
    assert bench.service.stop()
    bench.config = Bench(emulator).config


@pytest.mark.parametrize("document", [b"", b"hello", b"%PDF-1.7 broken", pdf()[:200]], ids=["empty", "text", "broken", "cut"])
def test_what_is_no_pdf_is_sent_nowhere(ready: Bench, document: bytes) -> None:
    ready.service.print(document, CASE)
    until(lambda: len(ready.results) == 1)
    assert ready.results == [PrintResult(1, PrintOutcome.BLOCKED, "not_a_pdf")]
    assert ready.pages == 0


def test_a_second_program_on_the_queue_is_refused(ready: Bench, emulator: A4Emulator) -> None:
    second = Bench(emulator)
    second.service.start()
    until(lambda: second.state == (OFFLINE, "busy_queue"))
    assert second.print() == PrintResult(1, PrintOutcome.BLOCKED, "busy_queue")
    assert ready.service.stop()
    until(lambda: second.state == READY)
    assert second.service.stop()


# ------------------------------------------------------------------------------------------------ stopped and going on


@pytest.mark.parametrize(("fault", "reason"), [("paper_out", "paper_out"), ("cover", "cover_open")])
def test_a_job_that_is_helped_in_time_is_printed_once_and_whole(ready: Bench, fault: str, reason: str) -> None:
    ready.printer.order(page_s=0.5)
    ready.service.print(pdf(3), CASE)
    until(lambda: ready.pages == 1)
    ready.printer.order(**{fault: True})
    until(lambda: ready.state == (BUSY, reason))
    assert ready.pages < 3
    ready.printer.order(**{fault: False})
    until(lambda: len(ready.results) == 1)
    assert ready.results == [PrintResult(1, PrintOutcome.PRINTED)]
    assert ready.pages == 3


# ------------------------------------------------------------------------------------------------ unknown


def test_pr_03_a_jam_is_never_a_success_whatever_cups_says(ready: Bench) -> None:
    ready.printer.order(page_s=0.5)
    ready.service.print(pdf(3), CASE)
    until(lambda: ready.pages == 1)
    ready.printer.order(jam=True)
    until(lambda: len(ready.results) == 1)
    assert ready.results == [PrintResult(1, PrintOutcome.UNKNOWN, "jam")]
    assert ready.journal.lines[-1].startswith("unknown 1 printer aborted, pages ")
    until(lambda: ready.state == (OFFLINE, "jam"))
    ready.printer.cure()
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out()
    assert ready.pages < 3


def test_pr_03_cups_alone_proves_nothing(emulator: A4Emulator) -> None:
    """The queue leads to another printer: CUPS sees the job completed there, the printer asked here never saw it."""
    emulator.spooler.add_queue("elsewhere", emulator.printer.uri)
    with A4Emulator(emulator.printer.documents[0].parent / "other") as other:
        bench = Bench(emulator, queue="elsewhere", printer=other.printer.uri)
        bench.service.start()
        until(lambda: bench.state == READY)
        assert bench.print() == PrintResult(1, PrintOutcome.UNKNOWN, "no_proof")
        assert bench.journal.lines[-1] == "unknown 1 printer none, pages ? of 1, cups completed"
        assert bench.service.stop()


def test_pr_03_a_page_that_was_not_counted_did_not_come_out(ready: Bench) -> None:
    ready.printer.order(miscount=True)
    assert ready.print(pdf(2)) == PrintResult(1, PrintOutcome.UNKNOWN, "pages_missing")
    assert ready.journal.lines[-1].startswith("unknown 1 printer completed, pages 1 of 2, cups ")


@pytest.mark.parametrize("bench", [{"page_counter": False}], indirect=True)
def test_a_counter_that_counts_nothing_may_be_left_out(ready: Bench) -> None:
    ready.printer.order(miscount=True)
    assert ready.print(pdf(2)).outcome is PrintOutcome.PRINTED


@pytest.mark.parametrize("fault", ["paper_out", "slow"])
@pytest.mark.parametrize("bench", [{"patience_s": 4}], indirect=True)
def test_pr_07_what_took_too_long_is_taken_back_and_never_printed_again_by_itself(ready: Bench, fault: str) -> None:
    ready.printer.order(page_s=0.5)
    ready.service.print(pdf(3), CASE)
    until(lambda: ready.pages == 1)
    ready.printer.order(**({"paper_out": True} if fault == "paper_out" else {"page_s": 600}))
    until(lambda: len(ready.results) == 1)
    assert ready.results == [PrintResult(1, PrintOutcome.UNKNOWN, "paper_out" if fault == "paper_out" else "too_slow")]
    assert ready.open_jobs() == []
    ready.printer.cure()
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out()
    torn = ready.pages
    assert torn < 3
    assert ready.print(pdf(3), copy=2) == PrintResult(2, PrintOutcome.PRINTED)
    assert ready.pages == torn + 3


@pytest.mark.parametrize("bench", [{"patience_s": 2}], indirect=True)
def test_pr_01_a_printer_that_is_gone_and_returns_prints_nothing_in_front_of_the_next_person(ready: Bench) -> None:
    """CUPS takes the job, cannot deliver it, and would do so as soon as the printer is back."""
    ready.journal.before_sending = ready.printer.go_away
    assert ready.print() == PrintResult(1, PrintOutcome.UNKNOWN, "not_taken_back")
    assert ready.journal.lines[-1] == "unknown 1 unreachable, printer none, pages ? of 1, cups printing"
    ready.printer.come_back()
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out(3.0)
    assert ready.pages == 0
    ready.journal.before_sending = lambda: None
    assert ready.print(copy=2).outcome is PrintOutcome.PRINTED
    assert ready.pages == 1


@pytest.mark.parametrize("bench", [{"patience_s": 4}], indirect=True)
def test_a_printer_switched_off_in_mid_job_is_unknown(ready: Bench) -> None:
    ready.printer.order(page_s=0.5)
    ready.service.print(pdf(3), CASE)
    until(lambda: ready.pages == 1)
    ready.printer.go_away()
    until(lambda: len(ready.results) == 1)
    assert ready.results[0].outcome is PrintOutcome.UNKNOWN
    ready.printer.come_back()
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out()


@pytest.mark.parametrize("bench", [{"patience_s": 4}], indirect=True)
def test_a_printer_that_falls_silent_in_mid_job_is_unknown_and_the_job_is_taken_back(ready: Bench) -> None:
    ready.printer.order(page_s=0.5)
    ready.service.print(pdf(40), CASE)
    until(lambda: ready.pages == 1)
    ready.printer.freeze()
    until(lambda: len(ready.results) == 1, 60)
    assert ready.results == [PrintResult(1, PrintOutcome.UNKNOWN, "not_taken_back")]
    doubt = ready.journal.lines[-1].removeprefix("unknown 1 ").split(", ")[0]
    assert doubt in ("mute", "unreachable")  # once its backlog is full, it connects no more
    ready.printer.thaw()
    until(lambda: ready.state == READY)
    assert ready.nothing_more_comes_out()
    assert ready.pages < 40


def test_jobs_left_by_a_crash_are_taken_back_before_anything_else(bench: Bench) -> None:
    bench.printer.order(page_s=600)
    queue, printer = bench.peers()
    for peer, name, kind in ((printer, "first", PDF), (queue, "second", PREPARED_PDF)):
        assert isinstance(peer.submit(pdf(), job_prefix(bench.config) + name, 600, time.monotonic() + 5, kind), int)
    bench.service.start()
    until(lambda: bench.state == READY)
    assert bench.journal.settled == ["a4"]
    assert bench.open_jobs() == []
    bench.printer.cure()
    assert bench.nothing_more_comes_out()
    assert bench.pages == 0


def test_a_job_left_by_a_crash_is_withdrawn_at_cups_even_while_the_printer_is_away(bench: Bench) -> None:
    queue, _ = bench.peers()
    bench.printer.go_away()
    assert isinstance(queue.submit(pdf(), job_prefix(bench.config) + "left", 600, time.monotonic() + 5), int)
    bench.service.start()
    until(lambda: bench.state == (OFFLINE, "unreachable"))
    until(lambda: queue.jobs(Jobs.OPEN, time.monotonic() + 5) == [])
    bench.printer.come_back()
    until(lambda: bench.state == READY)
    assert bench.nothing_more_comes_out()
    assert bench.pages == 0


def test_a_job_that_nobody_is_left_to_take_back_is_dropped_by_cups(bench: Bench) -> None:
    queue, _ = bench.peers()
    bench.printer.go_away()
    assert isinstance(queue.submit(pdf(), job_prefix(bench.config) + "orphan", 2, time.monotonic() + 5), int)
    until(lambda: queue.jobs(Jobs.OPEN, time.monotonic() + 5) == [])
    bench.printer.come_back()
    assert bench.nothing_more_comes_out()
    assert bench.pages == 0


# ------------------------------------------------------------------------------------------------ stop, faults of ours


def test_a_stop_in_mid_job_takes_it_back_at_once(ready: Bench) -> None:
    ready.printer.order(page_s=600)
    ready.service.print(pdf(), CASE)
    until(lambda: len(ready.open_jobs()) == 2)
    began = time.monotonic()
    assert ready.service.stop()
    print(f"stopped in {time.monotonic() - began:.3f} s")
    assert ready.results == [PrintResult(1, PrintOutcome.UNKNOWN, "interrupted")]
    assert ready.journal.lines[-1].startswith("unknown 1 ")
    assert ready.nothing_more_comes_out()
    assert ready.pages == 0


@pytest.mark.parametrize("state", ["idle", "away", "mute", "mute with a job", "no spooler"])
def test_a_stop_ends_whatever_it_does(emulator: A4Emulator, state: str) -> None:
    bench = Bench(emulator, **({"server": "ipp://localhost:9"} if state == "no spooler" else {}))
    if state == "away":
        emulator.printer.go_away()
    if state.startswith("mute"):
        emulator.printer.freeze()
    if state == "mute with a job":
        bench.service.print(pdf(), CASE)
    try:
        bench.service.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert bench.service.stop(1.5)  # every question in it would wait for two seconds
        print(f"stopped in {time.monotonic() - began:.3f} s")
    finally:
        emulator.printer.cure()
    assert bench.service.status.state is DeviceState.UNKNOWN
    assert {result.outcome for result in bench.results} <= {PrintOutcome.BLOCKED}


def test_requests_that_were_never_begun_are_blocked_at_a_stop(ready: Bench) -> None:
    ready.printer.order(page_s=600)
    for _ in range(2):
        ready.service.print(pdf(), CASE)
    until(lambda: "sending 1" in ready.journal.lines)
    assert ready.service.stop()
    assert [result.outcome for result in ready.results] == [PrintOutcome.UNKNOWN, PrintOutcome.BLOCKED]
    assert {result.reason for result in ready.results} == {"interrupted"}


@pytest.mark.parametrize(("moment", "outcome"), [("queue", PrintOutcome.BLOCKED), ("end", PrintOutcome.UNKNOWN)])
def test_a_journal_that_fails_ends_the_job_not_the_service(ready: Bench, moment: str, outcome: PrintOutcome) -> None:
    ready.journal.broken = moment
    result = ready.print()
    assert (result.outcome, result.reason) == (outcome, "program_fault")
    ready.journal.broken = ""
    until(lambda: (OFFLINE, "program_fault") in ready.statuses)
    until(lambda: ready.state == READY)
    assert ready.print().outcome is PrintOutcome.PRINTED


def test_a_job_that_was_never_begun_is_not_in_doubt_because_of_the_one_before(ready: Bench) -> None:
    assert ready.print().outcome is PrintOutcome.PRINTED
    until(lambda: ready.state == READY)
    ready.journal.broken = "queue"
    assert ready.print() == PrintResult(0, PrintOutcome.BLOCKED, "program_fault")


def test_pr_05_a_question_left_open_once_is_no_lost_printer(ready: Bench) -> None:
    ready.printer.go_away()
    time.sleep(0.2)
    ready.printer.come_back()
    time.sleep(1.0)
    assert (OFFLINE, "unreachable") not in ready.statuses
