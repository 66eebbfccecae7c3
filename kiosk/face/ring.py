"""Frames in shared memory: one side writes a slot and names it, the other copies it out. Nothing touches a disk."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory

import numpy as np

from kiosk.face.engine import Image

SLOTS = 3
_CHANNELS = 3


class FrameRing:
    """Three slots of one frame each. Whoever made it destroys it; the other side only closes it."""

    def __init__(self, memory: SharedMemory, slot_bytes: int) -> None:
        self._memory = memory
        self.slot_bytes = slot_bytes

    @classmethod
    def create(cls, width: int, height: int) -> FrameRing:
        """For frames of up to this many pixels."""
        slot_bytes = width * height * _CHANNELS
        return cls(SharedMemory(create=True, size=SLOTS * slot_bytes), slot_bytes)

    @classmethod
    def attach(cls, name: str, slot_bytes: int) -> FrameRing:
        return cls(SharedMemory(name=name), slot_bytes)

    @property
    def name(self) -> str:
        return self._memory.name

    def write(self, slot: int, frame: Image) -> None:
        np.copyto(self._view(slot, frame.shape[0], frame.shape[1]), frame)

    def read(self, slot: int, height: int, width: int) -> Image:
        """A copy: the slot may be written again at once."""
        return self._view(slot, height, width).copy()

    def wipe(self) -> None:
        np.ndarray(self._memory.size, dtype=np.uint8, buffer=self._memory.buf).fill(0)

    def close(self) -> None:
        self._memory.close()

    def destroy(self) -> None:
        self.wipe()
        self._memory.close()
        self._memory.unlink()

    def _view(self, slot: int, height: int, width: int) -> Image:
        shape = (height, width, _CHANNELS)
        return np.ndarray(shape, dtype=np.uint8, buffer=self._memory.buf, offset=slot * self.slot_bytes)
