"""What finds a case again: the code on its slip, or the 受理编号 as it is printed beside it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

PREFIX = "HGK1:"
"""Begins every code of ours, so that it is never taken for somebody's 电子社保卡."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_CASE_NUMBER = re.compile(r"[A-Z0-9]{2,8}-(\d{8})-\d{6,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenLookup:
    """From the slip's code. Who holds the token holds the slip: it opens more than a number read over a shoulder."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NumberLookup:
    """A 受理编号, in the form the terminal gives it."""

    case_number: str


Lookup = TokenLookup | NumberLookup


def make_lookup_code(token: str) -> str:
    """The text of the slip's QR code. token: as the store made it (urlsafe base64)."""
    return PREFIX + token


def parse_lookup(text: str) -> Lookup | None:
    """What was scanned or typed; None: nothing of ours. Typed numbers may be in small letters."""
    text = text.strip()
    if text.startswith(PREFIX):
        token = text[len(PREFIX) :]
        return TokenLookup(token) if _TOKEN.fullmatch(token) else None
    number = _CASE_NUMBER.fullmatch(text.upper())
    return NumberLookup(number[0]) if number and _is_day(number[1]) else None


def _is_day(digits: str) -> bool:
    try:
        dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
