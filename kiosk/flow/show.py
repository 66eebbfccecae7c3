"""From a session to what the screen shows of it: masked, and only the fields the step needs."""

from __future__ import annotations

import datetime as dt

from kiosk.domain.consent import ConsentScope
from kiosk.domain.liveness import Liveness
from kiosk.domain.period import DueDate, local_day
from kiosk.domain.pin import PIN_MIN
from kiosk.domain.roster import PersonRecord, RosterEntry
from kiosk.domain.short_code import grouped
from kiosk.flow import enrol, join, slips, staff
from kiosk.flow.session import Rules, Session
from kiosk.flow.view import Button, Captured, Step, View

_PROGRESS = {
    Step.CARD: 1, Step.GREETING: 2, Step.CONSENT: 2, Step.CAMERA: 3, Step.TRY_AGAIN: 3, Step.ASK_REVIEW: 3,
    Step.HANDING_IN: 4, Step.RESULT: 4,
    Step.ENROL_CARD: 1, Step.ENROL_PERSON: 1, Step.ENROL_CONSENT: 2, Step.ENROL_CAMERA: 3, Step.ENROL_AGAIN: 3,
    Step.ENROL_CHECK: 4, Step.ENROL_HANDING_IN: 4, Step.ENROL_RESULT: 4,
}
_STEPS = 4

_BUTTONS: dict[Step, frozenset[Button]] = {
    Step.OUT_OF_SERVICE: frozenset(),
    Step.ATTRACT: frozenset({Button.START, Button.EXPLAIN}),
    Step.NO_SLIP: frozenset({Button.WITHOUT_SLIP}),
    Step.EXPLAIN: frozenset({Button.START, Button.BACK}),
    Step.CARD: frozenset({Button.END}),
    Step.GREETING: frozenset({Button.CONTINUE, Button.END}),
    Step.CONSENT: frozenset({Button.TICK_MATCH, Button.TICK_SEND_PHOTO, Button.DECLINE, Button.BACK, Button.END}),
    Step.DECLINED: frozenset({Button.BACK, Button.DONE}),
    Step.CAMERA: frozenset({Button.END}),
    Step.TRY_AGAIN: frozenset({Button.RETRY, Button.END}),
    Step.ASK_REVIEW: frozenset({Button.ASK_REVIEW, Button.END}),
    Step.HANDING_IN: frozenset(),
    Step.RESULT: frozenset({Button.DONE}),
    Step.SORRY: frozenset({Button.RETRY, Button.END}),
    Step.TAKE_CARD: frozenset(),
    Step.ENDED: frozenset({Button.DONE}),
    Step.STAFF_PIN: frozenset({Button.BACK}),
    Step.STAFF_MENU: frozenset({Button.ENROL, Button.SIGN_OUT}),
    Step.JOIN: frozenset({Button.BACK}),
    Step.JOINED: frozenset({Button.SIGN_OUT}),
    Step.ENROL_CARD: frozenset({Button.END}),
    Step.ENROL_PERSON: frozenset({Button.CONTINUE, Button.END}),
    Step.ENROL_CONSENT: frozenset({Button.TICK_ENROL, Button.TICK_SEND_PHOTO, Button.DECLINE, Button.BACK, Button.END}),
    Step.ENROL_DECLINED: frozenset({Button.BACK, Button.DONE}),
    Step.ENROL_CAMERA: frozenset({Button.END}),
    Step.ENROL_AGAIN: frozenset({Button.RETRY, Button.END}),
    Step.ENROL_CHECK: frozenset({Button.RETAKE, Button.END}),
    Step.ENROL_HANDING_IN: frozenset(),
    Step.ENROL_RESULT: frozenset({Button.DONE}),
    Step.ENROL_SORRY: frozenset({Button.RETRY, Button.END}),
}


_SILENT = frozenset({Step.OUT_OF_SERVICE, Step.ATTRACT, Step.STAFF_PIN, Step.STAFF_MENU, Step.JOIN, Step.JOINED})
"""Nothing is said there that could be heard again."""


