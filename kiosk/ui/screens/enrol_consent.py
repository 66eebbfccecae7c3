"""人脸采集告知: the person's own consent to being enrolled, apart from any other (PIPL art. 17, 29, 30)."""

from __future__ import annotations

from kiosk.domain.consent import ConsentScope
from kiosk.flow.view import Button
from kiosk.ui.screens.consent import ConsentScreen


class EnrolConsentScreen(ConsentScreen):
    TITLE = "enrol_consent.title"
    NOTICE = (
        ("consent.who", "consent.who_text"),
        ("consent.purpose", "enrol_consent.purpose_text"),
        ("consent.data", "enrol_consent.data_text"),
        ("consent.method", "enrol_consent.method_text"),
        ("consent.keep", "enrol_consent.keep_text"),
        ("consent.impact", "consent.impact_text"),
        ("consent.rights", "consent.rights_text"),
    )
    HINT = "enrol_consent.hint"
    TICKS = ((Button.TICK_ENROL, ConsentScope.ENROL), (Button.TICK_SEND_PHOTO, ConsentScope.SEND_PHOTO))
