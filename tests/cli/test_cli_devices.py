"""`kiosk devices` and the scanner commands as a technician types them: real processes, real ports."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from far_ends import FarEnd, device

from kiosk.config import load_config
from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.emulated.scanner import ScannerEmulator
from kiosk.devices.ports import cameras, socket_of, udev_rule
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.device_states import DeviceStates
from kiosk.store.opening import open_store
from kiosk.terminal.process import single_instance

TOKEN = "9f86d081884c7d659a2feaa0c55ad015"
SLIP_TOKEN = "q3Jt_8s-0aVx5Yb1Nw2RkA"


def kiosk(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def process(*words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until interrupted."""
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        errors = running.communicate(timeout=30)[1]
        assert running.returncode == 0 and "Traceback" not in errors, errors


def terminal(folder: Path) -> Path:
    """A configuration with every device at a port in `folder`, none of them there yet."""
    file = folder / "kiosk.toml"
    file.write_text(f"""
        mode = "demo"
        [idcard]
        port = "{folder}/idcard"
        [printer]
        port = "{folder}/printer"
        [scanner]
        enabled = true
        port = "{folder}/scanner"
        proof = "newland"
        [camera]
        source = "{folder}/no-camera"
        [store]
        path = "{folder}/store/terminal.db"
    """, encoding="utf-8")
    return file


# ------------------------------------------------------------------------------------------ find


def test_find_says_who_is_where(tmp_path: Path) -> None:
    with device(DeviceKind.PRINTER, tmp_path / "a"), device(DeviceKind.SOCIALCARD, tmp_path / "b"), FarEnd(tmp_path / "c"):
        ports = [tmp_path / name for name in ("a", "b", "c", "d")]
        told = kiosk("devices", "find", *ports, "--patience", "2").stdout
        found = json.loads(kiosk("devices", "find", *ports, "--json").stdout)
    for line in (f"{tmp_path}/a: printer at 115200 (ESC/POS)", f"{tmp_path}/b: socialcard at 9600 (CRT-310)",
                 f"{tmp_path}/c: mute", f"{tmp_path}/d: no_port"):
        assert line in told
    assert told.count("no udev rule") == 2
    assert [(facts.get("answers"), facts.get("nobody")) for facts in found] == [
        ("printer", None), ("socialcard", None), (None, "mute"), (None, "no_port"),
    ]
    assert found[0]["baud"] == 115200 and found[0]["rule"] is None


def test_find_without_any_device_ends_with_status_1(tmp_path: Path) -> None:
    assert "no device answers" in kiosk("devices", "find", tmp_path / "none", status=1).stderr


def test_the_rule_is_that_of_the_physical_socket(tmp_path: Path) -> None:
    with PtyPort(tmp_path / "port") as port:
        number = os.stat(port.path).st_rdev
        assert socket_of(str(port.path), tmp_path) is None
        database = tmp_path / f"c{os.major(number)}:{os.minor(number)}"
        database.write_text("S:serial/by-path/x\nE:ID_PATH_TAG=no\nE:ID_PATH=pci-0000:00:14.0-usb-0:1.2:1.0\nG:systemd\n")
        assert socket_of(str(port.path), tmp_path) == "pci-0000:00:14.0-usb-0:1.2:1.0"
    assert socket_of(str(tmp_path / "none"), tmp_path) is None
    assert udev_rule(DeviceKind.IDCARD, "pci-0000:00:14.0-usb-0:1.2:1.0") == (
        'SUBSYSTEM=="tty", ENV{ID_PATH}=="pci-0000:00:14.0-usb-0:1.2:1.0", SYMLINK+="kiosk/idcard", '
        'GROUP="dialout", MODE="0660", ENV{ID_MM_DEVICE_IGNORE}="1"'
    )
    assert udev_rule(DeviceKind.CAMERA, "pci-1").startswith('SUBSYSTEM=="video4linux", ATTR{index}=="0", ENV{ID_PATH}=="pci-1"')


