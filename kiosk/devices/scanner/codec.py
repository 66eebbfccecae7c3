"""A scanner's stream of bytes: framed, bounded, typed. Pure.

    code     [] symbology modifier] text [CR | LF | 50 ms of silence]     the id before it is AIM's, ]Q1 for a QR code
    query    7E 01 30 30 30 30 | 23 tag subtag 2A | 3B 03                 Newland: "what is this setting now"
    answer   02 01 30 30 30 30 | 23 tag subtag data | 06 15 05 | 3B 03    accepted, refused, unknown here
             02 00 type 01 00 crc crc                                     Newland EM3095

Sources: Newland serial programming command manual, EM3095 manual; ISO/IEC 15424 for the AIM id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kiosk.devices.scanner.events import Refusal, ScanEvent, ScannedLookup, ScannedToken, ScanRefused
from kiosk.domain.lookup_code import PREFIX, parse_lookup

SILENCE_S = 0.05
"""A pause this long ends a code, whether or not the scanner sends a suffix."""
TOKEN_MIN, TOKEN_MAX = 16, 512
LONGEST = 3 + TOKEN_MAX
"""Characters of a frame, AIM id included; the rest of a longer one is not kept."""

_SETTING = b"QRCENA"
"""Whether QR codes are read: every model has it, and asking changes nothing."""
NEWLAND_QUERY = b"\x7e\x010000#" + _SETTING + b"*;\x03"
NEWLAND_ANSWER = re.compile(rb"\x02\x010000[@#]" + _SETTING + rb"[\x20-\x3a\x3c-\x7e]{0,16}[\x05\x06\x15];\x03"
                            rb"|\x02\x00[\x00\x01\x03]\x01\x00[\x00-\xff]{2}")
_ANSWER_LONGEST = 40
_ENDS = b"\r\n"
_STX, _ETX = 0x02, 0x03
_AIM_ID = re.compile(r"\]([A-Za-z])[0-9A-Za-z]")
_QR_ID = re.compile(r"\]Q[0-9]")


@dataclass(frozen=True, slots=True)
class Frame:
    """One code as it was shown: printable ASCII, not empty."""

    text: str = field(repr=False)
    cut: bool = False
    """It was longer than LONGEST."""


@dataclass(frozen=True, slots=True)
class NewlandAnswer:
    """The scanner answered the query: there is one, and it is alive."""


class Framer:
    """Finds codes and answers in bytes that may be cut anywhere. Holds at most LONGEST characters."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._cut = False
        self._answer = bytearray()
        """What may become an answer, from its STX on."""

    @property
    def pending(self) -> bool:
        """Something has begun that silence would end."""
        return bool(self._text or self._answer or self._cut)

    def feed(self, data: bytes) -> list[Frame | NewlandAnswer]:
        found: list[Frame | NewlandAnswer] = []
        for byte in data:
            if self._answer:
                found += self._take_for_answer(byte)
            else:
                found += self._take(byte)
        return found

    def silence(self) -> list[Frame | NewlandAnswer]:
        """SILENCE_S have passed without a byte."""
        found: list[Frame | NewlandAnswer] = []
        while self._answer:
            found += self._give_up_answer()
        return found + self._end()

    def _take(self, byte: int) -> list[Frame | NewlandAnswer]:
        if byte == _STX:
            self._answer.append(byte)
        elif byte in _ENDS:
            return self._end()
        elif 0x20 <= byte < 0x7F:
            if len(self._text) < LONGEST:
                self._text.append(byte)
            else:
                self._cut = True
        return []

    def _take_for_answer(self, byte: int) -> list[Frame | NewlandAnswer]:
        self._answer.append(byte)
        if NEWLAND_ANSWER.fullmatch(self._answer):
            self._answer.clear()
            return [NewlandAnswer()]
        short = len(self._answer) < 2
        possible = short or (self._answer[1] == 0 and len(self._answer) < 7) or (
            self._answer[1] == 1 and byte != _ETX and len(self._answer) < _ANSWER_LONGEST)
        return [] if possible else self._give_up_answer()

    def _give_up_answer(self) -> list[Frame | NewlandAnswer]:
        """It was none: STX is dropped, what follows is read as text."""
        rest = bytes(self._answer[1:])
        self._answer.clear()
        return self.feed(rest)

    def _end(self) -> list[Frame | NewlandAnswer]:
        text, cut = self._text.decode("ascii").strip(), self._cut
        self._text.clear()
        self._cut = False
        return [Frame(text, cut)] if text or cut else []


def type_frame(frame: Frame, aim_id: bool = False) -> ScanEvent:
    """What was scanned. aim_id: the scanner is set to send the AIM id, so a code without it is none."""
    if frame.cut:
        return ScanRefused(Refusal.TOO_LONG)
    text = frame.text
    if known := _AIM_ID.match(text):
        if known[1] != "Q":
            return ScanRefused(Refusal.NOT_QR)
        text = text[len(known[0]) :].strip()
    elif aim_id:
        return ScanRefused(Refusal.NOT_QR)
    if lookup := parse_lookup(text):
        return ScannedLookup(lookup)
    if _QR_ID.search(text) or PREFIX in text[1:]:
        return ScanRefused(Refusal.GLUED)
    if text.startswith(PREFIX):
        return ScanRefused(Refusal.UNKNOWN)
    if len(text) > TOKEN_MAX:
        return ScanRefused(Refusal.TOO_LONG)
    return ScannedToken(text) if len(text) >= TOKEN_MIN else ScanRefused(Refusal.UNKNOWN)
