"""When the right device does not answer at its port: who is there instead, asked now and then and told by a reason code."""

from __future__ import annotations

import threading
import time

from kiosk.devices.identify import Answers, Nobody, identify
from kiosk.domain.status import DeviceKind

WRONGLY_CABLED = frozenset({"mute", "wrong_device"})
"""Reasons for which it is worth asking."""
ASK_AGAIN_S = 30.0
_FOUND = {
    DeviceKind.IDCARD: "found_idcard",
    DeviceKind.PRINTER: "found_printer",
    DeviceKind.SCANNER: "found_scanner",
    DeviceKind.SOCIALCARD: "found_socialcard",
}


class Cabling:
    """The port of one serial device. Owned by its thread; the port must be closed meanwhile."""

    def __init__(self, kind: DeviceKind, port: str, baud: int, stop: threading.Event) -> None:
        """kind, baud: of the device that should be there. stop: ends the asking at once when set."""
        self._kind, self._port, self._baud = kind, port, baud
        self._stop = stop
        self.ask_again_s = ASK_AGAIN_S
        """Not asked more often than this while the device stays unproved."""
        self.asked: tuple[Answers | Nobody, float] | None = None
        """Who was there, and when that was asked (monotonic seconds)."""

    def explain(self, reason: str) -> str:
        """`mute` and `wrong_device` become `found_idcard`, `found_printer`, … when another kind of device answers,
        `wrong_speed` when it is the right one at another speed, `babbling` when there is nothing but noise.
        """
        if reason not in WRONGLY_CABLED or self._stop.is_set():
            self.asked = None  # whatever is plugged in next is another device
            return reason
        if self.asked is None or time.monotonic() - self.asked[1] > self.ask_again_s:
            self.asked = identify(self._port, stop=self._stop), time.monotonic()
        match self.asked[0]:
            case Answers(kind) if kind is not self._kind:
                return _FOUND[kind]
            case Answers(_, baud) if baud != self._baud:
                return "wrong_speed"
            case Nobody("babbling"):
                return "babbling"
        return reason
