"""The terminal as a whole: what is built from the configuration, in which order it starts and stops."""

from __future__ import annotations

import logging
import sys
from functools import partial

import cv2
from PySide6.QtCore import QLoggingCategory, QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from kiosk.config import KioskConfig, Mode
from kiosk.devices.idcard.events import CardEvent
from kiosk.devices.scanner.events import ScanEvent
from kiosk.devices.socialcard.events import SocialCardEvent
from kiosk.diagnostics.board import StatusBoard
from kiosk.domain.slip import Printable, PrintResult, Slip
from kiosk.domain.status import DeviceKind, DeviceStatus
from kiosk.face.client import Brings, FaceClient
from kiosk.flow.conductor import Conductor, Ports
from kiosk.flow.events import EnrolmentChanged, Event, Joined, Pressed, PrinterChanged
from kiosk.flow.session import Rules
from kiosk.flow.view import Button, Step, View
from kiosk.store.audit_log import AuditLog, note_start
from kiosk.store.cases import CaseStore
from kiosk.store.device_states import DeviceStates
from kiosk.store.opening import open_store
from kiosk.store.print_journal import PrintJournal
from kiosk.store.roster import Roster
from kiosk.store.unusable import StoreUnusable
from kiosk.sync.content import in_use, with_office_settings
from kiosk.sync.identity import load_identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.status import standing
from kiosk.terminal.adapters import CardReaders, Desk, Post, SlipDesk, SystemClock
from kiosk.terminal.bridge import EventBridge
from kiosk.terminal.devices import Devices, Listeners
from kiosk.terminal.eye import Eye
from kiosk.terminal.face_base import LocalBase
from kiosk.terminal.joiner import Joiner
from kiosk.terminal.process import StopOnSignal, log_uncaught, single_instance
from kiosk.terminal.rules import rules
from kiosk.terminal.staff import Gate
from kiosk.terminal.states import StateWriter
from kiosk.texts import TextError, Texts, load_texts
from kiosk.ui.camera_view import Frame
from kiosk.ui.fonts import load_fonts
from kiosk.ui.qt_timers import QtTimers
from kiosk.ui.slip import MissingGlyphs, SlipPainter
from kiosk.ui.voice import Voice
from kiosk.ui.window import KioskWindow

log = logging.getLogger(__name__)

_STORE_RETRY_S = 10.0
_ALIVE_MS = 30_000
_CONTENT_LOOK_MS = 30_000
_RESTART = 70
"""Exit status that asks for a new process (EX_SOFTWARE)."""


