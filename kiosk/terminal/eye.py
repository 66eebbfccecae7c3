"""Camera and face process as the conversation's `FaceRoom`: the camera is open only while a try runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import DBAPIError

from kiosk.devices.camera.frames import FramePair
from kiosk.devices.camera.service import CameraService
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.enrolment import EnrolmentEvidence
from kiosk.domain.face_task import Enrol, FaceTask
from kiosk.domain.status import DeviceState, DeviceStatus
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.client import Brings, FaceClient
from kiosk.flow import events as ev
from kiosk.terminal.face_base import LocalBase

log = logging.getLogger(__name__)


class Eye:
    """Where a task is held against the people enrolled here, they are read on a small thread: a large roster takes
    a second, and the screen does not wait for it."""

    _HOLDER = "conversation"

    def __init__(self, camera: CameraService, client: FaceClient, base: LocalBase, post: Callable[[ev.Event], None]) -> None:
        self._camera = camera
        self._client = client
        self._base = base
        self._post = post
        self._lock = threading.Lock()
        self._task: FaceTask | None = None
        """What somebody waits for."""
        self._work = ThreadPoolExecutor(1, thread_name_prefix="face-base")

    def begin(self, task: FaceTask) -> None:
        with self._lock:
            self._task = task
        if self._camera.status.state is DeviceState.OFFLINE:  # lost before: nobody waits before a dark screen for it
            self.on_camera(self._camera.status)
            return
        if self._base.wanted_for(task):
            self._work.submit(self._begin_beside, task)
        else:
            self._client.begin(task)
        self._camera.want(self._HOLDER)

    def end(self) -> None:
        with self._lock:
            self._task = None
            self._client.end()
        self._camera.unwant(self._HOLDER)

    def forget_stale(self) -> None:
        """From time to time: between conversations nobody is kept here whom the roster no longer has."""
        self._work.submit(self._forget_stale)

    def stop(self) -> None:
        self.end()
        self._work.shutdown(wait=True)

    def on_face(self, happened: Brings) -> None:
        """For the face client's thread."""
        self._post(self._event(happened))

    def on_pair(self, pair: FramePair) -> None:
        """For the camera thread."""
        self._client.offer(pair.rgb, pair.t_rgb, pair.ir, pair.t_ir or 0.0)

    def on_camera(self, status: DeviceStatus) -> None:
        """For the camera thread: a camera lost in the middle of a try ends it at once."""
        if status.state is DeviceState.OFFLINE and self._give_up():
            self._post(ev.FaceFailed(FaceTrouble.CAMERA_LOST, status.reason))

    def _begin_beside(self, task: FaceTask) -> None:
        try:
            base, own = self._base.beside(task)
        except Exception as error:  # a store that fails in a way nobody foresaw still gives an answer
            log.error("the enrolled people cannot be read: %s", type(error).__name__)
            base, own = None, None
        with self._lock:
            wanted = self._task is task
            if wanted and (base is not None or not isinstance(task, Enrol)):
                self._client.begin(task, base, own)
                return
        if wanted and self._give_up():  # "nobody looks alike" would be more than is known
            self._post(ev.FaceFailed(FaceTrouble.UNAVAILABLE))

    def _forget_stale(self) -> None:
        """On the small thread, so that no conversation begins beside it."""
        with self._lock:
            if self._task is not None:
                return
        try:
            self._base.forget_stale()
        except DBAPIError as error:
            log.error("the roster cannot be read: %s", type(error.orig).__name__)

    def _give_up(self) -> bool:
        """Whether somebody was waiting."""
        with self._lock:
            waited, self._task = self._task is not None, None
        return waited

    def _event(self, happened: Brings) -> ev.Event:
        match happened:
            case Coach():
                return ev.Coached(happened)
            case Progress(share):
                return ev.TurnSeen(share)
            case FlashPlan():
                return ev.FlashWanted(happened)
            case FaceEvidence():
                return ev.FaceTried(happened)
            case EnrolmentEvidence():
                return ev.EnrolmentTaken(happened, self._base.names(happened.lookalikes))
            case FaceTrouble():
                return ev.FaceFailed(happened)
