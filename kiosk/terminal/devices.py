"""Every device this machine has, as supervised services: built from the configuration, started and stopped together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kiosk.config import KioskConfig
from kiosk.devices.a4.service import A4Service
from kiosk.devices.camera.service import CameraService
from kiosk.devices.idcard.events import CardEvent
from kiosk.devices.idcard.service import IdCardService
from kiosk.devices.print_journal import PrintJournal
from kiosk.devices.printer.service import PrinterService
from kiosk.devices.scanner.events import ScanEvent
from kiosk.devices.scanner.service import ScannerService
from kiosk.devices.service import DeviceService
from kiosk.devices.socialcard.events import SocialCardEvent
from kiosk.devices.socialcard.service import SocialCardService
from kiosk.domain.slip import PrintResult
from kiosk.domain.status import DeviceKind, DeviceStatus

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Called from the device threads."""

    status: Callable[[DeviceStatus], None]
    card: Callable[[CardEvent], None]
    social_card: Callable[[SocialCardEvent], None]
    scan: Callable[[ScanEvent], None]
    slip: Callable[[str, PrintResult], None]
    """Case number and result, as of `document`."""
    document: Callable[[str, PrintResult], None]


class Devices:
    """What is not fitted is None."""

    def __init__(self, config: KioskConfig, journal: PrintJournal, heard: Listeners) -> None:
        fitted = config.devices
        reader = config.idcard
        self.idcard = IdCardService(
            reader.port, reader.baud, heard.status, heard.card, read_new_address=reader.read_new_address,
        )
        self.printer = PrinterService(config.printer, journal, heard.slip, heard.status)
        self.camera = CameraService(config.camera, heard.status)
        self.socialcard = (
            SocialCardService(config.socialcard, heard.status, heard.social_card) if DeviceKind.SOCIALCARD in fitted else None
        )
        self.scanner = ScannerService(config.scanner, heard.status, heard.scan) if DeviceKind.SCANNER in fitted else None
        self.a4 = A4Service(config.a4, journal, heard.document, heard.status) if DeviceKind.A4 in fitted else None

    @property
    def all(self) -> tuple[DeviceService, ...]:
        everyone = (self.idcard, self.socialcard, self.scanner, self.printer, self.a4, self.camera)
        return tuple(device for device in everyone if device is not None)

    def start(self) -> None:
        for device in self.all:
            device.start()

    def stop(self) -> None:
        """All at once. One that hangs in its driver is left behind."""
        with ThreadPoolExecutor(len(self.all)) as pool:
            for device, ended in zip(self.all, pool.map(DeviceService.stop, self.all), strict=True):
                if not ended:
                    log.error("the thread of device %s hangs and is left behind", device.status.kind.value)
