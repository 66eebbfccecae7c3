"""An emulated camera: MJPEG over HTTP on the loopback interface, with people and faults to order.

    GET  /stream                              multipart/x-mixed-replace, opened by the product like any stream
    POST /person/cardholder|stranger|photo|waved_photo|two|nobody
    POST /fault/none|frozen|black|dark|unplugged|slow

Run by itself: python -m kiosk.devices.emulated.camera --port 8900
"""

from __future__ import annotations

import argparse
import signal
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
_MARK, _MARK_AT = "DEMO", (12, 468)


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


class CameraEmulator:
    """Serves from construction to `stop`. Person and fault may be changed at any time from any thread."""

    def __init__(self, port: int = 0, person: Person = Person.CARDHOLDER) -> None:
        """port: 0 takes a free one."""
        self._person = person
        self._fault = Fault.NONE
        self.viewers = 0
        """Streams that are open now: a terminal has one while it wants the camera."""
        self.show(person)
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="camera-emulator", daemon=True)
        self._thread.start()

    def show(self, person: Person) -> None:
        """The person before the camera from now on; rendering somebody for the first time takes about two seconds."""
        _pictures(person, self._fault)  # before, so that the stream does not halt meanwhile
        self._person = person

    def order(self, fault: Fault) -> None:
        """The fault from now on, NONE to be well again."""
        _pictures(self._person, fault)
        self._fault = fault

    @property
    def fault(self) -> Fault:
        return self._fault

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def stream(self) -> str:
        """What the terminal's `camera.source` is set to."""
        return f"{self.address}/stream"

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def frames(self) -> Iterator[bytes]:
        """JPEG pictures at the pace of the camera, until it stops or is unplugged."""
        held = b""
        while not self._stopping.is_set() and self._fault is not Fault.UNPLUGGED:
            fps = _SLOW_FPS if self._fault is Fault.SLOW else FPS
            index = int(time.monotonic() * FPS)
            if not held or self._fault is not Fault.FROZEN:
                pictures = _pictures(self._person, self._fault)
                held = pictures[index % len(pictures)]
            yield held
            time.sleep(max(0.0, index / FPS + 1 / fps - time.monotonic()))


def _black(frame: Picture) -> Picture:
    return np.random.default_rng().integers(0, 12, frame.shape, dtype=np.uint8)


def _dark(frame: Picture) -> Picture:
    return np.asarray(frame * _DARKNESS, dtype=np.uint8)


_FILTERS: dict[Fault, Callable[[Picture], Picture]] = {Fault.BLACK: _black, Fault.DARK: _dark}


def _pictures(person: Person, fault: Fault) -> list[bytes]:
    """One loop as JPEG, made once, so that streaming costs nearly nothing."""
    return _altered(person, fault) if fault in _FILTERS else _rendered(person)


@cache
def _rendered(person: Person) -> list[bytes]:
    return [_jpeg(_marked(frame)) for frame in loop(person)]


@cache
def _altered(person: Person, fault: Fault) -> list[bytes]:
    shown = (cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for jpeg in _rendered(person))
    return [_jpeg(_FILTERS[fault](np.asarray(frame, dtype=np.uint8))) for frame in shown]


def _marked(rgb: Picture) -> Picture:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    cv2.putText(bgr, _MARK, _MARK_AT, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (200, 200, 200), 2)
    return np.asarray(bgr, dtype=np.uint8)


def _jpeg(bgr: Picture) -> bytes:
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _handler_for(camera: CameraEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/stream":
                self.send_error(HTTPStatus.NOT_FOUND)
            elif camera.fault is Fault.UNPLUGGED:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            else:
                self._stream()

        def do_POST(self) -> None:
            what, _, value = self.path.lstrip("/").partition("/")
            if what == "person" and value in set(Person):
                camera.show(Person(value))
            elif what == "fault" and value in set(Fault):
                camera.order(Fault(value))
            else:
                known = f"/person/{'|'.join(Person)} or /fault/{'|'.join(Fault)}"
                self.send_error(HTTPStatus.NOT_FOUND, explain=f"known: {known}")
                return
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

        def _stream(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.end_headers()
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
            camera.viewers += 1
            try:
                for jpeg in camera.frames():
                    self.wfile.write((head % len(jpeg)).encode() + jpeg + b"\r\n")
            except OSError:
                pass  # the other side hung up
            finally:
                camera.viewers -= 1
            self.close_connection = True

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
