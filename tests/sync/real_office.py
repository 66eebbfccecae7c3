"""The real office as a process of its own, for tests of the terminal's side: served on loopback, asked by short scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kiosk.sync.wire.enrolment import EnrolmentCode

_PYTHON = [sys.executable, "-W", "error", "-c"]
_SETUP = "from kiosk.office import bootstrap; bootstrap.configure()\nimport json\n"


class RealOffice:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        self._run("from kiosk.office import service; service.init(admin_password='a long word 23')")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*_PYTHON, "from kiosk.office import service; service.serve('127.0.0.1', 0)"], env=self._environment(),
            stdout=subprocess.PIPE, text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        assert ready[:3] == ["office", "ready", "on"], ready
        self.url = ready[3]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def codes(self, terminal_id: str) -> tuple[EnrolmentCode, str]:
        """Long, at the address it is served on, and short."""
        long, short = self.ask(
            "from kiosk.office.enrolment import issue_codes\n"
            f"made = issue_codes({terminal_id!r}, '含湖村', 't')\nfound = [made.long.encode(), made.short]"
        )
        return EnrolmentCode.decode(long).model_copy(update={"url": self.url}), short

    def ask(self, script: str) -> Any:
        """What the script leaves in `found`."""
        return json.loads(self._run(f"{_SETUP}{script}\nprint(json.dumps(found, default=str))"))

    def _run(self, script: str) -> str:
        done = subprocess.run(
            [*_PYTHON, script], env=self._environment(), capture_output=True, text=True, check=False, timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("KIOSK_", "DJANGO_"))}
        return clean | {"KIOSK_OFFICE_DATA": str(self.data)}