def view_of(session: Session, rules: Rules, now: dt.datetime) -> View:
    record = session.record
    entry = record.entry if record else None
    identifying = session.step is Step.ENROL_PERSON
    due = session.due
    if session.step is Step.GREETING and entry and entry.next_due:
        due = DueDate(entry.next_due, confirmed_by_office=True)
    return View(
        step=session.step,
        enabled=_enabled(session, rules),
        progress=(_PROGRESS[session.step], _STEPS) if session.step in _PROGRESS else None,
        masked_name=session.card.masked_name if session.card else "",
        period=rules.period.state(due.date if due else None, local_day(now)) if session.step is Step.GREETING else None,
        due=due,
        last_case_number=_undecided(record),
        decision=record.last_decision if record else None,
        agreed=session.ticked,
        coach=session.coach,
        turned=session.turned,
        flash=session.flash,
        attempt=session.attempts,
        attempts_max=0 if session.step in enrol.STEPS else rules.attempts_max,
        card_seen=session.card_seen,
        trouble=session.trouble,
        staff_note=session.staff_note,
        standing=session.standing,
        enrol_again=session.step is Step.RESULT and session.enrol_again,
        case_number=session.receipt.case_number if session.receipt else "",
        handed_in_at=session.captured_at if session.receipt else None,
        wants_slip=session.wants_slip,
        paper_low=session.paper_low,
        slip=session.slip,
        card_on_reader=session.card_on_reader,
        help_open=session.help_open,
        idle_seconds_left=session.idle_left,
        staff_entry=staff.may_ask(session, rules),
        typed=_typed(session),
        code=grouped(session.code),
        joined=session.joined if session.step is Step.JOINED else None,
        locked_s=session.locked_s,
        masked_number=session.card.masked_number if session.card and identifying else "",
        enrolled=len(entry.templates) if entry and identifying else None,
        enrolled_on=_enrolled_on(entry) if entry and identifying else None,
        captured=_captured(session),
    )


def _typed(session: Session) -> int | None:
    if join.may_type(session):
        return len(session.code)
    return len(session.pin) if staff.may_type(session) else None


def _enrolled_on(entry: RosterEntry) -> dt.date | None:
    return max((one.taken_on for one in entry.templates if one.taken_on is not None), default=None)


def _captured(session: Session) -> Captured | None:
    evidence = session.enrolment
    if evidence is None or session.step is not Step.ENROL_CHECK:
        return None
    return Captured(
        captures=len(evidence.captures),
        consistent=evidence.consistent,
        alive=evidence.report.verdict is Liveness.PASSED,
        lookalikes=tuple((one.masked_name, one.masked_number) for one in session.lookalikes),
    )


def _undecided(record: PersonRecord | None) -> str | None:
    """The last case, unless the office has decided it: "received" and "please come again" would contradict each other."""
    decision = record.last_decision if record else None
    if record is None or (decision and decision.case_number == record.last_case_number):
        return None
    return record.last_case_number


def _enabled(session: Session, rules: Rules) -> frozenset[Button]:
    if session.idle_left is not None:
        return frozenset({Button.MORE_TIME, Button.END})
    if session.help_open:
        return frozenset({Button.CLOSE_HELP})
    buttons = _BUTTONS[session.step] | {Button.HELP}
    if session.step not in _SILENT:
        buttons |= {Button.REPEAT_VOICE}
    if session.step is Step.NO_SLIP and session.card is not None:
        buttons |= {Button.END}
    if session.step is Step.GREETING and session.paper_low:
        buttons |= {Button.TICK_NO_SLIP}
    if session.step in slips.RESULTS and session.may_reprint:
        buttons |= {Button.REPRINT}
    if session.step is Step.CONSENT and ConsentScope.MATCH in session.ticked:
        buttons |= {Button.AGREE}
    if session.step is Step.TRY_AGAIN and session.may_be_gentler:
        buttons |= {Button.GENTLER}
    if session.step in (Step.SORRY, Step.ENROL_SORRY) and not session.may_retry_camera:
        buttons -= {Button.RETRY}
    if len(session.pin) >= PIN_MIN and staff.may_type(session):
        buttons |= {Button.ENTER}
    if join.may_send(session):
        buttons |= {Button.ENTER}
    if session.step is Step.STAFF_MENU and rules.join_s > 0:
        buttons |= {Button.JOIN}
    if session.step is Step.STAFF_MENU and session.shut is not None:
        buttons -= {Button.ENROL}
    if session.step is Step.ENROL_CONSENT and session.ticked >= enrol.NEEDED:
        buttons |= {Button.AGREE}
    if session.step is Step.ENROL_CHECK and enrol.may_hand_in(session):
        buttons |= {Button.SUBMIT}
    return buttons
