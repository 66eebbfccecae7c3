"""Masked names where there is little room."""

from __future__ import annotations

import re


def short_mask(masked_name: str) -> str:
    """A long masked name is mostly stars; four of them say as much."""
    return re.sub(r"\*{5,}", "****", masked_name)
