"""Who stands before the emulated camera, as somebody who acts."""

from __future__ import annotations

import numpy as np

from kiosk.devices.emulated.actor import STIFF, Actor, Performer
from kiosk.devices.emulated.attacks import Species, attack_actor
from kiosk.devices.emulated.infrared import skin
from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.people import Person, empty_room, living_portrait, middle
from kiosk.devices.emulated.warp import Picture

_SPECIES = {
    Person.PHOTO: Species.STILL,
    Person.WAVED_PHOTO: Species.WAVED,
    Person.BENT_PHOTO: Species.BENT,
    Person.CUT_EYES: Species.CUT_EYES,
    Person.SCREEN: Species.SCREEN,
}


def perform(person: Person, rng: np.random.Generator) -> Performer:
    """Renders the person for the first time, which takes about a second, unless somebody did before."""
    cardholder = living_portrait(Person.CARDHOLDER)
    match person:
        case Person.CARDHOLDER | Person.STRANGER:
            return Actor(living_portrait(person), rng)
        case Person.STIFF:
            return Actor(cardholder, rng, can=STIFF)
        case Person.TWO:
            return _Two(Actor(cardholder, rng), Actor(living_portrait(Person.STRANGER), rng))
        case Person.NOBODY:
            return _Nobody(rng)
        case _:
            return attack_actor(_SPECIES[person], cardholder, rng)


class _Two:
    """Side by side; both do what is asked."""

    def __init__(self, one: Performer, other: Performer) -> None:
        self._both = one, other

    def hear(self, request: str, t: float) -> None:
        for one in self._both:
            one.hear(request, t)

    def frame(self, t: float) -> Picture:
        return np.hstack([middle(one.frame(t)) for one in self._both])

    def infrared(self, t: float) -> Picture:
        return np.hstack([middle(one.infrared(t)) for one in self._both])


class _Nobody:
    def __init__(self, rng: np.random.Generator) -> None:
        self._sensor = Sensor(Light.EVEN, rng)

    def hear(self, request: str, t: float) -> None:
        """Nobody hears it."""

    def frame(self, t: float) -> Picture:
        return self._sensor.film(empty_room(), t)

    def infrared(self, t: float) -> Picture:
        return self._sensor.film(skin(empty_room()), t)
