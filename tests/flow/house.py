"""A house of recording ports around one conversation: what it asked for is in `asked`."""

from __future__ import annotations

import datetime as dt

from reports import report

from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.domain.decision import ClipFrame, FaceBands, FaceEvidence
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.face_task import FaceTask
from kiosk.domain.liveness import Liveness, Profile
from kiosk.domain.period import PeriodRule
from kiosk.domain.roster import FaceTemplate, PersonRecord, RosterEntry
from kiosk.domain.slip import Slip
from kiosk.flow import events as ev
from kiosk.flow.conductor import Conductor, Ports
from kiosk.flow.session import Rules
from kiosk.flow.view import Button, View

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
CARD = IdCard(CardKind.RESIDENT, "710000195001010025", "赵秀兰", birth=dt.date(1950, 1, 1))
TEMPLATES = (FaceTemplate("e", (0.0,) * 128), FaceTemplate("e", (0.1,) * 128))
KNOWN = PersonRecord(RosterEntry(CARD.number, CARD.name, "居保", dt.date(2026, 12, 31), TEMPLATES))
UNKNOWN = PersonRecord(None)
RECEIPT = CaseReceipt("01890a5d-ac96-774b-bcce-b302099a8057", "HG01-20261123-000001", "token")
RULES = Rules(
    bands=FaceBands(0.42, 0.50), profile=Profile.PAPER, renew_months=24, period=PeriodRule(),
    attempts_max=3, consent_text_version="t", terminal_id="HG01",
    site="含湖村", idle_s=60, countdown_s=30, result_s=45, take_card_s=20, ended_s=8, hand_in_s=20, delivery_wait_s=4,
)


def tried(
    distance: float, liveness: Liveness = Liveness.PASSED, profile: Profile = Profile.PAPER, foreign: int = 0,
) -> ev.FaceTried:
    return ev.FaceTried(FaceEvidence(
        distance, 5, 2, report(liveness, profile), "e", (b"jpeg",), (ClipFrame(0, b"clip"),), foreign=foreign,
    ))


class House:
    """Plays all ports at once and records every command, newest last."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.moment = NOW
        self.asked: list[tuple[object, ...]] = []
        self.views: list[View] = []
        self.timers: dict[str, float] = {}
        self.printer_hindrance = ""
        self.paper_is_low = False
        self.drafts: list[CaseDraft] = []
        self.slips: list[Slip] = []
        self.pins: list[tuple[str, dt.datetime]] = []
        self.codes: list[tuple[str, dt.datetime]] = []
        ports = Ports(self, self, self, self, self, self, self, Clocked(self), self, self)  # type: ignore[arg-type]
        self.conductor = Conductor(ports, rules)

    def now(self) -> dt.datetime:
        return self.moment

    def seek(self) -> None:
        self.asked.append(("seek",))

    def release(self) -> None:
        self.asked.append(("release",))

    def begin(self, task: FaceTask) -> None:
        self.asked.append(("camera", task))

    def end(self) -> None:
        self.asked.append(("camera off",))

    def find_person(self, card: IdCard) -> None:
        self.asked.append(("find",))

    def hand_in(self, draft: CaseDraft) -> None:
        self.drafts.append(draft)

    def watch_delivery(self, case_id: str, seconds: float) -> None:
        self.asked.append(("watch", case_id))

    def hindrance(self) -> str:
        return self.printer_hindrance

    def paper_low(self) -> bool:
        return self.paper_is_low

    def print_slip(self, slip: Slip) -> None:
        self.slips.append(slip)

    def check(self, pin: str, asked_at: dt.datetime) -> None:
        self.pins.append((pin, asked_at))

    def seek_code(self) -> None:
        self.asked.append(("seek code",))

    def release_code(self) -> None:
        self.asked.append(("release code",))

    def join(self, code: str, asked_at: dt.datetime) -> None:
        self.codes.append((code, asked_at))

    def say(self, text_id: str) -> None:
        self.asked.append(("say", text_id))

    def repeat(self) -> None:
        self.asked.append(("again",))

    def stop(self) -> None:
        pass

    def show_view(self, view: View) -> None:
        self.views.append(view)

    # ------------------------------------------------------------------ driving

    @property
    def view(self) -> View:
        return self.views[-1]

    def press(self, button: Button) -> None:
        assert button in self.view.enabled, f"{button} is not on {self.view.step}"
        self.conductor.handle(ev.Pressed(button))

    def handle(self, *events: object) -> None:
        for event in events:
            self.conductor.handle(event)  # type: ignore[arg-type]

    def to_attract(self) -> House:
        self.conductor.start()
        self.handle(ev.ReaderChanged(True))
        return self

    def to_greeting(self, record: PersonRecord = KNOWN) -> House:
        self.to_attract()
        self.handle(ev.CardSeen(), ev.CardRead(CARD), ev.PersonFound(CARD, record))
        return self

    def to_consent(self, record: PersonRecord = KNOWN) -> House:
        self.to_greeting(record)
        self.press(Button.CONTINUE)
        return self

    def to_camera(self, record: PersonRecord = KNOWN, send_photo: bool = True) -> House:
        self.to_consent(record)
        self.press(Button.TICK_MATCH)
        if send_photo:
            self.press(Button.TICK_SEND_PHOTO)
        self.press(Button.AGREE)
        return self

    def to_result(self, delivered: bool = True, distance: float = 0.30) -> House:
        self.to_camera()
        self.handle(tried(distance), ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, delivered))
        return self

    def lift_card(self) -> None:
        self.handle(ev.CardLifted())


class Clocked:
    """The timers, kept as a table the test fires from."""

    def __init__(self, house: House) -> None:
        self._house = house

    def start(self, name: str, seconds: float) -> None:
        self._house.timers[name] = seconds

    def cancel(self, name: str) -> None:
        self._house.timers.pop(name, None)
