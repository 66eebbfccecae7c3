"""A real cupsd of its own: the settings of `deploy/cups/`, but own folders and port, so that the machine's stays untouched."""

from __future__ import annotations

import grp
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from kiosk.config import REPOSITORY

_SETTINGS = REPOSITORY / "deploy" / "cups" / "cupsd.conf"
_START_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    """Raises RuntimeError when the process ends or does not listen in time."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{name} does not start")


class Spooler:
    """Runs while entered as a context."""

    def __init__(self, folder: Path) -> None:
        """folder: absolute and short; started by root, cupsd works as user lp, who must be able to pass through."""
        self._folder = folder
        self.port = free_port()
        self.spool = folder / "spool"
        """Where documents would be left behind."""
        self._socket = folder / "state" / "cups.sock"

    @property
    def server(self) -> str:
        return f"ipp://localhost:{self.port}"

    def __enter__(self) -> Spooler:
        for name in ("etc", "spool/tmp", "cache", "state", "log"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        settings, files = self._folder / "etc" / "cupsd.conf", self._folder / "etc" / "cups-files.conf"
        listen = f"Listen localhost:{self.port}\nListen {self._socket}\n"
        settings.write_text(listen + re.sub(r"(?m)^Listen .*\n", "", _SETTINGS.read_text("utf-8")), "utf-8")
        files.write_text(self._layout(), "utf-8")
        command = ["/usr/sbin/cupsd", "-f", "-c", str(settings), "-s", str(files)]
        with (self._folder / "log" / "output").open("wb") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for_port(self.port, self._process, "cupsd")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def add_queue(self, name: str, printer: str) -> None:
        """As the technician's manual has it; printer: its IPP address. It must answer just now.

        cupsd learns what the printer can do behind lpadmin's back; a job that came earlier would go another way.
        """
        options = ("-m", "everywhere", "-o", "printer-error-policy=abort-job")
        self._administer("lpadmin", "-p", name, "-E", "-v", printer, *options)
        deadline = time.monotonic() + _START_S
        while not (self._folder / "etc" / "ppd" / f"{name}.ppd").exists():
            if time.monotonic() > deadline:
                raise RuntimeError("cupsd does not get to know the printer")
            time.sleep(0.02)

    def halt(self, name: str) -> None:
        self._administer("cupsdisable", name)

    def resume(self, name: str) -> None:
        self._administer("cupsenable", name)

    def _administer(self, program: str, *words: str) -> None:
        environment = {**os.environ, "CUPS_SERVER": str(self._socket)}
        subprocess.run([f"/usr/sbin/{program}", *words], env=environment, check=True, capture_output=True, timeout=60)

    def _layout(self) -> str:
        group = grp.getgrgid(os.getgid()).gr_name
        here = self._folder
        return "\n".join((
            f"ServerRoot {here}/etc", f"RequestRoot {here}/spool", f"TempDir {here}/spool/tmp", f"CacheDir {here}/cache",
            f"StateDir {here}/state", f"ErrorLog {here}/log/error", f"AccessLog {here}/log/access", f"PageLog {here}/log/page",
            "User lp", "Group lp", f"SystemGroup {group}", "",
        ))
