"""Figures for tests and benchmarks: the two people of the sample photographs, and strangers made from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from kiosk.devices.emulated.people import Person, landmarks, living_portrait
from kiosk.devices.emulated.portrait import LivingPortrait
from kiosk.devices.emulated.strangers import estranged

_KEPT = 8


@lru_cache(_KEPT)
def stranger(base: Person, seed: int, k: float) -> LivingPortrait | None:
    """Somebody with features pushed about by k (0.5 to 2); None when no face can be found any more."""
    picture = estranged(living_portrait(base).face, seed, k)
    points = landmarks(picture)
    return None if points is None else LivingPortrait(picture, points)


def subjects(strangers: Iterable[tuple[Person, int, float]] = ()) -> Iterator[LivingPortrait]:
    """The two sample people, then the strangers by (base, seed, k) of whom a face can be found."""
    yield living_portrait(Person.CARDHOLDER)
    yield living_portrait(Person.STRANGER)
    yield from filter(None, (stranger(*one) for one in strangers))
