"""The memory of one conversation. Dropped whole when it ends: the next person starts from a new one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

from kiosk.domain.case import CaseReceipt, Standing
from kiosk.domain.coaching import Coach, FlashPlan
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import FaceBands, FaceEvidence, Outcome
from kiosk.domain.document import IdCard
from kiosk.domain.enrolment import EnrolmentEvidence, NamedLookalike
from kiosk.domain.join import Shut
from kiosk.domain.liveness import Profile
from kiosk.domain.period import DueDate, PeriodRule
from kiosk.domain.roster import PersonRecord
from kiosk.domain.slip import PrintOutcome
from kiosk.flow.view import Step


@dataclass(frozen=True, slots=True)
class StaffRules:
    """What configuration says where staff can sign in."""

    check_s: float
    """The longest a PIN is waited for to be checked."""
    enrol_text_version: str
    """Of the notice read before an enrolment."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What configuration says about conversations; times in seconds."""

    bands: FaceBands
    profile: Profile
    """What a first try asks for: by what is fitted at this place."""
    renew_months: int
    """Templates older than this: the person is asked to be enrolled again."""
    period: PeriodRule
    attempts_max: int
    consent_text_version: str
    terminal_id: str
    site: str
    idle_s: float
    countdown_s: int
    result_s: float
    take_card_s: float
    ended_s: float
    hand_in_s: float
    delivery_wait_s: float
    staff: StaffRules | None = None
    """None: nobody can sign in at this terminal."""
    join_s: float = 0.0
    """The longest the office is waited for when this machine is enrolled; 0: it cannot be enrolled from its screen."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds at the moment an event arrives."""

    now: dt.datetime
    printer_hindrance: str
    """Empty when a slip can be promised."""
    paper_low: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    step: Step = Step.ATTRACT
    reader_usable: bool = False
    """The reader is not trusted before it has proved itself."""
    reader_reason: str = ""
    shut: Shut | None = None
    """Why nobody can be served, whatever the devices are."""
    attention: str = ""
    """Text id of what staff should know although work goes on."""
    card_on_reader: bool = False
    card_seen: bool = False
    card: IdCard | None = field(default=None, repr=False)
    record: PersonRecord | None = field(default=None, repr=False)
    ticked: frozenset[ConsentScope] = frozenset()
    consent: Consent | None = None
    attempts: int = 0
    """Tries begun and ended, with or without evidence."""
    evidence: tuple[FaceEvidence, ...] = field(default=(), repr=False)
    profile: Profile = Profile.PAPER
    """How much the next try asks of the person."""
    may_be_gentler: bool = False
    """A turn was not seen: fewer actions are offered."""
    enrol_again: bool = False
    """The enrolled pictures do not fit any more."""
    coach: Coach | None = None
    turned: float = 0.0
    """How much of the turn asked for is done, 0 to 1."""
    flash: FlashPlan | None = None
    trouble: str = ""
    staff_note: str = ""
    outcome: Outcome | None = None
    captured_at: dt.datetime | None = None
    due: DueDate | None = None
    receipt: CaseReceipt | None = None
    standing: Standing | None = None
    wants_slip: bool = True
    paper_low: bool = False
    """As it was when the card was read: what is offered then stays."""
    slip: PrintOutcome | None = None
    slip_copy: int = 1
    may_reprint: bool = False
    help_open: bool = False
    idle_left: int | None = None
    pin: str = field(default="", repr=False)
    """As far as it is typed."""
    pin_asked_at: dt.datetime | None = None
    """Set while a PIN is being checked, or an enrolment code."""
    locked_s: int = 0
    code: str = field(default="", repr=False)
    """An enrolment code as far as it is typed."""
    joined: tuple[str, str] | None = None
    """Terminal id and site, as the office has just given them."""
    staff: str = ""
    """Id of who signed in for this one conversation."""
    enrolment: EnrolmentEvidence | None = field(default=None, repr=False)
    lookalikes: tuple[NamedLookalike, ...] = field(default=(), repr=False)

    def fresh(self, step: Step, trouble: str = "", staff_note: str = "") -> Session:
        """A new session at `step`: nothing of the person stays, only what is true of the machine."""
        return Session(
            step=step, reader_usable=self.reader_usable, reader_reason=self.reader_reason, shut=self.shut,
            attention=self.attention, card_on_reader=self.card_on_reader, trouble=trouble, staff_note=staff_note,
        )

    def at(self, step: Step) -> Session:
        """The same conversation one step on; the sentences and digits of the old step are gone."""
        return replace(self, step=step, trouble="", staff_note="", coach=None, turned=0.0, flash=None,
                       help_open=False, idle_left=None, pin="", code="", pin_asked_at=None, locked_s=0)

    @property
    def may_retry_camera(self) -> bool:
        """Consent is there, and nothing handed in or about to be."""
        return self.consent is not None and self.captured_at is None

    @property
    def has_photos(self) -> bool:
        return any(one.photos for one in self.evidence)
