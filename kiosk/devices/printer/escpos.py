"""ESC/POS encoder: a picture becomes the packets of one slip. Pure; Epson's ESC/POS command reference.

Everything is sent as raster (GS v 0), blank rows too: trimmed to one byte they cost almost nothing, and ESC J, whose
unit differs from model to model, is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from kiosk.domain.slip import Raster

PACKET_LIMIT = 4096
"""Smallest receive buffer of the usual models. One packet and its fence fit in, so no flow control is needed."""

AUTOMATIC_STATUS_OFF = b"\x1da\x00"
"""GS a 0: unasked status bytes could be taken for the answer to a fence."""
START = b"\x1b@" + AUTOMATIC_STATUS_OFF
"""ESC @ initialise, which switches the automatic status back to the model's own choice."""
FENCE = b"\x1dr\x01"
"""GS r 1: answered in order, when everything before it has been taken out of the buffer."""
CUT = b"\x1dVB\x00"
"""GS V 66 0: feed to the knife and cut."""
CLEAR = b"\x10\x05\x02"
"""DLE ENQ 2: forget what is buffered and recover. Obeyed at once, also off-line."""

_HEADER_SIZE = 8
_REAL_TIME = re.compile(rb"\x10(?=[\x04\x05\x14])")


def status_query(n: int) -> bytes:
    """DLE EOT n (1 printer, 2 off-line cause, 3 error cause, 4 paper): answered at once, also off-line."""
    return bytes((0x10, 0x04, n))


def full_status_query() -> bytes:
    """DLE EOT 20 of Custom printers: answered at once with six bytes."""
    return b"\x10\x04\x14"


def process_id_request(process_id: str) -> bytes:
    """GS ( H function 48: the printer answers with these four digits when everything before is printed."""
    return b"\x1d(H\x06\x000" + b"0" + process_id.encode("ascii")


def packets(raster: Raster, limit: int = PACKET_LIMIT) -> list[bytes]:
    """The whole picture as raster commands, joined to packets that leave room for a fence within `limit` bytes.

    Widths up to 2040 dots. No dot is changed, except the one described at `_defuse`.
    """
    joined: list[bytes] = []
    for band in _bands(raster, limit):
        if joined and len(joined[-1]) + len(band) + len(FENCE) <= limit:
            joined[-1] += band
        else:
            joined.append(band)
    return joined


def _bands(raster: Raster, limit: int) -> Iterator[bytes]:
    """GS v 0 commands: blank and inked rows apart, white bytes on the right trimmed."""
    width = raster.row_bytes
    rows_max = min(255, (limit - len(FENCE) - _HEADER_SIZE) // width)
    rows = [raster.data[at : at + width] for at in range(0, len(raster.data), width)]
    for _, run in groupby(rows, any):
        same = list(run)
        for first in range(0, len(same), rows_max):
            yield _band(same[first : first + rows_max])


def _band(rows: list[bytes]) -> bytes:
    used = max(1, *(len(row.rstrip(b"\x00")) for row in rows))
    header = b"\x1dv0\x00" + bytes((used, 0, len(rows), 0))
    return header + _defuse(b"".join(row[:used] for row in rows))


def _defuse(data: bytes) -> bytes:
    """Firmware obeys real-time commands (DLE EOT, DLE ENQ, DLE DC4) even inside a picture: the dot that would
    begin one, always alone in its row of eight, stays white."""
    return _REAL_TIME.sub(b"\x00", data)
