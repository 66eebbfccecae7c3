"""An emulated camera: MJPEG over HTTP on the loopback interface, with people and faults to order.

    GET  /stream                              multipart/x-mixed-replace, opened by the product like any stream
    GET  /ir                                  the same instants in grey: the infrared half of a binocular module
    POST /person/cardholder|stranger|photo|waved_photo|two|nobody
    POST /fault/none|frozen|black|dark|unplugged|slow|stalled|torn|spoiled|noise|refused|resized
    POST /ir/fault/…                          the same for the infrared half alone

Run by itself: python -m kiosk.devices.emulated.camera --port 8900
"""

from __future__ import annotations

import argparse
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

from kiosk.devices.emulated.people import FPS, Person, loop
from kiosk.devices.emulated.portrait import Picture

_BOUNDARY = "frame"
_JPEG_QUALITY = 90
_DARKNESS = 0.15
_SLOW_FPS = 2.0
_OTHER_SIZE = 800, 600
_SIZE_FRAMES = 5
_SPOILED_EVERY = 5
_MARK, _MARK_AT = "DEMO", (12, 468)


class Eye(StrEnum):
    RGB = "rgb"
    IR = "ir"


class Fault(StrEnum):
    NONE = "none"
    FROZEN = "frozen"
    """The same picture, to the last bit."""
    BLACK = "black"
    """A covered lens: nothing but noise."""
    DARK = "dark"
    UNPLUGGED = "unplugged"
    """Running streams break, new ones are refused."""
    SLOW = "slow"
    STALLED = "stalled"
    """The connection stands, nothing comes."""
    TORN = "torn"
    """Every picture ends half-way."""
    SPOILED = "spoiled"
    """Every few pictures one is nothing but random bytes."""
    NOISE = "noise"
    """Random bytes in the place of everything."""
    REFUSED = "refused"
    """Running streams break, new ones are hung up on without a word."""
    RESIZED = "resized"
    """The size of the pictures changes all the time."""


_ENDING = frozenset({Fault.UNPLUGGED, Fault.REFUSED})


class CameraEmulator:
    """Serves from construction to `stop`. Person and faults may be changed at any time from any thread."""

    def __init__(self, port: int = 0, person: Person = Person.CARDHOLDER) -> None:
        """port: 0 takes a free one."""
        self._person = person
        self._faults = dict.fromkeys(Eye, Fault.NONE)
        self._open: dict[Eye, set[object]] = {eye: set() for eye in Eye}
        self.openings = dict.fromkeys(Eye, 0)
        """Streams that were ever begun."""
        self.show(person)
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="camera-emulator", daemon=True)
        self._thread.start()

    def show(self, person: Person) -> None:
        """The person before the camera from now on; rendering somebody for the first time takes about two seconds."""
        for eye, fault in self._faults.items():
            if eye is Eye.RGB or self.openings[eye]:
                _pictures(person, eye, fault)  # before, so that the stream does not halt meanwhile
        self._person = person

    def order(self, fault: Fault, eye: Eye = Eye.RGB) -> None:
        """The fault from now on, NONE to be well again."""
        _pictures(self._person, eye, fault)
        self._faults[eye] = fault

    @property
    def fault(self) -> Fault:
        return self.fault_of(Eye.RGB)

    def fault_of(self, eye: Eye) -> Fault:
        return self._faults[eye]

    @property
    def viewers(self) -> int:
        """Colour streams that are open now: a terminal has one while it wants the camera."""
        return len(self._open[Eye.RGB])

    @property
    def ir_viewers(self) -> int:
        return len(self._open[Eye.IR])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def stream(self) -> str:
        """What the terminal's `camera.source` is set to."""
        return f"{self.address}/stream"

    @property
    def ir_stream(self) -> str:
        """What the terminal's `camera.ir_source` is set to."""
        return f"{self.address}/ir"

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, eye: Eye, line: socket.socket) -> None:
        """Streams until the other side hangs up, the camera is unplugged or stops."""
        viewer = object()
        self._open[eye].add(viewer)
        self.openings[eye] += 1
        try:
            for part in self._parts(eye, line):
                line.sendall(part)
        except OSError:
            pass  # hung up in the middle of a picture
        finally:
            self._open[eye].discard(viewer)

    def _parts(self, eye: Eye, line: socket.socket) -> Iterator[bytes]:
        """What to send next, at the pace of the camera."""
        held = b""
        while not self._stopping.is_set() and self._faults[eye] not in _ENDING:
            fault = self._faults[eye]
            index = int(time.monotonic() * FPS)
            if not held or fault is not Fault.FROZEN:
                pictures = _pictures(self._person, eye, fault)
                held = pictures[index % len(pictures)]
            if fault is Fault.NOISE:
                yield _random(len(held))
            elif fault is not Fault.STALLED:
                yield _part(held)
            fps = _SLOW_FPS if fault is Fault.SLOW else FPS
            if _hung_up(line, max(0.0, index / FPS + 1 / fps - time.monotonic())):
                return


