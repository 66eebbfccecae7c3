"""Who is at a port: each device is recognised by its own answer, and nobody by another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from far_ends import FarEnd, crt310, device

from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.identify import Answers, Nobody, identify
from kiosk.devices.serial_line import Direction, SerialLine
from kiosk.domain.status import DeviceKind

KINDS = [DeviceKind.IDCARD, DeviceKind.PRINTER, DeviceKind.SCANNER, DeviceKind.SOCIALCARD]


@pytest.mark.parametrize("kind", KINDS)
def test_each_device_is_found(tmp_path: Path, kind: DeviceKind) -> None:
    with device(kind, tmp_path / "port"):
        found = identify(str(tmp_path / "port"), patience=2.0)
    assert isinstance(found, Answers) and found.kind is kind and found.detail


def test_what_it_says_of_itself_is_told(tmp_path: Path) -> None:
    with device(DeviceKind.IDCARD, tmp_path / "port"):
        assert identify(str(tmp_path / "port"), patience=2.0) == Answers(DeviceKind.IDCARD, 115200, "SAM_V, status 90")


def test_a_printer_is_sent_nothing_it_could_print(tmp_path: Path) -> None:
    with PtyPort(tmp_path / "port") as port, PrinterEmulator(port) as printer:
        printer.faults.paper_end = True  # off-line it answers all the same
        assert identify(str(port.path), thorough=True, patience=2.0) == Answers(DeviceKind.PRINTER, 115200, "ESC/POS")
        assert bytes(printer.received) == bytes.fromhex("100401 100402 100403 100404")
        assert not printer.engine.buffer


def test_a_silent_port_is_mute_and_was_asked_for_every_kind(tmp_path: Path) -> None:
    with FarEnd(tmp_path / "port") as far:
        assert identify(str(far.port.path)) == Nobody("mute")
        asked = bytes(far.received)
    questions = [bytes.fromhex("100401"), bytes.fromhex("02000231300302"), bytes.fromhex("AAAAAA9669000311FFED"), b"QRCENA*"]
    assert [asked.find(question) for question in questions] == sorted(asked.find(question) for question in questions)
    assert all(question in asked for question in questions)


@pytest.mark.parametrize("noise", [b"\x12", b"U7%x)Lq0", b"\xaa\xaa\xaa\x96\x69", b"\x06", b"\x12\x12\x12\x12"])
def test_noise_is_babbling_and_never_a_device(tmp_path: Path, noise: bytes) -> None:
    with FarEnd(tmp_path / "port", unasked=noise) as far:
        assert identify(str(far.port.path), patience=0.5) == Nobody("babbling")


@pytest.mark.parametrize("rule", [
    lambda data: data,                                                    # an echo: two wires that touch
    lambda data: b"\x12\x12",                                             # a byte too many
    lambda data: b"\x06",                                                 # acknowledges, never answers
    lambda data: b"\x06" if data[:1] == b"\x02" else bytes.fromhex("02 00 05 31 30 20 4A 4E 03 21"),  # no such S1
    lambda data: b"\x06" if data[:1] == b"\x02" else bytes.fromhex("02 00 05 31 30 4E 4A 4E 03 00"),  # wrong BCC
    lambda data: bytes.fromhex("AAAAAA9669 0004 0000 90 00"),             # wrong checksum
    lambda data: b"ERROR\r\n",
])
def test_what_answers_wrongly_is_unknown(tmp_path: Path, rule: Callable[[bytes], bytes]) -> None:
    with FarEnd(tmp_path / "port", rule) as far:
        assert identify(str(far.port.path), patience=0.5) == Nobody("unknown")


def test_the_card_reader_is_found_behind_its_own_talk(tmp_path: Path) -> None:
    with FarEnd(tmp_path / "port", crt310) as far:
        assert identify(str(far.port.path), patience=2.0) == Answers(DeviceKind.SOCIALCARD, 9600, "CRT-310")
        assert far.received.endswith(bytes.fromhex("02 00 02 31 30 03 02 05"))


def test_thorough_asks_at_every_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal has no speed: the module is let answer at 38400 only."""
    really_open = SerialLine.open.__func__  # type: ignore[attr-defined]
    speeds: list[int] = []
    with IdCardEmulator(tmp_path / "port") as reader:

        def noted_open(path: str, baud: int, *rest: object) -> SerialLine:
            speeds.append(baud)
            reader.behave(Manner.WELL if baud == 38400 else Manner.MUTE)
            line: SerialLine = really_open(SerialLine, path, baud, *rest)
            return line

        monkeypatch.setattr(SerialLine, "open", noted_open)
        assert identify(str(reader.port.path), patience=0.3) == Nobody("mute")
        assert identify(str(reader.port.path), thorough=True) == Answers(DeviceKind.IDCARD, 38400, "SAM_V, status 90")
    assert set(speeds) == {115200, 9600, 19200, 38400, 57600}


def test_the_port_itself_may_be_the_trouble(tmp_path: Path) -> None:
    assert identify(str(tmp_path / "none")) == Nobody("no_port")
    with PtyPort(tmp_path / "port") as port:
        line = SerialLine.open(str(port.path), 9600)
        assert identify(str(port.path)) == Nobody("busy_port")
        line.close()
        threading.Timer(0.3, port.unplug).start()
        assert identify(str(port.path)).reason in ("line_lost", "no_port")  # type: ignore[union-attr]


@pytest.mark.parametrize("after", [0.0, 0.05, 0.3, 0.8, 1.5])
@pytest.mark.parametrize("unasked", [b"", b"U7%x)Lq0"])
def test_stop_ends_it_at_once_and_frees_the_port(tmp_path: Path, after: float, unasked: bytes) -> None:
    with FarEnd(tmp_path / "port", unasked=unasked) as far:
        stop, ended = threading.Event(), []

        def ask() -> None:
            ended.append((identify(str(far.port.path), stop=stop), time.monotonic()))

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(after)
        stopped = time.monotonic()
        stop.set()
        thread.join(5.0)
        assert ended and ended[0][0] == Nobody("stopped")
        assert ended[0][1] - stopped < 0.5  # 0.1 on a machine that has nothing else to do
        SerialLine.open(str(far.port.path), 9600).close()


def test_every_byte_can_be_seen(tmp_path: Path) -> None:
    seen: list[tuple[Direction, bytes]] = []
    with device(DeviceKind.PRINTER, tmp_path / "port"):
        identify(str(tmp_path / "port"), patience=2.0, tap=lambda direction, data: seen.append((direction, data)))
    assert seen[:2] == [(Direction.SENT, b"\x10\x04\x01"), (Direction.RECEIVED, b"\x12")]
