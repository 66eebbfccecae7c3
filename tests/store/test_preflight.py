"""File systems that can lose a case are refused; what cannot be read is a doubt, not a verdict."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import kiosk.store.opening
from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.store import preflight
from kiosk.store.opening import open_store
from kiosk.store.preflight import FileSystem, examine, refuse_unsafe
from kiosk.store.unusable import StoreUnusable


class Machine:
    """Invented /proc and /sys around the true device number of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.folder.mkdir()
        self.proc, self.sys = folder / "proc", folder / "sys"
        (self.proc / "self").mkdir(parents=True)
        (self.sys / "dev/block").mkdir(parents=True)
        device = self.folder.stat().st_dev
        self._number = f"{os.major(device)}:{os.minor(device)}"

    def mount(self, kind: str, options: str = "rw", first: str = "") -> None:
        rows = ["22 27 0:21 / /proc rw,relatime - proc proc rw", first, "nonsense",
                f"27 1 {self._number} / / rw,relatime shared:1 - {kind} /dev/root {options}"]
        (self.proc / "self/mountinfo").write_text("\n".join(filter(None, rows)) + "\n")

    def superblock(self, options: str) -> None:
        (self.proc / "fs/ext4/sda1").mkdir(parents=True)
        (self.proc / "fs/ext4/sda1/options").write_text(options)
        (self.sys / "devices/sda1").mkdir(parents=True)
        (self.sys / "dev/block" / self._number).symlink_to(self.sys / "devices/sda1")

    def examine(self) -> FileSystem:
        return examine(self.folder, self.proc, self.sys)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_good_ext4(machine: Machine) -> None:
    machine.mount("ext4")
    machine.superblock("rw\nbarrier\ndata=ordered\ncommit=5\n")
    assert machine.examine() == FileSystem("ext4", (), ())


@pytest.mark.parametrize("options", ["rw,data=writeback", "rw,nobarrier", "rw,barrier=0"])
def test_mounted_without_care(machine: Machine, options: str) -> None:
    machine.mount("ext4", options)
    machine.superblock("rw\nbarrier\ndata=ordered\n")
    assert len(machine.examine().unsafe) == 1


@pytest.mark.parametrize("options", ["rw\nbarrier\ndata=writeback\n", "rw\nnobarrier\ndata=ordered\n"])
def test_what_only_the_superblock_says(machine: Machine, options: str) -> None:
    machine.mount("ext4")
    machine.superblock(options)
    assert len(machine.examine().unsafe) == 1


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_network_file_systems(machine: Machine, kind: str) -> None:
    machine.mount(kind)
    assert machine.examine().unsafe


def test_barriers_of_another_kind(machine: Machine) -> None:
    machine.mount("xfs", "rw,nobarrier")
    assert machine.examine().unsafe


def test_what_is_not_known_is_a_doubt(machine: Machine) -> None:
    machine.mount("ext4")
    assert machine.examine().unsafe == () and machine.examine().doubts
    machine.mount("tmpfs")
    assert machine.examine().unsafe == () and machine.examine().doubts
    (machine.proc / "self/mountinfo").write_text("")
    assert machine.examine().kind == "" and machine.examine().doubts


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    assert examine(tmp_path).kind


def test_the_store_is_not_opened_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(preflight, "examine", lambda folder: FileSystem("nfs4", ("a network file system",), ()))
    key = tmp_path / "key"
    key.write_text("0f" * 32)
    place = StoreConfig(path=tmp_path / "terminal.db", key_file=key)
    with pytest.raises(StoreUnusable, match="file_system"):
        open_store(KioskConfig(mode=Mode.PRODUCTION, store=place))
    assert not place.path.exists()
    open_store(KioskConfig(mode=Mode.DEMO, store=place)).dispose()
    assert "nfs4" in caplog.text


def test_an_unreadable_proc_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(folder: Path) -> None:
        raise OSError(2, "gone")

    monkeypatch.setattr(kiosk.store.opening, "refuse_unsafe", gone)
    open_store(KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=tmp_path / "terminal.db"))).dispose()
    with pytest.raises(OSError, match="gone"):
        gone(tmp_path)
    assert refuse_unsafe is not gone
