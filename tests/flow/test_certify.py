"""The conversation as a plain object: the sunny way, every misfortune beside it, and random lives."""

import dataclasses
import datetime as dt

import pytest
from house import CARD, KNOWN, NOW, RECEIPT, RULES, TEMPLATES, UNKNOWN, House, tried
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.case import Standing
from kiosk.domain.coaching import Coach, FlashPlan
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Liveness, Profile
from kiosk.domain.roster import OfficeDecision, PersonRecord
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.flow import certify
from kiosk.flow import events as ev
from kiosk.flow.session import Session, Surroundings
from kiosk.flow.show import view_of
from kiosk.flow.start import NO_IDLE
from kiosk.flow.view import Button, Step

OVERALL = {Button.HELP, Button.REPEAT_VOICE}


def test_a_retiree_certifies() -> None:
    house = House().to_camera()
    assert house.asked[-1] == ("camera", Verify(TEMPLATES, Profile.PAPER, CARD.number))
    house.handle(ev.Coached(Coach.TOO_FAR))
    assert house.view.coach is Coach.TOO_FAR and house.asked[-1] == ("say", "coach.too_far")
    house.handle(tried(0.30))
    assert house.view.step is Step.HANDING_IN and house.view.enabled == OVERALL
    (draft,) = house.drafts
    assert draft.outcome is Outcome.PASSED and draft.in_roster and draft.repeat == 0
    assert draft.due is not None and draft.due.date.isoformat() == "2027-10-31" and not draft.due.confirmed_by_office
    house.handle(ev.HandedIn(NOW, RECEIPT))
    assert not house.slips, "the slip waits until it is known what may be said"
    house.handle(ev.DeliveryKnown(RECEIPT.case_id, True))
    assert house.view.step is Step.RESULT and house.view.standing is Standing.SUBMITTED
    (slip,) = house.slips
    assert slip.masked_name == "赵*兰" and slip.masked_number == "710***********0025" and slip.case_number == RECEIPT.case_number
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.PRINTED))
    assert house.view.slip is PrintOutcome.PRINTED
    house.press(Button.DONE)
    assert house.view.step is Step.TAKE_CARD
    house.lift_card()
    assert house.view.step is Step.ATTRACT
    assert house.conductor.session == Session(reader_usable=True)


def test_laying_the_card_is_enough_to_begin() -> None:
    house = House().to_attract()
    house.handle(ev.CardSeen())
    assert house.view.step is Step.CARD and house.view.card_seen


def test_offline_the_word_is_received() -> None:
    house = House().to_result(delivered=False)
    assert house.view.standing is Standing.RECEIVED and house.slips[0].standing is Standing.RECEIVED


def test_a_receipt_for_another_case_proves_nothing() -> None:
    house = House().to_camera()
    house.handle(tried(0.3), ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown("another", True))
    assert house.view.step is Step.HANDING_IN


