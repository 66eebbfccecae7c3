"""Frames in shared memory: one side writes a slot and names it, the other copies it out. Nothing touches a disk."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory

import cv2
import numpy as np

from kiosk.face.align import Grey
from kiosk.face.engine import Image

SLOTS = 3
_CHANNELS = 3


class FrameRing:
    """Three slots of one frame each, colour first, the infrared half behind it. Whoever made it destroys it; the
    other side only closes it.
    """

    def __init__(self, memory: SharedMemory, slot_bytes: int) -> None:
        self._memory = memory
        self.slot_bytes = slot_bytes

    @classmethod
    def create(cls, width: int, height: int) -> FrameRing:
        """For frames of up to this many pixels, colour and infrared each."""
        slot_bytes = width * height * (_CHANNELS + 1)
        return cls(SharedMemory(create=True, size=SLOTS * slot_bytes), slot_bytes)

    @classmethod
    def attach(cls, name: str, slot_bytes: int) -> FrameRing:
        return cls(SharedMemory(name=name), slot_bytes)

    @property
    def name(self) -> str:
        return self._memory.name

    def write(self, slot: int, bgr: Image, ir: Grey | None = None) -> None:
        np.copyto(self._colour(slot, bgr.shape[:2]), bgr)
        if ir is not None:
            np.copyto(self._infrared(slot, ir.shape), ir)

    def read(self, slot: int, size: tuple[int, int]) -> Image:
        """RGB of what was written as BGR. size: height and width. A copy: the slot may be written again at once."""
        return np.asarray(cv2.cvtColor(self._colour(slot, size), cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def read_infrared(self, slot: int, size: tuple[int, int]) -> Grey:
        return self._infrared(slot, size).copy()

    def wipe(self) -> None:
        np.ndarray(self._memory.size, dtype=np.uint8, buffer=self._memory.buf).fill(0)

    def close(self) -> None:
        self._memory.close()

    def destroy(self) -> None:
        self.wipe()
        self._memory.close()
        self._memory.unlink()

    def _colour(self, slot: int, size: tuple[int, ...]) -> Image:
        return np.ndarray((*size, _CHANNELS), dtype=np.uint8, buffer=self._memory.buf, offset=slot * self.slot_bytes)

    def _infrared(self, slot: int, size: tuple[int, ...]) -> Grey:
        offset = slot * self.slot_bytes + self.slot_bytes * _CHANNELS // (_CHANNELS + 1)
        return np.ndarray(size, dtype=np.uint8, buffer=self._memory.buf, offset=offset)
