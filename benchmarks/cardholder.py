"""The emulated cardholder as the face figures need him: alive before a camera, and enrolled."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
from far_end import emulated

from kiosk.config import CameraConfig
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.people import FPS, Person, enrolment_portraits, living_portrait
from kiosk.devices.emulated.portrait import SIZE
from kiosk.domain.coaching import Coach
from kiosk.domain.roster import FaceTemplate
from kiosk.face.client import Brings
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.still import image_from_bytes, template_from_image


class Subject:
    """Somebody who stands before the camera and does what is asked. The camera is a process of its own."""

    def __init__(self, stream: str, http: httpx.Client) -> None:
        self.camera = CameraConfig(source=stream, width=SIZE[0], height=SIZE[1], fps=FPS)
        self._address = stream.removesuffix("/stream")
        self._http = http
        self._work = ThreadPoolExecutor(1, thread_name_prefix="subject")

    def hear(self, what: Brings) -> None:
        """For the face client's thread, which must not wait: the request goes out beside it."""
        if isinstance(what, Coach):
            self._work.submit(self._act, what)

    def leave(self) -> None:
        self._work.shutdown()

    def _act(self, asked: Coach) -> None:
        self._http.post(f"{self._address}/act/{asked.value}").raise_for_status()


@contextlib.contextmanager
def subject() -> Iterator[Subject]:
    with emulated("camera", "--person", "cardholder") as stream, httpx.Client(timeout=30) as http:
        somebody = Subject(stream, http)
        try:
            yield somebody
        finally:
            somebody.leave()


def frames(number: int) -> list[Image]:
    """Pictures such as are compared: he looks ahead. RGB."""
    actor = Actor(living_portrait(Person.CARDHOLDER), np.random.default_rng(0))
    return [np.ascontiguousarray(actor.frame(float(second))) for second in range(number)]


def templates(engine: DlibEngine) -> tuple[FaceTemplate, ...]:
    """The three a roster brings."""
    made = []
    for data in enrolment_portraits(Person.CARDHOLDER):
        picture = image_from_bytes(data)
        assert isinstance(picture, np.ndarray)
        template = template_from_image(engine, picture)
        assert isinstance(template, FaceTemplate)
        made.append(template)
    return tuple(made)
