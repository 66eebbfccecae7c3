"""Room on the office's disk."""

from __future__ import annotations

import shutil

from django.conf import settings


def is_low() -> bool:
    """Then nothing is taken in: what terminals hold is safer there than half written here."""
    floor: int = settings.OFFICE.free_floor_mb * 1_000_000
    return shutil.disk_usage(settings.OFFICE.data).free < floor
