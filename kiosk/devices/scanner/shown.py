"""A scanned code as technicians see it: what it is, its content only when they ask for it."""

from __future__ import annotations

from kiosk.devices.scanner.events import ScannedLookup, ScannedToken
from kiosk.domain.lookup_code import NumberLookup, TokenLookup


def as_json(scanned: ScannedToken | ScannedLookup, show: bool) -> dict[str, str | int]:
    match scanned:
        case ScannedToken(secret):
            kind = "可能是电子社保卡"
        case ScannedLookup(TokenLookup(secret)):
            kind = "业务回执"
        case ScannedLookup(NumberLookup(case_number)):
            return {"kind": "受理编号", "case_number": case_number}
    return {"kind": kind, "characters": len(secret), **({"code": secret} if show else {})}
