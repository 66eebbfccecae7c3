"""Whether the file system under the database keeps what it says it keeps. Read from /proc, where nothing is asked twice.

ext4 can carry `data=writeback` and `nobarrier` in its superblock, where the mount table shows neither; only
/proc/fs/ext4/<device>/options tells them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kiosk.store.unusable import StoreUnusable

_NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "fuse.sshfs", "fuse.glusterfs",
    "fuse.ceph", "fuse.rclone", "fuse.s3fs", "virtiofs", "ocfs2", "gfs2", "davfs", "fuse.davfs2",
})
_VOLATILE = frozenset({"tmpfs", "ramfs", "overlay"})
_UNSAFE = {
    "data=writeback": "after a power cut files may hold old bytes",
    "nobarrier": "the disk may keep writes in its cache",
    "barrier=0": "the disk may keep writes in its cache",
}


@dataclass(frozen=True, slots=True)
class FileSystem:
    """kind: `ext4`, empty where it is not known. unsafe: why nothing may be kept there. doubts: what staff should know."""

    kind: str
    unsafe: tuple[str, ...]
    doubts: tuple[str, ...]


def examine(folder: Path, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> FileSystem:
    """The file system this folder lies on. "Not known" is a doubt, never a refusal."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    found = _mount(number, proc)
    if found is None:
        return FileSystem("", (), ("the file system is not in the mount table",))
    kind, options = found
    doubts: list[str] = []
    if kind == "ext4":
        told = _ext4_options(number, proc, sys)
        if told is None:
            doubts.append("the options of ext4 cannot be read")
        else:
            options = options | told
    if kind in _VOLATILE:
        doubts.append(f"{kind} forgets everything at power off")
    unsafe = [f"{option}: {why}" for option, why in _UNSAFE.items() if option in options]
    if kind in _NETWORK:
        unsafe.append(f"{kind} is a network file system: neither locks nor syncs hold")
    return FileSystem(kind, tuple(unsafe), tuple(doubts))


def refuse_unsafe(folder: Path) -> None:
    """Raises StoreUnusable, OSError."""
    found = examine(folder)
    if found.unsafe:
        raise StoreUnusable(
            "file_system", f"{folder} lies on {found.kind} that can lose cases ({'; '.join(found.unsafe)}): "
            "put the database on local ext4 with data=ordered and barriers",
        )


def _mount(number: str, proc: Path) -> tuple[str, frozenset[str]] | None:
    """Kind and options; the last mount of a device counts. Format: proc(5), /proc/pid/mountinfo."""
    found = None
    for line in (proc / "self" / "mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        here, _, source = line.partition(" - ")
        words, about = here.split(), source.split()
        if len(words) > 5 and len(about) > 2 and words[2] == number:
            found = about[0], frozenset(words[5].split(",")) | frozenset(about[2].split(","))
    return found


def _ext4_options(number: str, proc: Path, sys: Path) -> frozenset[str] | None:
    """By the kernel's name of the device: the mount table may say /dev/root."""
    link = sys / "dev" / "block" / number
    try:
        name = link.resolve(strict=True).name
        text = (proc / "fs" / "ext4" / name / "options").read_text(encoding="utf-8")
    except OSError:
        return None
    return frozenset(re.split(r"\s+", text.strip()))