class Terminal(QObject):
    """Built and started on the UI thread of a QApplication. Without its store it says so and keeps trying."""

    def __init__(self, config: KioskConfig, texts: Texts) -> None:
        super().__init__()
        self._config = config
        self._texts = texts
        self.board = StatusBoard(config.devices)
        self.window = self._make_window()
        self._conductor: Conductor | None = None
        self._house: House | None = None
        self._store_retry = QTimer(self)
        self._store_retry.setSingleShot(True)
        self._store_retry.timeout.connect(self._open)
        self._content: int | None = None
        """Version of the office's package whose settings are in force."""
        self._content_watch = QTimer(self)
        self._content_watch.timeout.connect(self._look_for_content)

    @property
    def view(self) -> View | None:
        """What the person sees now; None before there is a conversation."""
        return self._conductor.view if self._conductor else None

    def start(self) -> None:
        """Shows the window first, whatever is missing; everything else follows."""
        self.window.show_view(_closed())
        self.window.present()
        QTimer.singleShot(0, self._open)

    def stop(self) -> None:
        self._store_retry.stop()
        self._content_watch.stop()
        if self._house:
            self._house.stop()
        self.window.allow_close()
        self.window.close()
        self.window.deleteLater()  # here and now: never by the garbage collector on some device thread

    @Slot()
    def _open(self) -> None:
        try:
            engine = open_store(self._config)
            identity = load_identity(engine)
            self._follow_office(engine)
            if identity is not None:
                note_start(engine, "terminal", self._config)
            stands = EnrolmentChanged(*standing(engine))
        except StoreUnusable as error:
            log.error("store: %s", error)
            self._wait(f"staff.store.{error.reason}")
            return
        except DBAPIError as error:
            log.error("store: %s", type(error.orig).__name__)
            self._wait("staff.store.damaged")
            return
        if identity is None:
            log.warning("this terminal is not enrolled: hold the bar above the screen and type the code of the office")
        house = House(self._config, self._texts, engine, self.window, self.board, self._arrived)
        self._conductor = Conductor(house.ports, rules(self._config, identity))
        self._house = house
        self._engine = engine
        self._content_watch.start(_CONTENT_LOOK_MS)
        self._conductor.start()
        self._conductor.handle(stands)
        house.start()

    def _make_window(self) -> KioskWindow:
        return KioskWindow(self._texts, self._config.ui, self._config.site.help_phone, self._pressed, self._arrived)

    def _follow_office(self, engine: Engine) -> None:
        """From here on with the settings of the office's package; every screen shows its number for help."""
        phone = self._config.site.help_phone
        self._content = in_use(engine).version
        self._config = with_office_settings(engine, self._config)
        if self._config.site.help_phone != phone:
            before, self.window = self.window, self._make_window()
            self.window.show_view(_closed())
            self.window.present()
            before.allow_close()
            before.close()
            before.deleteLater()

    @Slot()
    def _look_for_content(self) -> None:
        """A newer package is taken up by a new process, once nobody stands here."""
        try:
            newer = in_use(self._engine).version != self._content
        except DBAPIError:
            return
        if newer and self._nobody_here():
            log.warning("the office's settings have changed: the process starts anew")
            QApplication.exit(_RESTART)

    def _nobody_here(self) -> bool:
        if self._conductor is None:
            return True
        session = self._conductor.session
        return session.card is None and session.step in (Step.ATTRACT, Step.NO_SLIP, Step.OUT_OF_SERVICE)

    def _wait(self, staff_note: str) -> None:
        """Cannot work yet: says so and tries again, without anybody having to restart it."""
        self.window.show_view(_closed(staff_note))
        self._store_retry.start(int(_STORE_RETRY_S * 1000))

    def _arrived(self, event: Event) -> None:
        if self._conductor is None or self._house is None:
            return
        if isinstance(event, Joined | EnrolmentChanged):
            self._conductor.follow(self._house.rules())
        self._conductor.handle(event)
        if self._house.restart_needed and self._nobody_here():
            log.error("a commit ended without a clear answer: the process starts anew")
            QApplication.exit(_RESTART)

    def _pressed(self, button: Button) -> None:
        self._arrived(Pressed(button))