def test_cameras_are_named_by_their_socket(tmp_path: Path) -> None:
    for name in ("pci-1-video-index0", "pci-1-video-index1", "pci-0-video-index0"):
        (tmp_path / name).touch()
    assert cameras(tmp_path) == [f"{tmp_path}/pci-0-video-index0", f"{tmp_path}/pci-1-video-index0"]
    assert cameras(tmp_path / "none") == []


# ------------------------------------------------------------------------------------------ trace


def traced(kind: str, port: Path, seconds: float = 4.0) -> list[str]:
    """The lines without their times."""
    lines = kiosk("devices", "trace", kind, "--port", port, "--seconds", f"{seconds:g}").stdout.splitlines()
    assert all(re.match(r" *\d+\.\d{3} [<>=] ", line) for line in lines), lines
    return [line.split(maxsplit=1)[1] for line in lines]


def test_trace_of_a_card_being_read_shows_no_content(tmp_path: Path) -> None:
    card = sample_card()
    with IdCardEmulator(tmp_path / "idcard") as reader:
        reader.lay(EmulatedCard.of(card))
        lines = traced("idcard", tmp_path / "idcard")
    assert "= ready" in lines and "> FIND" in lines and "> READ" in lines
    assert any(line.startswith("< SW3 90 OK, 12") for line in lines)
    assert not any(secret in "".join(lines) for secret in (card.name_cn or "?", card.number))


def test_trace_of_a_scan_shows_no_token(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kiosk", "devices", "trace", "scanner", "--port", str(tmp_path / "scanner")]
    with ScannerEmulator(tmp_path / "scanner") as scanner:
        running = subprocess.Popen([*command, "--seconds", "60"], stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        lines = [running.stdout.readline()]
        assert "= unknown unproven" in lines[0]
        scanner.scan(TOKEN)
        while "ScannedToken" not in lines[-1]:
            lines.append(running.stdout.readline())
        running.send_signal(signal.SIGINT)
        lines += running.communicate(timeout=30)[0].splitlines()
    assert running.returncode == 0
    assert "< a code of 35 characters: ScannedToken" in "".join(lines) and TOKEN not in "".join(lines)


def test_trace_of_the_others(tmp_path: Path) -> None:
    with PtyPort(tmp_path / "printer") as port, PrinterEmulator(port):
        assert {"> DLE EOT 01", "< DLE EOT 12", "= ready"} <= set(traced("printer", tmp_path / "printer", 2.0))
    with device(DeviceKind.SOCIALCARD, tmp_path / "socialcard"):
        assert {"> STATUS, 0 bytes of data", "< ACK", "> ENQ"} <= set(traced("socialcard", tmp_path / "socialcard", 2.0))
    assert traced("idcard", tmp_path / "none", 1.0)[0] == "= offline no_port"


# ------------------------------------------------------------------------------------------ the table


def test_the_table_once(tmp_path: Path) -> None:
    config = terminal(tmp_path)
    with device(DeviceKind.IDCARD, tmp_path / "idcard"), device(DeviceKind.IDCARD, tmp_path / "printer"), \
            device(DeviceKind.SCANNER, tmp_path / "scanner"):
        told = kiosk("devices", "--once", "--seconds", "60", "-c", config, status=1).stdout
        rows = json.loads(kiosk("devices", "--once", "--seconds", "60", "-c", config, "--json", status=1).stdout)
    assert "no terminal runs" in told and re.search(r"^idcard +ready +- +20\d\d-", told, re.MULTILINE)
    states = {row["kind"]: (row["state"], row["reason"]) for row in rows}
    assert states["idcard"] == states["scanner"] == ("ready", "")
    assert states["camera"] == ("offline", "no_device")
    assert states["printer"][0] == "offline" and states["printer"][1] in ("mute", "found_idcard")
    assert list(states) == ["camera", "idcard", "printer", "scanner"]


def test_the_table_goes_on_until_interrupted_and_lets_the_devices_go(tmp_path: Path) -> None:
    config = terminal(tmp_path)
    with device(DeviceKind.IDCARD, tmp_path / "idcard") as port:
        with process("devices", "-c", config) as running:
            assert running.stdout is not None
            seen = ""
            while not re.search(r"^idcard +ready", seen):
                seen = running.stdout.readline()
            port.unplug()
            while not re.search(r"^idcard +offline +no_port", seen):
                seen = running.stdout.readline()
        assert single_instance(tmp_path / "store" / "terminal.lock") is not None


def test_while_a_terminal_runs_its_own_word_is_shown_and_no_port_is_touched(tmp_path: Path) -> None:
    config = terminal(tmp_path)
    lock = single_instance(tmp_path / "store" / "terminal.lock")
    assert lock is not None
    engine = open_store(load_config(config))
    states = DeviceStates(engine, lambda: dt.datetime.now(dt.UTC))
    states.begin([DeviceKind.IDCARD, DeviceKind.PRINTER])
    states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.DEGRADED, "paper_low"))
    states.put(DeviceStatus(DeviceKind.IDCARD, DeviceState.OFFLINE, "found_printer"))
    engine.dispose()
    with FarEnd(tmp_path / "idcard") as far:
        told = kiosk("devices", "--once", "-c", config, status=1).stdout
        assert not far.received
    assert "the running terminal" in told
    assert re.search(r"^idcard +offline +found_printer", told, re.MULTILINE)
    assert re.search(r"^printer +degraded +paper_low", told, re.MULTILINE)
    lock.unlock()


