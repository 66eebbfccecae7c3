"""`kiosk emulate … --fault`: what is named is there at the far end, and only what there is can be named."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kiosk.devices.emulated import a4, camera, printer_faults, scanner
from kiosk.devices.serial_line import SerialLine

FAULTS = {"printer": printer_faults.FAULTS, "camera": camera.FAULTS, "a4": a4.FAULTS, "scanner": scanner.FAULTS}


def kiosk(*words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done


@contextmanager
def emulated(*words: str | Path) -> Iterator[str]:
    """Gives the first line, which says where it can be reached."""
    command = [sys.executable, "-m", "kiosk", "emulate", *map(str, words)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.parametrize("device", FAULTS)
def test_faults_are_named(device: str) -> None:
    assert kiosk("emulate", device, "--fault", "list").stdout.split() == list(FAULTS[device])
    assert "no fault is called fire" in kiosk("emulate", device, "--fault", "fire", status=1).stderr


def test_a_camera_that_is_unplugged() -> None:
    with emulated("camera", "--person", "nobody", "--fault", "unplugged") as stream:
        address = urlsplit(stream)
        with closing(http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=20)) as connection:
            connection.request("GET", address.path)
            assert connection.getresponse().status == 503


def test_a_scanner_that_babbles(tmp_path: Path) -> None:
    with emulated("scanner", "--link", tmp_path / "scanner", "--fault", "babbling") as port:
        line = SerialLine.open(port, 115200)
        heard = sum(len(line.read_some(time.monotonic() + 10)) for _ in range(20))
        line.close()
    assert heard >= 20


def test_every_fault_of_the_printer_is_one_switch() -> None:
    for name, switch in printer_faults.FAULTS.items():
        faults = printer_faults.PrinterFaults()
        switch(faults)
        assert faults == printer_faults.PrinterFaults(**{name: True})
