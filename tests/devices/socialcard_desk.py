"""For the tests of the social-security-card reader: somebody who listens to the service, and waiting that ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kiosk.config import SocialCardAdapter, SocialCardConfig
from kiosk.devices.emulated.socialcard import ScriptedCard, Silence
from kiosk.devices.socialcard.events import SocialCardEvent
from kiosk.devices.socialcard.service import SocialCardService, Timing
from kiosk.devices.socialcard.transport import CardFault, CardGone, CardState, Patience, resolve
from kiosk.domain.social_card import SocialCard, SocialCardTrouble
from kiosk.domain.status import DeviceState, DeviceStatus

QUICK = Timing(poll=0.03, heartbeat=0.05, remind=60.0, retry=(0.05, 0.1), patience=Patience(ack=0.3, answer=1.5))


class SocialDesk:
    """Listens as the conversation would."""

    def __init__(self, port: str = "", timing: Timing = QUICK, reader: str = "") -> None:
        """port: of a CRT-310; without it PC/SC."""
        self.events: list[SocialCardEvent] = []
        self.statuses: list[DeviceStatus] = []
        adapter = SocialCardAdapter.CRT310 if port else SocialCardAdapter.PCSC
        config = SocialCardConfig(adapter=adapter, port=port, reader=reader)
        self.service = SocialCardService(config, self.statuses.append, self.events.append, timing)

    def __enter__(self) -> SocialDesk:
        self.service.start()
        return self

    def __exit__(self, *exception: object) -> None:
        assert self.service.stop()

    def happened(self) -> list[object]:
        """Events in order, a card by its level."""
        return [event.level if isinstance(event, SocialCard) else event for event in self.events]

    def expect(self, *events: object, seconds: float = 20.0) -> None:
        until(lambda: len(self.events) >= len(events), self.happened, seconds)
        assert self.happened() == list(events)

    def expect_status(self, state: DeviceState, reason: str = "", seconds: float = 20.0) -> None:
        until(lambda: (self.service.status.state, self.service.status.reason) == (state, reason),
              lambda: self.service.status, seconds)

    @property
    def card(self) -> SocialCard:
        """The last one."""
        return [event for event in self.events if isinstance(event, SocialCard)][-1]


class BareTransport:
    """A scripted card without any reader between: what the reader class sees at best."""

    def __init__(self, card: ScriptedCard) -> None:
        self.card = card
        self.powered = False

    def open(self) -> None: ...

    def admit(self, wanted: bool) -> None: ...

    def card_state(self) -> CardState:
        return CardState.CONTACT

    def power_on(self) -> bytes:
        if not self.card.atr:
            raise CardFault(SocialCardTrouble.NO_CONTACT)
        self.powered = True
        return self.card.atr

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        assert self.powered
        return resolve(self._send, apdu)

    def power_off(self) -> None:
        self.powered = False
        self.card.power_off()

    def eject(self) -> None: ...

    def close(self) -> None: ...

    def _send(self, apdu: bytes) -> bytes:
        answer = self.card.answer(apdu)
        if answer is Silence.GONE:
            raise CardGone
        if isinstance(answer, Silence):
            raise CardFault(SocialCardTrouble.UNREADABLE)
        return answer


def until(condition: Callable[[], bool], seen: Callable[[], object] = lambda: "", seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain, {seen()}"
        time.sleep(0.005)


def never() -> threading.Event:
    """A stop that does not come."""
    return threading.Event()
