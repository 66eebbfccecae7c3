"""What a conversation asks a screen to show. Values only; the words stand in the text catalogue."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.case import Standing
from kiosk.domain.coaching import Coach, FlashPlan
from kiosk.domain.consent import ConsentScope
from kiosk.domain.period import DueDate, PeriodState
from kiosk.domain.roster import OfficeDecision
from kiosk.domain.slip import PrintOutcome


class Step(StrEnum):
    """One screen each."""

    OUT_OF_SERVICE = "out_of_service"
    """The card reader does not work: says where else it can be done. Leaves by itself."""
    ATTRACT = "attract"
    NO_SLIP = "no_slip"
    """The printer cannot print: nothing that ends in a slip begins. Leaves by itself once it can."""
    EXPLAIN = "explain"
    """怎么办理: the four things that will happen."""
    CARD = "card"
    """Lay the card. `trouble` holds the sentence after a failed read."""
    GREETING = "greeting"
    """Masked name, state of the period, the office's word on an earlier case."""
    CONSENT = "consent"
    DECLINED = "declined"
    """The other ways, without penalty."""
    CAMERA = "camera"
    TRY_AGAIN = "try_again"
    ASK_REVIEW = "ask_review"
    """Not matched often enough, or between the bands: hand in for review, or a person."""
    HANDING_IN = "handing_in"
    RESULT = "result"
    SORRY = "sorry"
    """Could not go on; nothing was handed in. `trouble` says what and `HELP` is the way on."""
    TAKE_CARD = "take_card"
    ENDED = "ended"
    """Cancelled or timed out: nothing was handed in, everything is cleared."""
    STAFF_PIN = "staff_pin"
    """Staff sign in. Reached by holding the bar above the start screen; leaves by itself."""
    STAFF_MENU = "staff_menu"
    """What staff can do here. Leaves by itself."""
    JOIN = "join"
    """接入本机: type the office's code. From the staff menu, or by holding the bar while the machine cannot work."""
    JOINED = "joined"
    """What the office calls this machine from now on. Leaves by itself."""
    ENROL_CARD = "enrol_card"
    ENROL_PERSON = "enrol_person"
    """For staff: who the card says this is, and what is enrolled of them already."""
    ENROL_CONSENT = "enrol_consent"
    """For the person, and answered by the person."""
    ENROL_DECLINED = "enrol_declined"
    ENROL_CAMERA = "enrol_camera"
    ENROL_AGAIN = "enrol_again"
    """No usable pictures this time."""
    ENROL_CHECK = "enrol_check"
    """For staff: whether the captures agree, and whom they are like."""
    ENROL_HANDING_IN = "enrol_handing_in"
    ENROL_RESULT = "enrol_result"
    ENROL_SORRY = "enrol_sorry"
    """Could not go on; nothing was handed in."""


class Button(StrEnum):
    """Everything a finger can press. The value is the widget's objectName."""

    START = "start"
    EXPLAIN = "explain"
    HELP = "help"
    CLOSE_HELP = "close_help"
    BACK = "back"
    END = "end"
    CONTINUE = "continue"
    TICK_MATCH = "tick_match"
    TICK_SEND_PHOTO = "tick_send_photo"
    AGREE = "agree"
    DECLINE = "decline"
    RETRY = "retry"
    GENTLER = "gentler"
    """不方便转头: a try that asks for less; an officer then decides."""
    ASK_REVIEW = "ask_review"
    WITHOUT_SLIP = "without_slip"
    """Go on although no slip can be printed."""
    TICK_NO_SLIP = "tick_no_slip"
    """不打印: offered while the paper is running out."""
    REPRINT = "reprint"
    """补打: once, after a slip of which nobody knows how it came out; and when a printer that could not print can."""
    REPEAT_VOICE = "repeat_voice"
    MORE_TIME = "more_time"
    DONE = "done"
    ENTER = "enter"
    """The PIN is complete."""
    ENROL = "enrol"
    """采集人脸（生物特征采集）"""
    JOIN = "join"
    """接入 / 重新接入"""
    SIGN_OUT = "sign_out"
    TICK_ENROL = "tick_enrol"
    SUBMIT = "submit"
    """提交审核"""
    RETAKE = "retake"
    """重新采集"""


@dataclass(frozen=True, slots=True)
class Captured:
    """What staff are told about an enrolment before they hand it in."""

    captures: int
    consistent: bool
    """All of one and the same person."""
    alive: bool
    """The person did what was asked for."""
    lookalikes: tuple[tuple[str, str], ...] = ()
    """Masked name and masked number of people of the roster who look alike, the most alike first."""


@dataclass(frozen=True, slots=True)
class View:
    """Only the fields a step needs are set. `enabled` lists the buttons that may be pressed now."""

    step: Step
    enabled: frozenset[Button]
    progress: tuple[int, int] | None = None
    """第k步，共n步"""
    masked_name: str = ""
    period: PeriodState | None = None
    due: DueDate | None = None
    last_case_number: str | None = None
    """A case of this person already handed in this month."""
    decision: OfficeDecision | None = None
    agreed: frozenset[ConsentScope] = frozenset()
    coach: Coach | None = None
    turned: float = 0.0
    """How much of the turn asked for is done, 0 to 1."""
    flash: FlashPlan | None = None
    """Colours to show from now on, over everything."""
    attempt: int = 0
    attempts_max: int = 0
    """0: as often as wanted."""
    card_seen: bool = False
    trouble: str = ""
    """Text id of a calm sentence about what did not work."""
    staff_note: str = ""
    """Text id of the cause, for staff; small beside what the person reads."""
    standing: Standing | None = None
    enrol_again: bool = False
    """The enrolled pictures do not fit any more: the person is asked to have new ones taken."""
    case_number: str = ""
    handed_in_at: dt.datetime | None = None
    wants_slip: bool = True
    paper_low: bool = False
    slip: PrintOutcome | None = None
    """None while printing, and where no slip is wanted."""
    card_on_reader: bool = False
    help_open: bool = False
    idle_seconds_left: int | None = None
    """Not None: the idle warning lies over the step."""
    staff_entry: bool = False
    """Staff can sign in from here: the bar above may be held."""
    typed: int | None = None
    """How many digits of a PIN or code stand there; None: no digit can be typed now."""
    code: str = field(default="", repr=False)
    """An enrolment code as far as it is typed, in groups."""
    joined: tuple[str, str] | None = None
    """Terminal id and site."""
    locked_s: int = 0
    """How long no PIN is taken."""
    masked_number: str = ""
    enrolled: int | None = None
    """Enrolled pictures of the person; None: the roster does not know the person."""
    enrolled_on: dt.date | None = None
    """When the newest of them was taken, where that is known."""
    captured: Captured | None = None
