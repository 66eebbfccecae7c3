"""The rooms as the conversation's ports. Commands go straight through; answers come back as events."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from kiosk.devices.idcard.events import CardEvent, CardLifted, CardSeen
from kiosk.devices.idcard.service import IdCardService
from kiosk.devices.printer.service import PrinterService
from kiosk.devices.socialcard.events import SocialCardEvent, SocialCardSeen, SocialCardTaken, TakeYourCard
from kiosk.devices.socialcard.service import SocialCardService
from kiosk.diagnostics.board import StatusBoard
from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.domain.document import IdCard
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.period import LOCAL_ZONE, local_day
from kiosk.domain.slip import Printable, PrintOutcome, PrintResult, Slip
from kiosk.domain.social_card import SocialCard, SocialCardLevel, SocialCardTrouble
from kiosk.domain.status import DeviceKind, DeviceStatus
from kiosk.domain.trouble import CardTrouble, HandInTrouble
from kiosk.flow import events as ev
from kiosk.store.cases import CaseStore, Sealer

log = logging.getLogger(__name__)

Post = Callable[[ev.Event], None]


class SystemClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(LOCAL_ZONE)


class CardReaders:
    """The identity-card reader and, where one is fitted, the social-security-card reader as one `CardReader`.

    Their events become the conversation's here: a card lies there until both have none.
    """

    def __init__(self, idcard: IdCardService, socialcard: SocialCardService | None, post: Post) -> None:
        self._idcard = idcard
        self._socialcard = socialcard
        self._post = post
        self._lock = threading.Lock()
        self._wanted = False
        self._lying: frozenset[DeviceKind] = frozenset()

    def seek(self) -> None:
        with self._lock:
            self._wanted = True
            self._idcard.seek()
            if self._socialcard:
                self._socialcard.seek()

    def release(self) -> None:
        with self._lock:
            self._wanted = False
            self._idcard.release()
            if self._socialcard:
                self._socialcard.release()

    def on_card(self, happened: CardEvent) -> None:
        """For the identity-card reader's thread."""
        match happened:
            case CardSeen():
                self._laid(DeviceKind.IDCARD)
            case CardLifted():
                self._gone(DeviceKind.IDCARD)
            case IdCard():
                self._post(ev.CardRead(happened))
            case CardTrouble():
                self._post(ev.CardFailed(happened))

    def on_social_card(self, happened: SocialCardEvent) -> None:
        """For the other reader's thread."""
        match happened:
            case SocialCardSeen():
                self._laid(DeviceKind.SOCIALCARD)
            case SocialCardTaken():
                self._gone(DeviceKind.SOCIALCARD)
                self._seek_again()
            case TakeYourCard():
                self._post(ev.CardWaits())
            case SocialCard():
                document, trouble = happened.document, _NO_HOLDER.get(happened.level, CardTrouble.LAY_ID_CARD)
                self._post(ev.CardRead(document) if document else ev.CardFailed(trouble))
            case SocialCardTrouble.READER_LOST if DeviceKind.SOCIALCARD not in self._lying:
                pass  # no card of anybody's was in it
            case SocialCardTrouble():
                self._post(ev.CardFailed(_SOCIAL_TROUBLES[happened]))

    def on_status(self, status: DeviceStatus) -> None:
        """For the identity-card reader's thread: without it nobody is served."""
        self._post(ev.ReaderChanged(status.usable, status.reason))

    def _laid(self, where: DeviceKind) -> None:
        with self._lock:
            self._lying |= {where}
        self._post(ev.CardSeen())

    def _gone(self, where: DeviceKind) -> None:
        """Lifted, taken out, or out of sight because the reader is lost."""
        with self._lock:
            self._lying -= {where}
            free = not self._lying
        if free:
            self._post(ev.CardLifted())

    def _seek_again(self) -> None:
        """Once a card that did not tell its holder is taken out, another one may come."""
        with self._lock:
            if self._wanted and self._socialcard:
                self._socialcard.seek()


