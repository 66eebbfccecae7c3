"""Attended enrolment: the sunny way, every misfortune beside it, and random lives of the whole machine."""

import dataclasses
import datetime as dt

import pytest
from attended import ALIKE, CAPTURES, STAFF, STAFF_RULES, AttendedHouse, taken
from house import CARD, KNOWN, NOW, RECEIPT, UNKNOWN, tried
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.case import Item, Standing
from kiosk.domain.coaching import Coach
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.face_task import Enrol
from kiosk.domain.liveness import Liveness
from kiosk.domain.roster import PersonRecord
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.flow import conductor, enrol, staff
from kiosk.flow import events as ev
from kiosk.flow.session import Session, Surroundings
from kiosk.flow.show import view_of
from kiosk.flow.start import LEAVES_QUIETLY, NO_IDLE
from kiosk.flow.view import Button, Step

TODAY = NOW.date()


def test_a_person_is_enrolled() -> None:
    house = AttendedHouse().to_enrol_camera()
    assert house.asked[-1] == ("camera", Enrol(CARD.number))
    house.handle(ev.Coached(Coach.A_LITTLE_LEFT), ev.TurnSeen(0.5))
    assert house.view.coach is Coach.A_LITTLE_LEFT and house.view.turned == 0.5
    house.handle(taken())
    assert house.view.step is Step.ENROL_CHECK and ("camera off",) in house.asked
    assert house.view.captured is not None and house.view.captured.captures == 3 and house.view.captured.consistent
    house.press(Button.SUBMIT)
    (draft,) = house.drafts
    assert isinstance(draft, EnrolmentDraft)
    assert draft.staff == STAFF and draft.card is CARD and draft.captured_at == NOW and draft.in_roster
    assert draft.category == "居保" and draft.repeat == 0 and draft.lookalike_numbers == ()
    assert draft.consent.scopes == {ConsentScope.ENROL, ConsentScope.SEND_PHOTO} and draft.consent.text_version == "e1"
    assert [one.template.taken_on for one in draft.evidence.captures] == [TODAY] * 3
    assert [one.view for one in draft.evidence.captures] == [one.view for one in CAPTURES]
    assert house.view.step is Step.ENROL_HANDING_IN and not house.slips
    house.handle(ev.HandedIn(NOW, RECEIPT))
    assert house.view.step is Step.ENROL_RESULT and house.view.standing is Standing.RECEIVED
    assert house.view.case_number == RECEIPT.case_number and house.view.trouble == "enrol_result.detail"
    (slip,) = house.slips
    assert slip.item is Item.ENROLMENT and slip.standing is Standing.RECEIVED and slip.due is None
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.PRINTED))
    assert house.view.slip is PrintOutcome.PRINTED
    house.press(Button.DONE)
    assert house.view.step is Step.TAKE_CARD
    house.lift_card()
    assert house.view.step is Step.ATTRACT and house.conductor.session == Session(reader_usable=True), "signed out as well"


def test_the_day_is_the_local_one() -> None:
    house = AttendedHouse().to_check()
    house.moment = dt.datetime(2026, 11, 23, 16, 30, tzinfo=dt.UTC)  # half past midnight in Chongqing
    house.press(Button.SUBMIT)
    assert house.drafts[0].evidence.captures[0].template.taken_on == dt.date(2026, 11, 24)


@pytest.mark.parametrize(("days", "shown"), [
    ((None, None), None),
    ((dt.date(2024, 3, 1), dt.date(2025, 4, 2)), dt.date(2025, 4, 2)),
    ((None, dt.date(2025, 4, 2)), dt.date(2025, 4, 2)),
])
def test_staff_see_what_is_enrolled_already(days: tuple[dt.date | None, ...], shown: dt.date | None) -> None:
    assert KNOWN.entry is not None
    templates = tuple(dataclasses.replace(one, taken_on=day) for one, day in zip(KNOWN.entry.templates, days, strict=True))
    house = AttendedHouse().to_person(PersonRecord(dataclasses.replace(KNOWN.entry, templates=templates)))
    assert house.view.step is Step.ENROL_PERSON and house.view.masked_name == "赵*兰"
    assert house.view.masked_number == "710***********0025" and CARD.number not in repr(house.view)
    assert house.view.enrolled == 2 and house.view.enrolled_on == shown


