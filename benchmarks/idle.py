"""What watching all devices costs while nobody is there: the device services alone, far ends in other processes."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from far_end import emulated
from figures import Figure, hand_over, tell

from kiosk.cli.journal import NoJournal
from kiosk.config import KioskConfig
from kiosk.devices.emulated.a4 import A4Emulator
from kiosk.domain.status import DeviceState, DeviceStatus
from kiosk.terminal.devices import Devices, Listeners

_SETTLE_S = 5.0
_WATCH_S = 30.0


def measure(folder: Path) -> list[Figure]:
    with contextlib.ExitStack() as far_ends:
        ports = {kind: folder / kind for kind in ("idcard", "socialcard", "scanner", "printer")}
        for kind, link in ports.items():
            options = ["--no-card"] if kind == "idcard" else []
            far_ends.enter_context(emulated(kind, "--link", str(link), *options))
        camera = far_ends.enter_context(emulated("camera"))
        config = KioskConfig(
            mode="demo", camera={"source": camera, "width": 640, "height": 480}, idcard={"port": str(ports["idcard"])},
            socialcard={"adapter": "crt310", "port": str(ports["socialcard"])}, printer={"port": str(ports["printer"])},
            scanner={"enabled": True, "port": str(ports["scanner"]), "proof": "newland"},
            a4=_paper(far_ends, folder),
        )
        devices = Devices(config, NoJournal(), Listeners(_ignore, _ignore, _ignore, _ignore, _ignore, _ignore))
        devices.start()
        try:
            _until_ready(devices)
            time.sleep(_SETTLE_S)
            tell(f"watching {len(devices.all)} devices for {_WATCH_S:g} s …")
            idle = _cpu_percent()
            devices.idcard.seek()
            seeking = _cpu_percent()
        finally:
            devices.stop()
    names = ", ".join(device.status.kind.value for device in devices.all)
    goal = {"goal": 3.0}
    return [
        Figure(f"CPU while idle: {names}", "% of one core", {"mean": idle}, goal, idle / goal["goal"]),
        Figure("the same, the start screen looking for a card", "% of one core", {"mean": seeking}),
    ]


def _paper(far_ends: contextlib.ExitStack, folder: Path) -> dict[str, object]:
    """The A4 printer and its spooler, which only root can start here."""
    if os.geteuid() != 0:
        tell("without root there is no A4 printer in this figure")
        return {}
    emulated = far_ends.enter_context(A4Emulator(folder / "sheets"))
    return {"enabled": True, "server": emulated.spooler.server, "printer": emulated.printer.uri}


def _cpu_percent() -> float:
    process = psutil.Process()
    began, before = time.monotonic(), process.cpu_times()
    time.sleep(_WATCH_S)
    after = process.cpu_times()
    return 100 * (after.user - before.user + after.system - before.system) / (time.monotonic() - began)


def _until_ready(devices: Devices) -> None:
    deadline = time.monotonic() + 60
    while waiting := [device.status for device in devices.all if device.status.state is not DeviceState.READY]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not ready: {waiting}")
        time.sleep(0.1)


def _ignore(*happened: DeviceStatus | object) -> None:
    """Only the cost counts here."""


if __name__ == "__main__":
    hand_over(measure)
