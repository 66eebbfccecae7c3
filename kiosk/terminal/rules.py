"""What the configuration says about conversations, as the rules they go by."""

from __future__ import annotations

from kiosk.config import KioskConfig
from kiosk.domain.liveness import Profile
from kiosk.flow.session import Rules, StaffRules
from kiosk.sync.identity import Identity

_HAND_IN_S = 20.0
"""Longer than the database waits for its lock."""
_JOIN_SLACK_S = 5.0
"""What is derived from a short code is slow by design, too."""
_CHECK_S = 10.0
"""A PIN hash is slow by design, and this machine may be slow too."""


def rules(config: KioskConfig, identity: Identity | None) -> Rules:
    """Who and where this is, the office has said when the terminal enrolled; None: it has not been yet."""
    ui, certification, face = config.ui, config.certification, config.face
    return Rules(
        bands=face.bands(), profile=Profile.PAPER if config.camera.ir_source is None else Profile.INFRARED,
        renew_months=face.enrol.renew_months, period=certification.period_rule(),
        attempts_max=certification.attempts_per_session, consent_text_version=certification.consent_text_version,
        terminal_id=identity.terminal_id if identity else "", site=identity.site if identity else "",
        idle_s=ui.idle_s, countdown_s=ui.countdown_s, result_s=ui.result_s, take_card_s=ui.take_card_s, ended_s=ui.ended_s,
        hand_in_s=_HAND_IN_S, delivery_wait_s=ui.delivery_wait_s,
        staff=StaffRules(_CHECK_S, config.staff.enrol_text_version) if config.staff.members else None,
        join_s=config.sync.connect_timeout_s + config.sync.total_timeout_s + _JOIN_SLACK_S,
    )
