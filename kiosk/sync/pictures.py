"""Which pictures of a case find room in one request: photographs before clips, the newest try first."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.domain.decision import ClipFrame

PHOTO_BYTES_MAX = 700_000
"""Of all pictures of one case: in base64 they stay below one request."""


class Room:
    """What is left of the space for pictures."""

    def __init__(self, size: int = PHOTO_BYTES_MAX) -> None:
        self._left = size

    def photos(self, photos: Sequence[bytes]) -> tuple[bytes, ...]:
        """Those that fit, in their order."""
        taken = []
        for photo in photos:
            if len(photo) <= self._left:
                taken.append(photo)
                self._left -= len(photo)
        return tuple(taken)

    def clip(self, clip: Sequence[ClipFrame]) -> tuple[ClipFrame, ...]:
        """As many pictures as fit, spread evenly, so that beginning, middle and end can still be seen."""
        for count in range(len(clip), 0, -1):
            chosen = _spread(clip, count)
            size = sum(len(frame.jpeg) for frame in chosen)
            if size <= self._left:
                self._left -= size
                return chosen
        return ()


def _spread(clip: Sequence[ClipFrame], count: int) -> tuple[ClipFrame, ...]:
    if count == 1:
        return (clip[len(clip) // 2],)
    return tuple(clip[round(i * (len(clip) - 1) / (count - 1))] for i in range(count))
