"""A card for a technician's eyes: as a JSON object, in which the person stays unrecognisable unless asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields

from kiosk.domain.social_card import SocialCard

_OPEN = frozenset({"level", "fault", "version", "issued", "valid_until", "card_class"})
"""Fields that tell nothing about the person."""
_HIDDEN = "***"


def as_json(card: SocialCard, show: bool) -> dict[str, object]:
    """Ready for json.dumps; absent fields are left out. `items` says what became of each record."""
    found: dict[str, object] = {}
    for item in fields(card):
        value = getattr(card, item.name)
        if item.name != "items" and value not in (None, b""):
            found[item.name] = _plain(value) if show or item.name in _OPEN else _HIDDEN
    if not show:
        masked = {"number": card.masked_number, "name": card.masked_name, "card_number": card.masked_card_number}
        found |= {name: value for name, value in masked.items() if value}
    return found | {"items": {item.value: status.value for item, status in card.items.items()}}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex().upper()
    return value.isoformat() if isinstance(value, dt.date) else value
