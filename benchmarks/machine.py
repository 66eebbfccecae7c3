"""What a figure depends on besides the software: the machine it was taken on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

_PACKAGES = (
    "PySide6-Essentials", "dlib-bin", "face_recognition", "face_recognition_models", "numpy", "opencv-python-headless",
    "sqlalchemy", "sqlcipher3", "django", "gunicorn",
)


def facts(folder: Path) -> dict[str, Any]:
    """folder: where the databases are written."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "file_system": _file_system(folder),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "load": os.getloadavg(),
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    above = [disk for disk in psutil.disk_partitions(all=True) if folder.is_relative_to(disk.mountpoint)]
    return str(max(above, key=lambda disk: len(disk.mountpoint)).fstype)
