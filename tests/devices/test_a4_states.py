"""printer-state, its reasons and job-state: the worst word that is true, and never a good one in doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.a4.states import (
    A4,
    Condition,
    JobAnswer,
    PrinterAnswer,
    Progress,
    came_out_whole,
    printer_condition,
    queue_condition,
)

KEYWORDS = {
    "cover-open": Condition.COVER_OPEN, "door-open": Condition.COVER_OPEN, "media-jam": Condition.JAM,
    "media-empty": Condition.PAPER_OUT, "media-needed": Condition.PAPER_OUT, "toner-empty": Condition.TONER_OUT,
    "marker-supply-empty": Condition.TONER_OUT, "input-tray-missing": Condition.FAULT, "marker-waste-full": Condition.FAULT,
    "paused": Condition.STOPPED, "media-low": Condition.PAPER_LOW, "toner-low": Condition.TONER_LOW,
    "marker-supply-low": Condition.TONER_LOW,
}


@pytest.mark.parametrize("suffix", ["", "-error", "-warning", "-report"])
@pytest.mark.parametrize(("keyword", "condition"), KEYWORDS.items())
@pytest.mark.parametrize("state", [3, 4])
def test_a_known_reason_counts_whatever_its_suffix(state: int, keyword: str, condition: Condition, suffix: str) -> None:
    """CUPS makes a warning of an empty tray, an idle printer a report: the paper is missing all the same."""
    assert printer_condition(PrinterAnswer(state, (keyword + suffix,))) is condition


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        (PrinterAnswer(3, ("none",)), Condition.OK),
        (PrinterAnswer(4, ()), Condition.OK),
        (PrinterAnswer(5, ("none",)), Condition.STOPPED),
        (PrinterAnswer(5, ("media-empty-error",)), Condition.PAPER_OUT),
        (PrinterAnswer(3, ("none",), accepting=False), Condition.STOPPED),
        (PrinterAnswer(None, ("none",)), Condition.UNCLEAR),
        (PrinterAnswer(17, ("toner-low",)), Condition.UNCLEAR),
        (PrinterAnswer(None, ("media-jam",)), Condition.JAM),
        (PrinterAnswer(3, ("vendor-thing-error",)), Condition.FAULT),
        (PrinterAnswer(3, ("vendor-thing", "vendor-sleep-report")), Condition.OK),
        (PrinterAnswer(3, ("toner-low-warning", "media-jam-error", "media-empty-error")), Condition.JAM),
        (PrinterAnswer(3, media_ready=("na_letter_8.5x11in",)), Condition.WRONG_PAPER),
        (PrinterAnswer(3, media_ready=("na_letter_8.5x11in", A4)), Condition.OK),
        (PrinterAnswer(3, ("media-low-warning", "toner-low-warning")), Condition.PAPER_LOW),
    ],
)
def test_the_worst_word_wins(answer: PrinterAnswer, condition: Condition) -> None:
    assert printer_condition(answer) is condition


def test_what_a_model_says_for_nothing_is_ignored_to_the_letter() -> None:
    answer = PrinterAnswer(3, ("media-empty-report",))
    assert printer_condition(answer, ("media-empty-report",)) is Condition.OK
    assert printer_condition(answer, ("media-empty",)) is Condition.PAPER_OUT


@given(
    st.none() | st.integers(0, 9), st.lists(st.text() | st.sampled_from(list(KEYWORDS)), max_size=5).map(tuple), st.booleans(),
    st.lists(st.sampled_from([A4, "na_letter_8.5x11in", ""]), max_size=2).map(tuple),
)
def test_ready_only_on_a_clear_answer(
    state: int | None, reasons: tuple[str, ...], accepting: bool, media: tuple[str, ...]
) -> None:
    condition = printer_condition(PrinterAnswer(state, reasons, accepting, media))
    if condition.can_print:
        assert state in (3, 4) and accepting
        assert not media or A4 in media
        assert not any(KEYWORDS[reason].can_print is False for reason in reasons if reason in KEYWORDS)


@given(st.none() | st.integers(0, 9), st.booleans(), st.lists(st.text(), max_size=3).map(tuple))
def test_a_queue_passes_jobs_on_or_is_stopped(state: int | None, accepting: bool, reasons: tuple[str, ...]) -> None:
    expected = Condition.OK if state in (3, 4) and accepting else Condition.QUEUE_STOPPED
    assert queue_condition(PrinterAnswer(state, reasons, accepting)) is expected


@pytest.mark.parametrize(
    ("state", "progress"),
    [
        (3, Progress.WAITING), (4, Progress.WAITING), (5, Progress.PRINTING), (6, Progress.HALTED), (7, Progress.CANCELED),
        (8, Progress.ABORTED), (9, Progress.COMPLETED), (None, Progress.UNKNOWN), (0, Progress.UNKNOWN), (99, Progress.UNKNOWN),
    ],
)
def test_job_states(state: int | None, progress: Progress) -> None:
    assert JobAnswer(1, "", state).progress is progress


optional = st.none() | st.integers(0, 3)


@given(st.none() | st.integers(0, 12), optional, optional, st.integers(1, 3), st.booleans())
def test_only_completed_with_every_page_is_proof(
    state: int | None, impressions: int | None, sheets: int | None, pages: int, counter: bool
) -> None:
    job = JobAnswer(1, "", state, impressions, sheets)
    if came_out_whole(job, pages, counter):
        assert state == 9
        assert not counter or impressions in (None, pages)
        assert not counter or impressions is not None or sheets in (None, pages)


@pytest.mark.parametrize(
    ("impressions", "sheets", "counter", "whole"),
    [(2, None, True, True), (None, 2, True, True), (None, None, True, True), (1, 2, True, False), (0, None, True, False),
     (0, 0, False, True), (3, None, True, False)],
)
def test_pages_are_held_against_the_document(impressions: int | None, sheets: int | None, counter: bool, whole: bool) -> None:
    assert came_out_whole(JobAnswer(1, "", 9, impressions, sheets), 2, counter) is whole
