"""Questions to peers that do not answer as they should: every wait ends by its deadline, and at once when stopped."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kiosk.devices.a4.exchange import Failure, IppAddress, post

PATIENCE_S = 0.4
LONG_S = 60.0


class Peer:
    """A listening socket whose every connection is handed to `treat`."""

    def __init__(self, treat: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = IppAddress("localhost", self._listener.getsockname()[1], "/ipp/print")
        self.over = threading.Event()
        self.asked = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(treat,), daemon=True)
        self._thread.start()

    def _serve(self, treat: Callable[[socket.socket], None]) -> None:
        self._listener.settimeout(10)
        connection, _ = self._listener.accept()
        self.asked.set()
        with connection:
            treat(connection)
            self.over.wait(10)

    def close(self) -> None:
        self.over.set()
        self._thread.join(5)
        self._listener.close()


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    peer = Peer(request.param)
    yield peer
    peer.close()


def ask(peer: Peer, seconds: float = PATIENCE_S, body: bytes = b"question", stop: threading.Event | None = None) -> object:
    return post(peer.address, body, time.monotonic() + seconds, stop or threading.Event())


def silence(connection: socket.socket) -> None:
    """Takes the question and says nothing."""
    connection.recv(4096)


def babble(connection: socket.socket) -> None:
    """A byte now and then, for ever: each read succeeds, the answer never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.settimeout(1)
    try:
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)
    except OSError:
        pass


def deaf(connection: socket.socket) -> None:
    """Takes no bytes: the question does not fit into the buffers."""


def noise(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(bytes(range(256)) * 4)
    connection.shutdown(socket.SHUT_WR)


def hang_up(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("peer", "failure"),
    [(silence, Failure.MUTE), (babble, Failure.MUTE), (noise, Failure.MALFORMED), (hang_up, Failure.UNREACHABLE)],
    indirect=["peer"],
)
def test_bad_peers_are_values(peer: Peer, failure: Failure) -> None:
    assert ask(peer, 1.5) is failure


@pytest.mark.parametrize("peer", [deaf], indirect=True)
def test_a_peer_that_takes_no_bytes_is_mute(peer: Peer) -> None:
    assert ask(peer, body=bytes(32 << 20)) is Failure.MUTE


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = IppAddress("localhost", closed.getsockname()[1], "/")
        assert post(address, b"", time.monotonic() + LONG_S, threading.Event()) is Failure.UNREACHABLE


@pytest.mark.parametrize("host", ["192.0.2.254", "fd00::ffff", "0.0.0.0", "::1"])
def test_no_way_there_is_no_exception(host: str) -> None:
    address = IppAddress(host, 9, "/")
    assert post(address, b"", time.monotonic() + PATIENCE_S, threading.Event()) is Failure.UNREACHABLE


@pytest.mark.parametrize("peer", [silence, babble, deaf], indirect=True)
def test_a_stop_ends_every_wait(peer: Peer) -> None:
    stop, answers = threading.Event(), []
    thread = threading.Thread(target=lambda: answers.append(ask(peer, LONG_S, bytes(32 << 20), stop)))
    thread.start()
    assert peer.asked.wait(10)
    stop.set()
    thread.join(10)
    assert answers == [Failure.INTERRUPTED]


def test_a_stop_ends_a_connection_that_is_not_made() -> None:
    """A listener whose queue is full answers no further connection: packets to it seem lost."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        stop, answers = threading.Event(), []
        address = IppAddress("localhost", listener.getsockname()[1], "/")
        thread = threading.Thread(target=lambda: answers.append(post(address, b"", time.monotonic() + LONG_S, stop)))
        thread.start()
        stop.set()
        thread.join(10)
        for filler in fillers:
            filler.close()
    assert answers == [Failure.INTERRUPTED]
