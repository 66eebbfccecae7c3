"""A camera service with what it said and showed, for tests that run it against the emulated camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kiosk.config import CameraConfig
from kiosk.devices.camera.frames import Frame, FramePair
from kiosk.devices.camera.service import CameraService
from kiosk.devices.emulated.camera import CameraEmulator, Eye, Fault
from kiosk.domain.status import DeviceState, DeviceStatus

STALE_S = 0.8


class Watcher:
    """Runs from construction; the last frames and pairs are kept."""

    def __init__(self, config: CameraConfig) -> None:
        self.states: list[tuple[str, str]] = []
        self.frames: list[tuple[Frame, float]] = []
        self.pairs: list[FramePair] = []
        self._changed = threading.Condition()
        self.service = CameraService(config, self._status)
        self.service.subscribe(self._frame)
        self.service.subscribe_pairs(self._pair)
        self.service.start()

    @classmethod
    def of(cls, camera: CameraEmulator, infrared: bool = False, **settings: object) -> Watcher:
        """On a camera that is well again."""
        for eye in Eye:
            if eye is Eye.RGB or infrared:
                camera.order(Fault.NONE, eye)
        streams = {"source": camera.stream, "ir_source": camera.ir_stream if infrared else None}
        return cls(CameraConfig.model_validate({**streams, "stale_s": STALE_S, **settings}))

    def end(self) -> None:
        assert self.service.stop()
        assert self.service.status.state is DeviceState.UNKNOWN

    def _status(self, status: DeviceStatus) -> None:
        with self._changed:
            self.states.append((status.state.value, status.reason))
            self._changed.notify_all()

    def _frame(self, frame: Frame, t: float) -> None:
        with self._changed:
            self.frames = [*self.frames[-9:], (frame, t)]
            self._changed.notify_all()

    def _pair(self, pair: FramePair) -> None:
        with self._changed:
            self.pairs = [*self.pairs[-9:], pair]
            self._changed.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, seconds), self.states

    def wait_filmed(self, seconds: float) -> None:
        """Until frames of that much longer have come."""
        began = time.monotonic()
        self.wait(lambda: bool(self.frames) and self.frames[-1][1] > began + seconds)

    def wait_state(self, state: str, reason: str = "") -> None:
        self.wait(lambda: bool(self.states) and self.states[-1] == (state, reason))

    def wait_said(self, state: str, reason: str = "", after: int = 0) -> None:
        """Until it has been said, even if something else has been said since. after: so many states are not looked at."""
        self.wait(lambda: (state, reason) in self.states[after:])


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
