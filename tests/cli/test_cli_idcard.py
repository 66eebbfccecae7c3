"""The identity-card commands with photo, kinds and faults: real processes, real ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from kiosk.devices.emulated.cards import EmulatedCard, sample_of
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.idcard_faults import FAULTS
from kiosk.devices.idcard.codec import Answer, Command, Sw3, encode_frame
from kiosk.devices.idcard.reader import IdCardReader
from kiosk.devices.serial_line import SerialLine
from kiosk.domain.document import CardKind

CARD = sample_of(CardKind.HMT)
FRAME = encode_frame(bytes([0, 0, Sw3.OK]) + EmulatedCard.of(CARD).read_answer())
DECODER = """
import sys
assert len(sys.stdin.buffer.read()) == 1024
sys.stdout.buffer.write(bytes((x * 2, y, 7)[c] for y in range(126) for x in range(102) for c in range(3)))
"""


def kiosk(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """With a photo decoder and the new address wanted."""
    decoder, file = tmp_path / "decoder.py", tmp_path / "terminal.toml"
    decoder.write_text(DECODER)
    program = json.dumps([sys.executable, "-I", str(decoder)])
    file.write_text(f"[idcard]\nread_new_address = true\nphoto_decoder = {program}\nphoto_decoder_s = 10\n")
    return file


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    capture = tmp_path / "capture"
    capture.write_bytes(FRAME)
    return capture


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_the_photo_of_a_capture(tmp_path: Path, capture: Path, config: Path, suffix: str) -> None:
    picture = tmp_path / f"photo.{suffix}"
    told = json.loads(kiosk("decode", "idcard", capture, "--show", "--photo", picture, "-c", config).stdout)
    assert told["number"] == CARD.number
    pixels = cv2.imread(str(picture))
    assert pixels is not None and pixels.shape == (126, 102, 3) and list(pixels[5, 10]) == [7, 5, 20]
    assert os.stat(picture).st_mode & 0o077 == 0


def test_a_photo_is_for_its_owner_alone_whatever_lay_there(tmp_path: Path, capture: Path, config: Path) -> None:
    picture = tmp_path / "photo.png"
    picture.write_bytes(b"x" * 200_000)
    picture.chmod(0o644)
    kiosk("decode", "idcard", capture, "--show", "--photo", picture, "-c", config)
    assert picture.stat().st_mode & 0o777 == 0o600 and picture.stat().st_size < 200_000
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "elsewhere.png")
    assert "cannot be written" in kiosk("decode", "idcard", capture, "--show", "--photo", link, "-c", config, status=1).stderr


def test_no_photo_without_consent_decoder_or_a_place_for_it(tmp_path: Path, capture: Path, config: Path) -> None:
    picture = tmp_path / "photo.png"
    assert "needs --show" in kiosk("decode", "idcard", capture, "--photo", picture, status=1).stderr
    assert "needs --show" in kiosk("read", "idcard", "--photo", picture, status=1).stderr
    assert ".png or .bmp" in kiosk("decode", "idcard", capture, "--show", "--photo", tmp_path / "x.jpg", status=1).stderr
    done = kiosk("decode", "idcard", capture, "--show", "--photo", picture, status=1)
    assert "photo: none_configured" in done.stderr and json.loads(done.stdout)["number"] == CARD.number
    nowhere = tmp_path / "no" / "photo.png"
    assert "cannot be written" in kiosk("decode", "idcard", capture, "--show", "--photo", nowhere, "-c", config, status=1).stderr
    assert not picture.exists()


def test_card_new_address_and_photo_from_a_reader(tmp_path: Path, config: Path) -> None:
    moved = EmulatedCard(EmulatedCard.of(CARD).text, new_address="测试市新地址")
    picture = tmp_path / "photo.png"
    with IdCardEmulator(tmp_path / "reader") as reader:
        reader.lay(moved)
        done = kiosk("read", "idcard", "--port", reader.port.path, "--show", "--photo", picture, "-c", config)
        assert json.loads(done.stdout)["new_address"] == "测试市新地址"
        assert picture.exists()
        hidden = kiosk("read", "idcard", "--port", reader.port.path, "-c", config)
        assert "新地址" not in hidden.stdout + hidden.stderr
        plain = kiosk("read", "idcard", "--port", reader.port.path, "--show")
        assert "new_address" not in json.loads(plain.stdout)
        assert reader.received.count(Command.READ_NEW_ADDRESS) == 2


def test_emulated_kinds_and_faults(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kiosk", "emulate", "idcard", "--link", str(tmp_path / "reader"),
               "--kind", "foreign2017", "--fault", "noise_before"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert json.loads(kiosk("read", "idcard", "--port", port).stdout)["kind"] == "foreign2017"
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(10) == 0
    assert "no fault is called nonsense" in kiosk("emulate", "idcard", "--fault", "nonsense", status=1).stderr
    assert set(kiosk("emulate", "idcard", "--fault", "list").stdout.split()) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_cured(tmp_path: Path, fault: str) -> None:
    with IdCardEmulator(tmp_path / "reader") as reader:
        FAULTS[fault](reader)
        reader.cure()
        reader.lay(EmulatedCard.of(CARD))
        line = SerialLine.open(str(reader.port.path), 115200)
        asked = IdCardReader(line)
        assert Answer(Sw3.FOUND, bytes(4)) in (asked.ask(Command.FIND), asked.ask(Command.FIND))
        line.close()
