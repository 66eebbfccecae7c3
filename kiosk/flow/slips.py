"""The slip at the end of a conversation: what it says, and when another one may be printed."""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.case import Item
from kiosk.domain.slip import PrintOutcome, Slip
from kiosk.flow.session import Rules, Session, Surroundings

NO_GLYPH = "staff.printer.missing_glyph"
"""A name that cannot be printed cannot be printed a minute later either."""


def slip_of(session: Session, rules: Rules) -> Slip:
    """For a session whose case is handed in and whose standing is known."""
    receipt, card = session.receipt, session.card
    assert receipt is not None and card is not None and session.captured_at is not None and session.standing is not None
    return Slip(
        case_number=receipt.case_number, item=Item.CERTIFICATION, masked_name=card.masked_name,
        masked_number=card.masked_number, handed_in_at=session.captured_at, terminal_id=rules.terminal_id, site=rules.site,
        standing=session.standing, due=session.due, query_token=receipt.query_token, copy=session.slip_copy,
    )


def reprint_helps(session: Session, around: Surroundings) -> bool:
    """Once after `unknown`: a second slip may lie beside the first. After `blocked` nothing was sent, so as often as wanted."""
    if around.printer_hindrance or session.staff_note == NO_GLYPH:
        return False
    return session.slip is PrintOutcome.BLOCKED or (session.slip is PrintOutcome.UNKNOWN and session.slip_copy == 1)


def once_more(session: Session) -> Session:
    """Printing again. Only what may lie half printed somewhere makes the next one a copy (补打)."""
    copy = session.slip_copy + (session.slip is PrintOutcome.UNKNOWN)
    return replace(session, slip=None, staff_note="", slip_copy=copy, may_reprint=False)


def printer_note(around: Surroundings) -> str:
    """Text id of the cause, for staff."""
    return f"staff.printer.{around.printer_hindrance}"
