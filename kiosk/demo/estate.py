"""Everything around the terminal: office, network, emulated devices, sync. Started in order, stopped in reverse."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from kiosk.config import REPOSITORY
from kiosk.demo.network import Network
from kiosk.demo.people import CARDHOLDER, STAFF_PIN, write_roster
from kiosk.devices.emulated.a4 import QUEUE, A4Emulator
from kiosk.devices.emulated.cards import EmulatedCard
from kiosk.devices.emulated.crt310 import Crt310Emulator
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.emulated.scanner import ScannerEmulator
from kiosk.domain.pin import PinHash

TERMINAL_ID = "HG01"
DESK_USER, DESK_PASSWORD = "admin", "demo-2026"
"""For the embedded office only: it listens on loopback and knows invented people."""
_PEOPLE = ("stranger", "cardholder")
"""Everybody else is one of them, or a picture of one."""
_READY_S = 60.0
_MARKER = ".kiosk-demo"
"""Lies in a folder the demo has made and may therefore remove."""


@dataclass(frozen=True, slots=True)
class RealDevices:
    """Named by option instead of an emulator; None keeps the emulator."""

    camera: str | None = None
    idcard: str | None = None
    printer: str | None = None


class Estate:
    """Entered as a context. `folder` is begun anew each time; nothing outside it is touched."""

    def __init__(
        self, folder: Path, devices: RealDevices, window: tuple[int, int] = (540, 960), idle_s: float = 60.0,
        say: Callable[[str], None] = print, a4: bool = False,
    ) -> None:
        """window: width and height of the terminal's window, in pixels; a4: with cupsd and an A4 printer, which need root."""
        self._window, self._idle_s = window, idle_s
        self.folder = folder.resolve()
        self.slips = self.folder / "slips"
        self.config = self.folder / "terminal.toml"
        self._devices = devices
        self._say = say
        self._stack = contextlib.ExitStack()
        self.network = Network()
        self.reader: IdCardEmulator | None = None
        self.socialcard: Crt310Emulator
        self.scanner: ScannerEmulator
        self.printer: PrinterEmulator | None = None
        self.a4: A4Emulator | None = A4Emulator(self.folder / "sheets") if a4 else None
        self.camera: str | None = None
        """Address of the emulated camera."""

    def __enter__(self) -> Estate:
        self._begin_anew()
        self.network.start()
        self._stack.callback(self.network.stop)
        try:
            with ThreadPoolExecutor() as pool:
                office = pool.submit(self._start_office)
                emulators = pool.submit(self._start_emulators)
                emulators.result()
                office.result()
            self._enrol()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    # ------------------------------------------------------------------ what the bench and the day turn

    def lay_card(self) -> None:
        if self.reader:
            self.reader.lay(EmulatedCard.of(CARDHOLDER))

    def lift_card(self) -> None:
        if self.reader:
            self.reader.lift()

    def stand(self, person: str) -> None:
        """A `Person` before the emulated camera: `cardholder`, `stranger`, `photo`, `two`, `nobody` …"""
        self._order(f"person/{person}")

    def act(self, request: str) -> None:
        """The person before the emulated camera hears what the terminal asks for: a `Coach` value."""
        self._order(f"act/{request}")

    def camera_fault(self, fault: str) -> None:
        self._order(f"fault/{fault}")

    def office_cases(self) -> list[dict[str, Any]]:
        """What staff see, newest last."""
        listing: list[dict[str, Any]] = json.loads(self._kiosk("office", "cases", "--json", "--data", str(self._office_data)))
        return listing

    def sync_status(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "kiosk", "sync", "status", "--json", "--config", str(self.config)]
        shown: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return shown

    @property
    def _environment(self) -> dict[str, str]:
        """Terminals reach the office through the network that can be cut; its decisions on simulated cases count."""
        return {**os.environ, "KIOSK_OFFICE_URL": self.network.url, "KIOSK_OFFICE_DEMO": "true"}

    @property
    def _office_data(self) -> Path:
        return self.folder / "office"

    @property
    def office_address(self) -> tuple[str, int]:
        host, port = self._office_url.removeprefix("http://").split(":")
        return host, int(port)

    @property
    def desk_url(self) -> str:
        return f"{self._office_url}/"

    # ------------------------------------------------------------------ building it

    def _begin_anew(self) -> None:
        """Raises OSError for a folder that holds anything but an earlier demo."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / _MARKER).exists():
                raise FileExistsError(f"{self.folder} holds something else; name an empty folder for the demo")
            shutil.rmtree(self.folder)
        self.slips.mkdir(parents=True)
        (self.folder / _MARKER).touch()

    def _start_office(self) -> None:
        data = self._office_data
        self._say("the office is being set up …")
        self._kiosk("office", "init", "--data", str(data), "--admin-password", DESK_PASSWORD)
        roster = write_roster(self.folder / "roster", dt.date.today())
        self._kiosk("office", "import-roster", str(roster), "--data", str(data))
        self._code = self._kiosk("office", "enrol-terminal", TERMINAL_ID, "含湖村便民服务中心", "--data", str(data)).strip()
        ready = self._spawn("office", "office", "serve", "--data", str(data), "--port", "0")
        self._office_url = ready.rsplit(" ", 1)[-1]
        self.network.lead_to(*self.office_address)

    def _start_emulators(self) -> None:
        ports = self.folder / "ports"
        if self._devices.idcard is None:
            self.reader = self._stack.enter_context(IdCardEmulator(ports / "idcard"))
        self.socialcard = self._stack.enter_context(Crt310Emulator(ports / "socialcard"))
        self.scanner = self._stack.enter_context(ScannerEmulator(ports / "scanner"))
        if self.a4:
            self._stack.enter_context(self.a4)
        if self._devices.printer is None:
            line = self._stack.enter_context(PtyPort(ports / "printer"))
            self.printer = self._stack.enter_context(PrinterEmulator(line, slip_dir=self.slips))
        if self._devices.camera is None:
            self._say("the emulated person is being drawn …")
            self.camera = self._spawn("camera", "emulate", "camera", "--person", "cardholder")
            for person in _PEOPLE:  # drawn now, so that nobody waits for it later
                self.stand(person)

    def _enrol(self) -> None:
        self.config.write_text(_CONFIG.format(
            folder=self.folder, camera=self.camera or self._devices.camera,
            idcard=self._devices.idcard or self.folder / "ports/idcard",
            printer=self._devices.printer or self.folder / "ports/printer",
            width=self._window[0], height=self._window[1], idle=self._idle_s, staff=PinHash.of(STAFF_PIN),
        ) + self._a4_config(), encoding="utf-8")
        self._say(self._kiosk("sync", "enrol", "-", "--config", str(self.config), stdin=self._code).strip())
        self._spawn("sync", "sync", "run", "--config", str(self.config), ready=False)
        deadline = time.monotonic() + _READY_S
        while not self.sync_status()["roster_size"]:  # without it the cardholder is a stranger to the terminal
            if time.monotonic() > deadline:
                raise RuntimeError(f"the roster does not arrive; see {self.folder / 'sync.log'}")
            time.sleep(0.2)

    def _a4_config(self) -> str:
        if self.a4 is None:
            return ""
        server, printer = self.a4.spooler.server, self.a4.printer.uri
        return f'\n[a4]\nenabled = true\nserver = "{server}"\nqueue = "{QUEUE}"\nprinter = "{printer}"\n'

    def _order(self, what: str) -> None:
        if self.camera:
            httpx.post(f"{self.camera.removesuffix('/stream')}/{what}", timeout=30).raise_for_status()

    def _kiosk(self, *words: str, stdin: str = "") -> str:
        """One command of the command line, in its own process as a clerk would run it."""
        command = [sys.executable, "-m", "kiosk", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=self._environment)
        if done.returncode:
            raise RuntimeError(f"kiosk {' '.join(words[:2])} failed:\n{done.stderr or done.stdout}")
        return done.stdout

    def _spawn(self, name: str, *words: str, ready: bool = True) -> str:
        """A process beside the terminal, ended with the estate. Returns its first line when it tells one."""
        log = self._stack.enter_context((self.folder / f"{name}.log").open("w", encoding="utf-8"))
        out = subprocess.PIPE if ready else log
        command = [sys.executable, "-m", "kiosk", *words]
        process = subprocess.Popen(
            command, stdout=out, stderr=log, text=True, cwd=REPOSITORY, env=self._environment,
            start_new_session=True,  # Ctrl-C is for the demo, which ends its processes in order
        )
        self._stack.callback(_end, process)
        if not ready or process.stdout is None:
            return ""
        self._stack.callback(process.stdout.close)
        ready_to_read, _, _ = select.select([process.stdout], [], [], _READY_S)
        line = process.stdout.readline().strip() if ready_to_read else ""
        if not line:
            raise RuntimeError(f"{name} did not start; see {self.folder / name}.log")
        return line


def _end(process: subprocess.Popen[str]) -> None:
    """The process and whatever it has started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


_CONFIG = """\
# Made by `kiosk demo`; begun anew each time.
mode = "demo"

[site]
name = "含湖村便民服务中心"

[store]
path = "{folder}/terminal.db"
free_floor_mb = 64

[camera]
source = "{camera}"
width = 640
height = 480

[idcard]
port = "{idcard}"

[socialcard]
adapter = "crt310"
port = "{folder}/ports/socialcard"

[scanner]
enabled = true
port = "{folder}/ports/scanner"
proof = "newland"

[printer]
port = "{printer}"

[ui]
fullscreen = false
width = {width}
height = {height}
idle_s = {idle}
countdown_s = 20

[staff.members]
demo = "{staff}"

[sync]
poll_s = 0.3
pull_s = 5.0
backoff_cap_s = 4.0
heartbeat_s = 10.0
"""
