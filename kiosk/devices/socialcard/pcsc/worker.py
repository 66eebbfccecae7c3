"""The process that talks to pcscd: one order at a time from a pipe, one answer to each. May be killed at any moment.

A driver below pcscd can block a call for minutes, and pcscd itself can die; here both cost a process and no thread of
the terminal. Started as a program of its own, so that it loads nothing but this module and the PC/SC binding.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from smartcard import scard

from kiosk.devices.socialcard.pcsc.messages import Answer, Op
from kiosk.no_dumps import no_core_dumps

_PR_SET_PDEATHSIG = 1
_NICE = 5
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_STATUS_WORD = 2
_UNUSABLE = scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_IGNORE


class Refused(Exception):
    """What the order ended with, other than OK. reason: for the two answers about the reader."""

    def __init__(self, answer: Answer, reason: str = "") -> None:
        super().__init__(answer, reason)
        self.answer, self.reason = answer, reason


_NO_PCSCD = (Answer.READER_GONE, "no_pcscd")
_NO_READER = (Answer.READER_GONE, "no_reader")
_REFUSALS: dict[int, tuple[Answer, str]] = {
    scard.SCARD_E_NO_SERVICE: _NO_PCSCD,
    scard.SCARD_E_SERVICE_STOPPED: _NO_PCSCD,
    scard.SCARD_F_COMM_ERROR: _NO_PCSCD,
    scard.SCARD_E_INVALID_HANDLE: _NO_PCSCD,  # of a pcscd that has been started anew
    scard.SCARD_E_NO_READERS_AVAILABLE: _NO_READER,
    scard.SCARD_E_UNKNOWN_READER: _NO_READER,
    scard.SCARD_E_READER_UNAVAILABLE: _NO_READER,
    scard.SCARD_E_SHARING_VIOLATION: (Answer.READER_FAULT, "busy_reader"),
    scard.SCARD_E_NO_SMARTCARD: (Answer.CARD_GONE, ""),
    scard.SCARD_W_REMOVED_CARD: (Answer.CARD_GONE, ""),
    scard.SCARD_W_UNPOWERED_CARD: (Answer.CARD_GONE, ""),  # in use: taken out and put in again
    scard.SCARD_W_UNRESPONSIVE_CARD: (Answer.NO_CONTACT, ""),
    scard.SCARD_W_UNSUPPORTED_CARD: (Answer.CARD_FAULT, ""),
    scard.SCARD_W_RESET_CARD: (Answer.CARD_FAULT, ""),
    scard.SCARD_E_PROTO_MISMATCH: (Answer.CARD_FAULT, ""),
}


def refusal(result: int) -> tuple[Answer, str]:
    """What a result of PC/SC other than success means."""
    return _REFUSALS.get(result, (Answer.READER_FAULT, "pcsc_error"))


class PcscWorker:
    """Raises Refused. The binding hands back uninitialised memory with a failure: such data is dropped unseen."""

    def __init__(self) -> None:
        self._context: Any = None
        self._reader = ""
        self._card: Any = None
        self._protocol = scard.SCARD_PCI_T0

    def obey(self, op: Op, argument: Any) -> Any:
        orders: dict[Op, Callable[[], Any]] = {
            Op.OPEN: lambda: self._open(argument),
            Op.STATE: lambda: bool(self._state() & scard.SCARD_STATE_PRESENT),
            Op.POWER_ON: self._power_on,
            Op.TRANSMIT: lambda: self._transmit(argument),
            Op.POWER_OFF: self._power_off,
        }
        try:
            return orders[op]()
        except SystemError:  # how the binding reports that pcscd went away inside some calls
            raise Refused(*_NO_PCSCD) from None

    def _open(self, wanted: str) -> str:
        self._power_off()
        if self._context is not None:
            context, self._context = self._context, None
            with contextlib.suppress(SystemError):
                scard.SCardReleaseContext(context)
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        _check(result)
        self._context = context
        result, readers = scard.SCardListReaders(context, [])
        _check(result)
        for name in readers:
            if wanted in name:
                self._reader = name
                self._state()
                self._prove()
                return str(name)
        raise Refused(*_NO_READER)

    def _prove(self) -> None:
        """Takes the reader, without its card, and lets go: refused while another program or a hanging driver has it."""
        result, reader, _ = scard.SCardConnect(self._context, self._reader, scard.SCARD_SHARE_DIRECT, 0)
        _check(result)
        scard.SCardDisconnect(reader, scard.SCARD_LEAVE_CARD)

    def _state(self) -> int:
        """SCARD_STATE flags."""
        asked = [(self._reader, scard.SCARD_STATE_UNAWARE)]
        result, states = scard.SCardGetStatusChange(self._context, 0, asked)
        _check(result)
        flags = int(states[0][1])
        if flags & _UNUSABLE:
            raise Refused(*_NO_READER)
        return flags

    def _power_on(self) -> bytes:
        self._power_off()
        result, card, protocol = self._connect()
        if result == scard.SCARD_W_UNPOWERED_CARD:  # here: the chip did not answer; once more
            result, card, protocol = self._connect()
        if result == scard.SCARD_W_UNPOWERED_CARD:
            raise Refused(Answer.NO_CONTACT)
        _check(result)
        self._card = card
        self._protocol = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
        result, _, _, _, atr = scard.SCardStatus(card)
        _check(result)
        return bytes(atr)

    def _connect(self) -> tuple[int, Any, int]:
        result, card, protocol = scard.SCardConnect(self._context, self._reader, scard.SCARD_SHARE_EXCLUSIVE, _PROTOCOLS)
        return int(result), card, int(protocol)

    def _transmit(self, apdu: bytes) -> bytes:
        if self._card is None:
            raise Refused(Answer.CARD_GONE)
        result, answer = scard.SCardTransmit(self._card, self._protocol, list(apdu))
        if result != scard.SCARD_E_NOT_TRANSACTED:
            _check(result)
            if len(answer) >= _STATUS_WORD:
                return bytes(answer)
        # no answer, told in one way or the other
        raise Refused(Answer.CARD_FAULT if self._still_there() else Answer.CARD_GONE)

    def _still_there(self) -> bool:
        """Asked of the card itself: the list of states notices a removal only at its next round."""
        result = scard.SCardReconnect(self._card, scard.SCARD_SHARE_EXCLUSIVE, _PROTOCOLS, scard.SCARD_RESET_CARD)[0]
        return bool(result == scard.SCARD_S_SUCCESS)

    def _power_off(self) -> None:
        """Whatever it says: the card may be gone, or pcscd."""
        if self._card is not None:
            card, self._card = self._card, None
            with contextlib.suppress(SystemError):
                scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)


def _check(result: int) -> None:
    if result != scard.SCARD_S_SUCCESS:
        raise Refused(*refusal(result))


def serve(pipe: Connection) -> None:
    """Until the other end is closed."""
    worker = PcscWorker()
    pipe.send((Answer.READY, ""))
    while True:
        try:
            op, argument = pipe.recv()
            pipe.send((Answer.OK, worker.obey(op, argument)))
        except Refused as refused:
            pipe.send((refused.answer, refused.reason))
        except (EOFError, OSError):
            return


def main(descriptor: int, parent: int) -> None:
    """descriptor: our end of the pipe. Ends with the thread that started it, unless that one was faster."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    no_core_dumps()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the terminal, which ends us in order
    os.nice(_NICE)
    serve(Connection(descriptor))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
