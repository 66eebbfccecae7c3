"""One command, one reply: the talk with a CRT-310 over a serial line, each step within its deadline."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from enum import Enum

from kiosk.devices.serial_line import LineLost, SerialLine
from kiosk.devices.socialcard.crt310.codec import (
    Command,
    Control,
    ErrorReason,
    FrameFault,
    TalkParser,
    encode_frame,
    error_reason,
)
from kiosk.devices.socialcard.transport import Patience, ReaderFault, ReaderGone, Timeout

_log = logging.getLogger(__name__)

_BLIND_S = 0.02
"""Time for the reader to take a frame that nobody waits for."""
_REASONS: dict[int, str] = {
    ErrorReason.NOT_FITTED: "not_fitted",
    ErrorReason.SUPPLY: "reader_supply",
    ErrorReason.ABNORMAL_CARD: "abnormal_card",
    ErrorReason.POWER_LOST: "reader_power_lost",
}
"""The other reasons of an error frame mean that we sent something wrong."""


class _Miss(Enum):
    """Why there is no reply."""

    SILENT = "silent"
    FOREIGN = "foreign"
    """Bytes, but not of this talk."""
    REFUSED = "refused"
    """The reader says that our frame was damaged."""
    DAMAGED = "damaged"
    """The reader's frame was."""


class Crt310Driver:
    """Keeps no state of the card; logs commands, sizes and times, never content."""

    def __init__(self, line: SerialLine, stop: threading.Event, patience: Patience) -> None:
        self._line = line
        self._stop = stop
        self._patience = patience

    def ask(self, command: Command, data: bytes = b"") -> bytes:
        """The data of the reply, after CM PM. Raises ReaderGone, ReaderFault or Timeout.

        Reasons besides those of the line: `mute` · `wrong_device`: bytes that are no reply · `line_errors`
        · `not_fitted`, `reader_supply`, `abnormal_card`, `reader_power_lost`, `program_fault`: the reader says so.
        """
        started = time.monotonic()
        with _line_as_reader():
            reply = self._talk(command, encode_frame(command + data))
        _log.debug("%s: %d bytes, %.0f ms", command.name, len(reply), 1000 * (time.monotonic() - started))
        reason = error_reason(reply, command[0])
        if reason is not None:
            _log.warning("%s: error %02X", command.name, reason)
            raise ReaderFault(_REASONS.get(reason, "program_fault"))
        return reply[2:]

    def send_blind(self, command: Command) -> None:
        """Without waiting for answers, for the moment in which the program ends. Never raises."""
        with contextlib.suppress(LineLost):
            self._line.write(encode_frame(command))
            time.sleep(_BLIND_S)
            self._line.write(bytes((Control.ENQ,)))

    def _talk(self, command: Command, frame: bytes) -> bytes:
        """The whole reply: CM PM data, or an error frame about this command."""
        for _ in range(1 + self._patience.resends):
            taken = self._acknowledged(frame)
            reply = self._reply(command) if taken is None else taken
            if isinstance(reply, bytes):
                return reply
            miss = reply
            if self._stop.is_set() or (taken is None and miss is not _Miss.DAMAGED):
                break
        _log.debug("%s: %s", command.name, miss.value)
        if miss is _Miss.SILENT:
            raise Timeout("mute")
        raise ReaderFault("wrong_device" if miss is _Miss.FOREIGN else "line_errors")

    def _acknowledged(self, frame: bytes) -> _Miss | None:
        """None: the reader has taken the frame."""
        self._line.discard_input()
        self._line.write(frame)
        deadline = time.monotonic() + self._patience.ack
        miss = _Miss.SILENT
        while data := self._line.read_some(deadline):
            for byte in data:
                if byte == Control.ACK:
                    return None
                if byte == Control.NAK:
                    return _Miss.REFUSED
            miss = _Miss.FOREIGN
        return miss

    def _reply(self, command: Command) -> bytes | _Miss:
        self._line.write(bytes((Control.ENQ,)))
        parser = TalkParser()
        deadline = time.monotonic() + self._patience.answer
        miss = _Miss.SILENT
        while data := self._line.read_some(deadline):
            miss = _Miss.FOREIGN
            for token in parser.feed(data):
                if token is FrameFault.BCC:
                    return _Miss.DAMAGED
                if isinstance(token, bytes) and (token[:2] == command or error_reason(token, command[0]) is not None):
                    return token
        return miss


@contextlib.contextmanager
def _line_as_reader() -> Iterator[None]:
    try:
        yield
    except LineLost as lost:
        raise ReaderGone(lost.reason) from None
