"""What a conversation needs from the house. Commands only: answers come back later as events."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from kiosk.domain.case import CaseDraft
from kiosk.domain.document import IdCard
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.face_task import FaceTask
from kiosk.domain.slip import Slip
from kiosk.flow.view import View


class Clock(Protocol):
    def now(self) -> dt.datetime: ...


class CardReader(Protocol):
    def seek(self) -> None:
        """Look for a card from now on. Answers: CardSeen, CardRead, CardFailed."""

    def release(self) -> None:
        """Stop looking. After a read card: CardLifted once the plate is free."""


class FaceRoom(Protocol):
    def begin(self, task: FaceTask) -> None:
        """Open the camera and take one try. Answers: Coached, TurnSeen, FlashWanted …, then FaceTried (or for an
        enrolment EnrolmentTaken) or FaceFailed."""

    def end(self) -> None:
        """Close the camera and forget the pictures."""


class CaseDesk(Protocol):
    def find_person(self, card: IdCard) -> None:
        """Answer: PersonFound or LookupFailed."""

    def hand_in(self, draft: CaseDraft | EnrolmentDraft) -> None:
        """One transaction. Answer: HandedIn or HandInFailed."""

    def watch_delivery(self, case_id: str, seconds: float) -> None:
        """Answer: DeliveryKnown, at the latest after `seconds`."""


class SlipPrinter(Protocol):
    def hindrance(self) -> str:
        """Why no slip can be promised now, as a reason code (`paper_out`, `mute` …); empty when it can."""

    def paper_low(self) -> bool: ...

    def print_slip(self, slip: Slip) -> None:
        """Answer: SlipEnded."""


class StaffGate(Protocol):
    def check(self, pin: str, asked_at: dt.datetime) -> None:
        """Whose PIN this is. Answer, not at once: StaffKnown or StaffUnknown with the same `asked_at`."""


class Joining(Protocol):
    def seek_code(self) -> None:
        """Let the scanner read, where one is fitted. Answer: CodeScanned."""

    def release_code(self) -> None: ...

    def join(self, code: str, asked_at: dt.datetime) -> None:
        """Redeem an enrolment code. Answer, not at once: Joined or JoinFailed with the same `asked_at`."""


class Voice(Protocol):
    def say(self, text_id: str) -> None:
        """Speaks one sentence of the catalogue; an earlier one stops."""

    def repeat(self) -> None:
        """Speaks the last sentence of this conversation once more."""

    def stop(self) -> None: ...


class Screen(Protocol):
    def show_view(self, view: View) -> None: ...


class Timers(Protocol):
    def start(self, name: str, seconds: float) -> None:
        """(Re)starts the named timer. Answer: TimeUp(name)."""

    def cancel(self, name: str) -> None: ...
