"""A slip of an invented person, to look at and to try a printer with."""

from __future__ import annotations

import datetime as dt

from kiosk.domain.case import Item, Standing
from kiosk.domain.names import mask_name
from kiosk.domain.period import LOCAL_ZONE, DueDate
from kiosk.domain.slip import Slip


def sample_slip(copy: int = 1) -> Slip:
    """The number begins with a region code that does not exist."""
    return Slip(
        case_number="HG00-20261122-000137",
        item=Item.CERTIFICATION,
        masked_name=mask_name("欧阳小芳"),
        masked_number="999***********002X",
        handed_in_at=dt.datetime(2026, 11, 22, 9, 5, tzinfo=LOCAL_ZONE),
        terminal_id="HG00",
        site="含谷镇便民服务中心",
        standing=Standing.RECEIVED,
        due=DueDate(dt.date(2027, 10, 31), confirmed_by_office=False),
        query_token="SAMPLE0SAMPLE0SAMPLE0SAMPLE0",
        copy=copy,
    )