def test_a_person_the_terminal_does_not_know_can_be_enrolled() -> None:
    house = AttendedHouse().to_enrol_camera(UNKNOWN)
    assert AttendedHouse().to_person(UNKNOWN).view.enrolled is None
    house.handle(taken())
    house.press(Button.SUBMIT)
    assert not house.drafts[0].in_roster and house.drafts[0].category == "unknown"


def test_a_second_enrolment_in_the_month_is_a_wanted_repetition() -> None:
    house = AttendedHouse().to_enrol_camera(PersonRecord(KNOWN.entry, cases_this_period=4, enrolments_this_period=1))
    house.handle(taken())
    house.press(Button.SUBMIT)
    assert house.drafts[0].repeat == 1


def test_consent_needs_both_answers_and_nothing_is_ticked_before() -> None:
    house = AttendedHouse().to_notice()
    assert house.asked[-1][:2] != ("camera",) and ("say", "enrol_consent.title") in house.asked
    assert not house.view.agreed and Button.AGREE not in house.view.enabled
    for one in (Button.TICK_ENROL, Button.TICK_SEND_PHOTO):
        house.press(one)
        assert Button.AGREE not in house.view.enabled
        house.handle(ev.Pressed(Button.AGREE))
        assert house.view.step is Step.ENROL_CONSENT
        house.press(one)
    house.press(Button.TICK_SEND_PHOTO)
    house.press(Button.TICK_ENROL)
    assert Button.AGREE in house.view.enabled


def test_refusing_leads_to_other_ways_and_back() -> None:
    house = AttendedHouse().to_notice()
    house.press(Button.DECLINE)
    assert house.view.step is Step.ENROL_DECLINED
    house.press(Button.BACK)
    assert house.view.step is Step.ENROL_CONSENT
    house.press(Button.BACK)
    assert house.view.step is Step.ENROL_PERSON
    house.press(Button.CONTINUE)
    house.press(Button.DECLINE)
    house.press(Button.DONE)
    assert house.view.step is Step.TAKE_CARD and house.conductor.session.card is None
    assert not [one for one in house.asked if one[0] == "camera"] and not house.drafts


def test_captures_that_do_not_agree_cannot_be_handed_in() -> None:
    house = AttendedHouse().to_check(taken(apart=0.36))
    assert house.view.captured is not None and not house.view.captured.consistent
    assert Button.SUBMIT not in house.view.enabled
    house.handle(ev.Pressed(Button.SUBMIT))
    assert house.view.step is Step.ENROL_CHECK and not house.drafts
    house.press(Button.RETAKE)
    assert house.view.step is Step.ENROL_CAMERA and house.conductor.session.enrolment is None
    house.handle(taken(apart=0.35))
    assert Button.SUBMIT in house.view.enabled


def test_too_few_captures_are_not_consistent() -> None:
    evidence = dataclasses.replace(taken().evidence, captures=CAPTURES[:2])
    assert Button.SUBMIT not in AttendedHouse().to_check(ev.EnrolmentTaken(evidence)).view.enabled


def test_an_action_not_seen_is_told_to_staff_and_decided_by_an_officer() -> None:
    house = AttendedHouse().to_check(taken(liveness=Liveness.FAILED))
    assert house.view.captured is not None and not house.view.captured.alive and Button.SUBMIT in house.view.enabled


