"""The face process: models loaded once, one try at a time, the newest frame only. Spawned, never forked.

dlib's encoder holds the interpreter lock for tenths of a second; in a thread of the terminal the screen would stand.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from multiprocessing.connection import Connection
from typing import Protocol

import cv2

from kiosk.config.face import FaceConfig
from kiosk.domain.face_task import Enrol, Verify
from kiosk.face.align import Grey
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.cohort import Cohort
from kiosk.face.engine import EngineUnavailable, FaceEngine, Image
from kiosk.face.engines import make_engine
from kiosk.face.enrolment import EnrolAttempt
from kiosk.face.messages import (
    Advice,
    Beat,
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
from kiosk.face.ring import FrameRing
from kiosk.no_dumps import no_core_dumps

_PR_SET_PDEATHSIG = 1
_BEATS = 4
"""Heartbeats in the time after which the process would be replaced."""
_APART_S = 0.03
"""Frames nearer together bring nothing."""


class Attempt(Protocol):
    """One try, driven by frames and their times."""

    @property
    def working(self) -> bool:
        """No more frames are needed: step on until it ends."""

    def step(
        self, now: float, rgb: Image | None = None, ir: Grey | None = None, t_ir: float = 0.0,
    ) -> Advice | Ending | None:
        """One frame with its time, or none when there is no new one."""

    def wipe(self) -> None:
        """Overwrites every picture and vector."""


def begin_attempt(engine: FaceEngine, config: FaceConfig, begin: Begin, now: float) -> Attempt:
    match begin.task:
        case Verify():
            cohort = None
            if config.cohort.enabled:
                cohort = Cohort(engine, begin.base, config.cohort, begin.own)
            return VerifyAttempt(engine, config, begin.task, now, cohort=cohort)
        case Enrol():
            return EnrolAttempt(engine, config, now, base=begin.base, exclude_owner=begin.own)


def main(pipe: Connection, ring_name: str, slot_bytes: int, config: FaceConfig, parent: int) -> None:
    """Ends when told to, when the pipe closes or when the parent dies."""
    no_core_dumps()
    _belong_to(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the terminal, which ends us in order
    os.nice(config.nice)
    cv2.setNumThreads(1)
    ring = FrameRing.attach(ring_name, slot_bytes)
    try:
        engine = make_engine(config)
        pipe.send(Ready(engine.id))
        _Worker(pipe, ring, engine, config).run()
    except EngineUnavailable as missing:
        pipe.send(Unavailable(missing.reason))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody is there any more
    finally:
        ring.close()


def _belong_to(parent: int) -> None:
    """The kernel ends this process with the thread that started it; unless that one was faster."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class _Worker:
    def __init__(self, pipe: Connection, ring: FrameRing, engine: FaceEngine, config: FaceConfig) -> None:
        self._pipe = pipe
        self._ring = ring
        self._engine = engine
        self._config = config
        self._attempt: Attempt | None = None
        self._number = 0
        self._frame: FrameReady | None = None
        self._seen_at = 0.0
        self._stopped = False

    def run(self) -> None:
        beat_s = self._config.heartbeat_s / _BEATS
        next_beat = time.monotonic()
        while not self._stopped:
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + beat_s
                self._send(Beat())
            working = self._attempt is not None and self._attempt.working
            if self._pipe.poll(0 if working else max(0.0, next_beat - time.monotonic())):
                self._obey()
            self._go_on()
        self._end_attempt()

    def _obey(self) -> None:
        """All commands that have arrived; of several frames only the last is looked at."""
        while self._pipe.poll(0):
            command: Command = self._pipe.recv()
            match command:
                case Begin():
                    self._end_attempt()
                    self._attempt = begin_attempt(self._engine, self._config, command, time.monotonic())
                    self._number = command.attempt
                case Cancel():
                    self._end_attempt()
                case Stop():
                    self._stopped = True
                case FrameReady():
                    self._frame = command

    def _go_on(self) -> None:
        attempt, frame, self._frame = self._attempt, self._frame, None
        brought: Advice | Ending | None = None
        if frame is not None and attempt is not None and not attempt.working and self._wanted(frame):
            self._seen_at = frame.t
            brought = self._show(attempt, frame)
        else:
            if frame is not None:
                self._send(FrameTaken(frame.serial))
            if attempt is not None:
                brought = attempt.step(time.monotonic())
        if brought is not None:
            self._send(Brought(self._number, brought))
            if isinstance(brought, Ending):
                self._end_attempt()

    def _wanted(self, frame: FrameReady) -> bool:
        return frame.attempt == self._number and frame.t - self._seen_at >= _APART_S

    def _show(self, attempt: Attempt, frame: FrameReady) -> Advice | Ending | None:
        rgb = self._ring.read(frame.slot, frame.size)
        ir = None if frame.ir_size is None else self._ring.read_infrared(frame.slot, frame.ir_size)
        self._send(FrameTaken(frame.serial))
        try:
            return attempt.step(frame.t, rgb, ir, frame.t_ir)
        finally:  # what is needed longer, the attempt has copied
            for picture in (rgb, ir):
                if picture is not None:
                    picture.fill(0)

    def _end_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.wipe()
            self._attempt = None

    def _send(self, report: Report) -> None:
        self._pipe.send(report)
