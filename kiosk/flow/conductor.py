"""Runs a conversation: feeds it events one at a time and carries out what it wants on the ports."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from kiosk.flow import certify, enrol, join, staff
from kiosk.flow import effects as fx
from kiosk.flow.effects import Effect
from kiosk.flow.events import Event
from kiosk.flow.ports import CardReader, CaseDesk, Clock, FaceRoom, Joining, Screen, SlipPrinter, StaffGate, Timers, Voice
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.show import view_of
from kiosk.flow.start import Result, begin
from kiosk.flow.view import View


@dataclass(frozen=True, slots=True)
class Ports:
    clock: Clock
    reader: CardReader
    face: FaceRoom
    desk: CaseDesk
    printer: SlipPrinter
    voice: Voice
    screen: Screen
    timers: Timers
    staff: StaffGate | None = None
    """None where nobody can sign in."""
    joining: Joining | None = None
    """None where the machine cannot be enrolled from its screen."""


def step(session: Session, event: Event, around: Surroundings, rules: Rules) -> Result:
    """Gives the event to the conversation whose step the session is at; the certification owns the start screen."""
    if session.step in join.STEPS:
        return join.step(session, event, around, rules)
    if session.step in staff.STEPS:
        return staff.step(session, event, around, rules)
    if session.step in enrol.STEPS:
        return enrol.step(session, event, around, rules)
    return certify.step(session, event, around, rules)


class Conductor:
    """Single-threaded: call it from one thread. An event raised while another is handled waits its turn."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports = ports
        self._rules = rules
        self._session = Session()
        self._shown: View | None = None
        self._waiting: deque[Event] = deque()
        self._busy = False

    @property
    def session(self) -> Session:
        return self._session

    @property
    def view(self) -> View | None:
        """What is shown now; None before the start."""
        return self._shown

    def follow(self, rules: Rules) -> None:
        """From the next event on: the machine was enrolled, perhaps under another number."""
        self._rules = rules

    def start(self) -> None:
        self._apply(*begin(self._session, self._around()))

    def handle(self, event: Event) -> None:
        self._waiting.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._apply(*step(self._session, self._waiting.popleft(), self._around(), self._rules))
        finally:
            self._busy = False

    def _around(self) -> Surroundings:
        printer = self._ports.printer
        return Surroundings(self._ports.clock.now(), printer.hindrance(), printer.paper_low())

    def _apply(self, session: Session, wanted: tuple[Effect, ...]) -> None:
        self._session = session
        view = view_of(session, self._rules, self._ports.clock.now())
        if view != self._shown:  # the screen first: nobody waits for a device to see that a press was felt
            self._shown = view
            self._ports.screen.show_view(view)
        for effect in wanted:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        ports = self._ports
        match effect:
            case fx.SeekCard():
                ports.reader.seek()
            case fx.ReleaseCard():
                ports.reader.release()
            case fx.FindPerson(card):
                ports.desk.find_person(card)
            case fx.BeginFace(task):
                ports.face.begin(task)
            case fx.EndFace():
                ports.face.end()
            case fx.HandIn(draft):
                ports.desk.hand_in(draft)
            case fx.WatchDelivery(case_id, seconds):
                ports.desk.watch_delivery(case_id, seconds)
            case fx.PrintSlip(slip):
                ports.printer.print_slip(slip)
            case fx.CheckPin(pin, asked_at):
                assert ports.staff is not None, "rules that let staff sign in need a gate"
                ports.staff.check(pin, asked_at)
            case fx.SeekCode() | fx.ReleaseCode() | fx.Join():
                assert ports.joining is not None, "rules that let a code be typed need somebody to redeem it"
                self._join(effect, ports.joining)
            case fx.Say(text_id):
                ports.voice.say(text_id)
            case fx.SayAgain():
                ports.voice.repeat()
            case fx.Hush():
                ports.voice.stop()
            case fx.StartTimer(name, seconds):
                ports.timers.start(name, seconds)
            case fx.CancelTimer(name):
                ports.timers.cancel(name)

    def _join(self, effect: fx.SeekCode | fx.ReleaseCode | fx.Join, joining: Joining) -> None:
        match effect:
            case fx.SeekCode():
                joining.seek_code()
            case fx.ReleaseCode():
                joining.release_code()
            case fx.Join(code, asked_at):
                joining.join(code, asked_at)
