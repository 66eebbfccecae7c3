"""A day with misfortunes through the real processes; then everything they wrote is searched for the person.

Only the office's own database and the list it was given may hold a name. The terminal ends by a crash while the person's
card lies on the reader, so that a dump of its memory would hold them too.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import terminal_apart
from officer import Officer

from kiosk.demo.estate import Estate
from kiosk.demo.people import CARDHOLDER
from kiosk.store.database import open_database
from kiosk.store.key import development_key
from kiosk.store.roster import Roster

pytestmark = pytest.mark.timeout(300)
ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
SHARED = Path("/dev/shm")


@dataclass
class Secrets:
    """What must be nowhere. Each under the word it is reported by."""

    needles: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of_cardholder(cls) -> Secrets:
        words = {
            "name": CARDHOLDER.name, "number": CARDHOLDER.number, "address": CARDHOLDER.address,
            "number in lower places": CARDHOLDER.number[6:],
        }
        return cls({
            f"{what} in {encoding}": text.encode(encoding) for what, text in words.items() for encoding in ENCODINGS
        } | {"name escaped": json.dumps(CARDHOLDER.name)[1:-1].encode(), "a JPEG": JPEG})

    def add_vector(self, number: int, vector: tuple[float, ...]) -> None:
        some = vector[3:9]
        self.needles |= {
            f"template {number} as doubles": struct.pack(f"<{len(some)}d", *some),
            f"template {number} as floats": struct.pack(f"<{len(some)}f", *some),
            f"template {number} as text": json.dumps(some)[1:-1].encode(),
            f"template {number} as repr": repr(some[0]).encode(),
        }

    def add_picture(self, number: int, jpeg: bytes) -> None:
        middle = len(jpeg) // 2
        self.needles[f"photograph {number}"] = jpeg[middle : middle + 24]

    def found_in(self, data: bytes) -> list[str]:
        return [what for what, needle in self.needles.items() if needle in data]


@dataclass
class Day:
    """What the processes left behind."""

    town: Estate
    home: Path
    """Working folder, home, temporary folder, standard output and error of the terminal."""
    ended: int
    """Wait status of the terminal's process."""
    shared: set[str]
    """Names in shared memory before it began."""

    def written(self) -> list[Path]:
        """Every file, but those of the office itself and the test's own configuration of it."""
        own = (self.town.folder / "office", self.town.folder / "roster")
        files = [path for folder in (self.town.folder, self.home) for path in folder.rglob("*") if path.is_file()]
        return [path for path in files if not any(path.is_relative_to(folder) for folder in own)]


def _obey(town: Estate, ours: socket.socket) -> None:
    """Does what the terminal's finger asks for, until that process is gone."""
    with ours.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            match line.split():
                case ["lay"]:
                    town.lay_card()
                case ["lift"]:
                    town.lift_card()
                case ["act", request]:
                    town.act(request)
                case ["cut"]:
                    town.network.cut()
                case ["mend"]:
                    town.network.mend()
                case ["printer", how]:
                    assert town.printer is not None
                    town.printer.faults.silent = how == "silent"
            lines.write("ok\n")
            lines.flush()


