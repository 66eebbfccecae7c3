"""One HTTP question and its answer, for a thread that must end at once when asked to.

Neither pyipp (asyncio) nor httpx (a time-out per read, none for the whole; no way to end it from outside) gives one
absolute deadline and a stop, so a plain socket is read in short slices and http.client takes the answer apart.
"""

from __future__ import annotations

import contextlib
import io
import select
import socket
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.parse import urlsplit

_SLICE_S = 0.05
"""How late a stop or a deadline is noticed."""
_ANSWER_LIMIT = 1 << 20
_IPP_PORT = 631


class Failure(StrEnum):
    """Why there is no answer. All but INTERRUPTED are values of Condition, too."""

    UNREACHABLE = "unreachable"
    """Nobody listens there, or the connection was lost."""
    MUTE = "mute"
    """Connected, but no whole answer by the deadline."""
    REFUSED = "refused"
    """An answer, and it is no."""
    MALFORMED = "wrong_device"
    """An answer that is not HTTP or not IPP."""
    INTERRUPTED = "interrupted"
    """The stop event was set."""


@dataclass(frozen=True, slots=True)
class IppAddress:
    """`ipp://host:port/path`. The host is a number or `localhost`: looking a name up could not be interrupted."""

    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, uri: str) -> IppAddress:
        """uri: as `A4Config` has checked it."""
        parts = urlsplit(uri)
        return cls(parts.hostname or "localhost", parts.port or _IPP_PORT, parts.path or "/")

    @property
    def uri(self) -> str:
        return f"ipp://{self._host}:{self.port}{self.path}"

    @property
    def numeric_host(self) -> str:
        return "127.0.0.1" if self.host == "localhost" else self.host

    def head(self, size: int) -> bytes:
        lines = (
            f"POST {self.path} HTTP/1.1", f"Host: {self._host}:{self.port}", "Content-Type: application/ipp",
            f"Content-Length: {size}", "Connection: close", "", "",
        )
        return "\r\n".join(lines).encode("ascii")

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def post(address: IppAddress, body: bytes, deadline: float, stop: threading.Event) -> bytes | Failure:
    """The body of the answer. deadline: time.monotonic() seconds, for everything together. Never raises for the peer."""
    try:
        with contextlib.closing(_Line(address, deadline, stop)) as line:
            line.connect()
            line.send(address.head(len(body)) + body)
            return read_answer(line)
    except _Ended as ended:
        return ended.failure
    except OSError:
        return Failure.UNREACHABLE


def read_answer(stream: io.RawIOBase) -> bytes | Failure:
    """Takes an HTTP answer apart. Raises what reading the stream raises."""
    answer = HTTPResponse(cast(socket.socket, _Makefile(stream)))
    try:
        answer.begin()
        body = answer.read(_ANSWER_LIMIT + 1)
    except OSError:  # closed before a word: http.client calls this a connection error, too
        raise
    except (HTTPException, ValueError):
        return Failure.MALFORMED
    if answer.status != 200:
        return Failure.REFUSED
    return body if len(body) <= _ANSWER_LIMIT else Failure.MALFORMED


class _Ended(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class _Makefile:
    """The one method http.client wants of a socket."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._stream)


class _Line(io.RawIOBase):
    """A TCP connection whose every wait ends at the deadline or when stopped, with _Ended."""

    def __init__(self, address: IppAddress, deadline: float, stop: threading.Event) -> None:
        self._target = (address.numeric_host, address.port)
        self._deadline = deadline
        self._stop = stop
        self._socket = socket.socket(socket.AF_INET6 if ":" in address.numeric_host else socket.AF_INET)
        self._socket.setblocking(False)

    def connect(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._socket.connect(self._target)
        self._wait(select.POLLOUT, Failure.UNREACHABLE)
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise _Ended(Failure.UNREACHABLE)

    def send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._wait(select.POLLOUT, Failure.MUTE)
            with contextlib.suppress(BlockingIOError):
                left = left[self._socket.send(left) :]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._wait(select.POLLIN, Failure.MUTE)
        return self._socket.recv_into(buffer)

    def close(self) -> None:
        self._socket.close()
        super().close()

    def _wait(self, event: int, failure: Failure) -> None:
        poll = select.poll()
        poll.register(self._socket, event)
        while not self._stop.is_set():
            left = self._deadline - time.monotonic()
            if poll.poll(1000 * max(0.0, min(left, _SLICE_S))):
                return
            if left <= 0:
                raise _Ended(failure)
        raise _Ended(Failure.INTERRUPTED)
