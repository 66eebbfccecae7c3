"""The photo of a card as a picture: a program of the operator decodes it, in a process that can be killed.

No open decoder for the chip's format (WLT) exists; the closed ones differ from machine to machine. The program gets
the 1024 bytes on stdin and writes the picture to stdout. Nothing personal stands in its arguments or on disk.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import struct
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

WIDTH, HEIGHT = 102, 126
RGB_BYTES = WIDTH * HEIGHT * 3
_BMP_HEADER = 54
_BMP_ROW = (WIDTH * 3 + 3) // 4 * 4
BMP_BYTES = _BMP_HEADER + _BMP_ROW * HEIGHT
_BURY_S = 1.0
"""How long a killed process may take to vanish before it is left behind."""


class NoPhoto(StrEnum):
    """Why there is no picture. None of these stands in the way of a certification."""

    NONE_CONFIGURED = "none_configured"
    MISSING = "missing"
    """The program does not exist or may not be run."""
    FAILED = "failed"
    """It could not start, ended with a status other than 0, or crashed."""
    TOO_SLOW = "too_slow"
    WRONG_SIZE = "wrong_size"
    """Neither 102 x 126 RGB pixels nor the BMP file of such a picture."""


@dataclass(frozen=True, slots=True)
class CardPhoto:
    """rgb: 102 x 126 pixels, three bytes each, top row first."""

    rgb: bytes = field(repr=False)


class PhotoDecoder:
    """Runs the operator's program once per photo. Blocks its caller, no longer than the limit and a moment."""

    def __init__(self, program: Sequence[str], limit_s: float = 2.0) -> None:
        """program: full path, then arguments; empty when there is none. No shell sees it."""
        self._program = list(program)
        self._limit_s = limit_s

    def decode(self, wlt: bytes) -> CardPhoto | NoPhoto:
        """wlt: the 1024 bytes of the chip."""
        if not self._program:
            return NoPhoto.NONE_CONFIGURED
        deadline = time.monotonic() + self._limit_s
        try:
            child = subprocess.Popen(
                self._program, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # may hold what it was given
                env={"PATH": os.defpath}, cwd="/", start_new_session=True,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return NoPhoto.MISSING
        except (OSError, ValueError):
            return NoPhoto.FAILED
        try:
            return _converse(child, wlt, deadline)
        finally:
            _end(child)


def picture_of(output: bytes) -> CardPhoto | NoPhoto:
    """What a decoder wrote, as a picture: raw RGB, or an uncompressed BMP of 24 bits, whose last row comes first."""
    if len(output) == RGB_BYTES:
        return CardPhoto(output)
    if len(output) != BMP_BYTES or output[:2] != b"BM":
        return NoPhoto.WRONG_SIZE
    if struct.unpack_from("<IIiiHHI", output, 10) != (_BMP_HEADER, 40, WIDTH, HEIGHT, 1, 24, 0):
        return NoPhoto.WRONG_SIZE
    rows = [output[at : at + 3 * WIDTH] for at in range(_BMP_HEADER, BMP_BYTES, _BMP_ROW)]
    rgb = bytearray(b"".join(reversed(rows)))
    rgb[0::3], rgb[2::3] = rgb[2::3], rgb[0::3]
    return CardPhoto(bytes(rgb))


def _converse(child: subprocess.Popen[bytes], wlt: bytes, deadline: float) -> CardPhoto | NoPhoto:
    """All output within the deadline, then a good end."""
    assert child.stdin is not None and child.stdout is not None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(child.pid, resource.RLIMIT_CORE, (0, 0))  # a crash must not put the photo on disk
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(wlt)  # fits into any pipe
        child.stdin.close()
    output = b""
    while _readable(child.stdout.fileno(), deadline):
        piece = os.read(child.stdout.fileno(), BMP_BYTES + 1 - len(output))
        output += piece
        if len(output) > BMP_BYTES:
            return NoPhoto.WRONG_SIZE
        if not piece:
            break
    else:
        return NoPhoto.TOO_SLOW
    status = _exit_status(child.pid, deadline)
    if status is None:
        return NoPhoto.TOO_SLOW
    return picture_of(output) if status == 0 else NoPhoto.FAILED


def _exit_status(pid: int, deadline: float) -> int | None:
    """0 only for a good end; None when it still runs at the deadline. Leaves the dead process to be buried."""
    handle = os.pidfd_open(pid)
    try:
        if not _readable(handle, deadline):
            return None
    finally:
        os.close(handle)
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return ended.si_status if ended else None  # of a crash the signal's number


def _readable(fd: int, deadline: float) -> bool:
    """Whether there is something to read, or the end; False at the deadline (time.monotonic seconds)."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(max(0.0, 1000 * (deadline - time.monotonic()))))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kills the whole group while the dead leader still holds its number, then buries the leader."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_BURY_S)