class House:
    """The rooms behind one terminal, wired. `stop` takes them down in reverse."""

    def __init__(
        self, config: KioskConfig, texts: Texts, engine: Engine, window: KioskWindow, board: StatusBoard, handle: Post,
    ) -> None:
        """handle: takes the conversation's events, on the UI thread."""
        cv2.setNumThreads(1)  # the other core belongs to the screen
        clock = SystemClock()
        self._bridge = EventBridge(handle)
        post = self._post = self._bridge.post
        self._board = board
        self._config = config
        self._engine = engine
        self._desk = Desk(
            CaseStore(engine, config.store.free_floor_mb * 1024 * 1024, config.sync.max_unsent),
            EnvelopeSealer(engine, config.mode is Mode.DEMO, config.sync.part_kb * 1024, config.store.suite), clock, post,
        )
        self._states = StateWriter(DeviceStates(engine, clock.now), config.devices)
        heard = Listeners(self._status, self._card, self._social_card, self._scanned, self._slip_ended, self._document_ended)
        self._devices = devices = Devices(config, PrintJournal(engine, clock.now), heard)
        self._mirror = window.camera
        self._face = FaceClient(config.face, (config.camera.width, config.camera.height), self._face_happened, self._status)
        self._eye = Eye(devices.camera, self._face, LocalBase(Roster(engine), self._face, config.face), post)
        devices.camera.subscribe(self._show_frame)
        if config.camera.ir_source is None:
            devices.camera.subscribe(self._face.offer)
        else:
            devices.camera.subscribe_pairs(self._eye.on_pair)
        painter = SlipPainter(texts, config)
        self._slips = SlipDesk(devices.printer, board, partial(_draw, painter), post)
        self._voice = Voice(texts, config.ui.voice_dir, enabled=config.ui.voice)
        self._timers = QtTimers(handle)  # at once: a timer cancelled before it is handled has not fired
        self._readers = CardReaders(devices.idcard, devices.socialcard, post)
        self._gate = Gate(config.staff, post, AuditLog(engine).note) if config.staff.members else None
        self._joiner = Joiner(config, engine, devices.scanner, post)
        self.ports = Ports(
            clock, self._readers, self._eye, self._desk, self._slips, self._voice, window, self._timers, self._gate,
            self._joiner,
        )
        self._alive = QTimer()  # of the UI thread: a screen that hangs does not count as running
        self._alive.timeout.connect(self._states.touch)
        self._alive.timeout.connect(self._eye.forget_stale)

    def start(self) -> None:
        self._states.start()
        self._alive.start(_ALIVE_MS)
        self._face.start()  # first: its models take longest to load, and it must be spawned from this thread
        self._devices.start()
        self._joiner.start()

    def rules(self) -> Rules:
        """As the last enrolment has it."""
        return rules(self._config, load_identity(self._engine))

    @property
    def restart_needed(self) -> bool:
        return self._desk.restart_needed

    def stop(self) -> None:
        self._voice.stop()
        self._eye.stop()
        self._alive.stop()
        self._states.stop()  # before the devices: their last words stay, not that they were stopped
        self._devices.stop()
        self._face.stop()
        self._desk.stop()
        self._joiner.stop()
        if self._gate:
            self._gate.stop()
        self._engine.dispose()
        for part in (self._timers, self._bridge, self._voice, self._alive):
            part.deleteLater()

    def _card(self, happened: CardEvent) -> None:
        self._readers.on_card(happened)

    def _social_card(self, happened: SocialCardEvent) -> None:
        self._readers.on_social_card(happened)

    def _scanned(self, happened: ScanEvent) -> None:
        self._joiner.on_scan(happened)

    def _document_ended(self, case_number: str, result: PrintResult) -> None:
        """No conversation ends in a document yet."""

    def _show_frame(self, frame: Frame, t: float) -> None:
        self._mirror.set_frame(frame)

    def _status(self, status: DeviceStatus) -> None:
        """For every device thread: board and database first, then the conversation, where it depends on the device."""
        self._board.report(status)
        self._states.report(status)
        match status.kind:
            case DeviceKind.IDCARD:
                self._readers.on_status(status)
            case DeviceKind.PRINTER:
                self._post(PrinterChanged())
            case DeviceKind.CAMERA:
                self._eye.on_camera(status)

    def _face_happened(self, happened: Brings) -> None:
        self._eye.on_face(happened)

    def _slip_ended(self, case_number: str, result: PrintResult) -> None:
        self._slips.on_result(case_number, result)


def make_application(config: KioskConfig) -> QApplication:
    """The one QApplication of a process, with the look that is equal on every machine."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setStyle("Fusion")
    QLoggingCategory.setFilterRules("qt.multimedia.*=false")  # lists every optional library it did not find
    if not load_fonts(config.ui.font_dir):
        log.warning("the screen font is missing in %s; run the set-up again", config.ui.font_dir)
    return app


def run_terminal(config: KioskConfig) -> int:
    """Runs until SIGTERM; the exit status of the process."""
    try:
        texts = load_texts(config.ui.texts)
    except TextError as error:
        log.error("%s", error)
        return 1
    app = make_application(config)
    try:
        lock = single_instance(config.store.path.with_name("terminal.lock"))
        terminal = Terminal(config, texts)
    except OSError as error:
        log.error("%s: %s; create the folder for this user", config.store.path.parent, error.strerror)
        return 1
    except TextError as error:
        log.error("%s", error)
        return 1
    if lock is None:
        log.error("a terminal already runs on %s", config.store.path)
        return 1
    log_uncaught()
    signals = StopOnSignal(app)
    terminal.start()
    status = app.exec()
    terminal.stop()
    signals.undo()
    return status


def _draw(painter: SlipPainter, slip: Slip) -> Printable | None:
    drawn = painter.paint(slip)
    if isinstance(drawn, MissingGlyphs):
        log.error("a slip has characters without a glyph; it was not printed")
        return None
    return drawn


def _closed(staff_note: str = "") -> View:
    """Out of service before there is a conversation."""
    return View(Step.OUT_OF_SERVICE, frozenset(), staff_note=staff_note)
