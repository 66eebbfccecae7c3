"""The terminal's side of the PC/SC process: starts it, waits for its answers no longer than allowed, replaces it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from kiosk.devices.socialcard.pcsc.messages import Answer, Op
from kiosk.devices.socialcard.transport import CardFault, CardGone, ReaderFault, ReaderGone, Timeout
from kiosk.domain.social_card import SocialCardTrouble

_PROGRAM = "kiosk.devices.socialcard.pcsc.worker"
_START_S = 20.0
"""A fresh interpreter on a slow and busy machine."""
_SLICE_S = 0.02
"""How late a stop or a deadline is noticed."""
_REAP_S = 1.0


class PcscChild:
    """Used by one thread. Starts its process with the first order and again after it was killed or has died."""

    def __init__(self, stop: threading.Event) -> None:
        """stop: once set, ends every wait, and the process with it."""
        self._stop = stop
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def order(self, op: Op, argument: Any, seconds: float) -> Any:
        """One order and its value. Raises CardGone, CardFault, ReaderGone, ReaderFault or Timeout.

        Reasons: `mute`: no answer in time · `driver_died` · `no_pcscd`, `no_reader`, `busy_reader`, `pcsc_error`.
        """
        if self._process is None:
            self._start()
            self._answer(_START_S)
        try:
            self._pipe.send((op, argument))
        except OSError:
            self._died()
        answer, value = self._answer(seconds)
        match answer:
            case Answer.OK:
                return value
            case Answer.CARD_GONE:
                raise CardGone
            case Answer.NO_CONTACT:
                raise CardFault(SocialCardTrouble.NO_CONTACT)
            case Answer.CARD_FAULT:
                raise CardFault(SocialCardTrouble.UNREADABLE)
            case Answer.READER_GONE:
                raise ReaderGone(value)
            case _:
                raise ReaderFault(value)

    def kill(self) -> None:
        """At once; it owns nothing that would have to be put in order."""
        if self._process is None:
            return
        process, self._process = self._process, None
        self._pipe.close()
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # held in the kernel: left behind
            process.wait(_REAP_S)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", _PROGRAM, str(theirs.fileno()), str(os.getpid())]
        with theirs:
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),))
            except OSError:
                ours.close()
                raise ReaderFault("not_started") from None
        self._pipe = Connection(ours.detach())

    def _answer(self, seconds: float) -> tuple[Answer, Any]:
        deadline = time.monotonic() + seconds
        try:
            while not self._pipe.poll(_SLICE_S):
                if self._stop.is_set() or time.monotonic() >= deadline:
                    self.kill()
                    raise Timeout("mute")
            answer, value = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._died()
        return answer, value

    def _died(self) -> NoReturn:
        self.kill()
        raise ReaderGone("driver_died")
