"""The answer to reset: where its historical bytes stand (ISO 7816-3) and what this card puts there (规范 part 2)."""

from __future__ import annotations

from dataclasses import dataclass, field

_DIRECT = 0x3B
_HISTORICAL = 13
"""Of a social security card: chip maker, chip, card maker, region, serial number."""
_REGION = slice(7, 9)


@dataclass(frozen=True, slots=True)
class Atr:
    """historical: T1 … TK. region: first four digits of the issuing region, None unless the shape is this card's."""

    historical: bytes = field(default=b"", repr=False)
    region: str | None = field(default=None, repr=False)


def parse_atr(raw: bytes) -> Atr:
    """Any bytes. An answer of another shape gives an empty Atr: the card is unknown, not broken."""
    historical = _historical(raw)
    if len(historical) != _HISTORICAL:
        return Atr(historical)
    region = historical[_REGION].hex()
    return Atr(historical, region if region.isdigit() else None)


def _historical(raw: bytes) -> bytes:
    """T0 says how many there are, and which interface bytes TA TB TC TD stand before them; each TD says it anew."""
    if len(raw) < 2 or raw[0] != _DIRECT:
        return b""
    count, follows, at = raw[1] & 0x0F, raw[1] >> 4, 2
    while follows:
        at += follows.bit_count()
        if not follows & 0b1000:
            break
        if at > len(raw):
            return b""
        follows = raw[at - 1] >> 4
    found = raw[at : at + count]
    return found if len(found) == count else b""
