"""What every device on a serial line has in common: its port is opened by its stable name and always closed again,
and when the right device does not answer there, it says which one does.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.devices.cabling import Cabling
from kiosk.devices.serial_line import SerialLine, Tap
from kiosk.devices.service import DeviceService
from kiosk.domain.status import DeviceKind, DeviceStatus


class SerialDevice(DeviceService):
    """Subclasses write `run`, where `line` is open. Opening reports the reasons of LineLost; a subclass raises
    DeviceLost with `mute` or `wrong_device` for what is not the right device, see Cabling.
    """

    line: SerialLine
    tap: Tap | None = None
    """Set before `start`, it sees every byte of the line."""

    def __init__(
        self, kind: DeviceKind, port: str, baud: int, on_status: Callable[[DeviceStatus], None],
        retry_s: tuple[float, float] = (0.5, 5.0),
    ) -> None:
        super().__init__(kind, on_status, retry_s)
        self._port, self._baud = port, baud
        self._open = False
        self.cabling = Cabling(kind, port, baud, self.stopping)

    def open(self) -> None:
        self.line = SerialLine.open(self._port, self._baud, self.stopping, self.tap)
        self._open = True

    def close(self) -> None:
        if self._open:
            self.line.close()
            self._open = False

    def explain(self, reason: str) -> str:
        return self.cabling.explain(reason)
