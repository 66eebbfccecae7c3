"""`[retention]`: how long what is kept. Nothing is erased before the office said `safe`, whatever stands here."""

from __future__ import annotations

from pydantic import Field

from kiosk.config.section import Section


class RetentionConfig(Section):
    sealed_h: float = Field(12.0, ge=0, description="Hours a handed-in case stays after the office said it is safe.")
    faces_at_safe: bool = Field(True, description="Cases with pictures go at once when safe, where no review is open.")
    rows_days: int = Field(400, ge=180, description="Days the emptied rows stay: reconciliation needs them.")
    print_days: int = Field(180, ge=1, description="Days of the print journal.")
    unsent_alarm_days: int = Field(30, ge=1, description="A case unsent for this long is an alarm, never erased.")
    unsafe_alarm_h: float = Field(24.0, gt=0, description="A case committed but not safe for this long is an alarm.")
    run_hour: int = Field(2, ge=0, le=23, description="Local hour after which the daily run is made.")
