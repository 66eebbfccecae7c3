"""The identity-card reader at work: proves itself, looks for cards when asked, delivers each laying once.

    prove (status, SAM id) → idle: heartbeat
                           → seeking: find → select → read → IdCard delivered → watch until the plate is free

A failed step starts again at *find*. A card that stays on the plate is read on in silence; the person is asked
once per laying to lift it and lay it down again. What comes after a good read, such as the new address, never
spoils it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import SimpleQueue

from kiosk.devices.idcard.codec import Answer, Command, Sw3, format_sam_id
from kiosk.devices.idcard.events import CardEvent, CardLifted, CardSeen
from kiosk.devices.idcard.layouts import CardDataError, UnknownCardKind, decode_new_address, decode_read_answer
from kiosk.devices.idcard.line_quality import LineQuality
from kiosk.devices.idcard.plate import Plate
from kiosk.devices.idcard.reader import IdCardReader, NoAnswer
from kiosk.devices.serial_device import SerialDevice
from kiosk.devices.service import DeviceLost
from kiosk.domain.document import IdCard
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.domain.trouble import CardTrouble

_log = logging.getLogger(__name__)

_THRICE = 3
_FAULTS: dict[int, str] = {
    Sw3.SELF_TEST_FAILED: "self_test_failed",
    Sw3.SAM_NOT_AUTHORISED: "not_authorised",
    Sw3.UNKNOWN_COMMAND: "wrong_device",
}
"""Answers after which no card can be read, whatever the person does."""
_CARD_TO_BLAME = frozenset(
    {Sw3.CARD_REJECTS_SAM, Sw3.SAM_REJECTS_CARD, Sw3.VERIFICATION_FAILED, Sw3.READ_FAILED, Sw3.RANDOM_FAILED}
)
"""Answers after which the person is asked at once; after others only at the third in a row."""


@dataclass(frozen=True, slots=True)
class Timing:
    """All delays of the service, in seconds."""

    poll: float = 0.3
    """Between two looks for a card; modules do not bear less."""
    heartbeat: float = 3.0
    """Between two status questions while nobody wants a card: the only way to notice an idle unplug."""
    watch: float = 15.0
    """So long a card that only lies there, delivered or unreadable, is looked after at `poll`; then at `heartbeat`."""
    same_card: float = 5.0
    """A card delivered less than this ago is not delivered again."""
    retry: tuple[float, float] = (0.5, 5.0)
    """First and longest wait before the port is opened again."""
    answer: float = 1.0
    """How long the reader may take over a short command; reading a card may take three times as long."""


class IdCardService(SerialDevice):
    """Statuses: READY once the reader has proved itself; DEGRADED with `line_errors` while a bad line still works;
    OFFLINE with `no_port`, `busy_port`, `port_denied`, `line_lost`, `stalled`, `mute`, `wrong_device`, `line_errors`,
    `self_test_failed` or `not_authorised`. Never BUSY: reading takes a moment, and CardSeen tells whoever must know.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        on_status: Callable[[DeviceStatus], None],
        on_event: Callable[[CardEvent], None],
        timing: Timing | None = None,
        read_new_address: bool = False,
    ) -> None:
        """Both listeners are called from the device thread."""
        self._timing = timing or Timing()
        super().__init__(DeviceKind.IDCARD, port, baud, on_status, self._timing.retry)
        self._on_event = on_event
        self._read_new_address = read_new_address
        self._quality = LineQuality()
        self._proved = False
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._wanted = False
        self._plate = Plate(self._timing.same_card)
        self._silences = 0
        self._failures = 0
        """Failed steps since the last good read."""
        self._failed_layings = 0
        self._told = False
        """The person has been told about this laying."""
        self._stirred = 0.0
        """When somebody last asked for something or a card did something, in monotonic seconds."""

    def seek(self) -> None:
        """Look for a card from now on. Answers: CardSeen, then IdCard or CardTrouble. Ends with the first IdCard."""
        self._orders.put(True)
        self.attention.set()

    def release(self) -> None:
        """Stop looking. A card seen before is still watched until CardLifted."""
        self._orders.put(False)
        self.attention.set()

    def close(self) -> None:
        super().close()
        if self._plate.lose_sight():
            self._emit(CardLifted())

    def run(self) -> None:
        self._reader = IdCardReader(self.line, self._quality, self._timing.answer)
        self._silences, self._proved = 0, False
        self._prove()
        self._proved = True
        while not self.stopping.is_set():
            self._report_line()
            self._take_orders()
            if self._wanted or self._plate.watched:
                self._look()
                self.pause(self._timing.heartbeat if self._nothing_new() else self._timing.poll)
            else:
                self._heartbeat()
                self.pause(self._timing.heartbeat)

    def _report_line(self) -> None:
        if self._quality.poor:
            self.report(DeviceState.DEGRADED, "line_errors")
        else:
            self.report(DeviceState.READY)

    def _nothing_new(self) -> bool:
        """A card lies there and has done nothing for a while: forgotten, or none that can be read."""
        still = self._plate.occupied and not self._plate.doubtful
        return still and time.monotonic() - self._stirred > self._timing.watch

    def _prove(self) -> None:
        """A good status and a SAM id: no other device answers both."""
        if self._insist(Command.STATUS).sw3 == Sw3.SELF_TEST_FAILED:
            self._ask(Command.RESET)
        status = self._insist(Command.STATUS)
        _raise_fault(status)
        sam = self._insist(Command.SAM_ID)
        if status.sw3 != Sw3.OK or sam.sw3 != Sw3.OK or len(sam.data) != 16:
            raise DeviceLost("wrong_device")
        _log.info("reader proved, SAM %s", format_sam_id(sam.data))

    def _heartbeat(self) -> None:
        answer = self._step(Command.STATUS)
        if isinstance(answer, Answer) and answer.sw3 != Sw3.OK:
            raise DeviceLost("wrong_device")  # has to prove itself again

    def _take_orders(self) -> None:
        while not self._orders.empty():
            self._wanted = self._orders.get()
            self._failures = self._failed_layings = 0
            self._told = False
            self._stirred = time.monotonic()

    def _look(self) -> None:
        answer = self._step(Command.FIND)
        if isinstance(answer, NoAnswer):
            return
        if answer.sw3 == Sw3.FOUND:
            if self._plate.found():
                self._told = False
                self._emit(CardSeen())
            if self._wanted:
                self._read()
        elif answer.sw3 == Sw3.NO_CARD:
            if self._plate.missed():
                self._emit(CardLifted())
        else:
            self._failed(answer)

    def _read(self) -> None:
        if self._succeed(Command.SELECT) is None or (answer := self._succeed(Command.READ)) is None:
            return
        try:
            card = decode_read_answer(answer.data)
        except UnknownCardKind:
            self._tell(CardTrouble.NOT_AN_ID_CARD)
        except CardDataError as error:
            _log.warning("card not usable: %s", error)
            self._failed(NoAnswer.GARBLED)
        else:
            self._failures = 0
            self._deliver(card)

    def _succeed(self, command: Command) -> Answer | None:
        answer = self._step(command)
        if isinstance(answer, Answer) and answer.sw3 == Sw3.OK:
            return answer
        self._failed(answer)
        return None

    def _deliver(self, card: IdCard) -> None:
        if self._plate.just_delivered(card.number, time.monotonic()):
            return
        if self._plate.forgotten(card.number):
            self._tell(CardTrouble.LAY_AGAIN)
            return
        if self._read_new_address:
            card = replace(card, new_address=self._new_address())
        self._take_orders()  # reading took a while
        if not self._wanted:
            return
        if self._plate.spent:  # swapped faster than the plate could be seen free
            self._emit(CardLifted())
            self._emit(CardSeen())
        self._plate.delivered(card.number, time.monotonic())
        self._wanted = False
        _log.info("%s delivered", card.kind.value)
        self._emit(card)

    def _new_address(self) -> str | None:
        """Of the card just read; None if it has none or it cannot be had. A lost line is noticed by the next command."""
        try:
            answer = self._reader.ask(Command.READ_NEW_ADDRESS)
            if isinstance(answer, Answer) and answer.sw3 == Sw3.OK:
                return decode_new_address(answer.data) or None
        except (DeviceLost, CardDataError) as error:
            _log.warning("new address not usable: %s", error)
        return None

    def _failed(self, answer: Answer | NoAnswer) -> None:
        """A step towards the card's content went wrong. Every third time the module is reset, too."""
        if isinstance(answer, Answer) and answer.sw3 == Sw3.UNKNOWN_CARD_TYPE:
            self._tell(CardTrouble.NOT_AN_ID_CARD)
            return
        self._failures += 1
        third = self._failures % _THRICE == 0
        if third and (isinstance(answer, NoAnswer) or answer.sw3 != Sw3.SELECT_FAILED):
            self._ask(Command.RESET)
        if third or isinstance(answer, NoAnswer) or answer.sw3 in _CARD_TO_BLAME:
            self._ask_to_lay_again()

    def _ask_to_lay_again(self) -> None:
        if self._plate.occupied and not self._told:
            self._failed_layings += 1
            self._tell(CardTrouble.LAY_AGAIN_CLEAN if self._failed_layings >= _THRICE else CardTrouble.LAY_AGAIN)

    def _tell(self, trouble: CardTrouble) -> None:
        if not self._told:
            self._told = True
            self._emit(trouble)

    def _emit(self, event: CardEvent) -> None:
        self._stirred = time.monotonic()
        if not self.stopping.is_set():
            self.notify(self._on_event, event)

    def _step(self, command: Command) -> Answer | NoAnswer:
        answer = self._ask(command)
        _raise_fault(answer)
        return answer

    def _insist(self, command: Command) -> Answer:
        while isinstance(answer := self._ask(command), NoAnswer):
            pass
        return answer

    def _ask(self, command: Command) -> Answer | NoAnswer:
        """Raises DeviceLost at the third command in a row without a usable answer."""
        answer = self._reader.ask(command)
        self._silences = self._silences + 1 if isinstance(answer, NoAnswer) else 0
        if self._silences >= _THRICE:
            raise DeviceLost("mute" if answer is NoAnswer.SILENT else "line_errors" if self._proved else "wrong_device")
        return answer


def _raise_fault(answer: Answer | NoAnswer) -> None:
    if isinstance(answer, Answer) and answer.sw3 in _FAULTS:
        raise DeviceLost(_FAULTS[answer.sw3])