def test_somebody_alike_is_shown_masked_and_sent_to_the_officer() -> None:
    house = AttendedHouse().to_check(taken(alike=(ALIKE,)))
    assert house.view.captured is not None and house.view.captured.lookalikes == (("李*", "999***********0018"),)
    assert ALIKE.number not in repr(house.views) and ALIKE.number not in repr(house.conductor.session)
    house.press(Button.SUBMIT)
    assert house.drafts[0].lookalike_numbers == (ALIKE.number,)
    house = AttendedHouse().to_check(taken(alike=(ALIKE,)))
    house.press(Button.RETAKE)
    house.handle(taken())
    house.press(Button.SUBMIT)
    assert house.drafts[0].lookalike_numbers == (), "of the last captures"


@pytest.mark.parametrize("trouble", FaceTrouble)
def test_camera_trouble(trouble: FaceTrouble) -> None:
    house = AttendedHouse().to_enrol_camera()
    house.handle(ev.FaceFailed(trouble))
    lost = trouble in (FaceTrouble.CAMERA_LOST, FaceTrouble.UNAVAILABLE)
    assert house.view.step is (Step.ENROL_SORRY if lost else Step.ENROL_AGAIN) and house.view.trouble
    assert bool(house.view.staff_note) == lost
    house.handle(taken())
    assert house.view.step is not Step.ENROL_CHECK, "of a try that is over"
    house.press(Button.RETRY)
    assert house.view.step is Step.ENROL_CAMERA and house.asked[-1] == ("camera", Enrol(CARD.number))
    house.handle(ev.FaceFailed(trouble))
    house.press(Button.END)
    assert house.view.step is Step.ENDED and house.view.trouble == "ended.cancelled"


@pytest.mark.parametrize("trouble", [*HandInTrouble, None])
def test_a_failed_commit_is_never_called_done(trouble: HandInTrouble | None) -> None:
    house = AttendedHouse().to_check()
    house.press(Button.SUBMIT)
    assert house.timers["hand_in"] == STAFF_RULES.hand_in_s
    house.handle(ev.HandInFailed(NOW, trouble) if trouble else ev.TimeUp("hand_in"))
    assert house.view.step is Step.ENROL_SORRY and Button.RETRY not in house.view.enabled
    assert not house.slips and house.view.case_number == ""
    house.handle(ev.Pressed(Button.RETRY), ev.HandedIn(NOW, RECEIPT))
    assert house.view.step is Step.ENROL_SORRY and len(house.drafts) == 1
    house.press(Button.END)
    assert house.view.trouble == ("ended.cancelled" if trouble is HandInTrouble.DISK_FULL else "ended.unclear")


@pytest.mark.parametrize("trouble", CardTrouble)
def test_card_not_read(trouble: CardTrouble) -> None:
    house = AttendedHouse().to_menu()
    house.press(Button.ENROL)
    assert house.asked[-2:] == [("seek",), ("say", "card.prompt")]
    house.handle(ev.CardSeen(), ev.CardFailed(trouble))
    assert house.view.step is Step.ENROL_CARD and house.view.trouble == f"trouble.{trouble.value}" and not house.view.card_seen
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    assert house.view.trouble == "" and house.asked[-1] == ("find",)


def test_a_lookup_that_failed_is_not_an_unknown_person() -> None:
    house = AttendedHouse().to_menu()
    house.press(Button.ENROL)
    house.handle(ev.CardSeen(), ev.CardRead(CARD), ev.LookupFailed(CARD))
    assert house.view.step is Step.ENROL_SORRY and house.view.trouble == "trouble.lookup_failed"
    assert Button.RETRY not in house.view.enabled
    house.handle(ev.Pressed(Button.RETRY))
    assert house.view.step is Step.ENROL_SORRY, "no camera without consent"


def test_a_reader_lost_before_the_card_closes_the_machine() -> None:
    house = AttendedHouse().to_menu()
    house.press(Button.ENROL)
    house.handle(ev.ReaderChanged(False))
    assert house.view.step is Step.OUT_OF_SERVICE and not house.conductor.session.staff
    house = AttendedHouse().to_enrol_camera()
    house.handle(ev.ReaderChanged(False), ev.CardLifted(), taken())
    assert house.view.step is Step.ENROL_CHECK


