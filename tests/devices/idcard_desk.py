"""A conversation's view of the reader service, for tests that run it against the emulated reader."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.idcard.codec import Command
from kiosk.devices.idcard.events import CardEvent, CardLifted, CardSeen
from kiosk.devices.idcard.service import IdCardService, Timing
from kiosk.domain.document import IdCard
from kiosk.domain.status import DeviceState, DeviceStatus

MINE, THEIRS = sample_card(0), sample_card(1)
QUICK = Timing(poll=0.03, heartbeat=0.05, same_card=0.0, retry=(0.05, 0.1))
SEEN, LIFTED = CardSeen(), CardLifted()


class Desk:
    """Listens to the service as the conversation would."""

    def __init__(self, reader: IdCardEmulator, timing: Timing = QUICK, read_new_address: bool = False) -> None:
        self.reader = reader
        self.events: list[CardEvent] = []
        self.statuses: list[DeviceStatus] = []
        self.service = IdCardService(
            str(reader.port.path), 115200, self.statuses.append, self.events.append, timing, read_new_address,
        )

    def __enter__(self) -> Desk:
        self.service.start()
        return self

    def __exit__(self, *exception: object) -> None:
        assert self.service.stop()

    def happened(self) -> list[object]:
        """Events in order, a card by its number."""
        return [event.number if isinstance(event, IdCard) else event for event in self.events]

    def expect(self, *events: object) -> None:
        until(lambda: len(self.events) >= len(events), self.happened)
        assert self.happened() == list(events)

    def expect_status(self, state: DeviceState, reason: str = "", seconds: float = 8.0) -> None:
        until(lambda: (self.service.status.state, self.service.status.reason) == (state, reason),
              lambda: self.service.status, seconds)

    def lay(self, card: IdCard) -> None:
        self.reader.lay(EmulatedCard.of(card))

    def polls(self, count: int = 6) -> None:
        """Waits until the reader was asked for a card so many times more."""
        before = self.reader.received.count(Command.FIND)
        until(lambda: self.reader.received.count(Command.FIND) >= before + count)


def until(condition: Callable[[], bool], seen: Callable[[], object] = lambda: "", seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain, {seen()}"
        time.sleep(0.005)
