"""The camera as everybody uses it: open only while somebody wants it, watched, brought back when it is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from kiosk.config import CameraConfig
from kiosk.devices.camera.frames import Format, Frame, FramePair, Shot
from kiosk.devices.camera.grabber import Grabber
from kiosk.devices.camera.infrared import Infrared
from kiosk.devices.camera.pairing import Pairing
from kiosk.devices.camera.picture import Picture
from kiosk.devices.camera.source import is_there, open_source
from kiosk.devices.service import DeviceLost, DeviceService
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_log = logging.getLogger(__name__)

OnFrame = Callable[[Frame, float], None]
"""frame (BGR, not mirrored, its own array) and monotonic time of arrival; called from the camera thread."""
OnPair = Callable[[FramePair], None]
"""Called from the camera thread, one frame later than OnFrame."""

_LOOK_S = 3.0
"""How often it is seen to that a resting camera is still plugged in."""
_FIRST_FRAME_S = 6.0
"""Opening a camera and its first exposure take longer than the next frame."""
_HANGS_S = 5.0
"""Longer than any read of ours may take: the driver will not come back by itself."""


class CameraService(DeviceService):
    """Reasons: those of open_source · `stale` no new frame in time · those of Picture.judge · `driver_hangs` it does
    not return and keeps the device. DEGRADED: `black` covered or without light · `torn` only parts of the picture
    are new · `ir_lost` no infrared picture · `settings_refused` the camera does not take what is configured.

    At the start it is opened once to prove itself; while nobody wants it, it is closed and the last state stands,
    unless its name vanishes.
    """

    def __init__(self, config: CameraConfig, on_status: Callable[[DeviceStatus], None]) -> None:
        super().__init__(DeviceKind.CAMERA, on_status)
        self._config = config
        self._subscribers: tuple[OnFrame, ...] = ()
        self._pair_subscribers: tuple[OnPair, ...] = ()
        self._holders: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._grabber: Grabber | None = None
        self._ended_at = 0.0
        """When the grabber was asked to end; 0 while it is to work."""
        self._infrared = Infrared(config)
        self._stale_s = config.stale_s
        self._forget(config)
        self.format: Format | None = None
        """What the camera gave when it was last open."""
        self.refused: tuple[str, ...] = ()
        """Settings it did not take then."""

    def subscribe(self, on_frame: OnFrame) -> None:
        """Frames go to every subscriber while the camera is open."""
        with self._lock:
            self._subscribers = (*self._subscribers, on_frame)

    def subscribe_pairs(self, on_pair: OnPair) -> None:
        """Like `subscribe`, each frame with the infrared one of the same instant where there is one."""
        with self._lock:
            self._pair_subscribers = (*self._pair_subscribers, on_pair)

    def want(self, holder: str) -> None:
        """Keeps the camera open until this holder no longer wants it. Asking twice is asking once."""
        with self._lock:
            self._holders |= {holder}
        self.attention.set()

    def unwant(self, holder: str) -> None:
        with self._lock:
            self._holders -= {holder}

    def configure(self, config: CameraConfig) -> None:
        """In force from the next opening on; a running stream goes on as it is."""
        self._config = config

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Names of the threads that wait for a driver which does not return."""
        colour = self._grabber.name if self._grabber is not None and self._ended_at and self._grabber.alive else None
        return tuple(name for name in (colour, self._infrared.left_behind) if name)

    def open(self) -> None:
        if self._grabber is not None and self._grabber.alive:
            raise DeviceLost("driver_hangs" if time.monotonic() - self._ended_at > _HANGS_S else "stale")
        config = self._config
        self._stale_s = config.stale_s
        self._forget(config)
        self._infrared.prepare(config)
        self._grabber = Grabber(lambda: open_source(config.source, config), "camera-grabber")
        self._ended_at = 0.0

    def close(self) -> None:
        known = self.left_behind
        self._forget(self._config)
        if self._grabber is not None:
            self._ended_at = self._ended_at or time.monotonic()
            if self._grabber.close(self.stopping):
                self._grabber = None
        self._infrared.close(self.stopping)
        for name in set(self.left_behind) - set(known):
            _log.log(logging.INFO if self.stopping.is_set() else logging.WARNING, "camera: %s is left behind", name)

    def run(self) -> None:
        while not self.stopping.is_set():
            if self._holders or not (self._picture.proved and self._infrared.settled):
                self._take()
            else:
                self._rest()

    def _take(self) -> None:
        assert self._grabber is not None
        shot = self._grabber.read(self._stale_s if self._picture.started else _FIRST_FRAME_S, self.stopping)
        if shot is None:
            return
        if not self._picture.started:
            self._note_facts(self._grabber)
        flaw = self._picture.judge(shot)
        for infrared in self._infrared.frames():
            self._pairing.infrared(infrared)
        pair = self._pairing.rgb(shot)
        if flaw is not None:
            self._tell(flaw)
        if self._holders:
            self._give(shot, pair)

    def _give(self, shot: Shot, pair: FramePair | None) -> None:
        for on_frame in self._subscribers:
            on_frame(shot.frame, shot.t)
        if pair is not None:
            for on_pair in self._pair_subscribers:
                on_pair(pair)

    def _tell(self, flaw: str) -> None:
        reason = flaw or ("ir_lost" if self._infrared.lost else "settings_refused" if self.refused else "")
        self.report(DeviceState.DEGRADED if reason else DeviceState.READY, reason)

    def _note_facts(self, grabber: Grabber) -> None:
        """Once per opening, into the log only what is new."""
        assert grabber.source is not None
        format, refused = grabber.source.format, grabber.source.refused
        if format != self.format:
            _log.info("camera: %s", format)
        if refused and refused != self.refused:
            _log.warning("camera: does not take %s", ", ".join(refused))
        self.format, self.refused = format, refused

    def _forget(self, config: CameraConfig) -> None:
        """Nobody's picture is kept from one opening to the next."""
        self._picture = Picture(config.stale_s)
        self._pairing = Pairing(config.pair_skew_s)

    def _rest(self) -> None:
        """Closed until somebody wants it. Raises DeviceLost("no_device") when it is pulled out meanwhile."""
        self.close()
        while not self._holders and not self.stopping.is_set():
            self.pause(_LOOK_S)
            if not is_there(self._config.source):
                raise DeviceLost("no_device")
        if not self.stopping.is_set():
            self.open()
