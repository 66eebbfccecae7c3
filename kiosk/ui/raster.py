"""Between grey pictures and the 1-bit raster of a slip; and slips as picture files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage, QImageWriter

from kiosk.domain.slip import Raster

THRESHOLD = 140
"""Of 255; darker is black. Never dithered: the soft edge of a letter would become ragged."""


def to_raster(picture: QImage) -> Raster:
    """The picture in pure black and white, same size."""
    grey = picture.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    black = rows[:, : grey.width()] < THRESHOLD
    return Raster(grey.width(), grey.height(), np.packbits(black, axis=1).tobytes())


def to_image(raster: Raster) -> QImage:
    """The slip as the paper shows it: 1 bit, black on white."""
    white_is_one = bytes(byte ^ 0xFF for byte in raster.data)
    image = QImage(white_is_one, raster.width, raster.height, raster.row_bytes, QImage.Format.Format_Mono)
    image.setColorTable([0xFF000000, 0xFFFFFFFF])
    return image.copy()  # an image of its own: `white_is_one` ends here


def save_png(raster: Raster, path: Path) -> None:
    """Raises OSError when the file cannot be written."""
    writer = QImageWriter(str(path), b"png")
    if not writer.write(to_image(raster)):
        raise OSError(f"{path}: the picture cannot be written: {writer.errorString()}")
