"""The short enrolment code (接入短码): twenty digits a person can type, the last two of them check digits.

Eighteen digits are drawn at random: 59.8 bits, good once and for half an hour, and what is derived from them costs a
tenth of a second a guess. Check digits are ISO 7064 MOD 97-10: every wrong digit and every two swapped ones are seen.
"""

from __future__ import annotations

import secrets

LENGTH = 20
_SECRET_DIGITS = 18
_GROUP = 4


def make_short_code() -> str:
    """Twenty digits without spaces."""
    secret = f"{secrets.randbelow(10**_SECRET_DIGITS):0{_SECRET_DIGITS}d}"
    return f"{secret}{98 - int(secret) * 100 % 97:02d}"


def is_short_code(text: str) -> bool:
    return len(text) == LENGTH and text.isascii() and text.isdigit() and int(text) % 97 == 1


def grouped(digits: str) -> str:
    """As far as it is typed, in groups of four."""
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
