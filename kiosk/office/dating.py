"""When a case was captured by the office's clock, where the terminal's was never checked: from the start of the machine and
its monotonic clock, which nobody can set. What the terminal said stays beside it.
"""

from __future__ import annotations

import datetime as dt

from kiosk.office.models import Case, FaceEnrolment, TerminalBoot
from kiosk.sync.wire.models import ClockState, EnvelopeHeader


def captured_by_office(terminal_id: str, boot: str, mono_ms: int) -> dt.datetime | None:
    """None while no heartbeat of that start was heard. Right to the travel time of a heartbeat."""
    heard = TerminalBoot.objects.filter(terminal_id=terminal_id, boot=boot)
    anchor = heard.order_by("-received").first() if boot else None
    if anchor is None:
        return None
    try:
        return anchor.received - dt.timedelta(milliseconds=anchor.mono_ms - mono_ms)
    except OverflowError:  # numbers no machine counts to
        return None


def columns(header: EnvelopeHeader) -> dict[str, object]:
    """What a case or enrolment keeps of its clock."""
    mono_ms = min(header.mono_ms, 2**63 - 1)
    unconfirmed = header.clock is ClockState.UNCONFIRMED
    return {
        "clock": header.clock.value, "boot": header.boot, "mono_ms": mono_ms,
        "captured_by_office": captured_by_office(header.kiosk, header.boot, mono_ms) if unconfirmed else None,
    }


def date_waiting(terminal_id: str, boot: str) -> None:
    """A heartbeat of this start was heard: what came before it can be dated now. Part of the caller's transaction."""
    if not boot:
        return
    for model in (Case, FaceEnrolment):
        waiting = model.objects.filter(
            terminal_id=terminal_id, boot=boot, captured_by_office=None, clock=ClockState.UNCONFIRMED.value,
        )
        for one in waiting:
            if one.mono_ms is not None and (moment := captured_by_office(terminal_id, boot, one.mono_ms)) is not None:
                model.objects.filter(pk=one.pk, captured_by_office=None).update(captured_by_office=moment)
