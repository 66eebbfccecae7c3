"""A line between terminal and office that carries only so many bytes a second towards the office."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from types import TracebackType

_SLICE_S = 0.02


class SlowLine:
    def __init__(self, port: int, bytes_per_s: int) -> None:
        """port: of the office on loopback."""
        self._target = port
        self._slice = max(1, int(bytes_per_s * _SLICE_S))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> SlowLine:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._carry, args=(near, far, self._slice), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, 65536), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, piece: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(piece):
                sink.sendall(data)
                time.sleep(_SLICE_S * len(data) / piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()
