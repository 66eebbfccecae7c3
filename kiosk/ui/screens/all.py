"""Which screen belongs to which step."""

from __future__ import annotations

from typing import Final

from kiosk.flow.view import Step
from kiosk.ui.screens.ask_review import AskReviewScreen
from kiosk.ui.screens.attract import AttractScreen
from kiosk.ui.screens.base import Screen
from kiosk.ui.screens.camera import CameraScreen
from kiosk.ui.screens.card import CardScreen
from kiosk.ui.screens.consent import ConsentScreen
from kiosk.ui.screens.declined import DeclinedScreen
from kiosk.ui.screens.ended import EndedScreen
from kiosk.ui.screens.enrol_check import EnrolCheckScreen
from kiosk.ui.screens.enrol_consent import EnrolConsentScreen
from kiosk.ui.screens.enrol_person import EnrolPersonScreen
from kiosk.ui.screens.explain import ExplainScreen
from kiosk.ui.screens.greeting import GreetingScreen
from kiosk.ui.screens.handing_in import HandingInScreen
from kiosk.ui.screens.join import JoinScreen
from kiosk.ui.screens.joined import JoinedScreen
from kiosk.ui.screens.no_slip import NoSlipScreen
from kiosk.ui.screens.out_of_service import OutOfServiceScreen
from kiosk.ui.screens.result import ResultScreen
from kiosk.ui.screens.sorry import SorryScreen
from kiosk.ui.screens.staff_menu import StaffMenuScreen
from kiosk.ui.screens.staff_pin import StaffPinScreen
from kiosk.ui.screens.take_card import TakeCardScreen
from kiosk.ui.screens.try_again import TryAgainScreen

SCREENS: Final[dict[Step, type[Screen]]] = {
    Step.OUT_OF_SERVICE: OutOfServiceScreen,
    Step.ATTRACT: AttractScreen,
    Step.NO_SLIP: NoSlipScreen,
    Step.EXPLAIN: ExplainScreen,
    Step.CARD: CardScreen,
    Step.GREETING: GreetingScreen,
    Step.CONSENT: ConsentScreen,
    Step.DECLINED: DeclinedScreen,
    Step.CAMERA: CameraScreen,
    Step.TRY_AGAIN: TryAgainScreen,
    Step.ASK_REVIEW: AskReviewScreen,
    Step.HANDING_IN: HandingInScreen,
    Step.RESULT: ResultScreen,
    Step.SORRY: SorryScreen,
    Step.TAKE_CARD: TakeCardScreen,
    Step.ENDED: EndedScreen,
    Step.STAFF_PIN: StaffPinScreen,
    Step.STAFF_MENU: StaffMenuScreen,
    Step.JOIN: JoinScreen,
    Step.JOINED: JoinedScreen,
    Step.ENROL_CARD: CardScreen,
    Step.ENROL_PERSON: EnrolPersonScreen,
    Step.ENROL_CONSENT: EnrolConsentScreen,
    Step.ENROL_DECLINED: DeclinedScreen,
    Step.ENROL_CAMERA: CameraScreen,
    Step.ENROL_AGAIN: TryAgainScreen,
    Step.ENROL_CHECK: EnrolCheckScreen,
    Step.ENROL_HANDING_IN: HandingInScreen,
    Step.ENROL_RESULT: ResultScreen,
    Step.ENROL_SORRY: SorryScreen,
}
"""Steps that name the same class share one screen."""
