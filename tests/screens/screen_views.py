"""Every screen state worth looking at, with the longest data a person could bring. Names and numbers are invented."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.domain.case import Standing
from kiosk.domain.coaching import Coach
from kiosk.domain.consent import ConsentScope
from kiosk.domain.join import JoinTrouble
from kiosk.domain.names import mask_name, mask_number
from kiosk.domain.period import LOCAL_ZONE, DueDate, PeriodState
from kiosk.domain.roster import OfficeDecision
from kiosk.domain.short_code import grouped
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.flow.view import Button, Captured, Step, View

CASE_NUMBER: Final = "HANGU001-20261123-000042"
LONG_NAME: Final = mask_name("阿卜杜热合曼·买买提吐尔逊江")
REASON: Final = "照片里光线太暗，看不清楚，请在光线好的时候再办一次，或者请工作人员帮忙"
DUE: Final = DueDate(dt.date(2027, 12, 31), confirmed_by_office=True)
ESTIMATED: Final = DueDate(dt.date(2027, 10, 31), confirmed_by_office=False)

_HELP = frozenset({Button.HELP, Button.REPEAT_VOICE})
_END = _HELP | {Button.END}


def _greeting(state: PeriodState, **more: object) -> View:
    view = View(Step.GREETING, _END | {Button.CONTINUE}, progress=(2, 4), masked_name=mask_name("王建国"), period=state)
    return replace(view, due=None if state is PeriodState.UNKNOWN else DUE, **more)  # type: ignore[arg-type]


def _consent(*agreed: ConsentScope) -> View:
    enabled = _END | {Button.TICK_MATCH, Button.TICK_SEND_PHOTO, Button.DECLINE, Button.BACK}
    if ConsentScope.MATCH in agreed:
        enabled |= {Button.AGREE}
    return View(Step.CONSENT, enabled, progress=(2, 4), agreed=frozenset(agreed))


def _result(standing: Standing, slip: PrintOutcome | None, **more: object) -> View:
    view = View(
        Step.RESULT,
        _HELP | {Button.DONE},
        progress=(4, 4),
        standing=standing,
        case_number=CASE_NUMBER,
        handed_in_at=dt.datetime(2026, 11, 23, 10, 5, tzinfo=LOCAL_ZONE),
        due=ESTIMATED,
        slip=slip,
    )
    return replace(view, **more)  # type: ignore[arg-type]


def _enrol_consent(*agreed: ConsentScope) -> View:
    enabled = _END | {Button.TICK_ENROL, Button.TICK_SEND_PHOTO, Button.DECLINE, Button.BACK}
    if len(agreed) == 2:
        enabled |= {Button.AGREE}
    return View(Step.ENROL_CONSENT, enabled, progress=(2, 4), agreed=frozenset(agreed))


def _enrol_check(captured: Captured) -> View:
    submit = {Button.SUBMIT} if captured.consistent else set()
    return View(Step.ENROL_CHECK, _END | {Button.RETAKE} | submit, progress=(4, 4), captured=captured)


_STAFF_PIN = View(Step.STAFF_PIN, frozenset({Button.HELP, Button.BACK}))
_JOIN = View(Step.JOIN, frozenset({Button.HELP, Button.BACK}), typed=0)
_PERSON = View(
    Step.ENROL_PERSON, _END | {Button.CONTINUE}, progress=(1, 4), masked_name=mask_name("王建国"),
    masked_number=mask_number("999900195001010026"), enrolled=0,
)
_LOOKALIKES = tuple((LONG_NAME, mask_number(f"99990019{year}010100{year % 10}X")) for year in range(40, 45))

_CARD = View(Step.CARD, _END, progress=(1, 4))
_CAMERA = View(Step.CAMERA, _END, progress=(3, 4), attempt=0, attempts_max=3)
_TRY_AGAIN = View(Step.TRY_AGAIN, _END | {Button.RETRY}, progress=(3, 4), attempt=1, attempts_max=3)
_ASK_REVIEW = View(Step.ASK_REVIEW, _END | {Button.ASK_REVIEW}, progress=(3, 4), attempt=3, attempts_max=3)
_SORRY = View(Step.SORRY, _END | {Button.RETRY})
_ENDED = View(Step.ENDED, _HELP | {Button.DONE})

VIEWS: Final[dict[str, View]] = {
    "out_of_service": View(Step.OUT_OF_SERVICE, _HELP, staff_note="staff.idcard.mute"),
    "out_of_service-database": View(Step.OUT_OF_SERVICE, _HELP, staff_note="staff.store.wrong_key"),
    "attract": View(Step.ATTRACT, _HELP | {Button.START, Button.EXPLAIN}),
    "no_slip": View(Step.NO_SLIP, _HELP | {Button.WITHOUT_SLIP}, staff_note="staff.printer.paper_out"),
    "no_slip-card": View(
        Step.NO_SLIP, _END | {Button.WITHOUT_SLIP}, card_on_reader=True, staff_note="staff.printer.unrecoverable"
    ),
    "no_slip-trouble": View(
        Step.NO_SLIP, _HELP | {Button.WITHOUT_SLIP}, trouble="trouble.lay_again_clean", staff_note="staff.printer.starting"
    ),
    "explain": View(Step.EXPLAIN, _HELP | {Button.START, Button.BACK}),
    "card": _CARD,
    "card-reading": replace(_CARD, card_seen=True, card_on_reader=True),
    **{f"card-{each.value}": replace(_CARD, trouble=f"trouble.{each.value}") for each in CardTrouble},
    **{f"greeting-{state.value}": _greeting(state) for state in PeriodState},
    "greeting-accepted": _greeting(
        PeriodState.VALID, decision=OfficeDecision(CASE_NUMBER, accepted=True, reason="", decided_on=dt.date(2026, 10, 28))
    ),
    "greeting-longest": _greeting(
        PeriodState.VALID,
        masked_name=LONG_NAME,
        last_case_number=CASE_NUMBER,
        decision=OfficeDecision(CASE_NUMBER, accepted=False, reason=REASON, decided_on=dt.date(2026, 10, 28)),
    ),
    "greeting-paper_low": _greeting(PeriodState.DUE_SOON, paper_low=True, enabled=_END | {Button.CONTINUE, Button.TICK_NO_SLIP}),
    "greeting-paper_low-longest": _greeting(
        PeriodState.VALID, paper_low=True, wants_slip=False, enabled=_END | {Button.CONTINUE, Button.TICK_NO_SLIP},
        masked_name=LONG_NAME, last_case_number=CASE_NUMBER,
        decision=OfficeDecision(CASE_NUMBER, accepted=False, reason=REASON, decided_on=dt.date(2026, 10, 28)),
    ),
    "consent": _consent(),
    "consent-match": _consent(ConsentScope.MATCH),
    "consent-both": _consent(ConsentScope.MATCH, ConsentScope.SEND_PHOTO),
    "declined": View(Step.DECLINED, _HELP | {Button.BACK, Button.DONE}),
    "camera": _CAMERA,
    **{f"camera-{coach.value}": replace(_CAMERA, coach=coach) for coach in Coach},
    "camera-turn_left-half": replace(_CAMERA, coach=Coach.TURN_LEFT, turned=0.5),
    "camera-turn_right-done": replace(_CAMERA, coach=Coach.TURN_RIGHT, turned=1.0),
    **{
        f"try_again-{each}": replace(_TRY_AGAIN, trouble=f"trouble.{each}")
        for each in ("not_matched", FaceTrouble.NO_ACTION.value, FaceTrouble.TIMEOUT.value)
    },
    "try_again-gentler": replace(
        _TRY_AGAIN, trouble=f"trouble.{FaceTrouble.NO_ACTION.value}", enabled=_END | {Button.RETRY, Button.GENTLER},
    ),
    **{
        f"ask_review-{each.removeprefix('trouble.')}": replace(_ASK_REVIEW, trouble=each)
        for each in ("trouble.not_matched", "trouble.no_action", "trouble.timeout", "ask_review.photo_needed")
    },
    "handing_in": View(Step.HANDING_IN, _HELP, progress=(4, 4)),
    "result-received-printing": _result(Standing.RECEIVED, None),
    "result-received-printed": _result(Standing.RECEIVED, PrintOutcome.PRINTED, card_on_reader=True),
    "result-received-blocked": _result(
        Standing.RECEIVED, PrintOutcome.BLOCKED, card_on_reader=True, staff_note="staff.printer.missing_glyph"
    ),
    "result-received-unknown": _result(Standing.RECEIVED, PrintOutcome.UNKNOWN, staff_note="staff.printer.line_lost"),
    "result-received-reprint": _result(
        Standing.RECEIVED, PrintOutcome.UNKNOWN, card_on_reader=True, enabled=_HELP | {Button.DONE, Button.REPRINT},
        staff_note="staff.printer.no_proof",
    ),
    "result-received-no_slip": _result(Standing.RECEIVED, None, wants_slip=False, card_on_reader=True),
    "result-review": _result(Standing.RECEIVED, PrintOutcome.PRINTED, trouble="result.review", card_on_reader=True),
    "result-submitted": _result(Standing.SUBMITTED, PrintOutcome.PRINTED, card_on_reader=True),
    "result-enrol_again": _result(
        Standing.RECEIVED, PrintOutcome.UNKNOWN, trouble="result.review", card_on_reader=True, enrol_again=True, due=None,
        enabled=_HELP | {Button.DONE, Button.REPRINT}, staff_note="staff.printer.no_proof",
    ),
    "result-confirmed": _result(Standing.CONFIRMED, PrintOutcome.PRINTED, due=DUE),
    **{
        f"sorry-{each}": replace(_SORRY, trouble=f"trouble.{each}", staff_note=f"staff.{each}" if each != "no_picture" else "")
        for each in ("no_picture", FaceTrouble.CAMERA_LOST.value, FaceTrouble.UNAVAILABLE.value)
    },
    **{
        f"sorry-{each.value}": replace(_SORRY, trouble=f"trouble.{each.value}", enabled=_END, staff_note=f"staff.{each.value}")
        for each in HandInTrouble
    },
    "take_card": View(Step.TAKE_CARD, _HELP, card_on_reader=True),
    "ended-cancelled": replace(_ENDED, trouble="ended.cancelled"),
    "ended-timeout": replace(_ENDED, trouble="ended.timeout"),
    "staff_pin": replace(_STAFF_PIN, typed=0),
    "staff_pin-typed": replace(_STAFF_PIN, typed=8, enabled=_STAFF_PIN.enabled | {Button.ENTER}),
    "staff_pin-checking": _STAFF_PIN,
    "staff_pin-unclear": replace(_STAFF_PIN, typed=0, trouble="staff_pin.unclear"),
    "staff_pin-locked": replace(_STAFF_PIN, trouble="staff_pin.locked", locked_s=3600),
    "staff_menu": View(Step.STAFF_MENU, frozenset({Button.HELP, Button.ENROL, Button.SIGN_OUT})),
    "staff_menu-longest": View(
        Step.STAFF_MENU, frozenset({Button.HELP, Button.ENROL, Button.JOIN, Button.SIGN_OUT}), staff_note="staff.clone",
    ),
    "staff_menu-shut": View(Step.STAFF_MENU, frozenset({Button.HELP, Button.JOIN, Button.SIGN_OUT})),
    "out_of_service-not_enrolled": View(Step.OUT_OF_SERVICE, _HELP, staff_note="staff.not_enrolled", staff_entry=True),
    "out_of_service-refused": View(Step.OUT_OF_SERVICE, _HELP, staff_note="staff.device_refused", staff_entry=True),
    "join": _JOIN,
    "join-typed": replace(_JOIN, typed=20, code=grouped("9" * 20), enabled=_JOIN.enabled | {Button.ENTER}),
    "join-asking": replace(_JOIN, typed=None, code=grouped("8" * 20)),
    **{
        f"join-{each.value}": replace(_JOIN, typed=7, code=grouped("1234567"), trouble=f"join.{each.value}")
        for each in JoinTrouble
    },
    "joined": View(
        Step.JOINED, frozenset({Button.HELP, Button.SIGN_OUT}), joined=("HANGU001", "高新区含谷镇含湖村便民服务中心一楼大厅东侧"),
    ),
    "enrol_card": replace(_CARD, step=Step.ENROL_CARD),
    "enrol_person-none": _PERSON,
    "enrol_person-not_in_roster": replace(_PERSON, enrolled=None),
    "enrol_person-longest": replace(
        _PERSON, masked_name=LONG_NAME, enrolled=4, enrolled_on=dt.date(2026, 11, 23), staff_note="staff.printer.head_fault",
    ),
    "enrol_consent": _enrol_consent(),
    "enrol_consent-both": _enrol_consent(ConsentScope.ENROL, ConsentScope.SEND_PHOTO),
    "enrol_declined": View(Step.ENROL_DECLINED, _HELP | {Button.BACK, Button.DONE}),
    "enrol_camera": replace(_CAMERA, step=Step.ENROL_CAMERA, attempts_max=0, coach=Coach.HOLD_STILL),
    "enrol_again": replace(_TRY_AGAIN, step=Step.ENROL_AGAIN, attempts_max=0, trouble="enrol_again.no_action"),
    "enrol_check": _enrol_check(Captured(3, consistent=True, alive=True)),
    "enrol_check-not_consistent": _enrol_check(Captured(3, consistent=False, alive=True)),
    "enrol_check-longest": _enrol_check(Captured(3, consistent=True, alive=False, lookalikes=_LOOKALIKES)),
    "enrol_check-nothing_fits": _enrol_check(Captured(2, consistent=False, alive=False, lookalikes=_LOOKALIKES)),
    "enrol_handing_in": View(Step.ENROL_HANDING_IN, _HELP, progress=(4, 4)),
    "enrol_result": _result(
        Standing.RECEIVED, PrintOutcome.BLOCKED, step=Step.ENROL_RESULT, trouble="enrol_result.detail", due=None,
        card_on_reader=True, staff_note="staff.printer.paper_out",
    ),
    "enrol_sorry": replace(_SORRY, step=Step.ENROL_SORRY, trouble="trouble.camera_lost", staff_note="staff.camera_lost"),
    "help": replace(_CARD, enabled=frozenset({Button.CLOSE_HELP}), help_open=True),
    "idle": replace(_CARD, enabled=frozenset({Button.MORE_TIME, Button.END}), idle_seconds_left=30),
}


def camera_frame() -> NDArray[np.uint8]:
    """1280 x 720 BGR: a grey wall, a lighter ellipse for a head, a marker on the left that the mirror shows on the right."""
    rows, columns = np.mgrid[0:720, 0:1280]
    frame = np.full((720, 1280, 3), (150, 140, 130), np.uint8)
    frame[((columns - 640) / 150) ** 2 + ((rows - 350) / 210) ** 2 < 1] = (150, 180, 215)
    frame[(columns > 330) & (columns < 400) & (rows > 40) & (rows < 110)] = (30, 30, 200)
    return frame
