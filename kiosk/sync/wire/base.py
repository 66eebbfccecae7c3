"""What all bodies on the wire share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Word = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,20}$")]
"""A code of a list that a newer sender may know more of."""


class Wire(BaseModel):
    """A frozen value; unknown fields are ignored, so either side may be newer."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", strict=True, hide_input_in_errors=True, allow_inf_nan=False,
        ser_json_bytes="base64", val_json_bytes="base64",
    )

    def to_json(self) -> bytes:
        return self.model_dump_json().encode()
