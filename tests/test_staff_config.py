"""`[staff]` in the configuration, and the command that makes its lines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk.cli import app
from kiosk.config import ConfigError, load_config
from kiosk.domain.pin import PinHash

HASH = str(PinHash.of("258013"))


def write(folder: Path, text: str) -> Path:
    file = folder / "kiosk.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nobody_can_sign_in_by_default() -> None:
    assert load_config(None).staff.hashes() == {}


@pytest.mark.parametrize("text", ['[staff]\nmembers = {{ "HG01" = "{}" }}\n', '[staff.members]\nHG01 = "{}"\n'])
def test_members_are_read_and_never_shown(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text.format(HASH))
    config = load_config(file)
    assert config.staff.hashes()["HG01"].fits("258013")
    assert HASH not in repr(config) and HASH not in config.model_dump_json()
    shown = CliRunner().invoke(app, ["config", "show", "--config", str(file)])
    assert shown.exit_code == 0 and "HG01" in shown.stdout and HASH not in shown.stdout


@pytest.mark.parametrize(("line", "says"), [
    ('HG01 = "258013"', "HG01: not a PIN hash"),
    (f'"Li Si" = "{HASH}"', "a staff id is"),
], ids=["a PIN itself", "a name"])
def test_a_fault_is_told_without_quoting_it(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_config(write(tmp_path, f"[staff.members]\n{line}\n"))
    assert "258013" not in str(caught.value) and HASH not in str(caught.value)


def test_the_command_prints_a_line_for_the_file(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["staff", "pin", "HG02"], input="258013\n258013\n")
    assert made.exit_code == 0 and "258013" not in made.output
    line = made.stdout.strip().splitlines()[-1]
    assert load_config(write(tmp_path, f"[staff.members]\n{line}\n")).staff.hashes()["HG02"].fits("258013")


@pytest.mark.parametrize(("staff", "pin", "says"), [
    ("HG02", "123", "4 to 8 digits"), ("HG02", "abcd", "4 to 8 digits"), ("HG02", "1234", "first one"),
    ("HG02", "258013", "taken"), ("李", "258013", "a staff id"),
])
def test_a_poor_choice_is_refused(tmp_path: Path, staff: str, pin: str, says: str) -> None:
    file = write(tmp_path, f'[staff.members]\nHG01 = "{HASH}"\n')
    refused = CliRunner().invoke(app, ["staff", "pin", staff, "--config", str(file)], input=f"{pin}\n{pin}\n")
    assert refused.exit_code == 1 and says in refused.output and "scrypt" not in refused.output


def test_who_has_a_pin_may_take_it_again(tmp_path: Path) -> None:
    file = write(tmp_path, f'[staff.members]\nHG01 = "{HASH}"\n')
    assert CliRunner().invoke(app, ["staff", "pin", "HG01", "-c", str(file)], input="258013\n258013\n").exit_code == 0


def test_on_a_terminal_the_pin_is_not_echoed() -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "kiosk", "staff", "pin", "HG01"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen = b""
    for times in (1, 2):
        while seen.count(b": ") < times:  # the space comes once the echo is off
            seen += os.read(ours, 1000)
        os.write(ours, b"258013\n")
    while b"scrypt$" not in seen:
        seen += os.read(ours, 1000)
    assert process.wait(60) == 0
    os.close(ours)
    assert b"258013" not in seen
