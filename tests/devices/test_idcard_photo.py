"""The operator's photo decoder: real child programs, well-behaved and not."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from idcard_desk import until

from kiosk.devices.emulated.cards import PHOTO
from kiosk.devices.idcard.photo import BMP_BYTES, HEIGHT, RGB_BYTES, WIDTH, CardPhoto, NoPhoto, PhotoDecoder, picture_of

RGB = bytes((x * 2 + y * channel) % 256 for y in range(HEIGHT) for x in range(WIDTH) for channel in range(3))


RENDER = """
import sys
wlt = sys.stdin.buffer.read()
assert len(wlt) == 1024 and wlt[:4] == b"WLf\\0"
sys.stdout.buffer.write(bytes((x * 2 + y * channel) % 256 for y in range(126) for x in range(102) for channel in range(3)))
"""
BMP = """
import struct, sys
sys.stdin.buffer.read()
head = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 38862, 0, 0, 54, 40, 102, 126, 1, 24, 0, 38808, 0, 0, 0, 0)
rows = [b"".join(bytes((x * 2 + y * c) % 256 for c in (2, 1, 0)) for x in range(102)) + b"\\0\\0" for y in range(126)]
sys.stdout.buffer.write(head + b"".join(reversed(rows)))
"""
FAULTS = {
    "hangs": ("import time; time.sleep(60)", NoPhoto.TOO_SLOW),
    "hangs after the picture": ("import sys, time; print('x' * 38555, flush=True); time.sleep(60)", NoPhoto.TOO_SLOW),
    "closes its output and hangs": ("import os, time; os.close(1); time.sleep(60)", NoPhoto.TOO_SLOW),
    "ignores the polite signal": (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", NoPhoto.TOO_SLOW),
    "floods": ("import os\nwhile True: os.write(1, bytes(65536))", NoPhoto.WRONG_SIZE),
    "floods its other output": ("import os\nwhile True: os.write(2, bytes(65536))", NoPhoto.TOO_SLOW),
    "trickles": ("import os, time\nwhile True: os.write(1, b'x'); time.sleep(0.01)", NoPhoto.TOO_SLOW),
    "crashes": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", NoPhoto.FAILED),
    "raises": ("raise RuntimeError('999901194807120021')", NoPhoto.FAILED),
    "fails after the picture": ("import sys; print('x' * 38555, flush=True); sys.exit(3)", NoPhoto.FAILED),
    "reads nothing": ("import sys; sys.stdin.close()", NoPhoto.WRONG_SIZE),
    "one byte short": ("print('x' * 38554)", NoPhoto.WRONG_SIZE),
    "one byte long": ("print('x' * 38556)", NoPhoto.WRONG_SIZE),
    "no BMP": ("print('x' * 38861)", NoPhoto.WRONG_SIZE),
    "one byte longer than a BMP": ("print('x' * 38862)", NoPhoto.WRONG_SIZE),
}


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    """A decoder with this source, as the operator would configure it."""

    def write(source: str) -> list[str]:
        file = tmp_path / "decoder.py"
        file.write_text(source, encoding="utf-8")
        return [sys.executable, "-I", str(file)]

    return write


Program = Callable[[str], list[str]]


@pytest.mark.parametrize("source", [RENDER, BMP], ids=["RGB", "BMP"])
def test_a_picture_in_either_form(program: Program, source: str) -> None:
    assert PhotoDecoder(program(source), 30.0).decode(PHOTO) == CardPhoto(RGB)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_program_that_misbehaves_costs_a_picture_and_nothing_else(
    program: Program, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    source, reason = FAULTS[fault]
    limit_s = 1.0 if reason is NoPhoto.TOO_SLOW else 30.0
    began = time.monotonic()
    assert PhotoDecoder(program(source), limit_s).decode(PHOTO) is reason
    assert time.monotonic() - began < 25.0
    assert capfd.readouterr() == ("", ""), "what it writes may hold what it was given"


def test_without_a_decoder_there_is_no_picture() -> None:
    assert PhotoDecoder(()).decode(PHOTO) is NoPhoto.NONE_CONFIGURED


def test_a_program_that_is_not_there_or_none(tmp_path: Path) -> None:
    plain, broken = tmp_path / "plain", tmp_path / "broken"
    plain.write_text("no program")
    broken.write_bytes(b"\x7fELF for another machine")
    broken.chmod(0o755)
    assert PhotoDecoder([str(tmp_path / "none")]).decode(PHOTO) is NoPhoto.MISSING
    assert PhotoDecoder([str(plain)]).decode(PHOTO) is NoPhoto.MISSING
    assert PhotoDecoder([str(plain / "under")]).decode(PHOTO) is NoPhoto.MISSING
    assert PhotoDecoder([str(broken)]).decode(PHOTO) is NoPhoto.FAILED
    assert PhotoDecoder(["a\0b"]).decode(PHOTO) is NoPhoto.FAILED


@pytest.mark.parametrize("end", ["", "import time; time.sleep(60)"], ids=["leader ends", "leader hangs"])
def test_its_children_die_with_it(program: Program, tmp_path: Path, end: str) -> None:
    """A child that keeps the output open keeps us no longer than the limit, and does not outlive it."""
    note = tmp_path / "child"
    source = f"""
