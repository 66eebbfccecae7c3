"""The demo's person looks at the screen and does what it asks: each new request reaches the emulated camera once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from kiosk.domain.coaching import Coach
from kiosk.flow.view import View


class Obedience:
    """Looks when it is told to; acting happens beside, so that nobody's screen waits for it."""

    def __init__(self, act: Callable[[str], object]) -> None:
        """act: makes the person before the camera do what a coach value asks for."""
        self._act = act
        self._work = ThreadPoolExecutor(1, thread_name_prefix="obedience")
        self._asked: Coach | None = None
        self._acting: Future[object] | None = None

    def look(self, view: View | None) -> None:
        """At the screen as it is now. Raises what the last act raised."""
        asked = view.coach if view else None
        if asked is self._asked:
            return
        self._asked = asked
        if self._acting and self._acting.done():
            self._acting.result()
        if asked is not None:
            self._acting = self._work.submit(self._act, asked.value)
