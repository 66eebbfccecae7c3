"""What happens before the emulated camera, seen by every viewer at once: one picture for each instant and eye."""

from __future__ import annotations

import threading
import time
from enum import StrEnum

import numpy as np

from kiosk.devices.emulated.cast import perform
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.warp import FPS, Picture


class Eye(StrEnum):
    RGB = "rgb"
    IR = "ir"


class Stage:
    """Pictures are rendered when they are asked for: without a viewer nothing is done. For any thread."""

    def __init__(self, person: Person, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._performer = perform(person, self._rng.spawn(1)[0])
        self._taken: dict[Eye, tuple[int, Picture]] = {}

    def show(self, person: Person) -> None:
        """Somebody else from now on; the stream goes on while a person is made ready for the first time."""
        performer = perform(person, self._rng.spawn(1)[0])
        with self._lock:
            self._performer = performer

    def act(self, request: str) -> None:
        """The person is asked for something, in the words of the terminal's coach."""
        with self._lock:
            self._performer.hear(request, time.monotonic())

    def picture(self, eye: Eye, instant: int) -> Picture:
        """RGB or grey; instant: number of the frame at FPS on the monotonic clock. Not to be written to."""
        with self._lock:
            before, picture = self._taken.get(eye, (-1, None))
            if picture is None or before != instant:
                take = self._performer.frame if eye is Eye.RGB else self._performer.infrared
                picture = take(instant / FPS)
                self._taken[eye] = instant, picture
            return picture
