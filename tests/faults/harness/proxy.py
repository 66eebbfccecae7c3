"""The line between terminal and office, and what can happen on it. One request per connection, one fate per request."""

from __future__ import annotations

import contextlib
import random
import socket
import socketserver
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import cast

GOOD = "good"
FATES = (
    GOOD, "refuse", "cut_upload", "lost_answer", "cut_answer", "stall", "stalled_answer", "duplicate", "portal", "redirect",
    "gateway_403", "gateway_404", "gateway_413", "drip", "others_answer", "late_answer",
)
_WEIGHTS = (16, 3, 5, 6, 4, 1, 1, 3, 2, 1, 1, 1, 1, 1, 2, 1)
_STALL_S = 2.5
"""Longer than the terminal's patience in the campaign."""
_PORTAL = b"<html><body>Welcome to this network. Please log in.</body></html>"
_PIECE = 65536


@dataclass
class _Request:
    head: bytes
    body: bytes

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode("ascii", "replace")

    def bytes(self) -> bytes:
        """As sent, but that the office closes the connection after its answer."""
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + self.body


class ChaosProxy:
    """lies: whether fates are drawn at all; `fate_of` holds for every request whose path contains the key."""

    def __init__(self, chance: random.Random, lies: bool = False) -> None:
        self.lies = lies
        self.office: tuple[str, int] | None = None
        self.fate_of: dict[str, str] = {}
        self.fates: Counter[str] = Counter()
        self._chance = chance
        self._lock = threading.Lock()
        self._answers: list[bytes] = []
        """Of earlier requests for cases, to be given to somebody else."""
        self._server = _Server(("127.0.0.1", 0), _Passage)
        self._server.proxy = self
        threading.Thread(target=self._server.serve_forever, name="proxy", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def carry(self, client: socket.socket) -> None:
        request = _read(client)
        if request is None:
            return
        with self._lock:
            fate = self._fate(request.path)
            self.fates[fate] += 1
        if fate.startswith("gateway_"):
            client.sendall(_page(f"{fate[-3:]} Gateway", b"<html>blocked by policy</html>"))
        elif fate.startswith("status_"):
            client.sendall(_page(f"{fate[-3:]} Framework", b'{"detail": "no"}'))
        else:
            getattr(self, f"_{fate}")(client, request)

    def _fate(self, path: str) -> str:
        for part, fate in self.fate_of.items():
            if part in path:
                return fate
        return self._chance.choices(FATES, _WEIGHTS)[0] if self.lies else GOOD

    def _good(self, client: socket.socket, request: _Request) -> None:
        answer = self._ask(request)
        if "/v1/cases/" in request.path and answer:
            self._answers = [*self._answers[-20:], answer]
        client.sendall(answer)

    def _refuse(self, client: socket.socket, _: _Request) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _cut_upload(self, client: socket.socket, request: _Request) -> None:
        whole = request.bytes()
        self._ask(request, whole[: self._chance.randrange(len(whole))])

    def _lost_answer(self, client: socket.socket, request: _Request) -> None:
        self._ask(request)

    def _cut_answer(self, client: socket.socket, request: _Request) -> None:
        answer = self._ask(request)
        client.sendall(answer[: self._chance.randrange(len(answer) or 1)])

    def _stall(self, client: socket.socket, _: _Request) -> None:
        time.sleep(_STALL_S)

    def _stalled_answer(self, client: socket.socket, request: _Request) -> None:
        self._ask(request)
        time.sleep(_STALL_S)

    def _late_answer(self, client: socket.socket, request: _Request) -> None:
        answer = self._ask(request)
        time.sleep(_STALL_S)
        client.sendall(answer)

    def _duplicate(self, client: socket.socket, request: _Request) -> None:
        twice = [threading.Thread(target=self._ask, args=(request,)) for _ in range(2)]
        for one in twice:
            one.start()
        self._good(client, request)
        for one in twice:
            one.join()

    def _portal(self, client: socket.socket, _: _Request) -> None:
        client.sendall(_page("200 OK", _PORTAL))

    def _redirect(self, client: socket.socket, _: _Request) -> None:
        client.sendall(_page("302 Found", b"", "Location: http://127.0.0.1:9/login\r\n"))

    def _drip(self, client: socket.socket, request: _Request) -> None:
        """Byte by byte: sometimes to the end, sometimes beyond the terminal's patience."""
        pause = self._chance.choice((0.0005, 0.01))
        for byte in self._ask(request):
            client.sendall(bytes([byte]))
            time.sleep(pause)

    def _others_answer(self, client: socket.socket, request: _Request) -> None:
        if self._answers:
            client.sendall(self._chance.choice(self._answers))

    def _ask(self, request: _Request, data: bytes | None = None) -> bytes:
        """What the office answers; empty when it cannot be reached or hangs up."""
        if self.office is None:
            return b""
        answer = b""
        with contextlib.suppress(OSError), socket.create_connection(self.office, timeout=10) as office:
            office.sendall(request.bytes() if data is None else data)
            if data is not None:
                return b""
            while piece := office.recv(_PIECE):
                answer += piece
        return answer


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    proxy: ChaosProxy


class _Passage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.settimeout(10)
            cast(_Server, self.server).proxy.carry(self.request)


def _read(client: socket.socket) -> _Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(_PIECE)
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        piece = client.recv(_PIECE)
        if not piece:
            return None
        body += piece
    return _Request(head, body)


def _page(status: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
