"""A robot that visits the terminal again and again while its devices misbehave, and does what its screen says."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from reports import report

from kiosk.config.face import FaceConfig
from kiosk.demo.estate import Estate
from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.emulated.idcard import Manner
from kiosk.devices.idcard.codec import Command
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.domain.trouble import FaceTrouble
from kiosk.flow.view import Button, Step, View
from kiosk.terminal.app import Terminal

REST = (Step.ATTRACT, Step.NO_SLIP, Step.OUT_OF_SERVICE)
_STUCK_S = 60.0
_RELAY_S = 3.0
"""A card nobody reacts to is laid again after so long."""
_PEOPLE = 900


class QuickFace:
    """Stands where the face process stands: takes a few real frames of a try and calls it done.

    The soak is of the devices; a real blink and five encodings would make it last for days.
    """

    engine = "soak"
    _FRAMES = 2
    _TRY_S = 4.0

    def __init__(
        self, config: FaceConfig, size: tuple[int, int], on_event: Callable[[object], None],
        on_status: Callable[[DeviceStatus], None],
    ) -> None:
        self._on_event, self._on_status = on_event, on_status
        self._left = 0
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        self._on_status(DeviceStatus(DeviceKind.FACE, DeviceState.READY))

    def stop(self) -> None:
        self.end()

    def begin(self, task: object, base: object = None, own: object = None) -> None:
        self.end()
        self._left = self._FRAMES
        self._timer = threading.Timer(self._TRY_S, self._give_up)
        self._timer.start()

    def end(self) -> None:
        self._left = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def offer(self, frame: object, t: float) -> None:
        if self._left == 0:
            return
        self._left -= 1
        if self._left == 0:
            self._on_event(FaceEvidence(0.3, 5, 2, report(), "soak", (b"jpeg",)))

    def _give_up(self) -> None:
        if self._left:
            self._left = 0
            self._on_event(FaceTrouble.TIMEOUT)


@dataclass(slots=True)
class Misfortune:
    name: str
    begin: Callable[[], None]
    end: Callable[[], None]


def misfortunes(town: Estate) -> list[Misfortune]:
    """Everything that can be ordered of the three devices a certification needs."""
    reader, printer = town.reader, town.printer
    assert reader is not None and printer is not None

    def switch(name: str) -> Misfortune:
        return Misfortune(f"printer {name}", lambda: setattr(printer.faults, name, True),
                          lambda: setattr(printer.faults, name, False))

    def manner(one: Manner) -> Misfortune:
        return Misfortune(f"reader {one.value}", lambda: reader.behave(one), reader.cure)

    def vanish(command: Command) -> Misfortune:
        return Misfortune(f"card gone after {command.name}", lambda: setattr(reader, "vanish_after", command),
                          lambda: setattr(reader, "vanish_after", None))

    def camera(fault: str) -> Misfortune:
        return Misfortune(f"camera {fault}", lambda: town.camera_fault(fault), lambda: town.camera_fault("none"))

    return [
        Misfortune("reader unplugged", reader.unplug, reader.plug),
        *map(manner, (Manner.MUTE, Manner.WRONG_CHECKSUM, Manner.TRUNCATED, Manner.NOISE_BEFORE, Manner.LATE,
                      Manner.VENDOR_TIMEOUT)),
        vanish(Command.FIND), vanish(Command.SELECT),
        Misfortune("printer unplugged", printer.port.unplug, printer.port.plug),
        *map(switch, ("paper_end", "near_end", "cover", "cutter", "silent", "stall", "overheat")),
        *map(camera, ("frozen", "black", "unplugged", "slow")),
    ]


@dataclass(slots=True)
class Robot:
    town: Estate
    terminal: Terminal
    dice: random.Random
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)
    worst_s: float = 0.0
    handed_in: int = 0
    _timers: list[threading.Timer] = field(default_factory=list)

    def visit(self, index: int) -> None:
        """One person from laying the card to the start screen. Notes how it ended; never raises for being stuck."""
        planned = self._plan()
        card = EmulatedCard.of(sample_card(index % _PEOPLE))
        began = time.monotonic()
        self._lay(card)
        laid, last, seen = time.monotonic(), None, set[Step]()
        ended = False
        while time.monotonic() - began < _STUCK_S:
            self._pump()
            view = self._view()
            if view.step is not last:
                last = view.step
                seen.add(last)
                if planned and planned[0] is last:
                    self._befall(planned[1], planned[2])
                    planned = None
                if last is Step.RESULT:
                    self.handed_in += 1
            if ended and view.step in REST:
                break
            if view.step in (Step.TAKE_CARD, Step.ENDED) or (ended and view.card_on_reader):
                ended = True
                self._lift()
                if Button.DONE in view.enabled:
                    self._press(Button.DONE)
            elif self._waits_in_vain(view, laid):
                self._lift()
                self._pump(0.35)
                self._lay(card)
                laid = time.monotonic()
            elif button := self._choice(view):
                if button is Button.DONE:
                    ended = True
                    self._lift()
                self._press(button)
        else:
            self.stuck.append(f"{index}: {self._view().step.value} after {', '.join(step.value for step in seen)}")
        self._lift()
        for timer in self._timers:
            timer.join()
        self._timers.clear()
        self.ends["result" if Step.RESULT in seen else "no result"] += 1
        self.worst_s = max(self.worst_s, time.monotonic() - began)
        self._rest()

    def _plan(self) -> tuple[Step, Misfortune, float] | None:
        if self.dice.random() < 0.5:
            return None
        when = self.dice.choice((Step.CARD, Step.GREETING, Step.CONSENT, Step.CAMERA, Step.HANDING_IN, Step.RESULT, Step.RESULT))
        return when, self.dice.choice(misfortunes(self.town)), self.dice.uniform(0.1, 2.5)

    def _befall(self, what: Misfortune, seconds: float) -> None:
        self.faults[what.name] += 1
        what.begin()
        timer = threading.Timer(seconds, what.end)
        timer.start()
        self._timers.append(timer)

    def _choice(self, view: View) -> Button | None:
        """What somebody who wants to certify presses next; None: wait."""
        if view.idle_seconds_left is not None:
            return Button.MORE_TIME
        match view.step:
            case Step.NO_SLIP:
                wanted = Button.WITHOUT_SLIP if self.dice.random() < 0.002 else None
            case Step.GREETING:
                wanted = Button.CONTINUE
            case Step.CONSENT:
                ticks = (Button.TICK_MATCH, Button.TICK_SEND_PHOTO)
                wanted = Button.AGREE if len(view.agreed) == 2 else ticks[len(view.agreed)]
            case Step.TRY_AGAIN | Step.SORRY:
                wanted = Button.RETRY if Button.RETRY in view.enabled else Button.END
            case Step.ASK_REVIEW:
                wanted = Button.ASK_REVIEW
            case Step.RESULT if view.slip is not None or not view.wants_slip:
                again = Button.REPRINT in view.enabled and self.dice.random() < 0.5
                wanted = Button.REPRINT if again else Button.DONE
            case _:
                wanted = None
        return wanted if wanted in view.enabled else None

    def _waits_in_vain(self, view: View, laid: float) -> bool:
        waiting = view.step in (Step.ATTRACT, Step.CARD) or (view.step is Step.NO_SLIP and Button.END not in view.enabled)
        return waiting and time.monotonic() - laid > (_RELAY_S if not view.trouble else 0.5)

    def _rest(self) -> None:
        """Until the machine is well and waits for the next person. Nobody is there: only what stands open is ended."""
        deadline = time.monotonic() + _STUCK_S
        while self._view().step is not Step.ATTRACT:
            self._pump()
            ends = [button for button in (Button.END, Button.DONE) if button in self._view().enabled]
            if ends:
                self._press(ends[0])
            if time.monotonic() > deadline:
                self.stuck.append(f"does not recover: {self._view().step.value} {self._view().staff_note}")
                return

    def _view(self) -> View:
        view = self.terminal.view
        assert view is not None
        return view

    def _lay(self, card: EmulatedCard) -> None:
        assert self.town.reader is not None
        self.town.reader.lay(card)

    def _lift(self) -> None:
        self.town.lift_card()

    def _pump(self, seconds: float = 0.01) -> None:
        deadline = time.monotonic() + seconds
        while True:
            QApplication.processEvents()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.005, left))

    def _press(self, button: Button) -> None:
        for widget in self.terminal.window.findChildren(QAbstractButton, button.value):
            if widget.isVisible() and widget.isEnabled():
                QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.rect().center())
                self._pump(0.1)  # the pressed look
                return
