"""One town: an office, a line and terminals before it, all real processes; started, killed and started again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from harness import children
from harness.children import Child
from harness.proxy import ChaosProxy
from harness.submitter import Journal, Orders
from kiosk.config import KioskConfig, load_config

_READY_S = 60.0
_CONFIG = """
mode = "demo"
[site]
name = "fault campaign"
[store]
path = "{folder}/terminal.db"
key_file = "{folder}/../{name}.key"
free_floor_mb = 0
ballast_mb = 1
[sync]
poll_s = 0.05
pull_s = 1.0
heartbeat_s = 1.0
backoff_base_s = 0.02
backoff_cap_s = 0.4
connect_timeout_s = 1.0
total_timeout_s = 1.5
part_kb = 16
"""
_CLEAN = ("KIOSK_", "DJANGO_")


@dataclass
class Machine:
    """One terminal's disk: everything in `folder` is what a thief would carry off; the key lies elsewhere."""

    folder: Path
    processes: dict[str, Child] = field(default_factory=dict)

    @property
    def config_file(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.toml")

    @property
    def config(self) -> KioskConfig:
        return load_config(self.config_file)

    @property
    def journal(self) -> Journal:
        """Beside the machine: it is the campaign's, not the terminal's."""
        return Journal(self.folder.with_name(f"{self.folder.name}.journal"))

    @property
    def log(self) -> Path:
        return self.folder / "process.log"

    def make(self) -> None:
        self.folder.mkdir(parents=True)
        self.folder.with_name(f"{self.folder.name}.key").write_text("5c" * 32, encoding="ascii")
        self.config_file.write_text(_CONFIG.format(folder=self.folder, name=self.folder.name), encoding="utf-8")

    def set(self, name: str, value: float) -> None:
        """A number in the configuration; for processes started from here on."""
        lines = self.config_file.read_text(encoding="utf-8").splitlines()
        changed = [f"{name} = {value}" if line.startswith(f"{name} = ") else line for line in lines]
        self.config_file.write_text("\n".join(changed), encoding="utf-8")

    def copy_to(self, folder: Path) -> Machine:
        """A cloned disk. Nothing may run on either."""
        twin = Machine(folder)
        twin.make()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return twin

    def submit(self, last: int, point: str = "", nth: int = 1, clock: Path | None = None, **more: object) -> Child:
        orders = Orders(self.config_file, self.journal.path, last, **more)  # type: ignore[arg-type]
        child = children.start("submitter", children.take_cases, (orders,), self.log, point, nth, clock, _environment())
        self.processes["submitter"] = child
        return child

    def sync(
        self, point: str = "", nth: int = 1, clock: Path | None = None, work: Callable[..., None] = children.kiosk,
        before: tuple[str, ...] = (),
    ) -> Child:
        """work: another hand than the command line's, told `before` first."""
        words = (*before, "sync", "run", "--config", str(self.config_file))
        child = children.start("sync", work, words, self.log, point, nth, clock, _environment())
        self.processes["sync"] = child
        return child

    def call(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`kiosk …` on this machine, to its end."""
        return _kiosk(_environment(), *words, "--config", str(self.config_file), stdin=stdin)

    def kill(self) -> None:
        for child in self.processes.values():
            child.kill()


class Town:
    """Entered as a context; everything it started is gone afterwards."""

    def __init__(self, folder: Path, chance: random.Random, lies: bool = False) -> None:
        self.folder = folder
        self.proxy = ChaosProxy(chance, lies)
        self.office_data = folder / "office"
        self.office: Child | None = None
        self.machines: list[Machine] = []

    def __enter__(self) -> Town:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._office_call("init", "--admin-password", "a long word 23")
        self.start_office()
        self.add_machine("hg01")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for machine in self.machines:
            machine.kill()
        if self.office is not None:
            self.office.kill()
        self.proxy.close()

    @property
    def machine(self) -> Machine:
        return self.machines[0]

    def add_machine(self, name: str) -> Machine:
        machine = Machine(self.folder / name)
        machine.make()
        self.machines.append(machine)
        self.enrol(machine, name.upper())
        return machine

    def enrol(self, machine: Machine, terminal_id: str) -> None:
        """With a fresh code, over a line that does not lie."""
        code = self._office_call("enrol-terminal", terminal_id, "含湖村").stdout.strip()
        with self.honest_line():
            done = machine.call("sync", "enrol", "-", stdin=code)
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def honest_line(self) -> Iterator[None]:
        lies, self.proxy.lies = self.proxy.lies, False
        yield
        self.proxy.lies = lies

    def start_office(self, point: str = "", nth: int = 1, wait: bool = True) -> Child:
        port = _free_port()
        words = ("office", "serve", "--data", str(self.office_data), "--port", str(port))
        self.office = children.start(
            "office", children.kiosk, words, self.office_data / "process.log", point, nth, None, self.office_environment,
        )
        self.proxy.office = ("127.0.0.1", port)
        if wait:
            self._until_it_answers(port)
        return self.office

    def stop_office(self) -> None:
        if self.office is not None:
            self.office.stop()

    def ask_office(self, script: str) -> str:
        """What a short script inside the office's software prints."""
        setup = "from kiosk.office import bootstrap; bootstrap.configure()\n"
        done = subprocess.run(
            [sys.executable, "-c", setup + script], env=_environment() | self.office_environment, capture_output=True, text=True,
            check=False, timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def office_environment(self) -> dict[str, str]:
        return {"KIOSK_OFFICE_DATA": str(self.office_data), "KIOSK_OFFICE_URL": self.proxy.url, "KIOSK_OFFICE_FREE_FLOOR_MB": "0"}

    def _office_call(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = _kiosk(_environment() | self.office_environment, "office", *words, "--data", str(self.office_data))
        assert done.returncode == 0, done.stderr
        return done

    def _until_it_answers(self, port: int) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self.office is not None and self.office.alive:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.02)


def until(true: Callable[[], bool], seconds: float, why: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {why}"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_CLEAN)}


def _kiosk(environment: dict[str, str], *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiosk", *words], env=environment, input=stdin, capture_output=True, text=True, check=False,
        timeout=120,
    )
