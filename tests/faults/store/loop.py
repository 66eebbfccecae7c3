"""A disk of its own: an ext4 image in memory, mounted by a loop device; cut off by copying what has reached the image."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_LAZY = {"dirty_writeback_centisecs": "0", "dirty_expire_centisecs": "360000"}
_VM = Path("/proc/sys/vm")


class Disk:
    """Mounted while entered. image: what has reached the disk."""

    def __init__(self, image: Path, at: Path, options: str = "commit=600") -> None:
        self.image, self.at, self._options = image, at, options

    def __enter__(self) -> Disk:
        self.at.mkdir(exist_ok=True)
        _run("mount", "-o", f"loop,{self._options}", str(self.image), str(self.at))
        return self

    def __exit__(self, *_: object) -> None:
        for _try in range(50):
            if subprocess.run(["umount", str(self.at)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        _run("umount", "-l", str(self.at))

    def cut(self, to: Path) -> Path:
        """The image as it is this moment; nothing is flushed for it."""
        shutil.copyfile(self.image, to)
        return to

    def fail(self) -> None:
        """The kernel finds an error on it, as of a dying disk: it becomes read-only."""
        device = subprocess.run(
            ["findmnt", "-no", "SOURCE", str(self.at)], capture_output=True, text=True, check=True,
        ).stdout.strip()
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("campaign")


def make_image(path: Path, megabytes: int) -> Path:
    with path.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", str(path))
    return path


@contextlib.contextmanager
def memory() -> Iterator[Path]:
    """A folder in memory for images; skips where no loop device can be mounted."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("POWER CUTS NOT RUN: loop devices need root and mkfs.ext4")
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="kiosk-faults-", dir=shared if shared.is_dir() else None))
    try:
        probe = Disk(make_image(folder / "probe", 8), folder / "probe-mount")
        try:
            with probe:
                pass
        except subprocess.CalledProcessError as error:
            pytest.skip(f"POWER CUTS NOT RUN: loop devices cannot be mounted here ({error.stderr.strip()})")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def lazy_kernel() -> Iterator[None]:
    """The kernel writes nothing back by itself. Machine-wide, so put back whatever happens."""
    before = {name: (_VM / name).read_text() for name in _LAZY}
    try:
        for name, value in _LAZY.items():
            (_VM / name).write_text(value)
        yield
    finally:
        for name, value in before.items():
            (_VM / name).write_text(value)


class Forked:
    """A function in a process of its own, to be killed."""

    def __init__(self, work: Callable[[], None], said: Path) -> None:
        self._pid: int | None = os.fork()
        if self._pid == 0:
            code = 1
            try:
                with said.open("ab") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                sys.stdout = os.fdopen(1, "w", closefd=False)
                work()
                sys.stdout.flush()
                code = 0
            finally:
                os._exit(code)

    def wait(self, seconds: float) -> bool:
        """Whether it ended."""
        deadline = time.monotonic() + seconds
        while self._pid is not None and time.monotonic() < deadline:
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                self._pid = None
            else:
                time.sleep(0.01)
        return self._pid is None

    def kill(self) -> None:
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None


def repair(image: Path) -> None:
    """As the machine does at its next start."""
    found = subprocess.run(["e2fsck", "-f", "-y", str(image)], capture_output=True, text=True, check=False)
    assert found.returncode < 4, found.stdout


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, text=True, check=True)