OTHER = dataclasses.replace(CARD)  # another laying: equal perhaps, but not the same card
LATER = NOW + dt.timedelta(seconds=40)


def test_answers_about_an_earlier_person_are_nobodys_business() -> None:
    house = AttendedHouse().to_menu()
    house.press(Button.ENROL)
    house.handle(ev.CardSeen(), ev.CardRead(OTHER), ev.PersonFound(CARD, KNOWN), ev.LookupFailed(CARD))
    assert house.view.step is Step.ENROL_CARD and house.conductor.session.record is None
    house = AttendedHouse().to_check()
    house.press(Button.SUBMIT)
    house.handle(ev.HandedIn(LATER, RECEIPT), ev.HandInFailed(LATER, HandInTrouble.DISK_FULL))
    assert house.view.step is Step.ENROL_HANDING_IN and house.view.case_number == ""
    house.handle(ev.HandedIn(NOW, RECEIPT), ev.SlipEnded("HG01-20261123-000999", PrintOutcome.UNKNOWN))
    assert house.view.step is Step.ENROL_RESULT and house.view.slip is None


def test_the_two_conversations_do_not_take_each_others_pictures() -> None:
    house = AttendedHouse().to_enrol_camera()
    house.handle(tried(0.2))
    assert house.view.step is Step.ENROL_CAMERA
    house = AttendedHouse()
    house.to_camera()
    house.handle(taken())
    assert house.view.step is Step.CAMERA


def test_without_paper_staff_know_before_and_the_number_is_written_down() -> None:
    house = AttendedHouse()
    house.printer_hindrance = "paper_out"
    house.to_person()
    assert house.view.staff_note == "staff.printer.paper_out"
    for button in (Button.CONTINUE, Button.TICK_ENROL, Button.TICK_SEND_PHOTO, Button.AGREE):
        house.press(button)
    house.handle(taken())
    house.press(Button.SUBMIT)
    house.handle(ev.HandedIn(NOW, RECEIPT))
    assert house.view.slip is PrintOutcome.BLOCKED and not house.slips
    house.printer_hindrance = ""
    house.handle(ev.PrinterChanged())
    house.press(Button.REPRINT)
    assert house.slips[0].item is Item.ENROLMENT


def test_what_is_being_handed_in_can_not_be_cancelled_any_more() -> None:
    house = AttendedHouse().to_check()
    house.press(Button.SUBMIT)
    house.handle(ev.Pressed(Button.END), ev.Pressed(Button.RETAKE), ev.Pressed(Button.SUBMIT))
    assert house.view.step is Step.ENROL_HANDING_IN and len(house.drafts) == 1
    house.handle(ev.HandedIn(NOW, RECEIPT), ev.Pressed(Button.END))
    assert house.view.step is Step.ENROL_RESULT


def test_the_result_leaves_by_itself() -> None:
    house = AttendedHouse().to_enrolled()
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.PRINTED), ev.CardLifted(), ev.TimeUp("leave"))
    assert house.view.step is Step.ATTRACT


# -------------------------------------------------------------------------------- what holds for any life

DRIVEN = {
    Step.ENROL_CARD: lambda: _menu_then(Button.ENROL),
    Step.ENROL_PERSON: lambda: AttendedHouse().to_person(),
    Step.ENROL_CONSENT: lambda: AttendedHouse().to_notice(),
    Step.ENROL_DECLINED: lambda: _then(AttendedHouse().to_notice(), ev.Pressed(Button.DECLINE)),
    Step.ENROL_CAMERA: lambda: AttendedHouse().to_enrol_camera(),
    Step.ENROL_AGAIN: lambda: _then(AttendedHouse().to_enrol_camera(), ev.FaceFailed(FaceTrouble.TIMEOUT)),
    Step.ENROL_CHECK: lambda: AttendedHouse().to_check(),
    Step.ENROL_HANDING_IN: lambda: _then(AttendedHouse().to_check(), ev.Pressed(Button.SUBMIT)),
    Step.ENROL_RESULT: lambda: AttendedHouse().to_enrolled(),
    Step.ENROL_SORRY: lambda: _then(AttendedHouse().to_enrol_camera(), ev.FaceFailed(FaceTrouble.CAMERA_LOST)),
    Step.STAFF_PIN: lambda: AttendedHouse().to_pin(),
    Step.STAFF_MENU: lambda: AttendedHouse().to_menu(),
}


