"""The terminal's side of the face process: starts it, hands it frames, passes on its answers, replaces it.

Callbacks come from a thread of this module, one at a time; they must not block.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

import cv2
import numpy as np

from kiosk.config.face import FaceConfig
from kiosk.domain.face_task import FaceTask
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.domain.trouble import FaceTrouble
from kiosk.face import worker
from kiosk.face.align import Grey
from kiosk.face.base import FaceBase
from kiosk.face.engine import Image
from kiosk.face.messages import (
    Advice,
    Begin,
    Brought,
    Cancel,
    Command,
    Ending,
    FrameReady,
    FrameTaken,
    Ready,
    Report,
    Stop,
    Unavailable,
)
from kiosk.face.ring import SLOTS, FrameRing

_log = logging.getLogger(__name__)

_LOAD_S = 30.0
"""Loading the models may take this long on a slow machine; until then no heartbeat is expected."""
_LISTEN_S = 0.5
_STOP_S = 1.5
_RETRY_S = (0.5, 30.0)
_CALM_S = 60.0
"""A process that lived this long is replaced without the waits of earlier deaths."""

Brings = Advice | Ending
_T = TypeVar("_T")


class FaceClient:
    """States of DeviceKind.FACE: UNKNOWN until the models are loaded, READY, OFFLINE with `died`, `stalled`,
    `not_started` or a reason of EngineUnavailable. A try that loses its process ends as FaceTrouble.UNAVAILABLE.
    """

    def __init__(
        self,
        config: FaceConfig,
        frame_size: tuple[int, int],
        on_event: Callable[[Brings], None],
        on_status: Callable[[DeviceStatus], None],
    ) -> None:
        """frame_size: width and height the shared memory is made for; larger frames are shrunk into it."""
        self._config = config
        self._frame_size = frame_size
        self._on_event = on_event
        self._on_status = on_status
        self._status = DeviceStatus(DeviceKind.FACE, DeviceState.UNKNOWN)
        self._thread = threading.Thread(target=self._supervise, name="face-client", daemon=True)
        self._engine = ""
        self._stopping = threading.Event()
        self._attention = threading.Event()
        self._lock = threading.Lock()
        """Guards all below: camera thread, caller and supervisor meet here."""
        self._ring: FrameRing | None = None
        self._pipe: Connection | None = None
        self._attempt = 0
        self._running: Begin | None = None
        """The try somebody waits for."""
        self._serial = 0
        self._taken = 0

    @property
    def engine(self) -> str:
        """Id of the engine whose templates can be compared; empty until the models are loaded."""
        return self._engine

    @property
    def status(self) -> DeviceStatus:
        return self._status

    def start(self) -> None:
        """Once only."""
        try:
            self._ring = FrameRing.create(*self._frame_size)
        except OSError:  # no shared memory left on this machine
            self._report(DeviceState.OFFLINE, "not_started")
            return
        self._thread.start()

    def stop(self) -> None:
        """Ends the process and removes the shared memory."""
        self._stopping.set()
        self._attention.set()
        with self._lock:
            self._running = None
            self._send(Stop())
        if self._thread.ident is not None:
            self._thread.join()
        with self._lock:
            if self._ring is not None:
                self._ring.destroy()
                self._ring = None

    def begin(self, task: FaceTask, base: FaceBase | None = None, own: int | None = None) -> None:
        """Starts a try. on_event: Advice as often as needed, then once an Ending, unless ended.

        base: the people enrolled here, where the task is held against them; own: the person's own index in it.
        """
        with self._lock:
            self._attempt += 1
            self._running = Begin(self._attempt, task, base, own)
            self._send(self._running)
        self._attention.set()

    def end(self) -> None:
        """Forgets the try and its pictures; nothing of it is heard afterwards."""
        with self._lock:
            self._running = None
            self._send(Cancel())
            self._wipe()

    def offer(self, frame_bgr: Image, t: float, ir: Grey | None = None, t_ir: float = 0.0) -> None:
        """A camera frame and its monotonic time, with the infrared half of the same instant where there is one.

        Dropped when no try runs or the process has enough to do.
        """
        with self._lock:
            waiting = self._serial - self._taken
            if self._ring is None or self._pipe is None or self._running is None or waiting >= SLOTS - 1:
                return
            frame = self._fitting(frame_bgr)
            infrared = None if ir is None else self._fitting(ir)
            self._serial += 1
            slot = self._serial % SLOTS
            self._ring.write(slot, frame, infrared)
            sizes = frame.shape[:2], None if infrared is None else infrared.shape[:2]
            self._send(FrameReady(self._running.attempt, self._serial, slot, sizes[0], t, sizes[1], t_ir))

    def _fitting(self, frame: Image | Grey) -> Image | Grey:
        width, height = self._frame_size
        scale = min(1.0, width / frame.shape[1], height / frame.shape[0])
        if scale == 1.0:
            return frame
        return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def _send(self, command: Command) -> None:
        """With the lock held. A process that is gone is noticed by the supervisor, not here."""
        if self._pipe is not None:
            try:
                self._pipe.send(command)
            except OSError:
                self._attention.set()

    def _wipe(self) -> None:
        if self._ring is not None:
            self._ring.wipe()

    # ------------------------------------------------------------------------------ the supervisor's thread

    def _supervise(self) -> None:
        first, longest = _RETRY_S
        wait = first
        while not self._stopping.is_set():
            began = time.monotonic()
            reason = self._live_once()
            if self._stopping.is_set():
                break
            self._report(DeviceState.OFFLINE, reason)
            if time.monotonic() - began > _CALM_S:
                wait = first
            self._idle(wait)
            wait = min(2 * wait, longest)
        self._report(DeviceState.UNKNOWN)

    def _live_once(self) -> str:
        """One process from start to end. Why it ended."""
        assert self._ring is not None
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        arguments = (theirs, self._ring.name, self._ring.slot_bytes, self._config, os.getpid())
        process = spawn.Process(target=worker.main, args=arguments, name="kiosk-face", daemon=True)
        try:
            process.start()
        except OSError:
            return "not_started"
        finally:
            theirs.close()
        with self._lock:
            self._pipe = ours
            self._taken = self._serial
            if self._running is not None:  # begun between two processes
                self._send(self._running)
        try:
            return self._listen(ours)
        finally:
            with self._lock:
                self._pipe = None
                self._wipe()
            if self._stopping.is_set():
                process.join(_STOP_S)
            process.kill()  # it owns nothing that would have to be put in order
            process.join()
            process.close()
            ours.close()

    def _listen(self, pipe: Connection) -> str:
        deadline = time.monotonic() + _LOAD_S
        while not self._stopping.is_set():
            try:
                if not pipe.poll(_LISTEN_S):
                    if time.monotonic() > deadline:
                        return "stalled"
                    continue
                report: Report = pipe.recv()
            except (EOFError, OSError):
                return "died"
            deadline = time.monotonic() + self._config.heartbeat_s
            match report:
                case Ready(engine):
                    self._engine = engine
                    self._report(DeviceState.READY)
                case Unavailable(reason):
                    return reason
                case FrameTaken(serial):
                    with self._lock:
                        self._taken = serial
                case Brought(attempt, what):
                    self._bring(attempt, what)
        return "stopped"

    def _idle(self, seconds: float) -> None:
        """Waits without a process; a try begun now ends at once."""
        until = time.monotonic() + seconds
        while not self._stopping.is_set():
            self._bring(self._attempt, FaceTrouble.UNAVAILABLE)
            left = until - time.monotonic()
            if left <= 0:
                return
            self._attention.wait(left)
            self._attention.clear()

    def _bring(self, attempt: int, what: Brings) -> None:
        with self._lock:
            if self._running is None or attempt != self._running.attempt:
                return
            if isinstance(what, Ending):
                self._running = None
                self._wipe()
        self._tell(self._on_event, what)

    def _report(self, state: DeviceState, reason: str = "") -> None:
        if (state, reason) != (self._status.state, self._status.reason):
            self._status = DeviceStatus(DeviceKind.FACE, state, reason, dt.datetime.now(dt.UTC))
            _log.info("face: %s %s", state.value, reason)
            self._tell(self._on_status, self._status)

    def _tell(self, listener: Callable[[_T], None], what: _T) -> None:
        try:
            listener(what)
        except Exception as error:  # a listener's bug must not cost us the face process
            _log.error("face: listener failed: %s", type(error).__name__)
