"""Encoder for slips in the printer's own letters: half a kilobyte instead of forty, for slow lines. Pure.

GB 18030 bytes in Chinese mode; both sizes are always set, because many clones keep separate ones for Latin and Chinese.
Sources: Epson's ESC/POS reference (FS &, FS !, GS !, ESC a, ESC E, GS ( k), the clones' manuals.
"""

from __future__ import annotations

from kiosk.devices.printer import escpos
from kiosk.domain.slip import QrCode, Raster, TextLine, TextSlip

_CHINESE = b"\x1c&"
_LEFT, _CENTRED = b"\x1ba\x00", b"\x1ba\x01"
_SINGLE, _DOUBLE = b"\x1d!\x00\x1c!\x00", b"\x1d!\x11\x1c!\x0c"
_PLAIN, _BOLD = b"\x1bE\x00", b"\x1bE\x01"
_MODULE_DOTS = 6
"""0.75 mm: 33 modules are 25 mm."""


def packets(slip: TextSlip) -> list[bytes]:
    """The whole slip in packets that leave room for a fence. Each begins with every setting it needs."""
    joined: list[bytes] = []
    for part in slip.parts:
        for command in _commands(part):
            if joined and len(joined[-1]) + len(command) + len(escpos.FENCE) <= escpos.PACKET_LIMIT:
                joined[-1] += command
            else:
                joined.append(_CHINESE + command)
    return joined


def _commands(part: TextLine | QrCode | Raster) -> list[bytes]:
    if isinstance(part, TextLine):
        place, size = _CENTRED if part.centred else _LEFT, _DOUBLE if part.double else _SINGLE
        return [place + size + (_BOLD if part.bold else _PLAIN) + part.text.encode("gb18030") + b"\n"]
    if isinstance(part, QrCode):
        return [_CENTRED + _qr(part.data.encode("ascii")) + _LEFT]
    return [_LEFT + packet for packet in escpos.packets(part, escpos.PACKET_LIMIT - len(_CHINESE + _LEFT))]


def _qr(data: bytes) -> bytes:
    """GS ( k of code 49, QR: functions 65 model 2, 67 module size, 69 level M, 80 store, 81 print."""
    return b"".join(map(_symbol, (b"A2\x00", b"C" + bytes((_MODULE_DOTS,)), b"E1", b"P0" + data, b"Q0")))


def _symbol(function: bytes) -> bytes:
    return b"\x1d(k" + (len(function) + 1).to_bytes(2, "little") + b"1" + function