def _menu_then(button: Button) -> AttendedHouse:
    return _then(AttendedHouse().to_menu(), ev.Pressed(button))


def _then(house: AttendedHouse, *events: object) -> AttendedHouse:
    house.handle(*events)
    return house


def test_every_step_is_reached_from_the_start() -> None:
    assert DRIVEN.keys() == enrol.STEPS | staff.STEPS
    for step, drive in DRIVEN.items():
        assert drive().view.step is step


@pytest.mark.parametrize("step", DRIVEN)
def test_time_alone_leads_back_to_the_start_and_nothing_stays(step: Step) -> None:
    house = DRIVEN[step]()
    if step is Step.ENROL_CAMERA:
        house.handle(ev.FaceFailed(FaceTrouble.TIMEOUT))  # its time is the face room's
    for _ in range(80):
        for timer in list(house.timers):
            seconds = house.timers.pop(timer)
            assert seconds > 0
            house.handle(ev.TimeUp(timer))
    assert house.view.step is Step.ATTRACT and not house.timers
    session = house.conductor.session
    assert session == Session(reader_usable=True, card_on_reader=session.card_on_reader)


def test_only_staff_screens_leave_without_a_question() -> None:
    for step in (enrol.STEPS | staff.STEPS) - NO_IDLE:
        house = DRIVEN[step]()
        assert house.timers["idle"] == STAFF_RULES.idle_s
        house.handle(ev.TimeUp("idle"))
        asked = house.view.idle_seconds_left is not None
        assert asked == (step not in LEAVES_QUIETLY), step


EVENTS = st.one_of(
    st.sampled_from(Button).map(ev.Pressed),
    st.sampled_from("0123456789").map(ev.Typed),
    st.sampled_from([ev.StaffWanted(), ev.Erased(), ev.StaffKnown(NOW, STAFF), ev.StaffUnknown(NOW), ev.StaffUnknown(NOW, 60.0)]),
    st.sampled_from(["idle", "tick", "leave", "hand_in", "pin"]).map(ev.TimeUp),
    st.sampled_from([Coach.TOO_FAR, Coach.WORKING]).map(ev.Coached),
    st.sampled_from(CardTrouble).map(ev.CardFailed),
    st.sampled_from(FaceTrouble).map(ev.FaceFailed),
    st.sampled_from(HandInTrouble).map(lambda trouble: ev.HandInFailed(NOW, trouble)),
    st.booleans().map(ev.ReaderChanged),
    st.sampled_from([KNOWN, UNKNOWN]).map(lambda record: ev.PersonFound(CARD, record)),
    st.sampled_from([taken(), taken(0.5), taken(alike=(ALIKE,)), tried(0.3), tried(0.7)]),
    st.booleans().map(lambda delivered: ev.DeliveryKnown(RECEIPT.case_id, delivered)),
    st.sampled_from(PrintOutcome).map(lambda outcome: ev.SlipEnded(RECEIPT.case_number, outcome)),
    st.sampled_from([ev.CardSeen(), ev.CardRead(CARD), ev.CardLifted(), ev.CardWaits()]),
    st.sampled_from([ev.HandedIn(NOW, RECEIPT), ev.LookupFailed(CARD)]),
)
"""Everything, in any order."""