@pytest.fixture(scope="module")
def day(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    home = tmp_path_factory.mktemp("home")
    temporary = home / "tmp"
    temporary.mkdir()
    shared = set(os.listdir(SHARED))
    estate.network.mend()
    estate.camera_fault("none")
    estate.stand("cardholder")
    ours, theirs = socket.socketpair()
    environment = os.environ | {
        "HOME": str(home), "TMPDIR": str(temporary), "XDG_CONFIG_HOME": str(home / "config"), "KIOSK_UI__VOICE": "false",
        "XDG_CACHE_HOME": str(home / "cache"), "XDG_RUNTIME_DIR": str(temporary), "QT_QPA_PLATFORM": "offscreen",
        "PYTHONFAULTHANDLER": "1",
    }
    command = [sys.executable, terminal_apart.__file__, str(estate.config), str(theirs.fileno())]
    with (home / "stdout").open("wb") as out, (home / "stderr").open("wb") as err, _dumps_wanted():
        terminal = subprocess.Popen(
            command, stdout=out, stderr=err, cwd=home, env=environment, pass_fds=(theirs.fileno(),),
        )
    theirs.close()
    try:
        _obey(estate, ours)
    except OSError:
        pass  # it ended in the middle of a word
    finally:
        ours.close()
        _, ended = os.waitpid(terminal.pid, 0)
        terminal.returncode = os.waitstatus_to_exitcode(ended)
        estate.lift_card()
        estate.network.mend()
    deadline = time.monotonic() + 60
    while estate.sync_status()["unsent"] and time.monotonic() < deadline:
        time.sleep(0.5)
    yield Day(estate, home, ended, shared)


@contextmanager
def _dumps_wanted() -> Iterator[bool]:
    """Processes begun meanwhile may leave dumps, where this machine allows any at all; whether it does."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        yield False
        return
    try:
        yield True
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.fixture(scope="module")
def secrets(day: Day) -> Secrets:
    found = Secrets.of_cardholder()
    engine = open_database(day.town.folder / "terminal.db", development_key(day.town.folder / "terminal.db"))
    (person,) = Roster(engine).people()
    engine.dispose()
    for number, template in enumerate(person.templates):
        found.add_vector(number, template.vector)
    with Officer(day.town) as officer:
        page = officer.page(day.town.office_cases()[-1]["case_number"]).text
        for number, address in enumerate(re.findall(r'src="(/desk/[^"]*/photo/\d+/)"', page)):
            found.add_picture(number, officer.get(address).content)
    assert sum("photograph" in what for what in found.needles) >= 1 and len(person.templates) >= 2
    return found


def test_the_day_went_as_it_should(day: Day) -> None:
    words = (day.home / "stderr").read_text(encoding="utf-8", errors="replace")
    assert os.WIFSIGNALED(day.ended) and os.WTERMSIG(day.ended) == signal.SIGSEGV, words[-3000:]
    assert day.town.sync_status()["unsent"] == 0
    assert len(words) > 1000, "everything it can say was said"


def test_nothing_that_was_written_can_be_read(day: Day, secrets: Secrets) -> None:
    files = day.written()
    assert {path.name for path in files} >= {"terminal.db", "office.log", "sync.log", "camera.log", "stderr", "stdout"}
    readable = {str(path): found for path in files if (found := secrets.found_in(path.read_bytes()))}
    assert not readable


def test_no_name_of_a_file_tells_anything(day: Day) -> None:
    words = (CARDHOLDER.name, CARDHOLDER.number, CARDHOLDER.number[6:14])
    assert not [path for path in day.written() if any(word in str(path) for word in words)]


def test_the_crash_left_no_picture_of_its_memory(day: Day) -> None:
    assert not os.WCOREDUMP(day.ended)
    assert not [path for path in day.written() if path.name.startswith("core")]


def test_shared_memory_is_given_back(day: Day) -> None:
    """Frames of the camera lie there while a person is looked at; what outlives a crash must be empty."""
    deadline = time.monotonic() + 10
    while (left := _readable_shared(day)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left


def _readable_shared(day: Day) -> list[str]:
    new = [SHARED / name for name in set(os.listdir(SHARED)) - day.shared if name.startswith("psm_")]
    return [str(path) for path in new if path.exists() and _mine(path, day) and any(path.read_bytes())]


def _mine(path: Path, day: Day) -> bool:
    """Not mapped by a process that lives: others on this machine use shared memory too."""
    for process in psutil.process_iter():
        try:
            if any(path.name in one.path for one in process.memory_maps()):
                return False
        except psutil.Error:
            continue
    return True


def test_no_process_of_ours_may_leave_a_dump(day: Day) -> None:
    ours = [
        process for process in psutil.process_iter(["cmdline"])
        if str(day.town.folder) in " ".join(process.info["cmdline"] or ())
    ]
    assert len(ours) >= 2, "office and sync"
    for process in ours:
        limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
        assert re.search(r"Max core file size\s+0\s+0\s", limits), process.pid


# ------------------------------------------------------------------------------------------ the controls


def test_the_search_finds_what_it_should_where_it_may_be(day: Day, secrets: Secrets) -> None:
    """The office's own files hold name, number and pictures; the same search sees them there."""
    office = b"".join(path.read_bytes() for path in (day.town.folder / "office").glob("office.db*"))
    found = secrets.found_in(office)
    assert {"name in utf-8", "number in utf-8", "a JPEG"} <= set(found)


@pytest.mark.parametrize("what", ["name in gb18030", "number in utf-16-le", "template 0 as doubles", "photograph 0", "a JPEG"])
def test_a_planted_mark_is_found(day: Day, secrets: Secrets, what: str) -> None:
    planted = day.home / "config" / "planted"
    planted.parent.mkdir(exist_ok=True)
    planted.write_bytes(b"before" + secrets.needles[what] + b"after")
    try:
        assert planted in day.written() and what in secrets.found_in(planted.read_bytes())
    finally:
        planted.unlink()


def test_a_process_of_others_would_leave_a_dump(tmp_path: Path) -> None:
    """Where this machine writes dumps at all, the one of an unprotected process shows what ours are spared."""
    endings = {}
    for protected in (False, True):
        code = "import os, signal\n" + "from kiosk.no_dumps import no_core_dumps\nno_core_dumps()\n" * protected
        with _dumps_wanted() as allowed:
            process = subprocess.Popen(
                [sys.executable, "-c", code + "os.kill(os.getpid(), signal.SIGSEGV)"], cwd=tmp_path,
            )
        _, ended = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
        endings[protected] = os.WCOREDUMP(ended)
    assert endings == {False: allowed, True: False}
