"""What the reader tells besides the card itself (SocialCard) and a SocialCardTrouble."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.domain.social_card import SocialCard, SocialCardTrouble


@dataclass(frozen=True, slots=True)
class SocialCardSeen:
    """A card was put in and is being read. SocialCard or SocialCardTrouble follows within seconds."""


@dataclass(frozen=True, slots=True)
class TakeYourCard:
    """The card waits in the slot; comes again at intervals until it is taken."""


@dataclass(frozen=True, slots=True)
class SocialCardTaken:
    """The slot is free again, or the reader is lost. Follows every SocialCardSeen."""


SocialCardEvent = SocialCardSeen | SocialCard | SocialCardTrouble | TakeYourCard | SocialCardTaken
