"""The social-security-card reader at work, whichever adapter is fitted: one card per wish, given back, never kept.

    open (proved, stray card given back) → idle: heartbeat, entry closed
                                         → seeking: entry open → card seen → read → told → given back → taken

A card stays its person's until it is taken out: a forgotten one is never read for the next.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

from kiosk.config import SocialCardAdapter, SocialCardConfig
from kiosk.devices.cabling import Cabling
from kiosk.devices.serial_line import Direction, Tap
from kiosk.devices.service import DeviceLost, DeviceService
from kiosk.devices.socialcard.crt310.transport import Crt310Transport
from kiosk.devices.socialcard.events import SocialCardEvent, SocialCardSeen, SocialCardTaken, TakeYourCard
from kiosk.devices.socialcard.pcsc.transport import PcscTransport
from kiosk.devices.socialcard.reader import SocialCardReader
from kiosk.devices.socialcard.transport import CardGone, CardState, CardTransport, Patience
from kiosk.domain.social_card import SocialCard, SocialCardLevel, SocialCardTrouble
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_log = logging.getLogger(__name__)

_INSIDE = (CardState.PRESENT, CardState.CONTACT)
_GO_ON = (SocialCardLevel.FULL, SocialCardLevel.CARD_ONLY, SocialCardLevel.ATR_ONLY)
"""Levels after which no other card is looked for."""


@dataclass(frozen=True, slots=True)
class Timing:
    """All delays of the service, in seconds."""

    poll: float = 0.3
    """Between two looks while a card is wanted or in the slot."""
    heartbeat: float = 3.0
    """Between two looks while nobody wants a card: the only way to notice an idle unplug."""
    remind: float = 10.0
    """A card given back and not taken for so long is mentioned, and again each time after."""
    retry: tuple[float, float] = (0.5, 5.0)
    """First and longest wait before the reader is opened again."""
    patience: Patience = field(default_factory=Patience)


class SocialCardService(DeviceService):
    """Statuses: READY, BUSY while a card is read, DEGRADED with `card_not_taken`, OFFLINE with `mute` or

    CRT-310: those of Cabling, `no_port`, `busy_port`, `port_denied`, `line_lost`, `stalled`, `wrong_device`,
    `line_errors`, `not_fitted`, `reader_supply`, `abnormal_card`, `reader_power_lost`, `eject_failed`, `entry_refused`
    PC/SC: `no_pcscd`, `no_reader`, `busy_reader`, `driver_died`, `pcsc_error`, `not_started`
    """

    tap: Tap | None = None
    """Set before `start`, it sees every byte of a serial line."""

    def __init__(
        self,
        config: SocialCardConfig,
        on_status: Callable[[DeviceStatus], None],
        on_event: Callable[[SocialCardEvent], None],
        timing: Timing | None = None,
    ) -> None:
        """Both listeners are called from the device thread. Raises ValueError for adapter `none`."""
        self._timing = timing or Timing()
        super().__init__(DeviceKind.SOCIALCARD, on_status, self._timing.retry)
        if config.adapter is SocialCardAdapter.NONE:
            raise ValueError("no social-security-card reader is configured")
        self._config = config
        self.cabling = Cabling(DeviceKind.SOCIALCARD, config.port, config.baud, self.stopping)
        self._on_event = on_event
        self._transport = self._adapter()
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._wanted = False
        self._spent = False
        """The card in the slot has had its turn and waits to be taken."""
        self._seen = False
        """SocialCardSeen was told, SocialCardTaken is owed."""
        self._told = False
        """This wish has had an answer while the card in the slot was there."""
        self._waiting_since = 0.0

    def stop(self, timeout_s: float = 2.0) -> bool:
        ended = super().stop(timeout_s)
        if ended:
            self._transport.close()  # what is kept from one opening to the next
        return ended

    def seek(self) -> None:
        """Read the next card put in. Answers: SocialCardSeen, then SocialCard or SocialCardTrouble.

        Goes on after a trouble or another chip card, ends with the first social security card.
        """
        self._orders.put(True)
        self.attention.set()

    def release(self) -> None:
        """No card is wanted any more. One already in is given back and watched until SocialCardTaken."""
        self._orders.put(False)
        self.attention.set()

    def open(self) -> None:
        self._transport.open()

    def run(self) -> None:
        try:
            self.report(DeviceState.READY)
            while not self.stopping.is_set():
                self._take_orders()
                self._transport.admit(self._wanted and not self._spent)
                self._look()
                self.pause(self._timing.poll if self._wanted or self._spent else self._timing.heartbeat)
        except DeviceLost:
            self._take_orders()  # somebody may have begun to wait just now
            if self._wanted:
                self._emit(SocialCardTrouble.READER_LOST)
            raise

    def close(self) -> None:
        self._transport.close()
        self._tell_gone()  # of a reader that is lost nobody knows what is in it

    def explain(self, reason: str) -> str:
        return self.cabling.explain(reason) if self._config.adapter is SocialCardAdapter.CRT310 else reason

    def _adapter(self) -> CardTransport:
        config, patience = self._config, self._timing.patience
        if config.adapter is SocialCardAdapter.CRT310:
            return Crt310Transport(config.port, config.baud, self.stopping, self._tapped, patience)
        return PcscTransport(config.reader, self.stopping, patience)

    def _tapped(self, direction: Direction, data: bytes) -> None:
        if self.tap:
            self.tap(direction, data)

    def _take_orders(self) -> bool:
        """True if somebody has stopped waiting meanwhile, even if somebody waits again."""
        released = False
        while not self._orders.empty():
            self._wanted = self._orders.get()
            self._told = False
            released = released or not self._wanted
        return released

    def _look(self) -> None:
        state = self._transport.card_state()
        if state is CardState.NONE:
            self._taken()
        elif self._spent:
            self._waiting(state)
        elif state not in _INSIDE:
            self._spend()  # somebody else's, given back at the start
        elif self._wanted:
            self._serve()
        else:
            self._give_back()  # put in while nobody asked: whose it will be, nobody knows

    def _serve(self) -> None:
        reader = SocialCardReader(self._transport)
        self._spend()
        self._seen = True
        self._emit(SocialCardSeen())
        self.report(DeviceState.BUSY)
        try:
            card = reader.read()
        except CardGone:
            self._answer(SocialCardTrouble.PULLED)
        else:
            self._answer(card.fault or card)
        self._give_back()
        self.report(DeviceState.READY)

    def _answer(self, outcome: SocialCard | SocialCardTrouble) -> None:
        if self._take_orders():  # reading took a while
            return
        self._told = True
        if isinstance(outcome, SocialCard) and outcome.level in _GO_ON:
            self._wanted = False
        self._emit(outcome)

    def _give_back(self) -> None:
        self._spend()
        self._transport.admit(False)  # so that it cannot be pushed back in
        self._transport.eject()

    def _spend(self) -> None:
        self._spent = True
        self._waiting_since = time.monotonic()

    def _waiting(self, state: CardState) -> None:
        """A card that had its turn is still there."""
        if state in _INSIDE:
            self._transport.eject()
        if self._wanted and not self._told:
            self._told = True
            self._emit(SocialCardTrouble.TAKE_FIRST)
        if time.monotonic() - self._waiting_since >= self._timing.remind:
            self._waiting_since = time.monotonic()
            self.report(DeviceState.DEGRADED, "card_not_taken")
            self._emit(TakeYourCard())

    def _taken(self) -> None:
        self._spent = self._told = False
        self.report(DeviceState.READY)
        self._tell_gone()

    def _tell_gone(self) -> None:
        if self._seen:
            self._seen = False
            self._emit(SocialCardTaken())

    def _emit(self, event: SocialCardEvent) -> None:
        if not self.stopping.is_set():
            self.notify(self._on_event, event)
