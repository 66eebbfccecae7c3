"""What `make run` does without a display: the scripted day, from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import zxingcpp

from kiosk.demo.people import CARDHOLDER

pytestmark = pytest.mark.timeout(400)


def test_the_day_ends_well_and_leaves_what_it_promised(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "KIOSK_UI__VOICE": "false"}
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", "--headless", "--folder", str(folder)],
        capture_output=True, text=True, check=False, env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((folder / "summary.json").read_text())
    assert len(summary["visits"]) == 4 and summary["failed"] == ""
    causes = [case["cause"] for case in summary["cases"]]
    assert causes == ["比对通过，待确认", "比对把握不足", "比对通过，待确认"], "the stranger's case waits for an officer's eyes"
    assert len(list((folder / "pictures").glob("*.png"))) >= 15
    _slips_can_be_read(folder)
    _nothing_personal_lies_readable(folder, done.stdout + done.stderr)
    assert str(folder / "pictures") in done.stdout and "Staff desk" in done.stdout


def _slips_can_be_read(folder: Path) -> None:
    slips = sorted((folder / "slips").glob("*.png"))
    assert len(slips) == 3
    tokens = {zxingcpp.read_barcode(cv2.imread(str(slip), cv2.IMREAD_GRAYSCALE)).text for slip in slips}
    assert len(tokens) == 3, "each slip has its own token"
    assert not any(CARDHOLDER.number in token or CARDHOLDER.number[6:14] in token for token in tokens)


def _nothing_personal_lies_readable(folder: Path, output: str) -> None:
    """Terminal side only: the roster list and the office's database are the office's own."""
    secrets = [CARDHOLDER.number, CARDHOLDER.name]
    assert not any(secret in output for secret in secrets)
    files = [*folder.glob("terminal.db*"), *folder.glob("*.log"), folder / "terminal.toml", *folder.glob("summary.*")]
    assert len(files) >= 5
    for file in files:
        data = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in data and secret.encode("utf-16-le") not in data, file.name
