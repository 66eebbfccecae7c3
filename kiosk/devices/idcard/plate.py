"""What may be believed about the reading plate: is a card on it, and is it one that was already handed out."""

from __future__ import annotations

import hashlib
import secrets

FREE_AFTER = 3
"""Consecutive "no card" answers that mean a free plate; fewer may be a card at the edge of the field."""


class Plate:
    """Remembers the last delivered card by a keyed digest only, so that no number outlives its session here."""

    def __init__(self, same_card_s: float) -> None:
        """same_card_s: an identical card within this time after its delivery is the same laying, not a new one."""
        self.occupied = False
        """A card was found and the plate has not been free since."""
        self.spent = False
        """The card lying there was delivered: it is that person's, until it is lifted."""
        self._misses = 0
        self._out_of_sight = False
        """The reader was lost while a card lay there: it may lie there still."""
        self._same_card_s = same_card_s
        self._key = secrets.token_bytes(32)
        self._last: tuple[bytes, float] | None = None

    @property
    def watched(self) -> bool:
        """A card lies there, or may still lie there."""
        return self.occupied or self._out_of_sight

    def lose_sight(self) -> bool:
        """The reader is lost: nobody knows of a card any more. True if one was known to lie there."""
        known, self.occupied = self.occupied, False
        self._out_of_sight = self._out_of_sight or known
        return known

    def found(self) -> bool:
        """The reader found a card. True if none was known to lie there."""
        self._misses = 0
        self._out_of_sight = False
        laid, self.occupied = not self.occupied, True
        return laid

    def missed(self) -> bool:
        """The reader found none. True if a card has just been lifted."""
        self._misses += 1
        if self._misses < FREE_AFTER:
            return False
        lifted, self.occupied, self.spent, self._out_of_sight = self.occupied, False, False, False
        return lifted

    @property
    def doubtful(self) -> bool:
        """The last answers say that the card has gone, but not often enough yet."""
        return self.occupied and self._misses > 0

    def delivered(self, number: str, now: float) -> None:
        """The card went to its session. now: monotonic seconds."""
        self._last = (self._digest(number), now)
        self.spent = True

    def just_delivered(self, number: str, now: float) -> bool:
        """The card delivered last, again so soon that nobody meant it."""
        return self._last is not None and self._last[0] == self._digest(number) and now - self._last[1] < self._same_card_s

    def forgotten(self, number: str) -> bool:
        """The card delivered last, never lifted since: it must not open somebody else's session."""
        return self.spent and self._last is not None and self._last[0] == self._digest(number)

    def _digest(self, number: str) -> bytes:
        return hashlib.blake2b(number.encode(), key=self._key).digest()
