"""An office printer: the real ippeveprinter of CUPS, with an engine of ours behind it and faults to order."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from kiosk.devices.a4.exchange import Failure, IppAddress
from kiosk.devices.a4.ipp import PDF, IppPeer, Jobs
from kiosk.devices.emulated import a4_engine
from kiosk.devices.emulated.a4_faults import A4Faults
from kiosk.devices.emulated.spooler import free_port, wait_for_port

_BUS_SETTINGS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
  <allow receive_sender="*"/></policy>
</busconfig>
"""
_PANEL = "panel"
_REASONS = "reasons"
_COMMAND = """#!/bin/sh
if [ "$IPP_JOB_NAME" = {panel} ]; then  # prints nothing: it carries a new condition to an idle printer
    echo "STATE: $(cat {reasons})" >&2
    exit 0
fi
exec {engine} "$1"
"""
_SPARE_TRAY = 3
_FULL, _LOW, _EMPTY = 250, 20, 0  # sheets


class A4Printer:
    """On while entered as a context. Orders may be given at any time, also in the middle of a job."""

    def __init__(self, folder: Path, sheets: Path) -> None:
        """folder: for its own files, absolute and short; sheets: receives every document that came out, with its ticket."""
        self._folder = folder
        self._sheets = sheets
        self.port = free_port()
        self.faults = A4Faults()
        self._peer = IppPeer(IppAddress.parse(self.uri), threading.Event())
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"ipp://localhost:{self.port}/ipp/print"

    @property
    def paper(self) -> list[str]:
        """The job name of every page that came out, oldest first."""
        file = self._folder / a4_engine.PAPER
        return file.read_text("utf-8").splitlines() if file.exists() else []

    @property
    def documents(self) -> list[Path]:
        """Every document that came out to its last page; its ticket lies beside it as .json."""
        return sorted(self._sheets.glob("*.pdf"))

    def __enter__(self) -> A4Printer:
        (self._folder / "jobs").mkdir(parents=True, exist_ok=True)
        command = self._folder / "command"
        words = (sys.executable, "-m", a4_engine.__name__, str(self._folder), str(self._sheets))
        command.write_text(_COMMAND.format(panel=_PANEL, reasons=self._folder / _REASONS, engine=shlex.join(words)), "utf-8")
        command.chmod(0o755)
        with contextlib.ExitStack() as stack:
            stack.callback(_end, self._start_bus())
            stack.callback(self.go_away)
            self.come_back()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def order(self, **faults: object) -> None:
        """Changes faults by name; what is not named stays."""
        self.faults = replace(self.faults, **faults)  # type: ignore[arg-type]
        self._write()
        if self._process is not None:
            self._show()

    def cure(self) -> None:
        self.thaw()
        self.come_back()
        self.order(**{name: getattr(A4Faults(), name) for name in A4Faults.__slots__})

    def go_away(self) -> None:
        """Switched off in the middle of whatever it does; it forgets its jobs."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def come_back(self) -> None:
        if self._process is not None:
            return
        self._write()
        command = [
            "/usr/sbin/ippeveprinter", "-p", str(self.port), "-r", "off", "-n", "localhost", "-d", str(self._folder / "jobs"),
            "-f", "application/pdf", "-c", str(self._folder / "command"), "Kiosk A4",
        ]
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._bus_socket}"}
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        wait_for_port(self.port, self._process, "ippeveprinter")
        self._show()

    def freeze(self) -> None:
        """Connects, but answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)

    def _write(self) -> None:
        self.faults.write(self._folder / a4_engine.FAULTS)
        (self._folder / _REASONS).write_text(self.faults.reasons or "none", "utf-8")

    def _show(self) -> None:
        """Brings an idle printer into the ordered condition; one that prints hears of it from its engine."""
        self._load(_FULL)
        deadline = time.monotonic() + 10
        if not isinstance(self._peer.submit(b"%PDF-", _PANEL, 60, deadline, PDF), Failure):
            while _PANEL in self._open_jobs(deadline):
                time.sleep(0.02)
        self._load(_EMPTY if self.faults.paper_out else _LOW if self.faults.paper_low else _FULL)

    def _open_jobs(self, deadline: float) -> list[str]:
        jobs = self._peer.jobs(Jobs.OPEN, deadline)
        return [] if isinstance(jobs, Failure) else [job.name for job in jobs]

    def _load(self, sheets: int) -> None:
        """Fills the main tray through the form on the printer's own web page."""
        form = f"/media?size1={self.faults.media}&type1=stationery&level1={sheets}&level{_SPARE_TRAY}=-2"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", form, headers={"Connection": "close"})
            connection.getresponse().read()

    def _start_bus(self) -> subprocess.Popen[bytes]:
        """ippeveprinter wants a D-Bus for Avahi, though not Avahi itself: a private one, where nobody else is."""
        settings = self._folder / "bus.conf"
        settings.write_text(_BUS_SETTINGS.format(socket=self._bus_socket), "utf-8")
        command = ["/usr/bin/dbus-daemon", f"--config-file={settings}", "--nofork", "--nopidfile", "--print-address"]
        bus = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert bus.stdout is not None
        if not bus.stdout.readline():
            raise RuntimeError("dbus-daemon does not start")
        bus.stdout.close()
        return bus

    @property
    def _bus_socket(self) -> Path:
        return self._folder / "bus"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)
