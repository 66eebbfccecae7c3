"""领取待遇资格认证: the certification conversation, as a pure function of session and event.

    card → greeting → consent → camera (up to three tries) → hand in → result and slip → take the card

A press or message that does not belong to the present step changes nothing: late answers are normal here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.domain.case import CaseDraft, Item, standing
from kiosk.domain.coaching import Coach
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import FaceEvidence, Outcome, decide
from kiosk.domain.period import DueDate, local_day
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import FaceTrouble, HandInTrouble
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow import slips
from kiosk.flow.effects import Effect
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import (
    HAND_IN,
    IDLE,
    LEAVE,
    NO_IDLE,
    NOT_TO_BE_ENDED,
    STOP,
    TICK,
    WAITS_FOR_CARD,
    Result,
    begin,
    notice_to_nobody,
    printer_note,
)
from kiosk.flow.view import Button, Step


def step(session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    """The next session and what is to be done. Never raises for an event that does not fit."""
    after, wanted = _HANDLERS[type(event)](session, event, around, rules)
    if isinstance(event, ev.Pressed):
        wanted = (fx.Hush(), *wanted)  # a touch always stops the voice (EN 301 549, 5.1.3.5)
    warning_gone = session.idle_left is not None and after.idle_left is None
    somebody_came = notice_to_nobody(session) and not notice_to_nobody(after)
    if after.step is not session.step or warning_gone or somebody_came or isinstance(event, ev.Pressed):
        wanted = (*wanted, *_watch_silence(after, rules))
    return after, wanted


# ---------------------------------------------------------------------------------------------- fingers


def _pressed(session: Session, event: ev.Pressed, around: Surroundings, rules: Rules) -> Result:
    here, button = session.step, event.button
    if session.idle_left is not None and button is not Button.END:
        return replace(session, idle_left=None), ()  # any touch says: I am still here
    if button is Button.HELP:
        return replace(session, help_open=True), (fx.Say("help.title"),)
    if button is Button.REPEAT_VOICE:
        return session, (fx.Say("no_slip.title") if notice_to_nobody(session) else fx.SayAgain(),)
    if button is Button.CLOSE_HELP:
        return replace(session, help_open=False), ()
    if button is Button.END and here not in NOT_TO_BE_ENDED and not notice_to_nobody(session):
        return _end(session, "ended.cancelled", rules)
    if button is Button.DONE and here in (Step.RESULT, Step.ENDED, Step.DECLINED):
        return _leave(session, around, rules)
    move = _MOVES.get((here, button))
    return move(session, around, rules) if move else (session, ())


def _start(session: Session, around: Surroundings, rules: Rules) -> Result:
    if not session.reader_usable:
        return begin(session, around)
    return session.at(Step.CARD), (fx.SeekCard(), fx.Say("card.prompt"))


def _explain(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.EXPLAIN), (fx.Say("explain.title"),)


def _to_start(session: Session, around: Surroundings, rules: Rules) -> Result:
    return begin(session, around)


def _without_slip(session: Session, around: Surroundings, rules: Rules) -> Result:
    decided = replace(session, wants_slip=False)
    if session.card is None:
        return _start(decided, around, rules)
    return decided.at(Step.CARD), (fx.FindPerson(session.card),)


def _ask_consent(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.CONSENT), (fx.Say("consent.title"),)


def _greet_again(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.GREETING), ()


def _decline(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.DECLINED), (fx.Say("declined.title"),)


def _tick(scope: ConsentScope) -> Callable[[Session, Surroundings, Rules], Result]:
    def move(session: Session, around: Surroundings, rules: Rules) -> Result:
        return replace(session, ticked=session.ticked ^ {scope}), ()

    return move


def _agree(session: Session, around: Surroundings, rules: Rules) -> Result:
    if ConsentScope.MATCH not in session.ticked:
        return session, ()
    consent = Consent(session.ticked, rules.consent_text_version, around.now)
    return _camera(replace(session, consent=consent), around, rules)


def _retry(session: Session, around: Surroundings, rules: Rules) -> Result:
    return _camera(session, around, rules) if session.may_retry_camera else (session, ())


def _camera(session: Session, around: Surroundings, rules: Rules) -> Result:
    entry = session.record.entry if session.record else None
    return session.at(Step.CAMERA), (fx.Say("camera.title"), fx.BeginFace(entry.templates if entry else ()))


def _review(session: Session, around: Surroundings, rules: Rules) -> Result:
    """The person asks for review on a screen that says the photograph will be sent: that is the consent."""
    assert session.consent is not None
    scopes = session.consent.scopes | {ConsentScope.SEND_PHOTO}
    agreed = replace(session, consent=Consent(scopes, rules.consent_text_version, around.now))
    return _hand_in(agreed, Outcome.MANUAL_REVIEW, around, rules)


_MOVES: dict[tuple[Step, Button], Callable[[Session, Surroundings, Rules], Result]] = {
    (Step.ATTRACT, Button.START): _start,
    (Step.ATTRACT, Button.EXPLAIN): _explain,
    (Step.NO_SLIP, Button.WITHOUT_SLIP): _without_slip,
    (Step.EXPLAIN, Button.START): _start,
    (Step.EXPLAIN, Button.BACK): _to_start,
    (Step.GREETING, Button.CONTINUE): _ask_consent,
    (Step.GREETING, Button.TICK_NO_SLIP): slips.tick_no_slip,
    (Step.CONSENT, Button.TICK_MATCH): _tick(ConsentScope.MATCH),
    (Step.CONSENT, Button.TICK_SEND_PHOTO): _tick(ConsentScope.SEND_PHOTO),
    (Step.CONSENT, Button.AGREE): _agree,
    (Step.CONSENT, Button.DECLINE): _decline,
    (Step.CONSENT, Button.BACK): _greet_again,
    (Step.DECLINED, Button.BACK): _ask_consent,
    (Step.TRY_AGAIN, Button.RETRY): _retry,
    (Step.SORRY, Button.RETRY): _retry,
    (Step.ASK_REVIEW, Button.ASK_REVIEW): _review,
    (Step.RESULT, Button.REPRINT): slips.reprint,
}


# ---------------------------------------------------------------------------------------------- devices


def _card_seen(session: Session, event: ev.CardSeen, around: Surroundings, rules: Rules) -> Result:
    if session.step in WAITS_FOR_CARD and session.card is None:
        return replace(session.at(Step.CARD), card_on_reader=True, card_seen=True), (fx.Say("card.reading"),)
    trouble = "" if session.step is Step.NO_SLIP else session.trouble
    return replace(session, card_on_reader=True, trouble=trouble), ()


def _card_read(session: Session, event: ev.CardRead, around: Surroundings, rules: Rules) -> Result:
    if session.step not in WAITS_FOR_CARD | {Step.NO_SLIP} or session.card is not None:
        return session, ()
    known = replace(session.at(Step.CARD), card=event.card, card_on_reader=True, card_seen=True)
    if around.printer_hindrance and session.wants_slip:
        held = replace(known.at(Step.NO_SLIP), staff_note=printer_note(around))
        return held, (fx.ReleaseCard(), fx.Say("no_slip.title"))
    return known, (fx.ReleaseCard(), fx.FindPerson(event.card))


def _card_failed(session: Session, event: ev.CardFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step not in (Step.CARD, Step.NO_SLIP) or session.card is not None:
        return session, ()
    sentence = f"trouble.{event.trouble.value}"
    return replace(session, trouble=sentence, card_seen=False), (fx.Say(sentence),)


def _card_lifted(session: Session, event: ev.CardLifted, around: Surroundings, rules: Rules) -> Result:
    lifted = replace(session, card_on_reader=False, card_seen=False)
    # Who takes the card away from the notice has gone: the next person must not meet their name.
    return begin(lifted, around) if session.step in (Step.TAKE_CARD, Step.NO_SLIP) else (lifted, ())


def _card_waits(session: Session, event: ev.CardWaits, around: Surroundings, rules: Rules) -> Result:
    """Said where it disturbs nothing: not over a card being read, the consent or the camera, and not to an empty room."""
    idle_card = session.step is Step.CARD and not session.card_seen
    done = session.step is Step.RESULT and (session.slip is not None or not session.wants_slip)
    speaks = idle_card or done or session.step in (Step.TAKE_CARD, Step.ENDED)
    return session, (fx.Say("take_card.slot"),) if speaks else ()


def _reader_changed(session: Session, event: ev.ReaderChanged, around: Surroundings, rules: Rules) -> Result:
    changed = replace(session, reader_usable=event.usable, reader_reason=event.reason)
    waiting_for_card = session.step in WAITS_FOR_CARD | {Step.NO_SLIP} and session.card is None
    if session.step is Step.OUT_OF_SERVICE or (not event.usable and waiting_for_card):
        return begin(changed, around)
    return changed, ()


def _person_found(session: Session, event: ev.PersonFound, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.CARD or session.card is not event.card:
        return session, ()
    greeted = replace(session.at(Step.GREETING), record=event.record, paper_low=around.paper_low and session.wants_slip)
    return greeted, (fx.Say("greeting.title"),)


def _lookup_failed(session: Session, event: ev.LookupFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.CARD or session.card is not event.card:
        return session, ()
    return _sorry(session, "trouble.lookup_failed", "staff.lookup_failed")


# ------------------------------------------------------------------------------------------------- face


def _coached(session: Session, event: ev.Coached, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.CAMERA or event.coach is session.coach:
        return session, ()
    said: tuple[Effect, ...] = () if event.coach is Coach.WORKING else (fx.Say(f"coach.{event.coach.value}"),)
    return replace(session, coach=event.coach), said


def _face_tried(session: Session, event: ev.FaceTried, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.CAMERA:
        return session, ()
    outcome = decide(event.evidence, rules.bands)
    tried = replace(session, attempts=session.attempts + 1, evidence=(*session.evidence, event.evidence))
    if outcome is Outcome.NOT_MATCHED:
        return _not_matched(tried, _why_not_matched(event.evidence), rules)
    if outcome is Outcome.MANUAL_REVIEW and not _may_send_photo(tried):
        return _ask_review(tried, "ask_review.photo_needed")
    return _hand_in(tried, outcome, around, rules)


def _face_failed(session: Session, event: ev.FaceFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.CAMERA:
        return session, ()
    sentence = f"trouble.{event.trouble.value}"
    if event.trouble in (FaceTrouble.CAMERA_LOST, FaceTrouble.UNAVAILABLE):
        note = f"staff.camera.{event.reason}" if event.reason else f"staff.{event.trouble.value}"
        return _sorry(session, sentence, note)  # the machine's fault never costs a try
    return _not_matched(replace(session, attempts=session.attempts + 1), sentence, rules)


def _not_matched(session: Session, sentence: str, rules: Rules) -> Result:
    if session.attempts < rules.attempts_max:
        return replace(session.at(Step.TRY_AGAIN), trouble=sentence), (fx.EndFace(), fx.Say(sentence))
    return _ask_review(session, sentence)


def _ask_review(session: Session, sentence: str) -> Result:
    if not session.has_photos:
        return _sorry(session, "trouble.no_picture")
    return replace(session.at(Step.ASK_REVIEW), trouble=sentence), (fx.EndFace(), fx.Say("ask_review.title"))


def _why_not_matched(evidence: FaceEvidence) -> str:
    return "trouble.not_matched" if evidence.liveness.value == "passed" else f"trouble.{FaceTrouble.NO_ACTION.value}"


def _may_send_photo(session: Session) -> bool:
    return session.consent is not None and session.consent.allows(ConsentScope.SEND_PHOTO)


def _sorry(session: Session, sentence: str, staff_note: str = "") -> Result:
    return replace(session.at(Step.SORRY), trouble=sentence, staff_note=staff_note), (fx.EndFace(), fx.Say(sentence))


# --------------------------------------------------------------------------------- handing in, slip, end


def _hand_in(session: Session, outcome: Outcome, around: Surroundings, rules: Rules) -> Result:
    assert session.card is not None and session.consent is not None and session.record is not None
    send_photo = session.consent.allows(ConsentScope.SEND_PHOTO)
    due = DueDate(rules.period.due_date(local_day(around.now)), confirmed_by_office=False)
    entry = session.record.entry
    draft = CaseDraft(
        item=Item.CERTIFICATION,
        card=session.card,
        outcome=outcome,
        consent=session.consent,
        attempts=tuple(one if send_photo else replace(one, photos=()) for one in session.evidence),
        captured_at=around.now,
        in_roster=entry is not None,
        category=entry.category if entry else "unknown",
        due=due,
        repeat=session.record.cases_this_period,
    )
    promised = due if outcome is Outcome.PASSED else None  # under review nobody knows yet until when
    handing = replace(session.at(Step.HANDING_IN), outcome=outcome, captured_at=around.now, due=promised)
    wanted = (fx.EndFace(), fx.Hush(), fx.HandIn(draft), fx.StartTimer(HAND_IN, rules.hand_in_s))
    return handing, wanted


def _handed_in(session: Session, event: ev.HandedIn, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.HANDING_IN or session.receipt is not None or session.captured_at != event.captured_at:
        return session, ()
    # The watch answers in time; should it not, the timer goes on without it.
    overdue = fx.StartTimer(HAND_IN, rules.delivery_wait_s + rules.hand_in_s)
    return replace(session, receipt=event.receipt), (fx.WatchDelivery(event.receipt.case_id, rules.delivery_wait_s), overdue)


def _hand_in_failed(session: Session, event: ev.HandInFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.HANDING_IN or session.receipt is not None or session.captured_at != event.captured_at:
        return session, ()
    after, wanted = _sorry(session, f"trouble.{event.trouble.value}", f"staff.{event.trouble.value}")
    return after, (fx.CancelTimer(HAND_IN), *wanted)


def _delivery_known(session: Session, event: ev.DeliveryKnown, around: Surroundings, rules: Rules) -> Result:
    receipt = session.receipt
    if session.step is not Step.HANDING_IN or receipt is None or receipt.case_id != event.case_id:
        return session, ()
    assert session.outcome is not None
    word = standing(session.outcome, event.delivered)
    comfort = "result.review" if session.outcome is Outcome.MANUAL_REVIEW else ""
    shown = replace(session.at(Step.RESULT), standing=word, trouble=comfort)
    leave = fx.StartTimer(LEAVE, rules.result_s)
    wanted: tuple[Effect, ...] = (fx.CancelTimer(HAND_IN), fx.Say(f"result.{word.value}"), leave)
    if not session.wants_slip:
        return shown, wanted
    if around.printer_hindrance:
        return replace(shown, slip=PrintOutcome.BLOCKED, staff_note=printer_note(around)), wanted
    return shown, (*wanted, fx.PrintSlip(slips.slip_of(shown, rules)))


def _leave(session: Session, around: Surroundings, rules: Rules) -> Result:
    """From a last screen: to the reminder while the card still lies there, else to the start screen."""
    if session.card_on_reader and session.step is not Step.TAKE_CARD:
        wanted = (*STOP, fx.Say("take_card.title"), fx.StartTimer(LEAVE, rules.take_card_s))
        return session.fresh(Step.TAKE_CARD), wanted
    return begin(session, around)


def _end(session: Session, sentence: str, rules: Rules) -> Result:
    if session.trouble == f"trouble.{HandInTrouble.STORE_FAILED.value}":
        sentence = "ended.unclear"  # "nothing was handed in" is more than anybody knows
    wanted = (*STOP, fx.ReleaseCard(), fx.Say(sentence), fx.StartTimer(LEAVE, rules.ended_s))
    return session.fresh(Step.ENDED, sentence), wanted


# ------------------------------------------------------------------------------------------------- time


def _time_up(session: Session, event: ev.TimeUp, around: Surroundings, rules: Rules) -> Result:
    timer = event.timer
    if timer == IDLE and session.step not in NO_IDLE and not notice_to_nobody(session):
        return replace(session, idle_left=rules.countdown_s), (fx.Say("idle.question"), fx.StartTimer(TICK, 1.0))
    if timer == IDLE and session.help_open:
        return replace(session, help_open=False), ()
    if timer == TICK and session.idle_left is not None:
        if session.idle_left <= 1:
            return _end(session, "ended.timeout", rules)
        return replace(session, idle_left=session.idle_left - 1), (fx.StartTimer(TICK, 1.0),)
    if timer == LEAVE and session.step in (Step.RESULT, Step.ENDED, Step.TAKE_CARD):
        return _leave(session, around, rules)
    if timer == HAND_IN and session.step is Step.HANDING_IN:
        if session.receipt is not None:
            return _delivery_known(session, ev.DeliveryKnown(session.receipt.case_id, False), around, rules)
        silent = HandInTrouble.STORE_FAILED.value
        return _sorry(session, f"trouble.{silent}", f"staff.{silent}")
    return session, ()


def _watch_silence(session: Session, rules: Rules) -> tuple[Effect, ...]:
    """A touch or a new step starts the silence anew, where silence is watched."""
    if (session.step in NO_IDLE or notice_to_nobody(session)) and not session.help_open:
        return fx.CancelTimer(IDLE), fx.CancelTimer(TICK)
    return (fx.StartTimer(IDLE, rules.idle_s),)


_HANDLERS: dict[type, Callable[..., Result]] = {
    ev.Pressed: _pressed,
    ev.TimeUp: _time_up,
    ev.CardSeen: _card_seen,
    ev.CardRead: _card_read,
    ev.CardFailed: _card_failed,
    ev.CardLifted: _card_lifted,
    ev.CardWaits: _card_waits,
    ev.ReaderChanged: _reader_changed,
    ev.PrinterChanged: slips.printer_changed,
    ev.PersonFound: _person_found,
    ev.LookupFailed: _lookup_failed,
    ev.Coached: _coached,
    ev.FaceTried: _face_tried,
    ev.FaceFailed: _face_failed,
    ev.HandedIn: _handed_in,
    ev.HandInFailed: _hand_in_failed,
    ev.DeliveryKnown: _delivery_known,
    ev.SlipEnded: slips.slip_ended,
}
