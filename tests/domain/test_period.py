"""The published and derived vectors C1-C12 of the rolling rule, and the other bases."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.period import PeriodBasis, PeriodRule, PeriodState, local_day


@pytest.mark.parametrize(("certified", "cycle", "count_current", "due", "soon_from"), [
    ("2020-05-10", 12, True, "2021-04-30", "2021-03-01"),
    ("2020-08-31", 12, True, "2021-07-31", "2021-06-01"),
    ("2019-08-01", 12, True, "2020-07-31", "2020-06-01"),
    ("2023-03-15", 12, True, "2024-02-29", "2023-12-31"),
    ("2024-03-15", 12, True, "2025-02-28", "2024-12-30"),
    ("2023-12-31", 12, True, "2024-11-30", "2024-10-01"),
    ("2024-01-01", 12, True, "2024-12-31", "2024-11-01"),
    ("2020-11-05", 12, True, "2021-10-31", "2021-09-01"),
    ("2020-05-10", 12, False, "2021-05-31", "2021-04-01"),
    ("2020-05-10", 6, True, "2020-10-31", "2020-09-01"),
    ("2020-08-10", 6, True, "2021-01-31", "2020-12-02"),
])
def test_rolling_months(certified: str, cycle: int, count_current: bool, due: str, soon_from: str) -> None:
    rule = PeriodRule(cycle_months=cycle, count_current_month=count_current)
    last_day = rule.due_date(dt.date.fromisoformat(certified))
    assert last_day == dt.date.fromisoformat(due)
    soon = dt.date.fromisoformat(soon_from)
    assert rule.state(last_day, soon) is PeriodState.DUE_SOON
    assert rule.state(last_day, soon - dt.timedelta(days=1)) is PeriodState.VALID
    assert rule.state(last_day, last_day) is PeriodState.DUE_SOON
    assert rule.state(last_day, last_day + dt.timedelta(days=1)) is PeriodState.OVERDUE


def test_the_capture_day_is_local() -> None:
    captured = dt.datetime(2020, 5, 31, 16, 30, tzinfo=dt.UTC)
    assert local_day(captured) == dt.date(2020, 6, 1)
    assert PeriodRule().due_date(local_day(captured)) == dt.date(2021, 5, 31)


def test_other_bases() -> None:
    days = PeriodRule(basis=PeriodBasis.DAYS_365)
    assert days.due_date(dt.date(2020, 5, 10)) == dt.date(2021, 5, 10)
    assert days.due_date(dt.date(2019, 5, 10)) == dt.date(2020, 5, 9)
    assert PeriodRule(basis=PeriodBasis.CALENDAR_YEAR).due_date(dt.date(2020, 1, 1)) == dt.date(2021, 12, 31)


def test_no_date_is_unknown_and_a_naive_moment_is_a_bug() -> None:
    assert PeriodRule().state(None, dt.date(2021, 1, 1)) is PeriodState.UNKNOWN
    with pytest.raises(ValueError, match="time zone"):
        local_day(dt.datetime(2021, 1, 1))


@given(st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1)), st.integers(1, 36))
def test_due_date_is_a_month_end_and_never_before_the_certification(day: dt.date, cycle: int) -> None:
    due = PeriodRule(cycle_months=cycle).due_date(day)
    assert (due + dt.timedelta(days=1)).day == 1
    assert due >= day