_SOCIAL_TROUBLES = {
    SocialCardTrouble.NO_CONTACT: CardTrouble.NO_CONTACT,
    SocialCardTrouble.UNREADABLE: CardTrouble.CHIP_UNREADABLE,
    SocialCardTrouble.PULLED: CardTrouble.CHIP_UNREADABLE,
    SocialCardTrouble.READER_LOST: CardTrouble.CHIP_READER_LOST,
    SocialCardTrouble.LOCKED: CardTrouble.CARD_LOCKED,
    SocialCardTrouble.TAKE_FIRST: CardTrouble.TAKE_CARD_FIRST,
}
_NO_HOLDER = {
    SocialCardLevel.NOT_SSC: CardTrouble.NOT_A_SOCIAL_CARD,
    SocialCardLevel.FAULT: CardTrouble.CHIP_UNREADABLE,
}
"""Other levels: the card is good, it only does not say whose it is."""


class Desk:
    """The store as `CaseDesk`: every call on its own small thread, so that a slow disk never stops the screen."""

    _POLL_S = 0.2

    def __init__(self, store: CaseStore, sealer: Sealer, clock: SystemClock, post: Post) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._post = post
        self._stopping = threading.Event()
        self._work = ThreadPoolExecutor(2, thread_name_prefix="desk")

    def find_person(self, card: IdCard) -> None:
        self._work.submit(self._answer, partial(self._find, card), ev.LookupFailed(card))

    def hand_in(self, draft: CaseDraft | EnrolmentDraft) -> None:
        unclear = ev.HandInFailed(draft.captured_at, HandInTrouble.STORE_FAILED)
        self._work.submit(self._answer, partial(self._submit, draft), unclear)

    def watch_delivery(self, case_id: str, seconds: float) -> None:
        self._work.submit(self._answer, partial(self._watch, case_id, seconds), ev.DeliveryKnown(case_id, False))

    @property
    def restart_needed(self) -> bool:
        """A commit ended without a clear answer: only a new process can know whether the case stands."""
        return self._store.restart_needed

    def stop(self) -> None:
        self._stopping.set()
        self._work.shutdown(wait=True)

    def _find(self, card: IdCard) -> ev.Event:
        return ev.PersonFound(card, self._store.find_person(card.number, local_day(self._clock.now())))

    def _submit(self, draft: CaseDraft | EnrolmentDraft) -> ev.Event:
        result = self._store.submit(draft, self._sealer, self._clock.now())
        if isinstance(result, CaseReceipt):
            return ev.HandedIn(draft.captured_at, result)
        return ev.HandInFailed(draft.captured_at, result.trouble)

    def _watch(self, case_id: str, seconds: float) -> ev.Event:
        deadline = time.monotonic() + seconds
        while True:
            delivered = self._store.is_delivered(case_id)
            if delivered or self._stopping.is_set() or time.monotonic() >= deadline:
                return ev.DeliveryKnown(case_id, delivered)
            self._stopping.wait(self._POLL_S)

    def _answer(self, ask: Callable[[], ev.Event], otherwise: ev.Event) -> None:
        """A store that fails in a way nobody foresaw still gives an answer, the one that claims least."""
        try:
            event = ask()
        except Exception as error:
            log.error("store: %s", type(error).__name__)
            event = otherwise
        if not self._stopping.is_set():
            self._post(event)


class SlipDesk:
    """The printer as `SlipPrinter`."""

    def __init__(self, printer: PrinterService, board: StatusBoard, draw: Callable[[Slip], Printable | None], post: Post) -> None:
        """draw: the slip as a picture, None when a character has no glyph (a silent box would be wrong)."""
        self._printer = printer
        self._board = board
        self._draw = draw
        self._post = post

    def hindrance(self) -> str:
        status = self._board.of(DeviceKind.PRINTER)
        return "" if status.usable else status.reason or "starting"

    def paper_low(self) -> bool:
        return self._board.of(DeviceKind.PRINTER).reason == "paper_low"

    def print_slip(self, slip: Slip) -> None:
        raster = self._draw(slip)
        if raster is None:
            self._post(ev.SlipEnded(slip.case_number, PrintOutcome.BLOCKED, "missing_glyph"))
            return
        self._printer.print(raster, slip.case_number, slip.copy)

    def on_result(self, case_number: str, result: PrintResult) -> None:
        """For the printer thread."""
        self._post(ev.SlipEnded(case_number, result.outcome, result.reason))