SUNNY: list[object] = [
    ev.StaffWanted(), *map(ev.Typed, "2580"), ev.Pressed(Button.ENTER), ev.StaffKnown(NOW, STAFF), ev.Pressed(Button.ENROL),
    ev.CardSeen(), ev.CardRead(CARD), ev.PersonFound(CARD, KNOWN), ev.Pressed(Button.CONTINUE),
    ev.Pressed(Button.TICK_ENROL), ev.Pressed(Button.TICK_SEND_PHOTO), ev.Pressed(Button.AGREE), taken(alike=(ALIKE,)),
    ev.Pressed(Button.SUBMIT), ev.HandedIn(NOW, RECEIPT), ev.SlipEnded(RECEIPT.case_number, PrintOutcome.PRINTED),
    ev.Pressed(Button.DONE), ev.CardLifted(),
]


@st.composite
def lives(draw: st.DrawFn) -> list[object]:
    """The sunny way, left or disturbed anywhere: pure chance hardly ever gets past a PIN."""
    events: list[object] = []
    for one in SUNNY * 2:
        events += draw(st.lists(EVENTS, max_size=2)) if draw(st.integers(0, 5)) == 0 else []
        events += [one] if draw(st.integers(0, 19)) else []
    return events


@settings(max_examples=300, deadline=None)
@given(st.one_of(lives(), st.lists(EVENTS, max_size=60)))
def test_any_life(events: list[object]) -> None:
    house = AttendedHouse()
    house.conductor.start()
    handed_in = 0
    for event in [ev.ReaderChanged(True), *events]:
        drafts, cameras = len(house.drafts), _cameras(house)
        house.handle(event)
        session, view = house.conductor.session, house.view
        if view.step in (Step.ATTRACT, Step.OUT_OF_SERVICE, Step.ENDED, Step.TAKE_CARD):
            fresh = Session(step=session.step, reader_usable=session.reader_usable, reader_reason=session.reader_reason)
            kept = dataclasses.replace(
                session, card_on_reader=False, card_seen=False, trouble="", staff_note="", help_open=False, idle_left=None,
                wants_slip=True,
            )
            assert kept == fresh, "nothing of person or staff"
            handed_in = 0
        if len(house.drafts) > drafts:
            handed_in += 1
            draft = house.drafts[-1]
            assert len(house.drafts) == drafts + 1 and handed_in == 1, "at most once per session"
            if isinstance(draft, EnrolmentDraft):
                assert draft.staff == STAFF and draft.consent.scopes >= enrol.NEEDED and draft.evidence.consistent
        if _cameras(house) > cameras:
            assert session.consent is not None, "the camera opens only after consent"
            if session.step is Step.ENROL_CAMERA:
                assert session.consent.scopes >= enrol.NEEDED and session.staff == STAFF
        if session.step in enrol.STEPS | {Step.STAFF_MENU}:
            assert session.staff == STAFF, "nobody gets there without a PIN"
        assert CARD.number not in repr(view) and ALIKE.number not in repr(session) + repr(view)
    assert all(slip.due is None and slip.standing is Standing.RECEIVED for slip in house.slips if slip.item is Item.ENROLMENT)


def _cameras(house: AttendedHouse) -> int:
    return len([one for one in house.asked if one[0] == "camera"])


FULL = Session(
    reader_usable=True, card=CARD, record=KNOWN, consent=Consent(frozenset(ConsentScope), "t", NOW), outcome=Outcome.PASSED,
    captured_at=NOW, receipt=RECEIPT, standing=Standing.RECEIVED, staff=STAFF, pin="2580", pin_asked_at=NOW,
    enrolment=taken().evidence, lookalikes=(ALIKE,),
)


@given(st.sampled_from(Step), EVENTS, st.sampled_from(["", "paper_out"]))
def test_every_step_takes_every_event(step: Step, event: ev.Event, hindrance: str) -> None:
    """From any step with a full session: no exception, and the view can be drawn."""
    after, _ = conductor.step(dataclasses.replace(FULL, step=step), event, Surroundings(NOW, hindrance), STAFF_RULES)
    assert view_of(after, STAFF_RULES, NOW).enabled is not None