@pytest.mark.parametrize("ago", [None, dt.timedelta(days=2)], ids=["nothing written yet", "silent for two days"])
def test_what_nobody_knows_is_never_fine(tmp_path: Path, ago: dt.timedelta | None) -> None:
    config = terminal(tmp_path)
    lock = single_instance(tmp_path / "store" / "terminal.lock")
    engine = open_store(load_config(config))
    if ago is not None:
        states = DeviceStates(engine, lambda: dt.datetime.now(dt.UTC) - ago)
        states.begin([DeviceKind.PRINTER])
        states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.READY))
    engine.dispose()
    told = kiosk("devices", "--once", "--seconds", "1", "-c", config, status=1).stdout
    assert ago is None or re.search(r"^printer +unknown +terminal_silent", told, re.MULTILINE)
    assert lock is not None
    lock.unlock()


# ------------------------------------------------------------------------------------------ the scanner


@pytest.mark.parametrize(("code", "facts", "secret"), [
    (TOKEN, {"kind": "可能是电子社保卡", "characters": 32}, TOKEN),
    (f"HGK1:{SLIP_TOKEN}", {"kind": "业务回执", "characters": 22}, SLIP_TOKEN),
    ("HG01-20261123-000001", {"kind": "受理编号", "case_number": "HG01-20261123-000001"}, None),
])
def test_read_a_code_typed_into_the_emulator(tmp_path: Path, code: str, facts: dict[str, object], secret: str | None) -> None:
    with process("emulate", "scanner", "--link", tmp_path / "scanner") as emulator:
        assert emulator.stdin is not None and emulator.stdout is not None
        port = emulator.stdout.readline().strip()
        for show in ([], ["--show"]):
            reading = subprocess.Popen(
                [sys.executable, "-m", "kiosk", "read", "scanner", "--port", port, "--proof", "newland", *show],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            assert reading.stderr is not None and "ready: show a code" in reading.stderr.readline()
            emulator.stdin.write(f"6901234567892\n{code}\n")
            emulator.stdin.flush()
            out, err = reading.communicate(timeout=60)
            assert reading.returncode == 0, err
            assert "code refused: unknown" in err
            assert json.loads(out) == {**facts, **({"code": secret} if show and secret else {})}
            assert secret is None or secret not in err


def test_read_without_a_code_says_so(tmp_path: Path) -> None:
    with ScannerEmulator(tmp_path / "scanner"):
        done = kiosk("read", "scanner", "--port", tmp_path / "scanner", "--seconds", "2", status=1)
    assert "no code was read in 2 s; the scanner is unknown unproven" in done.stderr
    assert "offline no_port" in kiosk("read", "scanner", "--port", tmp_path / "none", "--seconds", "1", status=1).stderr
