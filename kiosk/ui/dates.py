"""Dates as a person reads them, in local time."""

from __future__ import annotations

import calendar
import datetime as dt

from kiosk.domain.period import LOCAL_ZONE
from kiosk.texts import Texts


def day_text(texts: Texts, day: dt.date) -> str:
    """2027年4月底 for the last day of a month, else 2027年4月12日."""
    if day.day == calendar.monthrange(day.year, day.month)[1]:
        return texts.text("date.month_end", year=day.year, month=day.month)
    return texts.text("date.day", year=day.year, month=day.month, day=day.day)


def minute_text(texts: Texts, moment: dt.datetime) -> str:
    """moment: aware."""
    local = moment.astimezone(LOCAL_ZONE)
    return texts.text(
        "date.minute", year=local.year, month=local.month, day=local.day, hour=local.hour, minute=f"{local.minute:02}"
    )