import os, time
child = os.fork()
if child == 0:
    time.sleep(60)
open({str(note)!r}, "w").write(str(child))
print("x" * 38555, flush=True)
{end}
"""
    assert PhotoDecoder(program(source), 2.0).decode(PHOTO) is NoPhoto.TOO_SLOW
    child = int(note.read_text())
    until(lambda: not is_running(child))


def test_a_child_of_a_good_decoder_dies_too(program: Program, tmp_path: Path) -> None:
    note = tmp_path / "child"
    source = f"""
import os, time
child = os.fork()
if child == 0:
    os.close(1)
    time.sleep(60)
open({str(note)!r}, "w").write(str(child))
print("x" * 38555, flush=True)
"""
    assert isinstance(PhotoDecoder(program(source), 30.0).decode(PHOTO), CardPhoto)
    until(lambda: not is_running(int(note.read_text())))


def test_nothing_personal_in_arguments_environment_or_a_core_file(program: Program, tmp_path: Path) -> None:
    os.environ["KIOSK_TEST_SECRET"] = "999901194807120021"
    note = tmp_path / "seen"
    source = f"""
import os, resource, sys
sys.stdin.buffer.read()
seen = [open("/proc/self/cmdline").read(), repr(dict(os.environ)), os.getcwd(), resource.getrlimit(resource.RLIMIT_CORE)]
seen += sorted(os.listdir("/proc/self/fd"))
open({str(note)!r}, "w").write("\\n".join(map(str, seen)))
"""
    command = program(source)
    try:
        PhotoDecoder(command, 30.0).decode(PHOTO)
    finally:
        del os.environ["KIOSK_TEST_SECRET"]
    arguments, environment, folder, core, *files = note.read_text().split("\n")
    assert arguments.split("\0")[:-1] == command
    assert "KIOSK" not in environment and "999901" not in environment
    assert folder == "/" and core == "(0, 0)"
    assert set(files) <= {"0", "1", "2", "3", "4"}, "none of the terminal's files is open in it"


def test_a_program_that_ended_before_it_got_the_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "prlimit", lambda *limits: time.sleep(0.3))
    assert PhotoDecoder(["/bin/true"], 30.0).decode(PHOTO) is NoPhoto.WRONG_SIZE
    assert PhotoDecoder(["/bin/false"], 30.0).decode(PHOTO) is NoPhoto.FAILED


def test_no_shell_sees_the_arguments(program: Program, tmp_path: Path) -> None:
    note = tmp_path / "seen"
    command = [*program(f"import sys; open({str(note)!r}, 'w').write(repr(sys.argv[1:]))"), "$HOME", "; touch x", "*"]
    PhotoDecoder(command, 30.0).decode(PHOTO)
    assert note.read_text() == repr(["$HOME", "; touch x", "*"])


def test_many_photos_leave_nothing_behind(program: Program) -> None:
    decoder, slow = PhotoDecoder(program(RENDER), 30.0), PhotoDecoder(["/bin/sleep", "60"], 0.05)
    decoder.decode(PHOTO)
    before = len(os.listdir("/proc/self/fd"))
    threads = [threading.Thread(target=one.decode, args=(PHOTO,)) for one in [decoder, slow] * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)
    with contextlib.suppress(ChildProcessError):  # no child at all
        assert os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "a dead child is not buried"


def test_a_photo_does_not_show_in_repr() -> None:
    assert repr(CardPhoto(RGB)) == "CardPhoto()"


@given(st.binary(max_size=80), st.integers(0, 60), st.sampled_from([0, RGB_BYTES, BMP_BYTES, BMP_BYTES - 1]))
def test_any_output_is_a_picture_or_a_reason(scratch: bytes, at: int, size: int) -> None:
    bmp = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", BMP_BYTES, 0, 0, 54, 40, WIDTH, HEIGHT, 1, 24, 0, 0, 0, 0, 0, 0)
    output = (bmp[:at] + scratch + bmp[at + len(scratch) :]).ljust(size, b"\0")[: max(size, 60)]
    picture = picture_of(output)
    assert picture is NoPhoto.WRONG_SIZE or (isinstance(picture, CardPhoto) and len(picture.rgb) == RGB_BYTES)


def is_running(pid: int) -> bool:
    """Dead but unburied does not count: an orphan is buried by whoever adopted it."""
    try:
        os.kill(pid, signal.SIG_DFL)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
