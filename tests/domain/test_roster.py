"""When templates have grown too old."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.roster import FaceTemplate, TemplateSource, needs_renewal

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2080, 1, 1))


def taken(day: dt.date | None, source: TemplateSource = TemplateSource.ENROLLED) -> FaceTemplate:
    return FaceTemplate("e", (), source, day)


@pytest.mark.parametrize(("day", "today", "old"), [
    (dt.date(2024, 3, 15), dt.date(2026, 3, 15), False),
    (dt.date(2024, 3, 15), dt.date(2026, 3, 16), True),
    (dt.date(2024, 2, 29), dt.date(2026, 2, 28), False),
    (dt.date(2024, 2, 29), dt.date(2026, 3, 1), True),
    (dt.date(2024, 12, 31), dt.date(2026, 12, 31), False),
    (dt.date(2026, 5, 1), dt.date(2026, 4, 1), False),  # a clock that was set back
])
def test_a_picture_is_good_to_the_same_day_of_its_last_month(day: dt.date, today: dt.date, old: bool) -> None:
    assert needs_renewal([taken(day)], today, 24) is old


def test_one_newer_picture_is_enough() -> None:
    old, new = taken(dt.date(2015, 1, 1)), taken(dt.date(2026, 1, 1))
    assert not needs_renewal([old, new], dt.date(2026, 6, 1), 24) and needs_renewal([old, old], dt.date(2026, 6, 1), 24)


def test_an_unknown_day_is_not_called_old() -> None:
    assert not needs_renewal([taken(None), taken(dt.date(2015, 1, 1))], dt.date(2026, 6, 1), 24)
    assert needs_renewal([taken(None, TemplateSource.CHIP)], dt.date(2026, 6, 1), 24)


def test_a_photograph_of_a_chip_does_not_count_as_new() -> None:
    assert needs_renewal([taken(dt.date(2026, 1, 1), TemplateSource.CHIP)], dt.date(2026, 6, 1), 24)


def test_who_is_not_enrolled_has_nothing_to_renew() -> None:
    assert not needs_renewal([], dt.date(2026, 6, 1), 24)


@given(st.lists(st.none() | DAYS, min_size=1, max_size=4), DAYS, st.integers(1, 60), st.integers(0, 1000))
def test_time_only_makes_templates_older(days: list[dt.date | None], today: dt.date, months: int, later: int) -> None:
    templates = [taken(day) for day in days]
    if needs_renewal(templates, today, months):
        assert needs_renewal(templates, today + dt.timedelta(days=later), months)
    else:
        assert not needs_renewal(templates, today, months + 1)
