"""Real processes by a fork server: imports are paid once, each child is a process of its own group and can be killed alone."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from harness import clock, points, submitter

_PRELOAD = [
    "harness.children", "kiosk.cli", "kiosk.sync.service", "kiosk.store.opening", "kiosk.store.cases", "django",
    "gunicorn.app.base",
    "kiosk.office.bootstrap",
]
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_ARM: dict[str, Callable[[points.Trap], None]] = {
    "submitter": points.arm_submitter, "sync": points.arm_sync, "office": points.arm_office,
}


def context() -> ForkServerContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(_PRELOAD)
    return found


class Child:
    """One process and everything it starts."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exitcode(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        """-9 to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join(20)

    def stop(self) -> None:
        """SIGTERM, then what cannot be refused."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self._process.join(20)
        self.kill()

    def wait(self, seconds: float) -> bool:
        """Whether it ended."""
        self._process.join(seconds)
        return not self.alive


def start(
    role: str, work: Callable[..., None], args: tuple[Any, ...], log: Path, point: str = "", nth: int = 1,
    clock_file: Path | None = None, environment: dict[str, str] | None = None,
) -> Child:
    """role: whose points are meant; point: where it kills itself, empty: nowhere."""
    process = context().Process(target=_child, args=(role, work, args, log, point, nth, clock_file, environment or {}))
    process.start()
    return Child(process)


def kiosk(*words: str) -> None:
    """The command line, as `python -m kiosk` runs it."""
    from kiosk.cli import app

    sys.argv = ["kiosk", *words]
    app()


def take_cases(orders: submitter.Orders) -> None:
    submitter.submit(orders)


def _child(
    role: str, work: Callable[..., None], args: tuple[Any, ...], log: Path, point: str, nth: int, clock_file: Path | None,
    environment: dict[str, str],
) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # nothing outlives the campaign
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    if clock_file is not None:
        clock.step_by(clock_file)
    if point:
        _ARM[role](points.Trap(point, nth))
    work(*args)
