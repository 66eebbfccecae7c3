"""领取待遇资格认证: the certification conversation, as a pure function of session and event.

    card → greeting → consent → camera (up to three tries) → hand in → result and slip → take the card
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.domain.case import CaseDraft, Item, standing
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import FaceEvidence, IdentifiedBy, Outcome, decide
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Liveness, Profile
from kiosk.domain.period import DueDate, local_day
from kiosk.domain.roster import needs_renewal
from kiosk.domain.trouble import FaceTrouble, HandInTrouble
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow import frame, looking, slips, staff
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import HAND_IN, LEAVE, WAITS_FOR_CARD, Result, begin, printer_note
from kiosk.flow.view import Button, Step


def step(session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    return frame.step(_CONVERSATION, session, event, around, rules)


# ---------------------------------------------------------------------------------------------- fingers


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


def _agree(session: Session, around: Surroundings, rules: Rules) -> Result:
    if ConsentScope.MATCH not in session.ticked:
        return session, ()
    consent = Consent(session.ticked, rules.consent_text_version, around.now)
    return _camera(replace(session, consent=consent, profile=rules.profile), around, rules)


def _retry(session: Session, around: Surroundings, rules: Rules) -> Result:
    return _camera(session, around, rules) if session.may_retry_camera else (session, ())


def _gentler(session: Session, around: Surroundings, rules: Rules) -> Result:
    if not session.may_be_gentler:
        return session, ()
    return _retry(replace(session, profile=Profile.GENTLE), around, rules)


def _camera(session: Session, around: Surroundings, rules: Rules) -> Result:
    entry = session.record.entry if session.record else None
    assert session.card is not None
    task = Verify(entry.templates if entry else (), session.profile, session.card.number)
    return session.at(Step.CAMERA), (fx.Say("camera.title"), fx.BeginFace(task))


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
    (Step.CONSENT, Button.TICK_MATCH): frame.tick(ConsentScope.MATCH),
    (Step.CONSENT, Button.TICK_SEND_PHOTO): frame.tick(ConsentScope.SEND_PHOTO),
    (Step.CONSENT, Button.AGREE): _agree,
    (Step.CONSENT, Button.DECLINE): _decline,
    (Step.CONSENT, Button.BACK): _greet_again,
    (Step.DECLINED, Button.BACK): _ask_consent,
    (Step.TRY_AGAIN, Button.RETRY): _retry,
    (Step.TRY_AGAIN, Button.GENTLER): _gentler,
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


def _enrolment_changed(session: Session, event: ev.EnrolmentChanged, around: Surroundings, rules: Rules) -> Result:
    """Who has begun may end: the case is sealed and kept, and comes along with the next enrolment."""
    changed = replace(session, shut=event.shut, attention=event.attention)
    nobody_here = session.step in WAITS_FOR_CARD | {Step.NO_SLIP} and session.card is None
    if session.step is Step.OUT_OF_SERVICE or (event.shut is not None and nobody_here):
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


def _face_tried(session: Session, event: ev.FaceTried, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.CAMERA:
        return session, ()
    outcome = decide(event.evidence, rules.bands, IdentifiedBy.CARD)
    tried = replace(
        session, attempts=session.attempts + 1, evidence=(*session.evidence, event.evidence),
        may_be_gentler=_was_too_much(session, event.evidence.liveness),
        enrol_again=bool(event.evidence.foreign) or _templates_are_old(session, around, rules),
    )
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
    gentler = event.trouble is FaceTrouble.NO_ACTION and _was_too_much(session, Liveness.FAILED)
    return _not_matched(replace(session, attempts=session.attempts + 1, may_be_gentler=gentler), sentence, rules)


def _was_too_much(session: Session, liveness: Liveness) -> bool:
    return liveness is not Liveness.PASSED and session.profile is Profile.PAPER


def _templates_are_old(session: Session, around: Surroundings, rules: Rules) -> bool:
    entry = session.record.entry if session.record else None
    return entry is not None and needs_renewal(entry.templates, local_day(around.now), rules.renew_months)


def _not_matched(session: Session, sentence: str, rules: Rules) -> Result:
    if session.attempts < rules.attempts_max:
        return replace(session.at(Step.TRY_AGAIN), trouble=sentence), (fx.EndFace(), fx.Say(sentence))
    return _ask_review(session, sentence)


def _ask_review(session: Session, sentence: str) -> Result:
    if not session.has_photos:
        return _sorry(session, "trouble.no_picture")
    return replace(session.at(Step.ASK_REVIEW), trouble=sentence), (fx.EndFace(), fx.Say("ask_review.title"))


def _why_not_matched(evidence: FaceEvidence) -> str:
    return "trouble.not_matched" if evidence.liveness is Liveness.PASSED else f"trouble.{FaceTrouble.NO_ACTION.value}"


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
        attempts=tuple(one if send_photo else replace(one, photos=(), clip=()) for one in session.evidence),
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
    wanted = (fx.CancelTimer(HAND_IN), fx.Say(f"result.{word.value}"), leave)
    return slips.printed(shown, wanted, around, rules)


def _overdue(session: Session, event: ev.TimeUp, around: Surroundings, rules: Rules) -> Result:
    """The store, or the watch over the delivery, has not answered in time."""
    if event.timer != HAND_IN or session.step is not Step.HANDING_IN:
        return session, ()
    if session.receipt is not None:
        return _delivery_known(session, ev.DeliveryKnown(session.receipt.case_id, False), around, rules)
    silent = HandInTrouble.STORE_FAILED.value
    return _sorry(session, f"trouble.{silent}", f"staff.{silent}")


_HANDLERS: dict[type, frame.Handler] = {
    ev.TimeUp: _overdue,
    ev.StaffWanted: staff.ask_pin,
    ev.CardSeen: _card_seen,
    ev.CardRead: _card_read,
    ev.CardFailed: _card_failed,
    ev.CardLifted: _card_lifted,
    ev.CardWaits: _card_waits,
    ev.ReaderChanged: _reader_changed,
    ev.EnrolmentChanged: _enrolment_changed,
    ev.PrinterChanged: slips.printer_changed,
    ev.PersonFound: _person_found,
    ev.LookupFailed: _lookup_failed,
    ev.Coached: looking.coached,
    ev.TurnSeen: looking.turn_seen,
    ev.FlashWanted: looking.flash_wanted,
    ev.FaceTried: _face_tried,
    ev.FaceFailed: _face_failed,
    ev.HandedIn: _handed_in,
    ev.HandInFailed: _hand_in_failed,
    ev.DeliveryKnown: _delivery_known,
    ev.SlipEnded: slips.slip_ended,
}
_CONVERSATION = frame.Conversation(_MOVES, _HANDLERS)
