"""How a person's name is shown on a screen that others can read and on a slip that others can find."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """First character, stars, last character; of one or two characters only the first stays.

    张三 → 张*, 张建国 → 张*国, 买买提·艾力 → 买****力. Counted in code points, so a rare surname stays whole.
    """
    if not name:
        return ""
    if len(name) <= 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_number(number: str) -> str:
    """The first three characters and the last four stay: 999***********002X."""
    return number[:3] + "*" * max(0, len(number) - 7) + number[-4:]
