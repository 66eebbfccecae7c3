"""The line between terminal and office as a small TCP relay that can be cut and mended."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import cast


class Network:
    """Listens on a loopback port and passes bytes to the office. `cut` refuses and breaks connections."""

    def __init__(self) -> None:
        self._server = _Relay(("127.0.0.1", 0), _Passage)
        self._thread = threading.Thread(target=self._server.serve_forever, name="network", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def is_cut(self) -> bool:
        return self._server.cut

    def start(self) -> None:
        self._thread.start()

    def lead_to(self, host: str, port: int) -> None:
        self._server.office = (host, port)

    def stop(self) -> None:
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    def cut(self) -> None:
        self._server.cut = True
        for one in list(self._server.open_sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._server.cut = False


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    office: tuple[str, int] | None = None
    cut = False

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(address, handler)
        self.open_sockets: set[socket.socket] = set()


class _Passage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        relay = cast(_Relay, self.server)
        if relay.cut or relay.office is None:
            return
        with contextlib.suppress(OSError), socket.create_connection(relay.office, timeout=5) as office:
            ends = {self.request, office}
            relay.open_sockets |= ends
            try:
                back = threading.Thread(target=_pump, args=(office, self.request), daemon=True)
                back.start()
                _pump(self.request, office)
                back.join()
            finally:
                relay.open_sockets -= ends


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
