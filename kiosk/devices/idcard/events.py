"""What the reader tells besides the card itself (IdCard) and a CardTrouble."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.domain.document import IdCard
from kiosk.domain.trouble import CardTrouble


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card was laid down and is being read."""


@dataclass(frozen=True, slots=True)
class CardLifted:
    """The plate is free again, or the reader is lost. Follows every CardSeen."""


CardEvent = CardSeen | IdCard | CardTrouble | CardLifted