def _ordered(fault: Fault) -> Callable[[CameraEmulator], None]:
    return lambda camera: camera.order(fault)


FAULTS = {fault.value: _ordered(fault) for fault in Fault if fault is not Fault.NONE}
"""By name, for the command line; of the colour half."""


def _part(jpeg: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _random(size: int) -> bytes:
    return np.random.default_rng().bytes(size)


def _hung_up(line: socket.socket, seconds: float) -> bool:
    """Waits so long, or until the other side has gone."""
    readable, _, _ = select.select([line], [], [], seconds)
    return bool(readable) and line.recv(1, socket.MSG_PEEK) == b""


def _black(frame: Picture) -> Picture:
    return np.random.default_rng().integers(0, 12, frame.shape, dtype=np.uint8)


def _dark(frame: Picture) -> Picture:
    return np.asarray(frame * _DARKNESS, dtype=np.uint8)


_FILTERS: dict[Fault, Callable[[Picture], Picture]] = {Fault.BLACK: _black, Fault.DARK: _dark}


def _pictures(person: Person, eye: Eye, fault: Fault) -> list[bytes]:
    """One loop as JPEG, made once, so that streaming costs nearly nothing."""
    if fault in _FILTERS:
        return _altered(person, eye, fault)
    if fault is Fault.TORN:
        return [jpeg[: len(jpeg) // 2] for jpeg in _rendered(person, eye)]
    if fault is Fault.SPOILED:
        return [jpeg if i % _SPOILED_EVERY else _random(len(jpeg)) for i, jpeg in enumerate(_rendered(person, eye))]
    if fault is Fault.RESIZED:
        return _resized(person, eye)
    return _rendered(person, eye)


@cache
def _rendered(person: Person, eye: Eye) -> list[bytes]:
    if eye is Eye.RGB:
        return [_jpeg(_marked(frame)) for frame in loop(person)]
    return [_jpeg(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)) for frame in _decoded(person, Eye.RGB)]


@cache
def _altered(person: Person, eye: Eye, fault: Fault) -> list[bytes]:
    return [_jpeg(_FILTERS[fault](frame)) for frame in _decoded(person, eye)]


@cache
def _resized(person: Person, eye: Eye) -> list[bytes]:
    return [
        _jpeg(np.asarray(cv2.resize(frame, _OTHER_SIZE), dtype=np.uint8)) if i // _SIZE_FRAMES % 2 else _jpeg(frame)
        for i, frame in enumerate(_decoded(person, eye))
    ]


def _decoded(person: Person, eye: Eye) -> Iterator[Picture]:
    for jpeg in _rendered(person, eye):
        yield np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED), dtype=np.uint8)


def _marked(rgb: Picture) -> Picture:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    cv2.putText(bgr, _MARK, _MARK_AT, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (200, 200, 200), 2)
    return np.asarray(bgr, dtype=np.uint8)


def _jpeg(picture: Picture) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


_PATHS = {"/stream": Eye.RGB, "/ir": Eye.IR}


def _handler_for(camera: CameraEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            eye = _PATHS.get(self.path)
            if eye is None:
                self.send_error(HTTPStatus.NOT_FOUND)
            elif camera.fault_of(eye) is Fault.UNPLUGGED:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            elif camera.fault_of(eye) is not Fault.REFUSED:
                self._stream(eye)
            self.close_connection = True

        def do_POST(self) -> None:
            eye, path = Eye.RGB, self.path.lstrip("/")
            if path.startswith("ir/fault/"):
                eye, path = Eye.IR, path.removeprefix("ir/")
            what, _, value = path.partition("/")
            if what == "person" and value in set(Person):
                camera.show(Person(value))
            elif what == "fault" and value in set(Fault):
                camera.order(Fault(value), eye)
            else:
                known = f"/person/{'|'.join(Person)} or /fault/{'|'.join(Fault)}, with /ir before it for the infrared half"
                self.send_error(HTTPStatus.NOT_FOUND, explain=f"known: {known}")
                return
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

        def _stream(self, eye: Eye) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.end_headers()
            camera.serve(eye, self.connection)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def serve(port: int, person: Person) -> None:
    """Runs until SIGINT or SIGTERM; says the address of the stream once it is served."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before any thread exists, so that only sigwait gets them
    camera = CameraEmulator(port, person)
    print(camera.stream, flush=True)
    signal.sigwait(ends)
    camera.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Emulated camera on the loopback interface.")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--person", type=Person, choices=list(Person), default=Person.CARDHOLDER)
    options = parser.parse_args()
    serve(options.port, options.person)


if __name__ == "__main__":
    main()
