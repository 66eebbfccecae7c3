"""领取待遇资格生物特征采集: the attended enrolment of a face, as a pure function of session and event.

    staff signed in → card → who it is → the person's own consent → camera → staff check → hand in → result and slip

Nothing taken here counts before an officer has accepted it. Staff and person stand side by side: the person is asked
for consent and guided before the camera, staff compare document and person and look at the result.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.case import Standing
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.enrolment import EnrolmentDraft, EnrolmentEvidence
from kiosk.domain.face_task import Enrol
from kiosk.domain.period import local_day
from kiosk.domain.trouble import FaceTrouble, HandInTrouble
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow import frame, looking, slips
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import HAND_IN, LEAVE, Result, begin, printer_note
from kiosk.flow.view import Button, Step

STEPS = frozenset({
    Step.ENROL_CARD, Step.ENROL_PERSON, Step.ENROL_CONSENT, Step.ENROL_DECLINED, Step.ENROL_CAMERA, Step.ENROL_AGAIN,
    Step.ENROL_CHECK, Step.ENROL_HANDING_IN, Step.ENROL_RESULT, Step.ENROL_SORRY,
})
NEEDED = frozenset({ConsentScope.ENROL, ConsentScope.SEND_PHOTO})
"""Without the pictures no officer can accept the features: both questions are asked, and each may be refused."""


def step(session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    return frame.step(_CONVERSATION, session, event, around, rules)


def may_hand_in(session: Session) -> bool:
    return session.enrolment is not None and session.enrolment.consistent


# --------------------------------------------------------------------------------------- card and person


def lay_card(session: Session, around: Surroundings, rules: Rules) -> Result:
    if not session.reader_usable:
        return begin(session, around)
    return session.at(Step.ENROL_CARD), (fx.SeekCard(), fx.Say("card.prompt"))


def _waits_for_card(session: Session) -> bool:
    return session.step is Step.ENROL_CARD and session.card is None


def _card_seen(session: Session, event: ev.CardSeen, around: Surroundings, rules: Rules) -> Result:
    if not _waits_for_card(session):
        return replace(session, card_on_reader=True), ()
    return replace(session.at(Step.ENROL_CARD), card_on_reader=True, card_seen=True), (fx.Say("card.reading"),)


def _card_read(session: Session, event: ev.CardRead, around: Surroundings, rules: Rules) -> Result:
    if not _waits_for_card(session):
        return session, ()
    known = replace(session.at(Step.ENROL_CARD), card=event.card, card_on_reader=True, card_seen=True)
    return known, (fx.ReleaseCard(), fx.FindPerson(event.card))


def _card_failed(session: Session, event: ev.CardFailed, around: Surroundings, rules: Rules) -> Result:
    if not _waits_for_card(session):
        return session, ()
    sentence = f"trouble.{event.trouble.value}"
    return replace(session, trouble=sentence, card_seen=False), (fx.Say(sentence),)


def _reader_changed(session: Session, event: ev.ReaderChanged, around: Surroundings, rules: Rules) -> Result:
    changed = replace(session, reader_usable=event.usable, reader_reason=event.reason)
    return begin(changed, around) if _waits_for_card(session) and not event.usable else (changed, ())


def _person_found(session: Session, event: ev.PersonFound, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.ENROL_CARD or session.card is not event.card:
        return session, ()
    note = printer_note(around) if around.printer_hindrance else ""
    return replace(session.at(Step.ENROL_PERSON), record=event.record, staff_note=note), ()


def _lookup_failed(session: Session, event: ev.LookupFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.ENROL_CARD or session.card is not event.card:
        return session, ()
    return _sorry(session, "trouble.lookup_failed", "staff.lookup_failed")


# ----------------------------------------------------------------------------------------------- consent


def _ask_consent(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.ENROL_CONSENT), (fx.Say("enrol_consent.title"),)


def _show_person(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.ENROL_PERSON), ()


def _decline(session: Session, around: Surroundings, rules: Rules) -> Result:
    return session.at(Step.ENROL_DECLINED), (fx.Say("declined.title"),)


def _agree(session: Session, around: Surroundings, rules: Rules) -> Result:
    if rules.staff is None or not session.ticked >= NEEDED:
        return session, ()
    consent = Consent(session.ticked, rules.staff.enrol_text_version, around.now)
    return _camera(replace(session, consent=consent), around, rules)


# ---------------------------------------------------------------------------------------- camera and check


def _camera(session: Session, around: Surroundings, rules: Rules) -> Result:
    if session.card is None or not session.may_retry_camera:
        return session, ()
    again = replace(session.at(Step.ENROL_CAMERA), enrolment=None, lookalikes=())
    return again, (fx.Say("camera.title"), fx.BeginFace(Enrol(session.card.number)))


def _taken(session: Session, event: ev.EnrolmentTaken, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.ENROL_CAMERA:
        return session, ()
    taken = replace(session.at(Step.ENROL_CHECK), enrolment=event.evidence, lookalikes=event.lookalikes)
    return taken, (fx.EndFace(), fx.Say("enrol_check.title"))


def _face_failed(session: Session, event: ev.FaceFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.ENROL_CAMERA:
        return session, ()
    if event.trouble in (FaceTrouble.CAMERA_LOST, FaceTrouble.UNAVAILABLE):
        note = f"staff.camera.{event.reason}" if event.reason else f"staff.{event.trouble.value}"
        return _sorry(session, f"trouble.{event.trouble.value}", note)
    sentence = "enrol_again.no_action" if event.trouble is FaceTrouble.NO_ACTION else "trouble.timeout"
    return replace(session.at(Step.ENROL_AGAIN), trouble=sentence), (fx.EndFace(), fx.Say(sentence))


def _sorry(session: Session, sentence: str, staff_note: str) -> Result:
    told = replace(session.at(Step.ENROL_SORRY), trouble=sentence, staff_note=staff_note)
    return told, (fx.EndFace(), fx.Say(sentence))


# ------------------------------------------------------------------------------------ handing in and slip


def _submit(session: Session, around: Surroundings, rules: Rules) -> Result:
    if session.enrolment is None or not may_hand_in(session):
        return session, ()
    assert session.card is not None and session.consent is not None and session.record is not None
    entry = session.record.entry
    draft = EnrolmentDraft(
        card=session.card,
        consent=session.consent,
        evidence=_dated(session.enrolment, around),
        staff=session.staff,
        captured_at=around.now,
        in_roster=entry is not None,
        category=entry.category if entry else "unknown",
        lookalike_numbers=tuple(one.number for one in session.lookalikes),
        repeat=session.record.enrolments_this_period,
    )
    handing = replace(session.at(Step.ENROL_HANDING_IN), captured_at=around.now)
    return handing, (fx.Hush(), fx.HandIn(draft), fx.StartTimer(HAND_IN, rules.hand_in_s))


def _dated(evidence: EnrolmentEvidence, around: Surroundings) -> EnrolmentEvidence:
    """The face room knows no calendar: when the features were taken is filled in here."""
    today = local_day(around.now)
    captures = tuple(replace(one, template=replace(one.template, taken_on=today)) for one in evidence.captures)
    return replace(evidence, captures=captures)


def _is_my_answer(session: Session, event: ev.HandedIn | ev.HandInFailed) -> bool:
    return session.step is Step.ENROL_HANDING_IN and session.captured_at == event.captured_at


def _handed_in(session: Session, event: ev.HandedIn, around: Surroundings, rules: Rules) -> Result:
    """The word is the same with and without the office's receipt, so it is not waited for."""
    if not _is_my_answer(session, event):
        return session, ()
    shown = replace(
        session.at(Step.ENROL_RESULT), receipt=event.receipt, standing=Standing.RECEIVED, trouble="enrol_result.detail",
    )
    wanted = (fx.CancelTimer(HAND_IN), fx.Say("enrol_result.detail"), fx.StartTimer(LEAVE, rules.result_s))
    return slips.printed(shown, wanted, around, rules)


