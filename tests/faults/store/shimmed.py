"""The shim, compiled when needed, and a worker under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from store.worker import Orders, configure

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Ran:
    folder: Path
    log: Path
    acks: Path
    config: Path
    said: str


def compile_shim(folder: Path) -> Path:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: the shim below the store cannot be built")
    made = folder / "shim.so"
    options = ["-O1", "-Wall", "-Werror", "-shared", "-fPIC"]
    subprocess.run([gcc, *options, "-o", made, HERE / "shim.c", "-ldl", "-lpthread"], check=True)
    return made


def run_worker(shim: Path, beside: Path, logged: bool = True, ballast_mb: int = 0, **orders: object) -> Ran:
    """A fresh process; the same folder again goes on where it was. logged: then the receipts stand in the log too."""
    folder = beside / "data"
    folder.mkdir(parents=True, exist_ok=True)
    config = configure(folder, beside, ballast_mb=ballast_mb)
    log, acks = beside / "shim.log", (folder if logged else beside) / "acks"
    environment = {**os.environ, "LD_PRELOAD": str(shim), "SHIM_DIR": str(folder)}
    if logged:
        environment["SHIM_LOG"] = str(log)
    command = [sys.executable, str(HERE / "worker.py"), Orders(str(config), str(acks), **orders).argument()]  # type: ignore[arg-type]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return Ran(folder, log, acks, config, done.stdout)
