"""The camera: one instruction at a time on a solid panel, never over the moving picture."""

from __future__ import annotations

from kiosk.domain.coaching import Coach
from kiosk.flow.view import View
from kiosk.texts import Texts
from kiosk.ui.camera_view import CameraView, Turn
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, label

_ALL_WELL = frozenset({
    Coach.HOLD_STILL, Coach.BLINK, Coach.TURN_LEFT, Coach.TURN_RIGHT, Coach.FURTHER, Coach.OPEN_MOUTH, Coach.LOOK_AHEAD,
    Coach.FLASH, Coach.A_LITTLE_LEFT, Coach.A_LITTLE_RIGHT, Coach.WORKING,
})
_TURNS = {
    Coach.TURN_LEFT: Turn.LEFT, Coach.TURN_RIGHT: Turn.RIGHT,
    Coach.A_LITTLE_LEFT: Turn.LEFT, Coach.A_LITTLE_RIGHT: Turn.RIGHT,
}


class CameraScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.camera = CameraView()
        self._coach = label("title", centred=False)
        self._panel = Panel("calm", "face", self._coach, side=200)
        self._attempt = label("small")
        self._turn: Turn | None = None
        self.lead.addWidget(self.camera, 1)
        self.act.addStretch(1)
        self.act.addWidget(self._panel)
        self.act.addWidget(self._attempt)
        self.act.addStretch(1)

    def show_view(self, view: View) -> None:
        self.camera.open()
        coach = view.coach
        self._coach.setText(self.texts.text(f"coach.{coach.value}" if coach else "camera.title"))
        well = coach in _ALL_WELL
        self._panel.set_tone("good" if well else "calm", f"coach_{coach.value}" if coach else "face")
        self.camera.set_well(well)
        self._point(view)
        attempt = min(view.attempt + 1, view.attempts_max)
        self._attempt.setText(self.texts.text("camera.attempt", attempt=attempt, attempts=view.attempts_max))
        self._attempt.setVisible(view.attempts_max > 0)

    def _point(self, view: View) -> None:
        """The arrow of a turn stays while the person is asked for more of it."""
        if view.coach is not Coach.FURTHER:
            self._turn = _TURNS.get(view.coach) if view.coach else None
        self.camera.set_turn(self._turn, view.turned)

    def leave(self) -> None:
        self._turn = None
        self.camera.clear()
