"""The serial line against a real pseudo-terminal: what every device thread relies on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.serial_line import LineLost, SerialLine


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    with PtyPort(tmp_path / "dev" / "reader") as port:
        yield port


@pytest.fixture
def line(port: PtyPort) -> Iterator[SerialLine]:
    line = SerialLine.open(str(port.path), 115200)
    yield line
    line.close()


def soon(seconds: float = 1.0) -> float:
    return time.monotonic() + seconds


def test_bytes_pass_unchanged_both_ways(port: PtyPort, line: SerialLine) -> None:
    every_byte = bytes(range(256))
    line.write(every_byte)
    assert port.read(1.0) == every_byte
    port.write(every_byte)
    received = b""
    while len(received) < 256 and (part := line.read_some(soon())):
        received += part
    assert received == every_byte


def test_no_read_returns_more_than_its_limit(port: PtyPort, line: SerialLine) -> None:
    port.write(b"abcdef")
    assert len(line.read_some(soon(), limit=2)) <= 2


def test_silence_ends_at_the_deadline(line: SerialLine) -> None:
    deadline = soon(0.2)
    assert line.read_some(deadline) == b""
    assert time.monotonic() >= deadline


def test_stop_ends_a_waiting_read(port: PtyPort) -> None:
    stop = threading.Event()
    line = SerialLine.open(str(port.path), 115200, stop)
    threading.Timer(0.1, stop.set).start()
    deadline = soon(10.0)
    assert line.read_some(deadline) == b""
    assert time.monotonic() < deadline
    line.close()


def test_discarded_input_is_gone(port: PtyPort, line: SerialLine) -> None:
    port.write(b"stale")
    assert line.read_some(soon(), limit=1)
    line.discard_input()
    assert line.read_some(soon(0.1)) == b""


def test_unplug_loses_the_line_in_every_call_and_close_stays_calm(port: PtyPort, line: SerialLine) -> None:
    port.unplug()
    for call in (lambda: line.read_some(soon()), lambda: line.write(b"x"), line.discard_input):
        with pytest.raises(LineLost) as caught:
            call()
        assert caught.value.reason == "line_lost"
    line.close()
    line.close()


def test_unplug_ends_a_waiting_read(port: PtyPort, line: SerialLine) -> None:
    threading.Timer(0.1, port.unplug).start()
    with pytest.raises(LineLost, match="line_lost"):
        line.read_some(soon(10.0))


def test_nothing_plugged_in_is_no_port(port: PtyPort) -> None:
    port.unplug()
    assert not port.path.is_symlink()
    with pytest.raises(LineLost, match="no_port"):
        SerialLine.open(str(port.path), 115200)


def test_replug_under_the_same_name(port: PtyPort) -> None:
    port.unplug()
    port.plug()
    line = SerialLine.open(str(port.path), 115200)
    line.write(b"again")
    assert port.read(1.0) == b"again"
    line.close()


def test_a_second_opener_is_refused_until_the_first_closes(port: PtyPort, line: SerialLine) -> None:
    with pytest.raises(LineLost, match="busy_port"):
        SerialLine.open(str(port.path), 115200)
    line.close()
    SerialLine.open(str(port.path), 115200).close()


def test_a_device_that_takes_nothing_stalls_the_write(line: SerialLine) -> None:
    with pytest.raises(LineLost, match="stalled"):
        line.write(bytes(256 * 1024))


def test_the_emulated_end_needs_no_program(port: PtyPort) -> None:
    port.write(bytes(1024 * 1024))
    assert port.read(0.01) == b""
    port.unplug()
    port.write(b"into the void")
    assert port.read(0.01) == b""
