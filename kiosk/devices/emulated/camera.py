"""An emulated camera: MJPEG over HTTP on the loopback interface, with people and faults to order.

    GET  /stream                              multipart/x-mixed-replace, opened by the product like any stream
    GET  /ir                                  the same instants in infrared, from 60 mm aside: a binocular module
    POST /person/cardholder|stranger|stiff|photo|waved_photo|bent_photo|cut_eyes|screen|two|nobody
    POST /act/blink|turn_left|…               the person does it after a moment, if they can; words of the coach
    POST /fault/none|frozen|black|dark|unplugged|slow|stalled|torn|spoiled|noise|refused|resized
    POST /ir/fault/…                          the same for the infrared half alone

Every picture is new. Run by itself: kiosk emulate camera
"""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kiosk.devices.emulated.camera_faults import ENDING, Fault, encoded, noise
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.stage import Eye, Stage
from kiosk.devices.emulated.warp import FPS

_BOUNDARY = "frame"
_SLOW_FPS = 2.0
_REQUEST = re.compile(r"[a-z_]{1,40}")


class CameraEmulator:
    """Serves from construction to `stop`. Person and faults may be changed at any time from any thread."""

    def __init__(self, port: int = 0, person: Person = Person.CARDHOLDER) -> None:
        """port: 0 takes a free one."""
        self._stage = Stage(person)
        self._faults = dict.fromkeys(Eye, Fault.NONE)
        self._open: dict[Eye, set[object]] = {eye: set() for eye in Eye}
        self.openings = dict.fromkeys(Eye, 0)
        """Streams that were ever begun."""
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="camera-emulator", daemon=True)
        self._thread.start()

    def show(self, person: Person) -> None:
        """The person before the camera from now on; somebody's first appearance takes about a second."""
        self._stage.show(person)

    def act(self, request: str) -> None:
        """Asks the person for something, in the words of the terminal's coach."""
        self._stage.act(request)

    def order(self, fault: Fault, eye: Eye = Eye.RGB) -> None:
        """The fault from now on, NONE to be well again."""
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
        held, last = b"", -1
        while not self._stopping.is_set() and (fault := self._faults[eye]) not in ENDING:
            instant = last = max(int(time.monotonic() * FPS), last + 1)
            if fault is Fault.NOISE:
                yield noise()
            elif fault is not Fault.STALLED:
                if not held or fault is not Fault.FROZEN:
                    held = encoded(self._stage.picture(eye, instant), fault, instant)
                yield _part(held)
            fps = _SLOW_FPS if fault is Fault.SLOW else FPS
            if _hung_up(line, max(0.0, instant / FPS + 1 / fps - time.monotonic())):
                return


def _ordered(fault: Fault) -> Callable[[CameraEmulator], None]:
    return lambda camera: camera.order(fault)


FAULTS = {fault.value: _ordered(fault) for fault in Fault if fault is not Fault.NONE}
"""By name, for the command line; of the colour half."""


def _part(jpeg: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _hung_up(line: socket.socket, seconds: float) -> bool:
    """Waits so long, or until the other side has gone."""
    readable, _, _ = select.select([line], [], [], seconds)
    return bool(readable) and line.recv(1, socket.MSG_PEEK) == b""


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
            elif what == "act" and _REQUEST.fullmatch(value):
                camera.act(value)
            else:
                known = f"/person/{'|'.join(Person)}, /act/…, /fault/{'|'.join(Fault)}, /ir/fault/… for the infrared half"
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