def test_stranger_three_times_then_review() -> None:
    house = House().to_camera()
    for attempt in (1, 2):
        house.handle(tried(0.70))
        assert house.view.step is Step.TRY_AGAIN and house.view.attempt == attempt and house.view.trouble == "trouble.not_matched"
        house.press(Button.RETRY)
    house.handle(tried(0.70))
    assert house.view.step is Step.ASK_REVIEW
    house.press(Button.ASK_REVIEW)
    (draft,) = house.drafts
    assert draft.outcome is Outcome.MANUAL_REVIEW and len(draft.attempts) == 3 and all(one.photos for one in draft.attempts)
    house.handle(ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    assert house.view.standing is Standing.RECEIVED and house.view.trouble == "result.review"


def test_between_the_bands_goes_to_review_at_once_when_the_photo_may_be_sent() -> None:
    house = House().to_camera()
    house.handle(tried(0.45))
    assert house.drafts[0].outcome is Outcome.MANUAL_REVIEW


def test_between_the_bands_without_that_consent_asks_first() -> None:
    house = House().to_camera(send_photo=False)
    house.handle(tried(0.45))
    assert house.view.step is Step.ASK_REVIEW and not house.drafts
    house.press(Button.ASK_REVIEW)
    assert house.drafts[0].consent.allows(ConsentScope.SEND_PHOTO)


def test_a_pass_without_that_consent_sends_no_photo() -> None:
    house = House().to_camera(send_photo=False)
    house.handle(tried(0.30))
    assert house.drafts[0].outcome is Outcome.PASSED and not any(one.photos or one.clip for one in house.drafts[0].attempts)


def test_a_person_the_terminal_does_not_know_is_queued_never_refused() -> None:
    house = House().to_camera(UNKNOWN)
    assert house.asked[-1] == ("camera", Verify((), Profile.PAPER, CARD.number))
    house.handle(ev.FaceTried(dataclasses.replace(tried(float("nan")).evidence, templates=0)))
    (draft,) = house.drafts
    assert draft.outcome is Outcome.MANUAL_REVIEW and not draft.in_roster and draft.category == "unknown"


def test_consent_needs_the_comparison_tick_and_nothing_is_ticked_before() -> None:
    house = House().to_consent()
    assert not house.view.agreed and Button.AGREE not in house.view.enabled
    house.press(Button.TICK_SEND_PHOTO)
    assert Button.AGREE not in house.view.enabled
    house.handle(ev.Pressed(Button.AGREE))
    assert house.view.step is Step.CONSENT
    house.press(Button.TICK_MATCH)
    assert Button.AGREE in house.view.enabled
    house.press(Button.TICK_MATCH)
    assert Button.AGREE not in house.view.enabled


def test_declining_leads_to_other_ways_and_back() -> None:
    house = House().to_consent()
    house.press(Button.DECLINE)
    assert house.view.step is Step.DECLINED
    house.press(Button.BACK)
    assert house.view.step is Step.CONSENT
    house.press(Button.DECLINE)
    house.press(Button.DONE)
    assert house.view.step is Step.TAKE_CARD and house.conductor.session.card is None
    assert not [one for one in house.asked if one[0] == "camera"]


def test_the_office_date_and_word_are_shown_at_the_greeting() -> None:
    house = House().to_greeting()
    assert house.view.due is not None and house.view.due.confirmed_by_office
    assert house.view.due.date == KNOWN.entry.next_due  # type: ignore[union-attr]
    assert house.view.masked_name == "赵*兰"


def test_a_second_case_in_the_month_is_a_wanted_repetition() -> None:
    house = House().to_camera(PersonRecord(KNOWN.entry, 1, "HG01-20261101-000007"))
    house.handle(tried(0.3))
    assert house.drafts[0].repeat == 1


def test_a_decided_case_is_not_also_called_received() -> None:
    number = "HG01-20261101-000007"
    decision = OfficeDecision(number, False, "照片不够清楚", NOW.date())
    entry = dataclasses.replace(KNOWN.entry, decision=decision)  # type: ignore[type-var]
    assert House().to_greeting(PersonRecord(entry, 1, number)).view.last_case_number is None
    assert House().to_greeting(PersonRecord(entry, 2, "another")).view.last_case_number == "another"
    assert House().to_greeting(PersonRecord(KNOWN.entry, 1, number)).view.last_case_number == number


@pytest.mark.parametrize("trouble", CardTrouble)
def test_card_not_read(trouble: CardTrouble) -> None:
    house = House().to_attract()
    house.handle(ev.CardSeen(), ev.CardFailed(trouble))
    assert house.view.step is Step.CARD and house.view.trouble == f"trouble.{trouble.value}" and not house.view.card_seen
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    assert house.view.trouble == "" and house.asked[-1] == ("find",)


def test_card_taken_away_after_reading_does_not_end_the_conversation() -> None:
    house = House().to_camera()
    house.lift_card()
    house.handle(tried(0.3), ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    house.press(Button.DONE)
    assert house.view.step is Step.ATTRACT


@pytest.mark.parametrize("trouble", [FaceTrouble.CAMERA_LOST, FaceTrouble.UNAVAILABLE])
def test_a_broken_machine_costs_no_try(trouble: FaceTrouble) -> None:
    house = House().to_camera()
    house.handle(ev.FaceFailed(trouble))
    assert house.view.step is Step.SORRY and house.view.attempt == 0
    house.press(Button.RETRY)
    assert house.view.step is Step.CAMERA


def test_nobody_seen_three_times_leads_to_a_person_not_to_an_empty_case() -> None:
    house = House().to_camera()
    for _ in range(2):
        house.handle(ev.FaceFailed(FaceTrouble.TIMEOUT))
        house.press(Button.RETRY)
    house.handle(ev.FaceFailed(FaceTrouble.TIMEOUT))
    assert house.view.step is Step.SORRY and house.view.trouble == "trouble.no_picture" and not house.drafts


def test_a_person_who_cannot_blink_is_heard_by_an_officer() -> None:
    house = House().to_camera()
    for _ in range(2):
        house.handle(tried(0.3, Liveness.FAILED))
        assert house.view.trouble == "trouble.no_action"
        house.press(Button.RETRY)
    house.handle(tried(0.3, Liveness.FAILED))
    house.press(Button.ASK_REVIEW)
    assert house.drafts[0].outcome is Outcome.MANUAL_REVIEW


@pytest.mark.parametrize("trouble", HandInTrouble)
def test_a_failed_commit_is_never_called_done(trouble: HandInTrouble) -> None:
    house = House().to_camera()
    house.handle(tried(0.3), ev.HandInFailed(NOW, trouble))
    assert house.view.step is Step.SORRY and Button.RETRY not in house.view.enabled and Button.HELP in house.view.enabled
    assert not house.slips
    house.handle(ev.HandedIn(NOW, RECEIPT))
    assert house.view.step is Step.SORRY, "a late answer changes nothing the person was told"
    house.press(Button.END)
    unclear = trouble is HandInTrouble.STORE_FAILED
    assert house.view.trouble == ("ended.unclear" if unclear else "ended.cancelled"), "only what is known"


def test_a_silent_store_is_not_waited_for_forever() -> None:
    house = House().to_camera()
    house.handle(tried(0.3))
    assert house.timers["hand_in"] == RULES.hand_in_s
    house.handle(ev.TimeUp("hand_in"))
    assert house.view.step is Step.SORRY


OTHER = dataclasses.replace(CARD)  # another laying: equal perhaps, but not the same card
LATER = NOW + dt.timedelta(seconds=40)


def test_answers_about_an_earlier_person_are_nobodys_business() -> None:
    house = House().to_attract()
    house.handle(ev.CardSeen(), ev.CardRead(OTHER), ev.PersonFound(CARD, KNOWN), ev.LookupFailed(CARD))
    assert house.view.step is Step.CARD and house.conductor.session.record is None
    house = House().to_camera()
    house.handle(tried(0.3), ev.HandedIn(LATER, RECEIPT), ev.HandInFailed(LATER, HandInTrouble.DISK_FULL))
    assert house.view.step is Step.HANDING_IN and house.view.case_number == ""
    house.handle(ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    house.handle(ev.SlipEnded("HG01-20261123-000999", PrintOutcome.UNKNOWN))
    assert house.view.slip is None, "still printing this person's slip"


def test_a_lookup_that_failed_is_not_an_unknown_person() -> None:
    house = House().to_attract()
    house.handle(ev.CardSeen(), ev.CardRead(CARD), ev.LookupFailed(CARD))
    assert house.view.step is Step.SORRY and house.view.trouble == "trouble.lookup_failed"
    assert Button.RETRY not in house.view.enabled
    house.handle(ev.Pressed(Button.RETRY))
    assert house.view.step is Step.SORRY, "no camera without consent"


def test_a_watch_that_never_answers_ends_with_the_careful_word() -> None:
    house = House().to_camera()
    house.handle(tried(0.3), ev.HandedIn(NOW, RECEIPT))
    assert house.timers["hand_in"] > RULES.delivery_wait_s
    house.handle(ev.TimeUp("hand_in"))
    assert house.view.step is Step.RESULT and house.view.standing is Standing.RECEIVED


def test_under_review_no_next_date_is_promised() -> None:
    house = House().to_result(distance=0.45)
    assert house.view.due is None and house.slips[0].due is None
    assert House().to_result(distance=0.30).view.due is not None


def test_a_card_laid_during_the_warning_is_watched_again() -> None:
    house = House().to_attract()
    house.press(Button.START)
    house.handle(ev.TimeUp("idle"))
    house.timers.clear()
    house.handle(ev.CardSeen(), ev.CardFailed(CardTrouble.LAY_AGAIN))
    assert house.view.idle_seconds_left is None and "idle" in house.timers


def test_help_on_the_start_screen_closes_by_itself() -> None:
    house = House().to_attract()
    house.press(Button.HELP)
    assert "idle" in house.timers
    house.handle(ev.TimeUp("idle"))
    assert not house.view.help_open and house.view.step is Step.ATTRACT and house.view.idle_seconds_left is None


def test_silence_after_an_unclear_commit_does_not_claim_either() -> None:
    house = House().to_camera()
    house.handle(tried(0.3), ev.HandInFailed(NOW, HandInTrouble.STORE_FAILED), ev.TimeUp("idle"))
    for _ in range(30):
        house.handle(ev.TimeUp("tick"))
    assert house.view.trouble == "ended.unclear"


def test_idle_warns_then_wipes_and_a_touch_helps() -> None:
    house = House().to_greeting()
    house.handle(ev.TimeUp("idle"))
    assert house.view.idle_seconds_left == 30 and Button.MORE_TIME in house.view.enabled
    house.handle(ev.TimeUp("tick"))
    assert house.view.idle_seconds_left == 29
    house.press(Button.MORE_TIME)
    assert house.view.idle_seconds_left is None and house.view.step is Step.GREETING
    house.handle(ev.TimeUp("idle"))
    for _ in range(30):
        house.handle(ev.TimeUp("tick"))
    assert house.view.step is Step.ENDED and house.view.trouble == "ended.timeout"
    assert house.conductor.session.card is None and not house.drafts
    house.handle(ev.TimeUp("leave"))
    assert house.view.step is Step.TAKE_CARD
    house.handle(ev.TimeUp("leave"))
    assert house.view.step is Step.ATTRACT


def test_the_last_sentence_can_be_heard_again() -> None:
    house = House().to_greeting()
    house.press(Button.REPEAT_VOICE)
    assert house.asked[-1] == ("again",)


def test_help_lies_over_any_step_and_goes_away() -> None:
    house = House().to_consent()
    house.press(Button.HELP)
    assert house.view.help_open and house.view.step is Step.CONSENT
    house.press(Button.CLOSE_HELP)
    assert not house.view.help_open


def test_without_a_reader_the_machine_says_so_and_comes_back_by_itself() -> None:
    house = House()
    house.conductor.start()
    assert house.view.step is Step.OUT_OF_SERVICE
    house.handle(ev.ReaderChanged(False, "no_port"))
    assert house.view.staff_note == "staff.idcard.no_port"
    house.handle(ev.ReaderChanged(True))
    assert house.view.step is Step.ATTRACT
    house.handle(ev.Pressed(Button.START), ev.ReaderChanged(False))
    assert house.view.step is Step.OUT_OF_SERVICE


def test_a_reader_lost_after_reading_does_not_stop_the_conversation() -> None:
    house = House().to_camera()
    house.handle(ev.ReaderChanged(False), ev.CardLifted(), tried(0.3))
    house.handle(ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    assert house.view.step is Step.RESULT
    house.press(Button.DONE)
    assert house.view.step is Step.OUT_OF_SERVICE


# -------------------------------------------------------------------------------- what holds for any life

EVENTS = st.one_of(
    st.sampled_from(Button).map(ev.Pressed),
    st.sampled_from(["idle", "tick", "leave", "hand_in"]).map(ev.TimeUp),
    st.sampled_from(Coach).map(ev.Coached),
    st.just(ev.TurnSeen(0.5)),
    st.just(ev.FlashWanted(FlashPlan(((255, 0, 0),), 0.4))),
    st.sampled_from([Profile.PAPER, Profile.GENTLE]).map(lambda profile: tried(0.3, Liveness.FAILED, profile)),
    st.sampled_from(CardTrouble).map(ev.CardFailed),
    st.sampled_from(FaceTrouble).map(ev.FaceFailed),
    st.sampled_from(HandInTrouble).map(lambda trouble: ev.HandInFailed(NOW, trouble)),
    st.booleans().map(ev.ReaderChanged),
    st.sampled_from([("", False), ("", True), ("paper_out", False)]),
    st.sampled_from([KNOWN, UNKNOWN]).map(lambda record: ev.PersonFound(CARD, record)),
    st.sampled_from([0.3, 0.45, 0.7, float("nan")]).map(tried),
    st.booleans().map(lambda delivered: ev.DeliveryKnown(RECEIPT.case_id, delivered)),
    st.sampled_from(PrintOutcome).map(lambda outcome: ev.SlipEnded(RECEIPT.case_number, outcome)),
    st.sampled_from([ev.CardSeen(), ev.CardRead(CARD), ev.CardLifted(), ev.CardWaits()]),
    st.sampled_from([ev.HandedIn(NOW, RECEIPT), ev.LookupFailed(CARD)]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_any_life(events: list[object]) -> None:
    house = House()
    house.conductor.start()
    for event in [ev.ReaderChanged(True), *events]:
        drafts_before, camera_before = len(house.drafts), len([a for a in house.asked if a[0] == "camera"])
        slips_before, open_before = len(house.slips), house.conductor.session.slip is None
        handle(house, event)
        session, view = house.conductor.session, house.view
        if view.step in (Step.ATTRACT, Step.OUT_OF_SERVICE, Step.ENDED, Step.TAKE_CARD):
            assert session.card is None and session.record is None and not session.evidence and session.consent is None
            assert view.masked_name == "" and view.case_number == ""
        if len(house.drafts) > drafts_before:
            assert len(house.drafts) == drafts_before + 1 and house.drafts[-1].consent.allows(ConsentScope.MATCH)
        if len([a for a in house.asked if a[0] == "camera"]) > camera_before:
            assert session.consent is not None, "the camera opens only after consent"
        assert session.attempts <= RULES.attempts_max
        if len(house.slips) > slips_before:
            assert session.wants_slip and (event == ev.Pressed(Button.REPRINT) or open_before)
    assert len([slip for slip in house.slips if slip.copy == 1]) <= len(house.drafts) + events.count(ev.Pressed(Button.REPRINT))
    assert all(slip.copy <= 2 for slip in house.slips)


def handle(house: House, event: object) -> None:
    """An event, or how the printer stands from now on."""
    if isinstance(event, tuple):
        house.printer_hindrance, house.paper_is_low = event
        event = ev.PrinterChanged()
    house.handle(event)


@given(st.sampled_from(Step), EVENTS.filter(lambda event: not isinstance(event, tuple)), st.sampled_from(["", "paper_out"]))
def test_every_step_takes_every_event(step: Step, event: ev.Event, hindrance: str) -> None:
    """From any step with a full session: no exception, and the view can be drawn."""
    full = Session(step=step, reader_usable=True, card=CARD, record=KNOWN, consent=Consent(frozenset(ConsentScope), "t", NOW),
                   outcome=Outcome.PASSED, captured_at=NOW, receipt=RECEIPT, standing=Standing.RECEIVED)
    after, _ = certify.step(full, event, Surroundings(NOW, hindrance), RULES)
    assert view_of(after, RULES, NOW).enabled is not None


def test_every_step_waiting_for_a_finger_watches_the_silence() -> None:
    for step in set(Step) - NO_IDLE:
        waiting = Session(step=step, reader_usable=True, card=CARD)
        _, wanted = certify.step(waiting, ev.Pressed(Button.HELP), Surroundings(NOW, ""), RULES)
        assert any(getattr(one, "name", "") == "idle" for one in wanted), step