def _hand_in_failed(session: Session, event: ev.HandInFailed, around: Surroundings, rules: Rules) -> Result:
    if not _is_my_answer(session, event):
        return session, ()
    return _not_handed_in(session, event.trouble)


def _overdue(session: Session, event: ev.TimeUp, around: Surroundings, rules: Rules) -> Result:
    if event.timer != HAND_IN or session.step is not Step.ENROL_HANDING_IN:
        return session, ()
    return _not_handed_in(session, HandInTrouble.STORE_FAILED)


def _not_handed_in(session: Session, trouble: HandInTrouble) -> Result:
    after, wanted = _sorry(session, f"trouble.{trouble.value}", f"staff.{trouble.value}")
    return after, (fx.CancelTimer(HAND_IN), *wanted)


_CONVERSATION = frame.Conversation(
    moves={
        (Step.ENROL_PERSON, Button.CONTINUE): _ask_consent,
        (Step.ENROL_CONSENT, Button.TICK_ENROL): frame.tick(ConsentScope.ENROL),
        (Step.ENROL_CONSENT, Button.TICK_SEND_PHOTO): frame.tick(ConsentScope.SEND_PHOTO),
        (Step.ENROL_CONSENT, Button.AGREE): _agree,
        (Step.ENROL_CONSENT, Button.DECLINE): _decline,
        (Step.ENROL_CONSENT, Button.BACK): _show_person,
        (Step.ENROL_DECLINED, Button.BACK): _ask_consent,
        (Step.ENROL_AGAIN, Button.RETRY): _camera,
        (Step.ENROL_SORRY, Button.RETRY): _camera,
        (Step.ENROL_CHECK, Button.RETAKE): _camera,
        (Step.ENROL_CHECK, Button.SUBMIT): _submit,
        (Step.ENROL_RESULT, Button.REPRINT): slips.reprint,
    },
    handlers={
        ev.TimeUp: _overdue,
        ev.CardSeen: _card_seen,
        ev.CardRead: _card_read,
        ev.CardFailed: _card_failed,
        ev.ReaderChanged: _reader_changed,
        ev.PrinterChanged: slips.printer_changed,
        ev.PersonFound: _person_found,
        ev.LookupFailed: _lookup_failed,
        ev.Coached: looking.coached,
        ev.TurnSeen: looking.turn_seen,
        ev.FlashWanted: looking.flash_wanted,
        ev.EnrolmentTaken: _taken,
        ev.FaceFailed: _face_failed,
        ev.HandedIn: _handed_in,
        ev.HandInFailed: _hand_in_failed,
        ev.SlipEnded: slips.slip_ended,
    },
)
