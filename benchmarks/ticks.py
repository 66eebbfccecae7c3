"""How evenly the screen's thread runs while the face process encodes, beside the same without.

A precise timer of 16 ms in the real window with the moving mirror. A tick counts as encoding when it falls between
the worker's word that it has its frames and the evidence. Somebody acts before the camera, one try after the other.
"""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from pathlib import Path

import cv2
from cardholder import Subject, subject, templates
from figures import Figure, hand_over, percentiles
from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Slot

from kiosk.config import KioskConfig, Mode, UiConfig
from kiosk.config.face import FaceConfig
from kiosk.devices.camera.service import CameraService
from kiosk.devices.emulated.portrait import SIZE
from kiosk.domain.coaching import Coach, Progress
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Profile
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.client import Brings, FaceClient
from kiosk.face.dlib_engine import DlibEngine
from kiosk.flow import events as ev
from kiosk.flow.view import Step, View
from kiosk.terminal.app import make_application
from kiosk.terminal.bridge import EventBridge
from kiosk.texts import load_texts
from kiosk.ui.window import KioskWindow

_TICK_MS = 16
_WANTED_S = 12.0
"""So much time with encoding, and as much without."""
_SETTLE_S = 5.0
"""The window is drawn and the models are loaded."""
_PATIENCE_S = 300.0
_INTERRUPTED = 130
_FRAMES = 15
"""The most a try may compare, so that the worker encodes longer at a stretch."""
_PROFILE = Profile.ATTENDED
"""The shortest challenge: what comes before the encoding is not looked at."""
_HOLDER = "benchmark"

Span = tuple[float, float]


def measure(folder: Path) -> list[Figure]:
    with subject() as somebody:
        return _measure(somebody)


def _measure(somebody: Subject) -> list[Figure]:
    config = KioskConfig(
        mode=Mode.DEMO, camera=somebody.camera, face=FaceConfig(frames=_FRAMES), ui=UiConfig(fullscreen=False, voice=False),
    )
    cv2.setNumThreads(1)  # as the terminal does
    app = make_application(config)
    room = Room(config, somebody, Verify(templates(DlibEngine()), _PROFILE))
    ticker = Ticker()
    room.start()
    try:
        _run(_SETTLE_S)
        calm = time.monotonic(), _run(_WANTED_S)
        room.next_try()
        _run(_PATIENCE_S)
    finally:
        ticker.stop()
        room.stop()
        app.processEvents()
    if room.encoded_s < _WANTED_S:
        raise RuntimeError(f"only {room.encoded_s:.1f} s of encoding in {_PATIENCE_S:.0f} s")
    without = {f"without {name}": value for name, value in percentiles(ticker.within([calm])).items()}
    return [Figure(f"tick of {_TICK_MS} ms while encoding", "ms", percentiles(ticker.within(room.spans)), without)]


class Ticker(QObject):
    def __init__(self) -> None:
        super().__init__()
        self._times: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_TICK_MS)

    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _tick(self) -> None:
        self._times.append(time.monotonic())

    def within(self, spans: list[Span]) -> list[float]:
        """From tick to tick, in ms, wherever some of it lies in one of the spans."""
        return [
            1000 * (after - before) for before, after in pairwise(self._times)
            if any(after > begin and before < end for begin, end in spans)
        ]


class Room:
    """Window, camera and face process wired as in the terminal, with one try after the other."""

    def __init__(self, config: KioskConfig, somebody: Subject, task: Verify) -> None:
        self.spans: list[Span] = []
        """When the worker encoded."""
        self._somebody = somebody
        self._task = task
        self._working_since = 0.0
        self._coach: Coach | None = None
        self._window = KioskWindow(load_texts(config.ui.texts), config.ui, config.site.help_phone, lambda button: None)
        self._bridge = EventBridge(self._arrived)
        self._face = FaceClient(config.face, SIZE, self._heard, lambda status: None)
        self._camera = CameraService(config.camera, lambda status: None)
        mirror = self._window.camera
        self._camera.subscribe(self._face.offer)
        self._camera.subscribe(lambda frame, t: mirror.set_frame(frame))

    @property
    def encoded_s(self) -> float:
        return sum(end - begin for begin, end in self.spans)

    def start(self) -> None:
        """Mirror on, no try yet."""
        self._face.start()
        self._camera.start()
        self._camera.want(_HOLDER)
        self._window.show_view(View(Step.CAMERA, frozenset()))
        self._window.present()

    def stop(self) -> None:
        self._camera.stop()
        self._face.stop()
        self._window.close()

    def next_try(self) -> None:
        self._face.begin(self._task)

    def _heard(self, what: Brings) -> None:
        """In the face client's thread."""
        self._somebody.hear(what)
        match what:
            case Coach():
                if what is Coach.WORKING:
                    self._working_since = time.monotonic()
                self._bridge.post(ev.Coached(what))
            case Progress(share):
                self._bridge.post(ev.TurnSeen(share))
            case FaceEvidence():
                self.spans.append((self._working_since, time.monotonic()))
                self._bridge.post(ev.FaceTried(what))
            case FaceTrouble():
                self._bridge.post(ev.FaceFailed(what))

    def _arrived(self, event: ev.Event) -> None:
        match event:
            case ev.Coached(coach):
                self._coach = coach
                self._window.show_view(View(Step.CAMERA, frozenset(), coach=coach))
            case ev.TurnSeen(share):
                self._window.show_view(View(Step.CAMERA, frozenset(), coach=self._coach, turned=share))
            case _ if self.encoded_s >= _WANTED_S:
                QCoreApplication.quit()
            case _:
                self.next_try()


def _run(seconds: float) -> float:
    """The event loop for so long, or until it is told to end. The time then. Ctrl-C ends it: Qt would swallow it."""
    end = QTimer()
    end.setSingleShot(True)
    end.timeout.connect(QCoreApplication.quit)
    end.start(round(1000 * seconds))
    usual = signal.signal(signal.SIGINT, lambda *_: QCoreApplication.exit(_INTERRUPTED))
    status = QCoreApplication.exec()
    signal.signal(signal.SIGINT, usual)
    if status == _INTERRUPTED:
        raise KeyboardInterrupt
    return time.monotonic()


if __name__ == "__main__":
    hand_over(measure)
