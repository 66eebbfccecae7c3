"""认证周期: until when a certification is good.

Chongqing counts rolling calendar months and the month of certification is the first of them, so a
certification in May 2020 is good until the end of April 2021. Other places count days or calendar
years; which rule holds is configuration. The date the office gives always wins over this calculation.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


class PeriodBasis(StrEnum):
    ROLLING = "rolling"
    DAYS_365 = "days365"
    CALENDAR_YEAR = "calendar_year"


class PeriodState(StrEnum):
    VALID = "valid"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"  # informs only, suspends nobody
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PeriodRule:
    """basis: how time is counted; cycle_months and count_current_month matter for `rolling` only."""

    basis: PeriodBasis = PeriodBasis.ROLLING
    cycle_months: int = 12
    count_current_month: bool = True
    due_soon_days: int = 60

    def due_date(self, certified: dt.date) -> dt.date:
        """The last day on which the certification of local day `certified` still holds."""
        if self.basis is PeriodBasis.DAYS_365:
            return certified + dt.timedelta(days=365)
        if self.basis is PeriodBasis.CALENDAR_YEAR:
            return dt.date(certified.year + 1, 12, 31)
        months = self.cycle_months - (1 if self.count_current_month else 0)
        index = certified.year * 12 + certified.month - 1 + months
        year, month = index // 12, index % 12 + 1
        return dt.date(year, month, calendar.monthrange(year, month)[1])

    def state(self, due: dt.date | None, today: dt.date) -> PeriodState:
        if due is None:
            return PeriodState.UNKNOWN
        days_left = (due - today).days
        if days_left < 0:
            return PeriodState.OVERDUE
        return PeriodState.DUE_SOON if days_left <= self.due_soon_days else PeriodState.VALID


@dataclass(frozen=True, slots=True)
class DueDate:
    """A due date and who said so. Only the office's own word is printed without 预计."""

    date: dt.date
    confirmed_by_office: bool


def local_day(moment: dt.datetime) -> dt.date:
    """The day in Asia/Shanghai of an aware moment; the capture day decides the certification month."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(LOCAL_ZONE).date()
