"""What a disk may hold after a power cut, from the log of the shim: what was synced, and any part of the rest.

Rules (ext4, data=ordered): fsync of a file makes its data durable, and every earlier change of the folder; of changes of
the folder a prefix survives; of writes not synced any subset, each whole or torn at 512 bytes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
MODES = ("drop", "subset", "torn")
_HEAD = struct.Struct("<cHQI")


@dataclass(frozen=True, slots=True)
class Step:
    """op: C created, W written, T cut, S synced, U unlinked, R renamed (name holds both, a newline between)."""

    op: str
    name: str
    offset: int
    data: bytes


@dataclass(slots=True)
class File:
    durable: bytearray = field(default_factory=bytearray)
    current: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)


class Disk:
    def __init__(self) -> None:
        self._names: dict[str, File] = {}
        self._durable: dict[str, File] = {}
        self._changes: list[Step] = []

    def take(self, step: Step) -> None:
        if step.op in "CUR":
            if step.op == "C":
                self._names[step.name] = File()
            self._apply(self._names, step, self._names.get(step.name))
            self._changes.append(step)
            return
        file = self._names.setdefault(step.name, File())
        if step.op == "S":
            file.durable, file.pending = bytearray(file.current), []
            self._durable = dict(self._names)
            self._changes = []
        else:
            _write(file.current, step)
            file.pending.append(step)

    def after_a_cut(self, mode: str, chance: random.Random) -> dict[str, bytes]:
        """One state the disk may be in now."""
        names = dict(self._durable)
        for change in self._changes[: 0 if mode == "drop" else chance.randint(0, len(self._changes))]:
            self._apply(names, change, self._names.get(change.name) or File())
        return {name: bytes(_left(file, mode, chance)) for name, file in names.items()}

    @staticmethod
    def _apply(names: dict[str, File], step: Step, file: File | None) -> None:
        if step.op == "C" and file is not None:
            names[step.name] = file
        elif step.op == "U":
            names.pop(step.name, None)
        elif step.op == "R":
            old, new = step.name.split("\n")
            if old in names:
                names[new] = names.pop(old)


def _left(file: File, mode: str, chance: random.Random) -> bytearray:
    found = bytearray(file.durable)
    if mode == "drop":
        return found
    for step in file.pending:
        if chance.random() < 0.5:
            continue
        if mode == "torn" and step.op == "W":
            for at in range(0, len(step.data), SECTOR):
                if chance.random() < 0.5:
                    _write(found, Step("W", step.name, step.offset + at, step.data[at : at + SECTOR]))
        else:
            _write(found, step)
    return found


def _write(content: bytearray, step: Step) -> None:
    if step.op == "T":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.data)] = step.data


def steps(log: Path) -> Iterator[Step]:
    raw = log.read_bytes()
    at = 0
    while at + _HEAD.size <= len(raw):
        op, name, offset, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        yield Step(op.decode(), raw[at : at + name].decode(), offset, raw[at + name : at + name + size])
        at += name + size
