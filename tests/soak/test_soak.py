"""Conversation after conversation on the whole terminal, with device faults at random moments.

The short one is part of the suite. The long one, by default of 2,000 conversations:
    pytest -m long tests/soak          (KIOSK_SOAK_VISITS for another number; figures go to build/soak.json)
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import random
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from robot import QuickFace, Robot
from sqlalchemy import select
from sqlalchemy.orm import Session

from kiosk.config import REPOSITORY, load_config
from kiosk.demo.estate import Estate, RealDevices
from kiosk.devices.idcard import service as idcard
from kiosk.devices.printer.escpos import packets
from kiosk.domain.slip import Raster
from kiosk.flow.view import Step
from kiosk.store.models import PrintRow, PrintState
from kiosk.store.opening import open_store
from kiosk.terminal import app as terminal_app
from kiosk.terminal.app import Terminal
from kiosk.texts import load_texts
from kiosk.ui.fonts import load_fonts

_SETTINGS = {
    "UI__VOICE": "false", "UI__DEBOUNCE_S": "0", "UI__DELIVERY_WAIT_S": "0", "PRINTER__FENCE_PATIENCE_S": "4",
    "STORE__FREE_FLOOR_MB": "64",
}
_SAMPLES = 40


def test_a_dozen_conversations(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soak(12, seed=3, folder=tmp_path, monkeypatch=monkeypatch)


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_two_thousand_conversations(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visits = int(os.environ.get("KIOSK_SOAK_VISITS", "2000"))
    figures = soak(visits, seed=int(time.time()), folder=tmp_path, monkeypatch=monkeypatch)
    samples = figures["samples"]
    early, late = samples[len(samples) // 10 : len(samples) // 4], samples[-len(samples) // 8 :]
    growth = {name: _median(late, name) - _median(early, name) for name in ("fds", "threads", "rss_mb")}
    assert growth["fds"] <= 5 and growth["threads"] <= 3 and growth["rss_mb"] <= 40, growth


def soak(visits: int, seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Fails for a stuck conversation, a doubled slip, a slip called printed that never came out, or a lost case."""
    for name, value in _SETTINGS.items():
        monkeypatch.setenv(f"KIOSK_{name}", value)
    monkeypatch.setattr(terminal_app, "FaceClient", QuickFace)
    monkeypatch.setattr(idcard, "Timing", lambda: _Timing(poll=0.06, same_card=0.0))
    cut: Counter[str] = Counter()
    with Estate(folder / "town", RealDevices(), say=lambda text: None) as town:
        printer, reader = town.printer, town.reader
        assert printer is not None and reader is not None

        def note_slip(slip: Raster) -> None:
            cut[hashlib.sha256(b"".join(packets(slip))).hexdigest()] += 1  # as the journal knows a job
            printer.slips.clear()

        printer.on_cut = note_slip
        printer.lines_per_s, printer.slip_dir = 8000.0, None
        config = load_config(town.config)
        load_fonts(config.ui.font_dir)
        terminal = Terminal(config, load_texts(config.ui.texts))
        terminal.start()
        robot = Robot(town, terminal, random.Random(seed))
        _until_open(terminal)
        began, samples = time.monotonic(), []
        process = psutil.Process()
        for index in range(visits):
            robot.visit(index)
            printer.received.clear()
            reader.received.clear()
            if index % max(1, visits // _SAMPLES) == 0:
                gc.collect()
                samples.append({"visit": index, "fds": process.num_fds(), "threads": process.num_threads(),
                                "rss_mb": process.memory_info().rss / 2**20})
        took = time.monotonic() - began
        terminal.stop()
        QApplication.processEvents()
        jobs = _jobs(config)
        unsent = _delivered(town)
        office = len(town.office_cases())
    printed = [digest for digest, state in jobs if state == PrintState.PRINTED]
    figures: dict[str, Any] = {
        "visits": visits, "seed": seed, "seconds": round(took), "worst_s": round(robot.worst_s, 1), "ends": robot.ends,
        "faults": robot.faults, "stuck": robot.stuck, "handed_in": robot.handed_in, "at_the_office": office,
        "print_jobs": Counter(state for _, state in jobs), "slips_cut": sum(cut.values()),
        "doubled_slips": sum(count - 1 for digest, count in cut.items() if count > 1 and digest in dict(jobs)),
        "printed_but_never_cut": len(set(printed) - cut.keys()), "samples": samples,
    }
    (REPOSITORY / "build").mkdir(exist_ok=True)
    (REPOSITORY / "build" / "soak.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
    assert not robot.stuck, robot.stuck
    assert figures["doubled_slips"] == 0 and figures["printed_but_never_cut"] == 0, figures
    assert unsent == 0 and office == robot.handed_in, figures
    return figures


_Timing = idcard.Timing


def _until_open(terminal: Terminal) -> None:
    deadline = time.monotonic() + 60
    while terminal.view is None or terminal.view.step is not Step.ATTRACT:
        QApplication.processEvents()
        time.sleep(0.01)
        assert time.monotonic() < deadline


def _jobs(config: Any) -> list[tuple[str, str]]:
    engine = open_store(config)
    with Session(engine) as session:
        jobs = [(row.digest, row.state) for row in session.scalars(select(PrintRow))]
    engine.dispose()
    return jobs


def _delivered(town: Estate) -> int:
    for _ in range(120):
        if not (unsent := town.sync_status()["unsent"]):
            break
        time.sleep(1)
    return int(unsent)


def _median(samples: list[dict[str, float]], name: str) -> float:
    return statistics.median(sample[name] for sample in samples)
