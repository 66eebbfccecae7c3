"""公民身份号码: the 18-character citizen number of GB 11643-1999, and how much of it may be shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"  # indexed by the weighted sum mod 11 (ISO 7064 MOD 11-2)
_HALF_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789XX")


class CitizenIdError(ValueError):
    """The text is no citizen number. The message never repeats the text."""


@dataclass(frozen=True, slots=True)
class CitizenId:
    """A valid citizen number. Printing it shows the masked form; `reveal` is the only way to the digits."""

    _number: str = field(repr=False)

    @classmethod
    def parse(cls, text: str, today: dt.date | None = None) -> CitizenId:
        """Reads 18 characters, or the 15 of a first-generation card (GB 11643-1999, annex).

        Raises CitizenIdError for a wrong length, character, check character or birth date; with `today`
        also for a birth that has not happened yet.
        """
        number = text.strip().translate(_HALF_WIDTH).upper()
        if len(number) == 15 and _is_digits(number):
            number = number[:6] + "19" + number[6:]
            number += check_character(number)
        if len(number) != 18 or not _is_digits(number[:17]) or number[17] not in _CHECK:
            raise CitizenIdError("a citizen number has 17 digits and a digit or X")
        if number[17] != check_character(number[:17]):
            raise CitizenIdError("the check character of the citizen number is wrong")
        try:
            birth = _date(number[6:14])
        except ValueError:
            raise CitizenIdError("the birth date inside the citizen number does not exist") from None
        if today is not None and birth > today:
            raise CitizenIdError("the birth date inside the citizen number lies in the future")
        return cls(number)

    def reveal(self) -> str:
        """The full number. Every call is a decision: encrypted storage, the sealed envelope, nothing else."""
        return self._number

    @property
    def masked(self) -> str:
        """First three and last four characters, as a slip shows it: 110***********002X."""
        return f"{self._number[:3]}{'*' * 11}{self._number[-4:]}"

    @property
    def birth(self) -> dt.date:
        return _date(self._number[6:14])

    @property
    def sex(self) -> Literal["男", "女"]:
        return "男" if int(self._number[16]) % 2 else "女"

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"CitizenId({self.masked})"


def check_character(first17: str) -> str:
    """The 18th character for the first 17 digits (ISO 7064:1983 MOD 11-2)."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _date(yyyymmdd: str) -> dt.date:
    return dt.date(int(yyyymmdd[:4]), int(yyyymmdd[4:6]), int(yyyymmdd[6:8]))
