"""A PC/SC reader as CardTransport. It has no motor: the person puts the card in and takes it out."""

from __future__ import annotations

import threading
from typing import Any

from kiosk.devices.socialcard.pcsc.child import PcscChild
from kiosk.devices.socialcard.pcsc.messages import Op
from kiosk.devices.socialcard.transport import CardState, Patience, resolve


class PcscTransport:
    def __init__(self, reader: str, stop: threading.Event, patience: Patience | None = None) -> None:
        """reader: part of its name, "" takes the first. stop: once set, ends every wait."""
        self._name = reader
        self._stop = stop
        self._patience = patience or Patience()
        self._child = PcscChild(stop)

    def open(self) -> None:
        """Reasons: those of PcscChild.order. A process that is well is kept from one opening to the next."""
        self._order(Op.OPEN, self._name)

    def admit(self, wanted: bool) -> None:
        """There is no entry that could be closed."""

    def card_state(self) -> CardState:
        present = self._order(Op.STATE)
        return CardState.PRESENT if present else CardState.NONE

    def power_on(self) -> bytes:
        return bytes(self._order(Op.POWER_ON))

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        return resolve(self._send, apdu)

    def power_off(self) -> None:
        self._order(Op.POWER_OFF)

    def eject(self) -> None:
        """The person's own hand does it."""

    def close(self) -> None:
        if self._stop.is_set():
            self._child.kill()

    def _order(self, op: Op, argument: object = None) -> Any:
        return self._child.order(op, argument, self._patience.answer)

    def _send(self, apdu: bytes) -> bytes:
        return bytes(self._order(Op.TRANSMIT, apdu))
