"""The slip in a conversation: what it says, whether one is wanted, how it ended, and when another one may be printed."""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.case import Item
from kiosk.domain.slip import PrintOutcome, Slip
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow.effects import Effect
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import LEAVE, WAITS_FOR_CARD, Result, begin, printer_note
from kiosk.flow.view import Step

RESULTS = frozenset({Step.RESULT, Step.ENROL_RESULT})

NO_GLYPH = "staff.printer.missing_glyph"
"""A name that cannot be printed cannot be printed a minute later either."""


def slip_of(session: Session, rules: Rules) -> Slip:
    """For a session whose case is handed in and whose standing is known."""
    receipt, card = session.receipt, session.card
    assert receipt is not None and card is not None and session.captured_at is not None and session.standing is not None
    item = Item.ENROLMENT if session.step is Step.ENROL_RESULT else Item.CERTIFICATION
    return Slip(
        case_number=receipt.case_number, item=item, masked_name=card.masked_name,
        masked_number=card.masked_number, handed_in_at=session.captured_at, terminal_id=rules.terminal_id, site=rules.site,
        standing=session.standing, due=session.due, query_token=receipt.query_token, copy=session.slip_copy,
    )


def printed(shown: Session, wanted: tuple[Effect, ...], around: Surroundings, rules: Rules) -> Result:
    """A result just shown, and its slip, where one is wanted and can be printed."""
    if not shown.wants_slip:
        return shown, wanted
    if around.printer_hindrance:
        return replace(shown, slip=PrintOutcome.BLOCKED, staff_note=printer_note(around)), wanted
    return shown, (*wanted, fx.PrintSlip(slip_of(shown, rules)))


def reprint_helps(session: Session, around: Surroundings) -> bool:
    """Once after `unknown`: a second slip may lie beside the first. After `blocked` nothing was sent, so as often as wanted."""
    if around.printer_hindrance or session.staff_note == NO_GLYPH:
        return False
    return session.slip is PrintOutcome.BLOCKED or (session.slip is PrintOutcome.UNKNOWN and session.slip_copy == 1)


def tick_no_slip(session: Session, around: Surroundings, rules: Rules) -> Result:
    return (replace(session, wants_slip=not session.wants_slip) if session.paper_low else session), ()


def reprint(session: Session, around: Surroundings, rules: Rules) -> Result:
    """Only what may lie half printed somewhere makes the next one a copy (补打)."""
    if not session.may_reprint or around.printer_hindrance:
        return replace(session, may_reprint=False), ()
    copy = session.slip_copy + (session.slip is PrintOutcome.UNKNOWN)
    again = replace(session, slip=None, staff_note="", slip_copy=copy, may_reprint=False)
    return again, (fx.PrintSlip(slip_of(again, rules)), fx.StartTimer(LEAVE, rules.result_s))


def printer_changed(session: Session, event: ev.PrinterChanged, around: Surroundings, rules: Rules) -> Result:
    """Shows or clears the notice while nobody has begun; later only what has become possible is offered."""
    hindered = bool(around.printer_hindrance)
    if session.step is Step.NO_SLIP:
        if hindered:
            return replace(session, staff_note=printer_note(around)), ()
        if session.card is None:
            return begin(session, around)
        return session.at(Step.CARD), (fx.FindPerson(session.card),)
    if session.step in WAITS_FOR_CARD and session.card is None:
        if hindered and session.wants_slip and not session.card_seen:
            return begin(session, around)
        return replace(session, wants_slip=session.wants_slip or not hindered), ()  # whoever comes next has a choice again
    if session.step in RESULTS and session.slip is not None:
        return _offer_reprint(session, around, rules)
    return session, ()


def _offer_reprint(session: Session, around: Surroundings, rules: Rules) -> Result:
    """Time to press it starts when it becomes possible; the cause for staff is the present one."""
    offered = replace(session, may_reprint=reprint_helps(session, around))
    if session.slip is PrintOutcome.BLOCKED and session.staff_note != NO_GLYPH:
        offered = replace(offered, staff_note=printer_note(around) if around.printer_hindrance else "")
    newly = offered.may_reprint and not session.may_reprint
    return offered, (fx.StartTimer(LEAVE, rules.result_s),) if newly else ()


def slip_ended(session: Session, event: ev.SlipEnded, around: Surroundings, rules: Rules) -> Result:
    receipt = session.receipt
    mine = receipt is not None and receipt.case_number == event.case_number
    if session.step not in RESULTS or session.slip is not None or not mine:
        return session, ()
    restart = fx.StartTimer(LEAVE, rules.result_s)  # time to read starts when the slip is out
    note = f"staff.printer.{event.reason}" if event.reason else ""
    ended = replace(session, slip=event.outcome, staff_note=note)
    ended = replace(ended, may_reprint=reprint_helps(ended, around))
    return ended, (fx.Say(f"slip_state.{event.outcome.value}"), restart)
