"""A house with staff, and what the face room brings of an enrolment."""

from __future__ import annotations

import dataclasses

from house import CARD, KNOWN, NOW, RECEIPT, RULES, House
from reports import report

from kiosk.domain.enrolment import Capture, EnrolmentEvidence, Lookalike, NamedLookalike, View
from kiosk.domain.liveness import Liveness, Profile
from kiosk.domain.roster import FaceTemplate, PersonRecord, TemplateSource
from kiosk.flow import events as ev
from kiosk.flow.session import StaffRules
from kiosk.flow.view import Button

STAFF = "HG01"
STAFF_RULES = dataclasses.replace(RULES, staff=StaffRules(check_s=10, enrol_text_version="e1"))
CAPTURES = tuple(
    Capture(view, FaceTemplate("e", (0.1 * index,) * 128, TemplateSource.ENROLLED), b"jpeg") for index, view in enumerate(View)
)
ALIKE = NamedLookalike("李*", "999***********0018", 0.38, "999900194001010018")


def taken(apart: float = 0.2, liveness: Liveness = Liveness.PASSED, alike: tuple[NamedLookalike, ...] = ()) -> ev.EnrolmentTaken:
    lookalikes = tuple(Lookalike(index, one.distance) for index, one in enumerate(alike))
    evidence = EnrolmentEvidence(CAPTURES, apart, 0.35, report(liveness, Profile.ATTENDED), "e", lookalikes)
    return ev.EnrolmentTaken(evidence, alike)


class AttendedHouse(House):
    def __init__(self) -> None:
        super().__init__(STAFF_RULES)

    def type(self, pin: str) -> None:
        self.handle(*(ev.Typed(digit) for digit in pin))

    def to_pin(self) -> AttendedHouse:
        self.to_attract()
        self.handle(ev.StaffWanted())
        return self

    def to_menu(self) -> AttendedHouse:
        self.to_pin()
        self.type("258013")
        self.press(Button.ENTER)
        self.handle(ev.StaffKnown(self.pins[-1][1], STAFF))
        return self

    def to_person(self, record: PersonRecord = KNOWN) -> AttendedHouse:
        self.to_menu()
        self.press(Button.ENROL)
        self.handle(ev.CardSeen(), ev.CardRead(CARD), ev.PersonFound(CARD, record))
        return self

    def to_notice(self, record: PersonRecord = KNOWN) -> AttendedHouse:
        self.to_person(record)
        self.press(Button.CONTINUE)
        return self

    def to_enrol_camera(self, record: PersonRecord = KNOWN) -> AttendedHouse:
        self.to_notice(record)
        for button in (Button.TICK_ENROL, Button.TICK_SEND_PHOTO, Button.AGREE):
            self.press(button)
        return self

    def to_check(self, event: ev.EnrolmentTaken | None = None) -> AttendedHouse:
        self.to_enrol_camera()
        self.handle(event or taken())
        return self

    def to_enrolled(self) -> AttendedHouse:
        self.to_check()
        self.press(Button.SUBMIT)
        self.handle(ev.HandedIn(NOW, RECEIPT))
        return self
