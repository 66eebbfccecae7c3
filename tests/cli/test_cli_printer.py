"""The printer's part of the command line: a test slip for every make, and captured bytes explained."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from kiosk.devices.printer import escpos
from kiosk.domain.slip import Raster


def kiosk(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", *map(str, words)], capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def printer(folder: Path, profile: str, fault: str = "") -> Iterator[list[str | Path]]:
    """An emulated printer of that make; gives the options of `kiosk print` for it."""
    command = ["emulate", "printer", "--link", str(folder / "printer"), "--slips", str(folder), "--profile", profile,
               "--fault", fault]
    process = subprocess.Popen([sys.executable, "-m", "kiosk", *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    config = folder / "terminal.toml"
    text_mode = "true" if profile == "mute" else "false"  # sent blindly a picture takes its time
    config.write_text(f'[printer]\nprofile = "{profile}"\ntext_mode = {text_mode}\n')
    try:
        yield ["--port", process.stdout.readline().strip(), "--config", config]
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("profile", "status", "told"),
    [
        ("epson", 0, ["DLE EOT 1-4  12 12 12 12  ok", "GS ( H       answered", "answers as epson", "printed"]),
        ("custom", 0, ["DLE EOT 20   00 00 00 00", "answers as custom", "printed"]),
        ("clone", 0, ["GS r 1       answered", "GS ( H       --", "answers as clone", "printed"]),
        ("mute", 1, ["DLE EOT 1-4  -- -- -- --  mute", "GS r 1       not asked", "answers as mute", "unknown no_status"]),
    ],
)
def test_a_printer_is_tried(tmp_path: Path, profile: str, status: int, told: list[str]) -> None:
    with printer(tmp_path, profile) as options:
        said = kiosk("print", "test", *options, status=status).stdout
    assert [line for line in told if line not in said] == []
    with Image.open(tmp_path / "slip-0001.png") as slip:
        assert slip.width == 576 and slip.height > 500


def test_a_printer_without_paper_is_not_taken_for_another_make(tmp_path: Path) -> None:
    with printer(tmp_path, "epson", "paper_end") as options:
        said = kiosk("print", "test", *options, status=1).stdout.splitlines()
    assert said[-2:] == ["cannot tell while it is off-line: refill or close it and repeat", "blocked paper_out"]


def test_without_a_printer_nothing_is_tried(tmp_path: Path) -> None:
    assert "blocked no_port" in kiosk("print", "test", "--port", tmp_path / "none", status=1).stderr


def test_a_text_slip_from_the_command_line(tmp_path: Path) -> None:
    with printer(tmp_path, "epson") as options:
        Path(options[-1]).write_text("[printer]\ntext_mode = true\n")
        assert kiosk("print", "slip", "--sample", *options).stdout == "printed\n"
        assert kiosk("print", "slip", "--sample", *options, "--to", tmp_path / "slip.png").stdout.strip().endswith("slip.png")
    assert "业务回执" in (tmp_path / "slip-0001.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("as_hex", [False, True])
def test_a_capture_is_explained(tmp_path: Path, as_hex: bool) -> None:
    raster = Raster(16, 2, bytes.fromhex("AA 55 55 AA"))
    stream = escpos.START + b"".join(escpos.packets(raster)) + "参保".encode("gb18030") + b"\n" + escpos.CUT
    capture, picture = tmp_path / "capture", tmp_path / "picture.png"
    capture.write_bytes(stream.hex(" ").encode() if as_hex else stream)
    said = kiosk("decode", "escpos", capture, "--picture", picture).stdout.splitlines()
    assert [line.split(maxsplit=2)[2] for line in said] == [
        "ESC @", "GS a    00", "GS v 0  16 x 2 dots", "text    参保\\n", "GS V    42 00",
    ]
    with Image.open(picture) as drawn:
        assert bytes(byte ^ 0xFF for byte in drawn.convert("1").tobytes()) == raster.data


def test_a_capture_that_is_not_understood(tmp_path: Path) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(b"\x1d\x7f" + b"\x1dv0\x00\x02\x00\x02\x00\xaa")
    assert "unknown" in kiosk("decode", "escpos", capture, status=1).stdout
    assert "holds no picture" in kiosk("decode", "escpos", capture, "--picture", tmp_path / "p.png", status=1).stderr
    assert "cannot be read" in kiosk("decode", "escpos", tmp_path / "none", status=1).stderr
