"""`[staff]`: who may sign in at the terminal."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator

from kiosk.config.section import Section
from kiosk.domain.pin import PinHash

_ID = re.compile(r"[A-Za-z0-9_-]{1,20}")


class StaffConfig(Section):
    """Hashes, never PINs; still, whoever reads one can find its PIN by trying. The file is for the service alone."""

    members: dict[str, SecretStr] = Field(
        default_factory=dict, description="Staff id (never a name) and the hash `kiosk staff pin` makes; empty: no sign-in.",
    )
    tries: int = Field(5, ge=3, le=10, description="Wrong PINs in a row until none is taken for a while.")
    lock_s: float = Field(60.0, ge=10, description="How long that is at first; doubles with each further wrong PIN.")
    lock_cap_s: float = Field(3600.0, ge=60, description="The longest it gets.")
    enrol_text_version: str = Field("2026-11-e1", description="Version of the enrolment notice, stored with each consent.")

    @field_validator("members")
    @classmethod
    def _ids_and_hashes(cls, members: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for staff, stored in members.items():
            if not is_staff_id(staff):
                raise ValueError("a staff id is 1 to 20 letters, digits, - and _")
            try:
                PinHash.parse(stored.get_secret_value())
            except ValueError as error:
                raise ValueError(f"{staff}: {error}") from None
        return members

    def hashes(self) -> dict[str, PinHash]:
        return {staff: PinHash.parse(stored.get_secret_value()) for staff, stored in self.members.items()}


def is_staff_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
