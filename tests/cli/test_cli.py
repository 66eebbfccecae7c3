"""The command line as a technician types it: real processes, real ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.people import Person, enrolment_portraits
from kiosk.devices.idcard.codec import encode_frame

CARD = sample_card()
FRAME = encode_frame(bytes([0, 0, 0x90]) + EmulatedCard.of(CARD).read_answer())


def kiosk(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def running(*words: str | Path) -> Iterator[str]:
    """A command that runs until interrupted; gives its first line."""
    command = [sys.executable, "-m", "kiosk", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.wait(10) == 0


# ------------------------------------------------------------------------------------------ decode


@pytest.mark.parametrize("as_hex", [False, True])
def test_decode_masks_unless_asked(tmp_path: Path, as_hex: bool) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(FRAME.hex(" ").encode() if as_hex else FRAME)
    masked = kiosk("decode", "idcard", capture).stdout
    assert CARD.number not in masked and CARD.name not in masked and json.loads(masked)["number"] == CARD.masked_number
    shown = json.loads(kiosk("decode", "idcard", capture, "--show").stdout)
    assert shown["number"] == CARD.number and shown["name_cn"] == CARD.name_cn


@pytest.mark.parametrize(("spoil", "says"), [
    (lambda frame: frame[:700], "cut after 700 of 1295 bytes"),
    (lambda frame: frame[:-1] + bytes([frame[-1] ^ 1]), "wrong checksum"),
    (lambda frame: b"hello", "no frame"),
    (lambda frame: b"", "no frame"),
])
def test_decode_says_what_is_wrong(tmp_path: Path, spoil: object, says: str) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(spoil(FRAME))  # type: ignore[operator]
    assert says in kiosk("decode", "idcard", capture, status=1).stderr
    assert "cannot be read" in kiosk("decode", "idcard", tmp_path / "none", status=1).stderr


# ------------------------------------------------------------------------------------------ read, emulate


def test_read_from_an_emulated_reader(tmp_path: Path) -> None:
    with running("emulate", "idcard", "--link", tmp_path / "reader") as port:
        done = kiosk("read", "idcard", "--port", port)
    assert json.loads(done.stdout)["number"] == CARD.masked_number and CARD.number not in done.stdout + done.stderr


def test_read_without_a_card_or_a_reader_says_so(tmp_path: Path) -> None:
    with IdCardEmulator(tmp_path / "reader"):
        done = kiosk("read", "idcard", "--port", tmp_path / "reader", "--seconds", "2", status=1)
    assert "no card was read in 2 s; the reader is ready" in done.stderr
    assert "offline no_port" in kiosk("read", "idcard", "--port", tmp_path / "none", "--seconds", "1", status=1).stderr


def test_print_the_sample_slip(tmp_path: Path) -> None:
    picture = tmp_path / "slip.png"
    kiosk("print", "slip", "--sample", "--to", picture)
    drawn = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    with running("emulate", "printer", "--link", tmp_path / "printer", "--slips", tmp_path) as port:
        assert kiosk("print", "slip", "--sample", "--port", port).stdout == "printed\n"
    printed = cv2.imread(str(tmp_path / "slip-0001.png"), cv2.IMREAD_GRAYSCALE)
    assert (drawn == printed[: drawn.shape[0]]).all() and not (printed[drawn.shape[0]:] == 0).any()


def test_print_without_a_printer_or_room_for_the_file(tmp_path: Path) -> None:
    assert "blocked no_port" in kiosk("print", "slip", "--sample", "--port", tmp_path / "none", status=1).stdout
    assert "cannot be written" in kiosk("print", "slip", "--sample", "--to", tmp_path / "no" / "slip.png", status=1).stderr
    assert "--sample" in kiosk("print", "slip", status=1).stderr


# ------------------------------------------------------------------------------------------ face


def test_compare_faces(tmp_path: Path) -> None:
    for person in (Person.CARDHOLDER, Person.STRANGER):
        for number, png in enumerate(enrolment_portraits(person)):
            (tmp_path / f"{person.value}{number}.png").write_bytes(png)
    same = [tmp_path / f"cardholder{number}.png" for number in range(3)]
    told = json.loads(kiosk("face", "compare", same[0], same[1], same[2], "--json").stdout)
    assert told["band"] == "pass" and told["mean"] < 0.3 and len(told["distances"]) == 2
    other = json.loads(kiosk("face", "compare", same[0], tmp_path / "stranger0.png", "--json").stdout)
    assert other["band"] == "retry" and other["mean"] > 0.6
    (tmp_path / "no.png").write_bytes(b"not a picture")
    assert "is not a picture" in kiosk("face", "compare", same[0], tmp_path / "no.png", status=1).stderr


# ------------------------------------------------------------------------------------------ config, run, sync, office


def test_config_check_and_show(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('[site]\nname = "村口"\n')
    bad.write_text("[face]\npass_max = 2\n")
    assert kiosk("config", "check", "--config", good).stdout == "ok\n"
    assert f"{bad}:2: face.pass_max" in kiosk("config", "check", "--config", bad, status=1).stderr
    shown = kiosk("config", "show", "--config", good).stdout
    again = tmp_path / "again.toml"
    again.write_text(shown)
    assert kiosk("config", "show", "--config", again).stdout == shown, "what is shown can be used as a file"


def test_run_and_sync_refuse_a_broken_configuration(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[ui]\nwidht = 3\n")
    for words in (("run",), ("sync", "status"), ("sync", "once")):
        assert f"{bad}:2: ui.widht" in kiosk(*words, "--config", bad, status=1).stderr


def test_sync_status_of_a_terminal_nobody_knows(tmp_path: Path) -> None:
    file = tmp_path / "terminal.toml"
    file.write_text(f'mode = "demo"\n[store]\npath = "{tmp_path}/terminal.db"\n')
    told = json.loads(kiosk("sync", "status", "--json", "--config", file, status=1).stdout)
    assert told["terminal_id"] is None and not told["green"]
    assert "begins with KIOSK1." in kiosk("sync", "enrol", "nonsense", "--config", file, status=1).stderr


def test_office_commands_before_init(tmp_path: Path) -> None:
    for words in (("serve",), ("cases",), ("enrol-terminal", "HG01", "place")):
        assert "initialise it first" in kiosk("office", *words, "--data", tmp_path, status=1).stderr


def test_office_from_nothing(tmp_path: Path) -> None:
    first = kiosk("office", "init", "--data", tmp_path).stdout
    assert "sealing.key" in first and "password" in first
    assert "password" not in kiosk("office", "init", "--data", tmp_path).stdout, "a second time changes nothing"
    assert kiosk("office", "enrol-terminal", "HG01", "含湖村", "--data", tmp_path).stdout.startswith("KIOSK1.")
    assert kiosk("office", "enrol-terminal", "含湖", "含湖村", "--data", tmp_path, status=1).stderr
    roster = tmp_path / "roster.csv"
    roster.write_text(f"身份证号,姓名\n{CARD.number},{CARD.name}\n123,无名\n", encoding="utf-8")
    told = kiosk("office", "import-roster", roster, "--no-templates", "--json", "--data", tmp_path, status=1)
    report = json.loads(told.stdout)
    assert report["added"] == 1 and report["problems"] == ["row 3, 身份证号: number_wrong"]
    assert CARD.number not in told.stdout + told.stderr
    assert json.loads(kiosk("office", "cases", "--json", "--data", tmp_path).stdout) == []
    assert os.stat(tmp_path / "sealing.key").st_mode & 0o077 == 0
