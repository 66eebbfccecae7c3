"""`kiosk read socialcard` against `kiosk emulate socialcard`, both readers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.devices.emulated.crt310 import Crt310Emulator
from kiosk.devices.emulated.crt310_faults import FAULTS
from kiosk.devices.emulated.vpcd import READER

NUMBER, NAME = "999901199003070017", "测试员甲"


def kiosk(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def emulated(*words: str | Path) -> Iterator[str]:
    """Gives the first line, which says where it can be reached."""
    command = [sys.executable, "-m", "kiosk", "emulate", "socialcard", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.wait(20) == 0


def test_a_motor_reader(tmp_path: Path) -> None:
    with emulated("--link", tmp_path / "slot") as port:
        masked = kiosk("read", "socialcard", "--adapter", "crt310", "--port", port)
        shown = kiosk("read", "socialcard", "--adapter", "crt310", "--port", port, "--show")
    assert NUMBER not in masked.stdout + masked.stderr and NAME not in masked.stdout + masked.stderr
    found = json.loads(masked.stdout)
    assert (found["level"], found["number"], found["region"]) == ("full", "999***********0017", "***")
    assert found["items"]["name"] == "ok"
    assert (json.loads(shown.stdout)["number"], json.loads(shown.stdout)["name"]) == (NUMBER, NAME)


def test_a_pcsc_reader() -> None:
    with emulated("--pcsc", "--card", "third") as reader:
        assert reader == READER
        found = json.loads(kiosk("read", "socialcard", "--adapter", "pcsc", "--reader", reader, "--show").stdout)
    assert (found["level"], found["version"], found["items"]["number"]) == ("card_only", "3.00", "protected")
    assert "number" not in found


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert "add --adapter" in kiosk("read", "socialcard", status=1).stderr
    gone = kiosk("read", "socialcard", "--adapter", "crt310", "--port", tmp_path / "none", "--seconds", "1", status=1)
    assert "offline no_port" in gone.stderr


def test_faults_of_the_motor_reader(tmp_path: Path) -> None:
    with emulated("--link", tmp_path / "slot", "--fault", "no_ack") as port:
        told = kiosk("read", "socialcard", "--adapter", "crt310", "--port", port, "--seconds", "6", status=1).stderr
    assert "reader is offline mute" in told
    assert set(kiosk("emulate", "socialcard", "--fault", "list").stdout.split()) == set(FAULTS)
    assert "no fault is called fire" in kiosk("emulate", "socialcard", "--fault", "fire", status=1).stderr
    assert "leave --pcsc out" in kiosk("emulate", "socialcard", "--pcsc", "--fault", "stuck", status=1).stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_had(tmp_path: Path, fault: str) -> None:
    with Crt310Emulator(tmp_path / "slot") as well, Crt310Emulator(tmp_path / "other") as broken:
        FAULTS[fault](broken)
        knobs = ("chunk_size", "motor_s", "stuck", "entry_stays_open", "_manner")
        assert sum(getattr(well, knob) != getattr(broken, knob) for knob in knobs) == 1


def test_a_card_the_wrong_way_round_is_said(tmp_path: Path) -> None:
    with emulated("--link", tmp_path / "slot", "--card", "upside-down") as port:
        command = [sys.executable, "-m", "kiosk", "read", "socialcard", "--adapter", "crt310", "--port", port, "--seconds", "60"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as reading:
            assert reading.stderr is not None
            assert any("card: no contact" in line for line in reading.stderr)
            reading.kill()
